//! Loose samples: what is no part of a row, one list for each series.
//!
//! A loose series is stored as the windows of a group with a single column, so that whatever
//! reads rows reads this too.

use crate::cell::StoredCell;
use crate::window::Windows;

/// The loose samples of one series.
#[derive(Debug)]
pub(crate) struct Loose(Windows);

impl Loose {
    /// No samples yet, to be kept in windows of so many.
    pub(crate) fn new(window_rows: usize) -> Self {
        Self(Windows::new(window_rows))
    }

    /// Adds a cell that is not absent and newer than all others.
    pub(crate) fn push(&mut self, timestamp: i64, cell: &StoredCell) {
        if let Some(place) = self.0.place(timestamp, 1) {
            self.0.push(place, 0, cell);
            self.0.seal_full(&[]);
        }
    }

    /// The cell at a time, absent where there is none.
    pub(crate) fn cell(&self, timestamp: i64) -> StoredCell {
        self.0.cell(0, timestamp)
    }

    /// The cells from `start` to `end`, both included.
    pub(crate) fn cells(&self, start: i64, end: i64) -> impl Iterator<Item = (i64, StoredCell)> {
        self.0.cells(0, start, end)
    }

    /// Drops the windows whose samples are all older than `timestamp`; how many samples those
    /// were.
    pub(crate) fn drop_before(&mut self, timestamp: i64) -> usize {
        std::iter::from_fn(|| self.0.pop_before(timestamp)).map(|window| window.samples()).sum()
    }

    /// Whether there is a sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.newest().is_none()
    }

    /// Bytes that the samples take, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.0.heap_bytes()
    }
}
