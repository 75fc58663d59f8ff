//! The blocks that are open, and what is deleted in them.
//!
//! A [`Parts`] is never changed; a flush, a compaction or a deletion puts a new one in its place.
//! Whoever holds an old one goes on reading what it names.

use std::sync::Arc;

use super::deleted::Deleted;
use crate::block::Block;
use crate::cell::StoredCell;
use crate::codec::Malformed;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::error::Error;
use crate::model::Labels;
use crate::sealed::SealedColumns;
use crate::window::rows_between;

/// A block and what is deleted in it.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) block: Arc<Block>,
    pub(super) deleted: Arc<Deleted>,
}

/// All blocks at one moment, in order of precedence.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) list: Vec<Part>,
    /// The head's flushes that they hold.
    pub(super) flush: u64,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = self.list.iter().map(|part| part.block.facts().number);
        f.debug_list().entries(numbers).finish()
    }
}

impl Parts {
    /// These blocks without those of the given numbers and with another one.
    pub(super) fn replaced(&self, numbers: &[u64], new: Option<Part>) -> Self {
        let is_kept = |part: &&Part| !numbers.contains(&part.block.facts().number);
        let mut list: Vec<_> = self.list.iter().filter(is_kept).cloned().chain(new).collect();
        list.sort_by_key(|part| (part.block.facts().origin.precedence, part.block.facts().number));
        Self { list, flush: self.flush }
    }

    /// Number of samples.
    pub(super) fn samples(&self) -> u64 {
        self.list.iter().map(|part| part.block.facts().samples).sum()
    }

    /// Time of the newest sample of the series with these labels.
    pub(super) fn newest(&self, labels: &Labels) -> Result<Option<i64>, Error> {
        let mut newest = None;
        for part in &self.list {
            for (group, column) in part.block.find(labels)? {
                newest = newest.max(Some(part.block.view()?.span(group, column)?.1));
            }
        }
        Ok(newest)
    }

    /// The sample of that time of the series with these labels, absent if there is none.
    pub(super) fn cell(&self, labels: &Labels, timestamp: i64) -> Result<StoredCell, Error> {
        let mut cells = Vec::new();
        for part in &self.list {
            for (group, column) in part.block.find(labels)? {
                part.cells(group, column, timestamp, timestamp, 1, &mut cells)?;
            }
        }
        Ok(cells.into_iter().next().map_or(StoredCell::ABSENT, |(_, cell)| cell))
    }

    /// Bytes of the files.
    pub(super) fn bytes(&self) -> u64 {
        self.list.iter().map(|part| part.block.bytes_len() + part.deleted.bytes_len()).sum()
    }

    /// Time of the oldest and the newest sample.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        let ranges = self.list.iter().map(|part| part.block.facts()).map(|own| own.span);
        ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

impl Part {
    /// What is said of a window that cannot be decoded although its checksum is right.
    pub(super) fn damaged(&self, Malformed(what): Malformed) -> Error {
        let (path, what) = (self.block.path().to_owned(), format!("expected {what}"));
        Error::Corrupt { path, offset: 0, what }
    }

    /// Adds the first `limit` cells of a column from `start` to `end` that are not deleted.
    pub(super) fn cells(
        &self,
        group: u32,
        column: u32,
        start: i64,
        end: i64,
        limit: usize,
        out: &mut Vec<(i64, StoredCell)>,
    ) -> Result<(), Error> {
        let until = out.len() + limit;
        let view = self.block.view()?;
        let windows = view.windows(group)?;
        let first = windows.partition_point(|window| window.span.1 < start);
        for window in windows.iter().skip(first).take_while(|window| window.span.0 <= end) {
            let bytes = view.window_bytes(window)?;
            let read = |out: &mut Vec<_>| {
                let timestamps = EncodedWindow::open(bytes)?.timestamps()?;
                let mut scratch = Scratch::default();
                let mut columns = SealedColumns::open(bytes, window.span.0, &mut scratch)?;
                let Some(column) = columns.column(column as usize)? else { return Ok(()) };
                let (rows, timestamps) = rows_between(&timestamps, start, end);
                let cells =
                    rows.zip(timestamps).map(|(row, timestamp)| (*timestamp, column.cell(row)));
                out.extend(cells.filter(|(_, cell)| !cell.is_absent()));
                Ok(())
            };
            let before = out.len();
            read(out).map_err(|malformed| self.damaged(malformed))?;
            if !self.deleted.is_empty() {
                let mut at = 0;
                out.retain(|(timestamp, _)| {
                    at += 1;
                    at <= before || !self.deleted.contains(group, column, *timestamp)
                });
            }
            if out.len() >= until {
                break;
            }
        }
        out.truncate(until);
        Ok(())
    }
}
