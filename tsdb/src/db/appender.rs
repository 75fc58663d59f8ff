//! The way in: gather and check; at commit log, then apply.
//!
//! Cells are checked when they come, so that the caller hears what becomes of them. Another
//! commit may come in between; then everything is checked once more before it is logged. What is
//! logged is exactly what will be visible.

use super::Db;
use super::parts::Parts;
use crate::append::{Append, Cell, ColumnRef, FamilyColumns, GroupRef, RowReport};
use crate::cell::StoredCell;
use crate::commit::{Commit, Entry, LooseSample, Row, SeriesId};
use crate::error::{Error, Rejected};
use crate::head::{Check, Head};
use crate::model::{Exemplar, Labels, Metadata, Timestamp};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;

/// Gathers one commit.
pub(super) struct Appender<'a> {
    db: &'a Db,
    /// The blocks when it began: while somebody has them the head forgets nothing that was named.
    _parts: Arc<Parts>,
    commit: Commit,
    check: Check,
    /// The head's generation when the first check was made.
    generation: Option<u64>,
    /// Whether what is added was logged before.
    is_replay: bool,
}

impl<'a> Appender<'a> {
    /// An empty commit.
    pub(super) fn new(db: &'a Db) -> Self {
        let (commit, check) = (Commit::default(), Check::default());
        Self { db, _parts: db.parts(), commit, check, generation: None, is_replay: false }
    }

    /// An empty commit of what the log has.
    pub(super) fn replay(db: &'a Db) -> Self {
        Self { check: Check::replay(), is_replay: true, ..Self::new(db) }
    }

    /// Makes the commit visible without logging it: replay.
    pub(super) fn apply_unlogged(self) -> usize {
        self.db.head_mut().apply(self.commit)
    }

    /// See [`Appender::learn`].
    fn learn_of_columns(
        &mut self,
        group: GroupRef,
        columns: &[ColumnRef],
        timestamp: Timestamp,
    ) -> Result<(), Rejected> {
        if !self.is_in_blocks(timestamp) {
            return Ok(());
        }
        let ids: Vec<_> = match self.db.head().group(group) {
            None => return Ok(()),
            Some(group) => {
                let ids = columns.iter().filter_map(|own| group.columns.get(own.0 as usize));
                ids.copied().collect()
            }
        };
        self.learn(&ids, timestamp)
    }

    fn is_in_blocks(&self, timestamp: Timestamp) -> bool {
        self.db.parts().range().is_some_and(|(_, newest)| timestamp.ms() <= newest)
    }

    /// Asks the blocks for the newest sample of series of which the head knows none, and for its
    /// value if this one is of the same time: what is older is refused, and what is there already
    /// is found. Only samples that are not newer than all blocks need this.
    fn learn(&mut self, ids: &[SeriesId], timestamp: Timestamp) -> Result<(), Rejected> {
        if !self.is_in_blocks(timestamp) {
            return Ok(());
        }
        let parts = self.db.parts();
        let unknown: Vec<_> = self.db.head().unknown(ids);
        let mut learnt = Vec::with_capacity(unknown.len());
        for (id, labels) in unknown {
            let newest = parts.newest(&labels).map_err(|_| Rejected::Unreadable)?;
            learnt.push((id, newest));
        }
        if !learnt.is_empty() {
            self.db.head_mut().learn(&learnt);
        }
        let flushed = self.db.head().flushed_at(ids, timestamp.ms());
        for (id, labels) in flushed {
            let cell = parts.cell(&labels, timestamp.ms()).map_err(|_| Rejected::Unreadable)?;
            let head = self.db.head();
            self.check.know(&head, &self.commit, (id, timestamp.ms()), cell);
        }
        Ok(())
    }

    fn note_generation(&mut self, head: &Head) {
        let generation = *self.generation.get_or_insert(head.generation());
        if generation != head.generation() {
            // Checks of different generations are mixed: no generation is the right one.
            self.generation = Some(u64::MAX);
        }
    }
}

