//! A window: a run of rows that share their timestamps, stored column by column.
//!
//! It is open while it grows (every cell at hand), and sealed once it is full (compressed bytes,
//! [`crate::sealed`]). Both are read through [`Columns`].

use std::borrow::Cow;
use std::ops::Range;

use crate::cell::StoredCell;
use crate::codec::Malformed;
use crate::codec::column::Scratch;
use crate::column::Column;
use crate::sealed::{Decoded, Sealed, SealedColumns};

/// A run of rows.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// One that still grows or was full a moment ago.
    Open(Open),
    /// One that is full.
    Sealed {
        /// When the first and the last row were taken.
        range: (i64, i64),
        /// The rows.
        rows: Sealed,
    },
}

/// Rows as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    pub(crate) timestamps: Vec<i64>,
    /// By number; a column behind the end has no cell here.
    pub(crate) columns: Vec<Column>,
}

/// Reads columns of one window.
#[derive(Debug)]
pub(crate) enum Columns<'a> {
    /// Those of an open window.
    Open(&'a [Column]),
    /// Those of a sealed one.
    Sealed(SealedColumns<'a>),
}

/// A column that was read.
#[derive(Debug)]
pub(crate) enum ReadColumn<'a> {
    /// It is at hand.
    Column(&'a Column),
    /// It was decoded.
    Decoded(Decoded),
}

impl<'a> Columns<'a> {
    /// A column, if it has cells in the window.
    pub(crate) fn column(&mut self, number: usize) -> Result<Option<ReadColumn<'a>>, Malformed> {
        match self {
            Self::Open(columns) => {
                let column = columns.get(number).filter(|column| !column.rows().is_empty());
                Ok(column.map(ReadColumn::Column))
            }
            Self::Sealed(columns) => columns.column(number),
        }
    }
}

impl ReadColumn<'_> {
    /// The cell of a row, absent where there is none.
    pub(crate) fn cell(&self, row: usize) -> StoredCell {
        match self {
            Self::Column(column) => column.cell(row),
            Self::Decoded(column) => column.cell(row),
        }
    }
}

/// The rows of rising `timestamps` from `start` to `end`, both included, and their timestamps.
pub(crate) fn rows_between(timestamps: &[i64], start: i64, end: i64) -> (Range<usize>, &[i64]) {
    let first = timestamps.partition_point(|own| *own < start);
    let (_, rest) = timestamps.split_at(first);
    let (own, _) = rest.split_at(rest.partition_point(|own| *own <= end));
    (first..first + own.len(), own)
}

impl Window {
    /// When its rows were taken, rising.
    pub(crate) fn timestamps(&self) -> Cow<'_, [i64]> {
        match self {
            Self::Open(open) => Cow::Borrowed(&open.timestamps),
            Self::Sealed { rows, .. } => Cow::Owned(rows.timestamps()),
        }
    }

    /// Its columns, to be read.
    pub(crate) fn columns<'a>(&'a self, scratch: &'a mut Scratch) -> Columns<'a> {
        match self {
            Self::Open(open) => Columns::Open(&open.columns),
            Self::Sealed { rows, .. } => Columns::Sealed(rows.columns(scratch)),
        }
    }

    /// Some rows of its columns, to be read.
    pub(crate) fn columns_of<'a>(
        &'a self,
        rows: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> Columns<'a> {
        match self {
            Self::Open(open) => Columns::Open(&open.columns),
            Self::Sealed { rows: sealed, .. } => Columns::Sealed(sealed.columns_of(rows, scratch)),
        }
    }

    /// When the first row was taken.
    pub(crate) fn first(&self) -> Option<i64> {
        match self {
            Self::Open(open) => open.timestamps.first().copied(),
            Self::Sealed { range, .. } => Some(range.0),
        }
    }

    /// When the last row was taken.
    pub(crate) fn last(&self) -> Option<i64> {
        match self {
            Self::Open(open) => open.timestamps.last().copied(),
            Self::Sealed { range, .. } => Some(range.1),
        }
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, column: usize, cell: &StoredCell) {
        match self {
            Self::Open(open) => open.column_mut(column).push(row, cell),
            Self::Sealed { rows, .. } => rows.push(column, row, cell),
        }
    }

    /// The window sealed; `lower` as for [`Sealed::new`].
    pub(crate) fn sealed(self, lower: &[Option<u32>]) -> Self {
        match self {
            Self::Open(Open { timestamps, columns }) => {
                let ends = timestamps.first().copied().zip(timestamps.last().copied());
                let rows = Sealed::new(&timestamps, &columns, lower);
                Self::Sealed { range: ends.unwrap_or_default(), rows }
            }
            sealed @ Self::Sealed { .. } => sealed,
        }
    }

    /// The rows as bytes with nothing beside them, made if the window is open or was filled since.
    pub(crate) fn to_sealed(&self, lower: &[Option<u32>]) -> Cow<'_, Sealed> {
        match self {
            Self::Open(Open { timestamps, columns }) => {
                Cow::Owned(Sealed::new(timestamps, columns, lower))
            }
            Self::Sealed { rows, .. } => rows.without_filled(lower),
        }
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Open(open) => open.columns.iter().map(Column::samples).sum(),
            Self::Sealed { rows, .. } => rows.samples(),
        }
    }

    /// Number of columns that have cells.
    pub(crate) fn chunks(&self) -> usize {
        match self {
            Self::Open(open) => open.columns.iter().filter(|own| !own.rows().is_empty()).count(),
            Self::Sealed { rows, .. } => rows.chunks(),
        }
    }

    /// Bytes beside the struct itself, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Open(Open { timestamps, columns }) => {
                let cells: usize = columns.iter().map(Column::heap_bytes).sum();
                let lists = columns.capacity() * size_of::<Column>()
                    + timestamps.capacity() * size_of::<i64>();
                lists + cells
            }
            Self::Sealed { rows, .. } => rows.heap_bytes(),
        }
    }
}

/// A window pays if at least this part of the rows between a column's first and last cell has one.
const FILLED_PART: usize = 4;

impl Open {
    /// How many cells a further row is to have at least: 0, unless this window does not pay. It
    /// does not if most columns have one cell, or cells in few of their rows (each of them costs
    /// room then), or most rows have one (and share their time with nobody).
    pub(crate) fn cells_min(&self) -> usize {
        let (mut columns, mut between, mut cells) = (0, 0, 0);
        for column in self.columns.iter().filter(|column| !column.rows().is_empty()) {
            columns += 1;
            between += column.rows().len();
            cells += column.samples();
        }
        let rows = self.timestamps.len();
        let pays = cells >= 2 * columns && cells * FILLED_PART >= between && cells >= 2 * rows;
        if pays || columns < 2 { 0 } else { (columns / FILLED_PART).max(2) }
    }

    /// A column, which is made if it is new.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "the list was made long enough")]
    fn column_mut(&mut self, number: usize) -> &mut Column {
        if number >= self.columns.len() {
            self.columns.resize_with(number + 1, Column::default);
        }
        &mut self.columns[number]
    }

    /// Cuts the window at a row and returns what was behind it.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let timestamps = self.timestamps.split_off(at);
        let columns = self.columns.iter_mut().map(|column| column.split_off(at)).collect();
        Self { timestamps, columns }
    }
}
