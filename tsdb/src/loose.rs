//! Loose samples: what is no part of a row, one list for each series.
//!
//! What comes in order of time is stored as the windows of a group with a single column, so that
//! whatever reads rows reads this too. What comes out of order stands beside it, sorted, until it
//! goes into a block.

use std::collections::BTreeMap;

use crate::cell::StoredCell;
use crate::windows::Windows;

/// Rows of a window at most. A series that comes alone fills its window slowly, and a sample takes
/// 16 bytes there, with room for as many again, until it is sealed.
const ROWS_MAX: usize = 64;

/// The loose samples of one series.
#[derive(Debug)]
pub(crate) struct Loose {
    windows: Windows,
    /// Samples that were older than the newest one when they came.
    late: BTreeMap<i64, StoredCell>,
    /// Those that flush `.0` writes, rising; the last one may still be running.
    frozen: Vec<(u64, BTreeMap<i64, StoredCell>)>,
}

impl Loose {
    /// No samples yet, to be kept in windows of so many, or [`ROWS_MAX`].
    pub(crate) fn new(window_rows: usize) -> Self {
        let windows = Windows::new(window_rows.min(ROWS_MAX));
        Self { windows, late: BTreeMap::new(), frozen: Vec::new() }
    }

    /// Adds a cell that is not absent and newer than all others.
    pub(crate) fn push(&mut self, timestamp: i64, cell: &StoredCell) {
        if let Some(place) = self.windows.place(timestamp, 1, 1) {
            self.windows.push(place, 0, cell);
            self.windows.seal_full(&[]);
        }
    }

    /// Adds a cell that is not absent and older than the newest one; there is none at its time.
    pub(crate) fn push_late(&mut self, timestamp: i64, cell: StoredCell) {
        self.late.insert(timestamp, cell);
    }

    /// The cell at a time, absent where there is none.
    pub(crate) fn cell(&self, timestamp: i64) -> StoredCell {
        let found = self.cells(timestamp, timestamp, 0).next();
        found.map_or(StoredCell::ABSENT, |(_, cell)| cell)
    }

    /// The cells from `start` to `end`, both included, that the blocks up to `flush` do not have;
    /// the late ones behind the others.
    pub(crate) fn cells(
        &self,
        start: i64,
        end: i64,
        flush: u64,
    ) -> impl Iterator<Item = (i64, StoredCell)> {
        let in_order = self.windows.cells(0, start.max(self.windows.visible_from(flush)), end);
        let frozen = self.frozen.iter().filter(move |(own, _)| *own > flush);
        let late = frozen.map(|(_, late)| late).chain([&self.late]);
        let inside = move |late: &'_ BTreeMap<i64, StoredCell>| -> Vec<_> {
            if start > end {
                return Vec::new();
            }
            late.range(start..=end).map(|(at, cell)| (*at, cell.clone())).collect()
        };
        in_order.chain(late.flat_map(inside))
    }

    /// The oldest and the newest time of a cell that the blocks up to `flush` do not have.
    pub(crate) fn range(&self, flush: u64) -> Option<(i64, i64)> {
        let from = self.windows.visible_from(flush);
        let first = self.windows.window_from(from).and_then(|window| window.first());
        let in_order = first.map(|first| first.max(from)).zip(self.windows.newest());
        let frozen = self.frozen.iter().filter(|(own, _)| *own > flush).map(|(_, late)| late);
        let late = frozen
            .chain([&self.late])
            .filter_map(|late| Some((*late.first_key_value()?.0, *late.last_key_value()?.0)));
        in_order.into_iter().chain(late).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Drops the windows whose samples are all older than `timestamp`; how many samples those
    /// were.
    pub(crate) fn drop_before(&mut self, timestamp: i64) -> usize {
        let windows: usize = std::iter::from_fn(|| self.windows.pop_before(timestamp)).sum();
        let newer = self.late.split_off(&timestamp);
        windows + std::mem::replace(&mut self.late, newer).len()
    }

    /// Takes everything for the block that `flush` writes.
    pub(crate) fn close(&mut self, flush: u64, done: u64) {
        self.windows.close(0);
        let late = std::mem::take(&mut self.late);
        // What an earlier flush could not write is tried again.
        match self.frozen.last_mut().filter(|(own, _)| *own > done) {
            Some((own, waiting)) => {
                *own = flush;
                waiting.extend(late);
            }
            None if !late.is_empty() => self.frozen.push((flush, late)),
            None => {}
        }
    }

    /// The cells that `flush` is to write, in order of time.
    pub(crate) fn freeze(&mut self, flush: u64) -> BTreeMap<i64, StoredCell> {
        let mut cells = BTreeMap::new();
        let windows = self.windows.freeze();
        let ends = windows.first().and_then(|own| own.first());
        let ends = ends.zip(windows.last().and_then(|own| own.last()));
        if let Some((first, last)) = ends {
            cells.extend(self.windows.cells(0, first, last));
        }
        let late = self.frozen.iter().filter(|(own, _)| *own == flush);
        for (timestamp, cell) in late.flat_map(|(_, late)| late) {
            cells.entry(*timestamp).or_insert_with(|| cell.clone());
        }
        cells
    }

    /// Notes that a block has what was frozen; how many cells that were.
    pub(crate) fn flushed(&mut self, flush: u64) -> usize {
        let late = self.frozen.iter().filter(|(own, _)| *own == flush);
        let late: usize = late.map(|(_, late)| late.len()).sum();
        late + self.windows.flushed(flush)
    }

    /// Lets go what the blocks up to `flush` have.
    pub(crate) fn retire(&mut self, flush: u64) {
        self.frozen.retain(|(own, _)| *own > flush);
        self.windows.retire(flush);
    }

    /// Whether there is no sample in memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.late.is_empty() && self.frozen.is_empty()
    }

    /// Number of windows that reach into the time from `start` to `end`; the late samples count as
    /// one.
    pub(crate) fn chunks(&self) -> usize {
        self.windows.chunks() + usize::from(!self.late.is_empty())
    }

    /// Bytes that the samples take, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let late = self.frozen.iter().map(|(_, late)| late).chain([&self.late]);
        let late: usize = late.map(|late| late.len() * size_of::<(i64, StoredCell)>()).sum();
        size_of::<Self>() + self.windows.heap_bytes() + late
    }
}
