//! From the head to a block.
//!
//! 1. With the log's lock: a line is drawn in the head, and a new log segment begins with what is
//!    behind it, so that the segments before it will not be needed.
//! 2. Group by group the rows before the line are lent, encoded and written, without a lock. The
//!    new segment is made durable, then the block is, and only then it gets its name.
//! 3. With the head's lock: the block is there, and the head's samples are no more.
//! 4. The old segments are removed; what the head lent is let go when no reader is left that saw it
//!    there, and no appender that began before.
//!
//! A crash before the block has its name leaves all segments; one after it leaves segments that
//! the block says are not needed ([`Origin::log_start`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use crossbeam::channel::Receiver;

use super::Db;
use super::parts::{Part, Parts};
use crate::append::GroupRef;
use crate::block::{Block, BlockWriter, Origin};
use crate::cell::StoredCell;
use crate::column::{Column, WINDOW_ROWS};
use crate::commit::Commit;
use crate::error::Error;
use crate::head::{FrozenGroup, FrozenLoose};
use crate::model::{Labels, Timestamp};
use crate::sealed::Sealed;
use crate::wal::Wal;

/// Cells of a frame that restates what is not in a block.
const RESTATED_CELLS: usize = 1 << 17;

impl Db {
    /// Writes the samples in memory to a block if there are many of them; whether it did.
    pub fn flush_if_due(&self) -> Result<bool, Error> {
        self.let_go();
        let is_due = self.head().is_flush_due();
        if is_due { self.flush(self.kept_rows) } else { Ok(false) }
    }

    /// Writes the samples in memory to a block if some of them are older than `timestamp`; whether it
    /// did.
    pub fn flush_older(&self, timestamp: Timestamp) -> Result<bool, Error> {
        self.let_go();
        let oldest = self.head().time_range().map(|(oldest, _)| oldest);
        let is_due = oldest.is_some_and(|oldest| oldest < timestamp.ms());
        if is_due { self.flush(self.kept_rows) } else { Ok(false) }
    }

    /// Says when [`Db::flush_if_due`] has something to do. Nothing is lost if nobody listens.
    pub fn due(&self) -> &Receiver<()> {
        &self.due.1
    }

    /// Says so, after a commit.
    pub(super) fn note_due(&self, is_due: bool) {
        if is_due {
            // Full: it was said already.
            let _ = self.due.0.try_send(());
        }
    }

    /// Writes all samples in memory to a block; `false` if there are none.
    pub fn flush_all(&self) -> Result<bool, Error> {
        self.let_go();
        self.flush(0)
    }

    fn flush(&self, kept: usize) -> Result<bool, Error> {
        let _one = self.changing();
        let was_suspended = self.is_log_suspended();
        let flushed = self.flush_now(kept);
        if flushed.is_err() && was_suspended {
            // What is before the line is nowhere but in memory.
            let _log = self.log();
            self.suspension.set(true);
        }
        flushed
    }

    /// `changing` is held.
    fn flush_now(&self, kept: usize) -> Result<bool, Error> {
        let log_start = {
            let mut log = self.log();
            self.head_mut().begin_flush(kept);
            let kept = {
                let head = self.head();
                head.has_closed().then(|| head.kept())
            };
            let Some(kept) = kept else {
                self.suspension.set(false);
                return Ok(false);
            };
            let start = self.restate(&mut log, kept)?;
            self.suspension.set(false);
            start
        };
        let number = self.next_block();
        let mut writer = BlockWriter::create(&*self.disk, &self.blocks_dir, number)?;
        let groups = self.head().group_numbers();
        for group in (0..groups).map(GroupRef) {
            let frozen = self.head_mut().freeze_group(group);
            frozen.map_or(Ok(()), |frozen| put_group(&mut writer, &frozen))?;
        }
        let loose = self.head().loose_series();
        for series in loose {
            let frozen = self.head_mut().freeze_loose(series);
            frozen.map_or(Ok(()), |frozen| put_loose(&mut writer, &frozen))?;
        }
        self.sync()?;
        let origin = Origin { log_start, sources: Vec::new(), precedence: number, level: 0 };
        let written = writer.finish(origin)?;
        self.note_block(number);
        let block = Arc::new(Block::open(&*self.disk, &written.path)?);
        let part = Part { block, deleted: Arc::default() };
        {
            let mut head = self.head_mut();
            head.end_flush();
            let parts = self.parts().replaced(&[], Some(part));
            self.publish(Parts { flush: head.flushes(), ..parts });
        }
        self.let_go();
        self.log().remove_before(log_start)?;
        Ok(true)
    }