impl Append for Appender<'_> {
    fn group(&mut self, target: &Labels) -> Result<GroupRef, Rejected> {
        let found = self.db.head().find_group(target);
        found.map_or_else(|| self.db.head_mut().define_group(target), Ok)
    }

    fn columns(
        &mut self,
        group: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected> {
        let columns = self.db.head_mut().define_columns(group, families)?;
        let nothing = Metadata::default();
        for family in families.iter().filter(|family| family.metadata != nothing) {
            self.metadata(&family.name, &family.metadata)?;
        }
        Ok(columns)
    }

    fn row(
        &mut self,
        group: GroupRef,
        timestamp: Timestamp,
        columns: &[ColumnRef],
        cells: &[Cell<'_>],
    ) -> Result<RowReport, Rejected> {
        if !self.is_replay {
            self.learn_of_columns(group, columns, timestamp)?;
        }
        let head = self.db.head();
        self.note_generation(&head);
        let known = head.named_group(group).ok_or(Rejected::UnknownRef)?.columns.len();
        let is_known = |column: &ColumnRef| (column.0 as usize) < known;
        if columns.len() != cells.len() || !columns.iter().all(is_known) {
            return Err(Rejected::UnknownRef);
        }
        let start = self.commit.columns.len();
        self.commit.columns.extend_from_slice(columns);
        self.commit.cells.extend(cells);
        let range = start..self.commit.columns.len();
        let row = Row { group, timestamp: timestamp.ms(), columns: range };
        let report = self.check.row(&head, &mut self.commit, &row);
        self.commit.push_row(row);
        Ok(report)
    }

    fn sample(
        &mut self,
        labels: &Labels,
        timestamp: Timestamp,
        cell: Cell<'_>,
    ) -> Result<(), Rejected> {
        let cell = StoredCell::from(cell);
        let found = self.db.head().find_series(labels);
        let series = found.map_or_else(|| self.db.head_mut().define_loose(labels), Ok)?;
        if cell.is_absent() {
            return Ok(());
        }
        if !self.is_replay {
            self.learn(&[series], timestamp)?;
        }
        let head = self.db.head();
        self.note_generation(&head);
        let sample = LooseSample { series, timestamp: timestamp.ms(), cell };
        if self.check.sample(&head, &self.commit, &sample)? {
            self.commit.entries.push(Entry::Sample(sample));
        }
        Ok(())
    }

    fn exemplar(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), Rejected> {
        if labels.metric_name().is_none() {
            return Err(Rejected::NoMetricName);
        }
        self.commit.exemplars.push((labels.clone(), exemplar));
        Ok(())
    }

    fn metadata(&mut self, family: &str, metadata: &Metadata) -> Result<(), Rejected> {
        if self.db.head().family_metadata().get(family) != Some(metadata) {
            self.commit.metadata.push((family.to_owned(), metadata.clone()));
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<usize, Error> {
        if self.commit.is_empty() {
            return Ok(0);
        }
        let mut log = self.db.log();
        let is_logged = !self.db.is_log_suspended();
        let mut logged = if is_logged { log.make_room() } else { Ok(()) };
        {
            let head = self.db.head();
            if self.generation.is_some_and(|generation| generation != head.generation()) {
                self.commit = checked_again(self.commit, &head);
            }
            if self.commit.is_empty() {
                return Ok(0);
            }
            if is_logged {
                logged = logged.and_then(|()| log.encode(&self.commit, &*head));
            }
        }
        if is_logged {
            logged = logged.and_then(|()| log.write(self.commit.newest()));
        }
        self.db.may_apply(logged)?;
        let mut head = self.db.head_mut();
        let stored = head.apply(self.commit);
        self.db.appended.fetch_add(stored as u64, Ordering::Relaxed);
        self.db.note_due(head.is_flush_due() || self.db.is_log_suspended());
        Ok(stored)
    }
}

/// What of a commit may still be stored.
fn checked_again(mut commit: Commit, head: &Head) -> Commit {
    let mut check = Check::default();
    for entry in std::mem::take(&mut commit.entries) {
        match entry {
            Entry::Row(row) => {
                check.row(head, &mut commit, &row);
                commit.push_row(row);
            }
            Entry::Sample(sample) => {
                if check.sample(head, &commit, &sample) == Ok(true) {
                    commit.entries.push(Entry::Sample(sample));
                }
            }
        }
    }
    commit
}
