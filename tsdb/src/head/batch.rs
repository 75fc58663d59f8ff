//! A batch's buffers: filled under the head's lock, lent to the reader without it.

use std::ops::Range;
use std::sync::Arc;

use crate::cell::{Stored, StoredCell};
use crate::column::Column;
use crate::model::{Histogram, STALE_NAN};
use crate::select::{Batch, BatchColumn, RowBits, Values};

/// Rows that share their timestamps, copied out.
#[derive(Debug, Default)]
pub(crate) struct BatchBuffer {
    timestamps: Vec<i64>,
    columns: Vec<Slot>,
    floats: Vec<f64>,
    bits: Vec<u64>,
    histograms: Vec<Option<Arc<Histogram>>>,
    starts: Vec<i64>,
}

/// One column: where its parts begin in the buffers.
#[derive(Debug)]
struct Slot {
    series: usize,
    floats: usize,
    present: Option<usize>,
    stale: Option<usize>,
    histograms: Option<usize>,
    starts: Option<usize>,
}

impl BatchBuffer {
    /// Empties the buffers and takes the timestamps of a new batch.
    pub(crate) fn begin(&mut self, timestamps: impl IntoIterator<Item = i64>) {
        self.timestamps.clear();
        self.timestamps.extend(timestamps);
        self.columns.clear();
        self.floats.clear();
        self.bits.clear();
        self.histograms.clear();
        self.starts.clear();
    }

    /// Whether no column has a cell in the batch.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Adds `rows` of a column, the cells from row `end` on left out; nothing if it has none.
    pub(crate) fn push_column(
        &mut self,
        series: usize,
        column: &Column,
        rows: Range<usize>,
        end: usize,
    ) {
        let floats = self.floats.len();
        let mut slot =
            Slot { series, floats, present: None, stale: None, histograms: None, starts: None };
        if rows.end > end || !column.is_plain(rows.clone()) {
            let is_present = |row: usize| row < end && column.is_present(row);
            if !rows.clone().any(is_present) {
                return;
            }
            slot.present = self.push_bits(rows.clone(), is_present);
            self.push_extras(&mut slot, column, rows.clone());
        }
        column.copy_floats(rows.clone(), &mut self.floats);
        if slot.stale.is_some() {
            for row in rows.clone().filter(|row| column.is_stale(*row)) {
                self.floats[floats + row - rows.start] = STALE_NAN;
            }
        }
        self.columns.push(slot);
    }

    fn push_extras(&mut self, slot: &mut Slot, column: &Column, rows: Range<usize>) {
        if column.has_stale() && rows.clone().any(|row| column.is_stale(row)) {
            let start = self.bits.len();
            self.add_bits(rows.clone(), |row| column.is_stale(row));
            slot.stale = Some(start);
        }
        let inside = |row: &u16| rows.contains(&usize::from(*row));
        let own = column.histograms().iter().filter(|(row, _)| inside(row));
        for (row, histogram) in own {
            let start = *slot.histograms.get_or_insert(self.histograms.len());
            self.histograms.resize(start + rows.len(), None);
            self.histograms[start + usize::from(*row) - rows.start] = Some(histogram.clone());
        }
        let start = self.starts.len();
        slot.starts = column.copy_starts(rows, &mut self.starts).then_some(start);
    }

    /// Adds a bit for each row; `None`, and nothing added, if all are set.
    fn push_bits(&mut self, rows: Range<usize>, bit: impl Fn(usize) -> bool) -> Option<usize> {
        if rows.clone().all(&bit) {
            return None;
        }
        let start = self.bits.len();
        self.add_bits(rows, bit);
        Some(start)
    }

    fn add_bits(&mut self, rows: Range<usize>, bit: impl Fn(usize) -> bool) {
        let start = self.bits.len();
        self.bits.resize(start + rows.len().div_ceil(64), 0);
        for (at, row) in rows.enumerate() {
            self.bits[start + at / 64] |= u64::from(bit(row)) << (at % 64);
        }
    }

    /// Makes the batch one series with these samples.
    pub(crate) fn fill_alone(&mut self, series: usize, cells: &[(i64, StoredCell)]) {
        self.begin(cells.iter().map(|(timestamp, _)| *timestamp));
        let rows = 0..cells.len();
        let mut slot =
            Slot { series, floats: 0, present: None, stale: None, histograms: None, starts: None };
        let is_stale = |row: usize| matches!(cells[row].1.value, Stored::Stale);
        if rows.clone().any(is_stale) {
            self.add_bits(rows, is_stale);
            slot.stale = Some(0);
        }
        self.floats.extend(cells.iter().map(|(_, cell)| match cell.value {
            Stored::Float(value) => value,
            Stored::Stale => STALE_NAN,
            Stored::Histogram(_) | Stored::Absent => 0.0,
        }));
        let histogram = |cell: &StoredCell| match &cell.value {
            Stored::Histogram(histogram) => Some(histogram.clone()),
            _ => None,
        };
        if cells.iter().any(|(_, cell)| matches!(cell.value, Stored::Histogram(_))) {
            self.histograms.extend(cells.iter().map(|(_, cell)| histogram(cell)));
            slot.histograms = Some(0);
        }
        if cells.iter().any(|(_, cell)| cell.has_start()) {
            self.starts.extend(cells.iter().map(|(_, cell)| cell.start));
            slot.starts = Some(0);
        }
        self.columns.push(slot);
    }

    /// Lends the batch to `sink`.
    pub(crate) fn lend(&self, sink: &mut dyn FnMut(Batch<'_>)) {
        let rows = self.timestamps.len();
        let bits = |start: usize| RowBits(&self.bits[start..start + rows.div_ceil(64)]);
        let column = |slot: &Slot| {
            let floats = &self.floats[slot.floats..slot.floats + rows];
            BatchColumn {
                series: slot.series,
                values: match slot.histograms {
                    None => Values::Floats(floats),
                    Some(start) => Values::Mixed(floats, &self.histograms[start..start + rows]),
                },
                present: slot.present.map(bits),
                stale: slot.stale.map(bits),
                starts: slot.starts.map(|start| &self.starts[start..start + rows]),
            }
        };
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        sink(Batch { timestamps: &self.timestamps, columns: &columns });
    }
}
