//! Decoded rows on their way to a new window.

use std::sync::Arc;

use crate::block::Span;
use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::column::{ColumnInput, RowKind};
use crate::model::Histogram;
use crate::sealed::Decoded;

/// Rows, column by column.
#[derive(Debug)]
pub(super) struct Gathered {
    timestamps: Vec<i64>,
    columns: Vec<GatheredColumn>,
}

/// A column of as many rows as there are timestamps.
#[derive(Clone, Debug, Default)]
struct GatheredColumn {
    floats: Vec<f64>,
    kinds: Vec<RowKind>,
    histograms: Vec<(u16, Arc<Histogram>)>,
    /// Each start timestamp with the row from which on it holds.
    starts: Vec<(u16, i64)>,
}

impl Gathered {
    /// No rows of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self { timestamps: Vec::new(), columns: vec![GatheredColumn::default(); columns] }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.timestamps.len()
    }

    /// When they were taken.
    pub(super) fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// When the first and the last one was taken.
    pub(super) fn ends(&self) -> Option<Span> {
        self.timestamps.first().copied().zip(self.timestamps.last().copied())
    }

    /// Adds the rows of a window; a column that is `None` has no cells.
    pub(super) fn extend(&mut self, timestamps: &[i64], columns: &mut [Option<Decoded>]) {
        let before = self.timestamps.len();
        for (own, decoded) in self.columns.iter_mut().zip(columns) {
            own.extend(before, timestamps.len(), decoded.take());
        }
        self.timestamps.extend_from_slice(timestamps);
    }

    /// Adds a row.
    pub(super) fn push(&mut self, timestamp: i64, cell: impl Fn(usize) -> Option<StoredCell>) {
        let row = self.timestamps.len();
        for (number, own) in self.columns.iter_mut().enumerate() {
            own.push(row, cell(number).unwrap_or(StoredCell::ABSENT));
        }
        self.timestamps.push(timestamp);
    }

    /// The columns as the codec takes them; `lower` are their lower neighbours.
    pub(super) fn inputs(&self, lower: &[Option<u32>]) -> Vec<ColumnInput<'_>> {
        let mut inputs = Vec::with_capacity(self.columns.len());
        for (column, lower) in self.columns.iter().zip(lower) {
            let GatheredColumn { floats, kinds, histograms, starts } = column;
            let lower = lower.map(|own| own as usize);
            inputs.push(ColumnInput { first: 0, floats, kinds, histograms, starts, lower });
        }
        inputs
    }

    /// When the first and the last cell of each column was taken.
    pub(super) fn ranges(&self) -> Vec<Option<Span>> {
        let is_there = |kind: &RowKind| *kind != RowKind::Absent;
        let range = |column: &GatheredColumn| {
            let first = column.kinds.iter().position(is_there)?;
            let last = column.kinds.iter().rposition(is_there)?;
            Some((*self.timestamps.get(first)?, *self.timestamps.get(last)?))
        };
        self.columns.iter().map(range).collect()
    }

    /// Number of cells.
    pub(super) fn samples(&self) -> u64 {
        let kinds = self.columns.iter().flat_map(|column| &column.kinds);
        kinds.filter(|kind| **kind != RowKind::Absent).count() as u64
    }

    /// Empties everything.
    pub(super) fn clear(&mut self) {
        self.timestamps.clear();
        for column in &mut self.columns {
            column.floats.clear();
            column.kinds.clear();
            column.histograms.clear();
            column.starts.clear();
        }
    }
}

impl GatheredColumn {
    fn extend(&mut self, before: usize, rows: usize, decoded: Option<Decoded>) {
        let Some(Decoded { floats, beside }) = decoded else {
            self.floats.resize(before + rows, 0.0);
            self.kinds.resize(before + rows, RowKind::Absent);
            return;
        };
        self.floats.extend_from_slice(&floats);
        if beside.kinds().is_empty() {
            self.kinds.resize(before + rows, RowKind::Float);
        } else {
            self.kinds.extend_from_slice(beside.kinds());
        }
        let behind = |row: u16| row + before as u16;
        let histograms = beside.histograms.into_iter();
        self.histograms.extend(histograms.map(|(row, histogram)| (behind(row), histogram)));
        if beside.starts.first().is_none_or(|(row, _)| *row > 0) {
            self.note_start(before, NO_START);
        }
        for (row, start) in beside.starts {
            self.note_start(usize::from(behind(row)), start);
        }
    }

    fn push(&mut self, row: usize, cell: StoredCell) {
        let (float, kind) = match cell.value {
            Stored::Absent => (0.0, RowKind::Absent),
            Stored::Stale => (0.0, RowKind::Stale),
            Stored::Float(value) => (value, RowKind::Float),
            Stored::Histogram(histogram) => {
                self.histograms.push((row as u16, histogram));
                (0.0, RowKind::Histogram)
            }
        };
        self.floats.push(float);
        self.kinds.push(kind);
        if kind != RowKind::Absent {
            self.note_start(row, cell.start);
        }
    }

    fn note_start(&mut self, row: usize, start: i64) {
        if self.starts.last().map_or(NO_START, |(_, own)| *own) != start {
            self.starts.push((row as u16, start));
        }
    }
}
