//! What an appender has gathered: the one thing that is checked, logged and applied as a whole.
//!
//! Invariant: after the check, every cell that is not absent will be stored.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::append::{ColumnRef, GroupRef};
use crate::cell::StoredCell;
use crate::model::{Exemplar, Labels, Metadata};
use crate::packed::{PackedCells, PackedRow};

/// A series' number in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesId(pub(crate) u32);

/// One row: `cells` and the columns of the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) group: GroupRef,
    pub(crate) timestamp: i64,
    /// Where its cells lie in [`Commit::cells`], and its columns in [`Commit::columns`].
    pub(crate) columns: Range<usize>,
}

/// One sample that is no part of a row.
#[derive(Clone, Debug)]
pub(crate) struct LooseSample {
    pub(crate) series: SeriesId,
    pub(crate) timestamp: i64,
    pub(crate) cell: StoredCell,
}

/// Rows and samples in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Row(Row),
    Sample(LooseSample),
}

impl Entry {
    fn timestamp(&self) -> i64 {
        match self {
            Self::Row(row) => row.timestamp,
            Self::Sample(sample) => sample.timestamp,
        }
    }
}

/// Everything between two commits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commit {
    pub(crate) entries: Vec<Entry>,
    pub(crate) columns: Vec<ColumnRef>,
    pub(crate) cells: PackedCells,
    pub(crate) exemplars: Vec<(Labels, Exemplar)>,
    pub(crate) metadata: Vec<(String, Metadata)>,
}

impl Commit {
    /// Whether there is nothing to log.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.exemplars.is_empty() && self.metadata.is_empty()
    }

    /// The same as several commits of about so many cells or exemplars.
    pub(crate) fn split(mut self, cells_max: usize) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut part = Self { metadata: std::mem::take(&mut self.metadata), ..Self::default() };
        for entry in std::mem::take(&mut self.entries) {
            match entry {
                Entry::Row(row) => {
                    let (start, (columns, cells)) = (part.columns.len(), self.row(&row));
                    part.columns.extend_from_slice(columns);
                    cells.cells.iter().for_each(|own| part.cells.push_stored(cells.stored(*own)));
                    let columns = start..part.columns.len();
                    part.entries.push(Entry::Row(Row { columns, ..row }));
                }
                sample @ Entry::Sample(_) => part.entries.push(sample),
            }
            if part.cells.len() + part.entries.len() >= cells_max {
                parts.push(std::mem::take(&mut part));
            }
        }
        for exemplars in self.exemplars.chunks(cells_max.max(1)) {
            part.exemplars.extend_from_slice(exemplars);
            parts.push(std::mem::take(&mut part));
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }

    /// Adds a row whose cells are the last ones, unless all of them are absent.
    pub(crate) fn push_row(&mut self, row: Row) {
        if self.row(&row).1.cells.iter().any(|cell| !cell.is_absent()) {
            self.entries.push(Entry::Row(row));
        }
    }

    /// The columns and cells of a row.
    #[expect(clippy::indexing_slicing, reason = "a row's cells are there before the row is")]
    pub(crate) fn row(&self, row: &Row) -> (&[ColumnRef], PackedRow<'_>) {
        (&self.columns[row.columns.clone()], self.cells.row(row.columns.clone()))
    }

    /// A row's cell with its column, by its index in [`Commit::cells`].
    #[expect(clippy::indexing_slicing, reason = "a row's cells are there before the row is")]
    pub(crate) fn cell(&self, at: usize) -> (ColumnRef, StoredCell) {
        let row = self.cells.row(at..at + 1);
        (self.columns[at], row.stored(row.cells[0]))
    }

    /// Makes a row's cell absent.
    pub(crate) fn leave_out(&mut self, at: usize) {
        self.cells.leave_out(at);
    }

    /// The newest timestamp of all rows and samples.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.entries.iter().map(Entry::timestamp).max()
    }

    /// The oldest one.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.entries.iter().map(Entry::timestamp).min()
    }
}

/// What the numbers in a commit stand for; the log writes it down before it uses a number.
pub(crate) trait Catalog {
    /// A group's target labels.
    fn target(&self, group: GroupRef) -> &Labels;

    /// The family and the whole label set of a column.
    fn column(&self, group: GroupRef, column: ColumnRef) -> (&str, &Labels);

    /// A series' label set.
    fn labels(&self, series: SeriesId) -> &Labels;

    /// The metadata of all families.
    fn metadata(&self) -> &BTreeMap<String, Metadata>;
}