    /// Begins a new log segment with what is behind the line; its number.
    fn restate(&self, log: &mut Wal, kept: Commit) -> Result<u64, Error> {
        let start = log.restart();
        for part in kept.split(RESTATED_CELLS) {
            log.make_room()?;
            log.encode(&part, &*self.head())?;
            log.write(part.newest())?;
        }
        Ok(start)
    }

    /// Puts a new list of blocks in the place of the old one. The head's lock is held alone, so
    /// that nobody sees one without the other.
    pub(super) fn publish(&self, parts: Parts) {
        let mut current = self.parts_mut();
        let old = std::mem::replace(&mut *current, Arc::new(parts));
        self.resolved.clear();
        let mut before = self.before();
        before.push((old.flush, Arc::downgrade(&old)));
    }

    /// Frees what blocks have and the head still holds, and what ended long before, unless somebody
    /// reads there or is about to add. The head's lock is held alone, so that no flush comes in
    /// between, with readers that hold the list before it.
    fn let_go(&self) {
        if !self.head().has_flushed() {
            return;
        }
        let mut head = self.head_mut();
        // Another one may have done it meanwhile; twice for one flush, and what was named in between
        // would be forgotten.
        if !head.has_flushed() {
            return;
        }
        let now = self.parts().flush;
        let mut before = self.before();
        before.retain(|(_, parts): &(u64, Weak<Parts>)| parts.strong_count() > 0);
        if !before.iter().any(|(flush, _)| *flush < now) {
            head.retire();
        }
    }
}

fn put_group(writer: &mut BlockWriter<'_>, group: &FrozenGroup) -> Result<(), Error> {
    let columns: Vec<_> = group.columns.iter().map(|(family, own)| (&**family, own)).collect();
    writer.begin_group(&group.target, &columns);
    for window in &group.windows {
        put_window(writer, &window.to_sealed(&group.lower))?;
    }
    Ok(())
}

/// Loose samples are the rows of a group with one column and no target.
fn put_loose(writer: &mut BlockWriter<'_>, loose: &FrozenLoose) -> Result<(), Error> {
    writer.begin_group(&Labels::empty(), &[(&*loose.family, &loose.labels)]);
    for window in windows_of(&loose.cells) {
        put_window(writer, &window)?;
    }
    Ok(())
}

fn windows_of(cells: &BTreeMap<i64, StoredCell>) -> impl Iterator<Item = Sealed> + '_ {
    let cells: Vec<_> = cells.iter().collect();
    let window = |cells: &[(&i64, &StoredCell)]| {
        let mut column = Column::default();
        for (row, (_, cell)) in cells.iter().enumerate() {
            column.push(row, cell);
        }
        let timestamps: Vec<_> = cells.iter().map(|(timestamp, _)| **timestamp).collect();
        Sealed::new(&timestamps, &[column], &[])
    };
    cells.chunks(WINDOW_ROWS).map(window).collect::<Vec<_>>().into_iter()
}

fn put_window(writer: &mut BlockWriter<'_>, window: &Sealed) -> Result<(), Error> {
    let timestamps = window.timestamps();
    let Some(ends) = timestamps.first().copied().zip(timestamps.last().copied()) else {
        return Ok(());
    };
    let time = |row: usize| timestamps.get(row).copied().unwrap_or(ends.1);
    let range = |rows: std::ops::Range<usize>| {
        (!rows.is_empty()).then(|| (time(rows.start), time(rows.end - 1)))
    };
    let ranges: Vec<_> = window.spans().map(range).collect();
    let samples = window.samples() as u64;
    writer.window(ends, timestamps.len() as u32, samples, window.bytes(), &ranges)
}
