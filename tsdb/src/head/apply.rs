//! Storing a commit that was checked and logged.
//!
//! A row goes to the end of its group, or into the row of the same time. If it is older than the
//! newest row and there is none of its time (senders that split a target's series over several
//! queues do that), or has too few cells to be worth a row, its cells become loose samples, and so
//! do cells that are older than the newest of their series. A cell that the invariants of the head
//! do not allow is left out, whatever the check said.

use super::{Head, NO_SAMPLE};
use crate::cell::StoredCell;
use crate::commit::{Commit, Entry, Row, SeriesId};
use crate::loose::Loose;
use crate::model::Metadata;
use crate::numbered::{Number, Numbered};

impl Head {
    /// Stores everything and makes it one generation; how many samples those were.
    pub(crate) fn apply(&mut self, commit: Commit) -> usize {
        let before = self.samples;
        let oldest = commit.oldest();
        for entry in &commit.entries {
            match entry {
                Entry::Row(row) => self.apply_row(&commit, row),
                Entry::Sample(sample) => {
                    self.apply_loose(sample.series, sample.timestamp, &sample.cell);
                }
            }
        }
        for (family, metadata) in commit.metadata {
            self.apply_metadata(family, metadata);
        }
        for exemplar in commit.exemplars {
            self.exemplars.push_back(exemplar);
            if self.exemplars.len() > self.options.exemplars_max {
                self.exemplars.pop_front();
            }
        }
        self.generation += 1;
        if let Some(oldest) = oldest {
            self.changes.changed_from(oldest, self.generation);
        }
        (self.samples - before) as usize
    }

    fn apply_row(&mut self, commit: &Commit, row: &Row) {
        let (columns, cells) = commit.row(row);
        let group = self.groups.of_mut(row.group);
        let Some(place) = group.windows.place(row.timestamp, columns.len(), group.columns.len())
        else {
            for (column, cell) in columns.iter().zip(cells.cells) {
                let id = *self.groups.of(row.group).columns.of(*column);
                self.apply_loose(id, row.timestamp, &cells.stored(*cell));
            }
            return;
        };
        let window = group.windows.at(place);
        let (mut late, mut unlisted, mut stored) = (Vec::new(), Vec::new(), 0);
        for (column, cell) in columns.iter().zip(cells.cells) {
            if cell.is_absent() {
                continue;
            }
            let id = *group.columns.of(*column);
            let newest = self.newest.of_mut(id);
            if row.timestamp <= *newest {
                late.push((id, cell));
                continue;
            }
            *newest = row.timestamp;
            let oldest = self.oldest.of_mut(id);
            if *oldest == NO_SAMPLE {
                *oldest = row.timestamp;
                unlisted.push(id);
            }
            window.push(place.row, column.index(), &cells.stored(*cell));
            stored += 1;
        }
        self.samples += stored;
        self.latest = self.latest.max(row.timestamp);
        self.list(&unlisted);
        for (id, cell) in late {
            self.apply_loose(id, row.timestamp, &cells.stored(*cell));
        }
        self.seal_group(row.group);
    }

    fn apply_loose(&mut self, id: SeriesId, timestamp: i64, cell: &StoredCell) {
        if cell.is_absent() {
            return;
        }
        let is_late = timestamp <= *self.newest.of(id);
        let series = self.series.of(id);
        if is_late && !self.cell(series, timestamp).is_absent() {
            return;
        }
        let series = self.series.of_mut(id);
        series.idle.end();
        let oldest = self.oldest.of_mut(id);
        if *oldest == NO_SAMPLE {
            *oldest = timestamp;
            self.list(&[id]);
        }
        let (series, oldest) = (self.series.of_mut(id), self.oldest.of_mut(id));
        *oldest = timestamp.min(*oldest);
        let loose = series.loose.get_or_insert_with(|| {
            self.layout += 1;
            self.loose.insert(id);
            Box::new(Loose::new(self.options.window_rows))
        });
        if is_late {
            loose.push_late(timestamp, cell.clone());
        } else {
            *self.newest.of_mut(id) = timestamp;
            self.latest = self.latest.max(timestamp);
            loose.push(timestamp, cell);
        }
        self.samples += 1;
    }

    /// Whether a sample of that time may come out of order.
    pub(super) fn is_recent(&self, timestamp: i64) -> bool {
        let window = self.options.out_of_order_ms;
        window > 0 && timestamp >= self.latest.saturating_sub(window)
    }

    fn apply_metadata(&mut self, family: String, metadata: Metadata) {
        let is_full = self.metadata.len() >= self.options.metadata_max;
        if !is_full || self.metadata.contains_key(&family) {
            self.metadata.insert(family, metadata);
        }
    }

    /// Puts series into the index, each at its first sample, or its first one after a pause.
    fn list(&mut self, ids: &[SeriesId]) {
        for id in ids {
            let series = self.series.of_mut(*id);
            if std::mem::replace(&mut series.was_listed, true) {
                self.retired = self.retired.saturating_sub(1);
            }
            self.layout += 1;
        }
        let labels = |id: &SeriesId| (id.0, &self.series.of(*id).labels);
        self.postings.insert_all(ids.iter().map(labels));
    }
}
