//! A batch's buffers: filled under the head's lock, lent to the reader without it.

use std::ops::Range;
use std::sync::Arc;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::Malformed;
use crate::codec::column::RowKind;
use crate::column::Column;
use crate::model::{Histogram, STALE_NAN};
use crate::sealed::SealedColumns;
use crate::select::{Batch, BatchColumn, RowBits, Values};
use crate::window::Columns;

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

    /// Adds `rows` of a window's column, the cells from row `end` on left out; nothing if it has
    /// none.
    pub(crate) fn push(
        &mut self,
        series: usize,
        columns: &mut Columns<'_>,
        number: usize,
        rows: Range<usize>,
        end: usize,
    ) -> Result<(), Malformed> {
        match columns {
            Columns::Open(columns) => {
                if let Some(column) = columns.get(number).filter(|own| !own.rows().is_empty()) {
                    self.push_column(series, column, rows, end);
                }
            }
            Columns::Sealed(columns) => match columns.filled(number) {
                Some(column) => self.push_column(series, column, rows, end),
                None => return self.push_sealed(series, columns, number, rows, end),
            },
        }
        Ok(())
    }

    fn push_sealed(
        &mut self,
        series: usize,
        columns: &mut SealedColumns<'_>,
        number: usize,
        rows: Range<usize>,
        end: usize,
    ) -> Result<(), Malformed> {
        let floats = self.floats.len();
        self.floats.resize(floats + columns.rows(), 0.0);
        let beside = columns.read(number, &mut self.floats[floats..]);
        let Some(beside) = beside.inspect_err(|_| self.floats.truncate(floats))? else {
            self.floats.truncate(floats);
            return Ok(());
        };
        self.floats.copy_within(floats + rows.start..floats + rows.end, floats);
        self.floats.truncate(floats + rows.len());
        let mut slot =
            Slot { series, floats, present: None, stale: None, histograms: None, starts: None };
        let kind = |row: usize| if row < end { beside.kind(row) } else { RowKind::Absent };
        if rows.end > end || !beside.kinds.is_empty() {
            if rows.clone().all(|row| kind(row) == RowKind::Absent) {
                self.floats.truncate(floats);
                return Ok(());
            }
            slot.present = self.push_bits(rows.clone(), |row| kind(row) != RowKind::Absent);
            if rows.clone().any(|row| kind(row) == RowKind::Stale) {
                slot.stale = Some(self.bits.len());
                self.add_bits(rows.clone(), |row| kind(row) == RowKind::Stale);
                for row in rows.clone().filter(|row| kind(*row) == RowKind::Stale) {
                    self.floats[floats + row - rows.start] = STALE_NAN;
                }
            }
        }
        self.push_histograms(&mut slot, &beside.histograms, &rows);
        if !beside.starts.is_empty() {
            let start =
                |row| if kind(row) == RowKind::Absent { NO_START } else { beside.start(row) };
            slot.starts = Some(self.starts.len());
            self.starts.extend(rows.map(start));
        }
        self.columns.push(slot);
        Ok(())
    }

    fn push_histograms(
        &mut self,
        slot: &mut Slot,
        histograms: &[(u16, Arc<Histogram>)],
        rows: &Range<usize>,
    ) {
        let inside = |row: &u16| rows.contains(&usize::from(*row));
        for (row, histogram) in histograms.iter().filter(|(row, _)| inside(row)) {
            let start = *slot.histograms.get_or_insert(self.histograms.len());
            self.histograms.resize(start + rows.len(), None);
            self.histograms[start + usize::from(*row) - rows.start] = Some(histogram.clone());
        }
    }

    fn push_column(&mut self, series: usize, column: &Column, rows: Range<usize>, end: usize) {
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
        self.push_histograms(slot, column.histograms(), &rows);
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
