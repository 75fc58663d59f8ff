//! A batch's buffers: filled under the head's lock, lent to the reader without it.

use std::ops::Range;
use std::sync::Arc;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::Malformed;
use crate::codec::column::{Pattern, RowKind};
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
    repeats: bool,
    /// The column of the encoded window whose floats these are: other columns are its aliases.
    encoded: Option<usize>,
}

impl Slot {
    /// A column of which nothing is known but where its floats are.
    fn new(series: usize, floats: usize) -> Self {
        let (present, stale, histograms, starts) = (None, None, None, None);
        let (repeats, encoded) = (false, None);
        Self { series, floats, present, stale, histograms, starts, repeats, encoded }
    }

    /// Whether all of its rows hold floats, and nothing else is to be said of them.
    fn is_plain(&self) -> bool {
        let Self { present, stale, histograms, starts, .. } = self;
        present.or(*stale).or(*histograms).or(*starts).is_none()
    }
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

    /// The series of the columns, in the order in which they were pushed.
    pub(crate) fn series(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().map(|slot| slot.series)
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
        let before = self.columns.last().filter(|before| before.is_plain() && rows.end <= end);
        let before = before.and_then(|before| Some((before.encoded?, before.floats)));
        if let Some((other, floats)) = before
            && columns.repeats(number, other)?
        {
            let own = Slot::new(series, floats);
            self.columns.push(Slot { repeats: true, encoded: Some(other), ..own });
            return Ok(());
        }
        let floats = self.floats.len();
        self.floats.resize(floats + rows.len(), 0.0);
        let beside = columns.read(number, self.floats.split_at_mut(floats).1);
        let Some(beside) = beside.inspect_err(|_| self.floats.truncate(floats))? else {
            self.floats.truncate(floats);
            return Ok(());
        };
        let mut slot = Slot { encoded: Some(number), ..Slot::new(series, floats) };
        if rows.end > end || beside.pattern.is_some() {
            let pattern = beside.pattern.as_deref();
            if !self.push_present(&mut slot, pattern.map(Pattern::present), &rows, end) {
                self.floats.truncate(floats);
                return Ok(());
            }
            self.push_stale(&mut slot, pattern.map(Pattern::stale).unwrap_or_default(), &rows, end);
        }
        self.push_histograms(&mut slot, &beside.histograms, &rows);
        if !beside.starts.is_empty() {
            let is_absent = |row: usize| row >= end || beside.kind(row) == RowKind::Absent;
            let start = |row| if is_absent(row) { NO_START } else { beside.start(row) };
            slot.starts = Some(self.starts.len());
            self.starts.extend(rows.map(start));
        }
        self.push_slot(slot);
        Ok(())
    }

    /// Adds a column whose parts are there, and notes whether it is like the one before.
    fn push_slot(&mut self, mut slot: Slot) {
        let rows = self.timestamps.len();
        let before = self.columns.last().filter(|before| before.is_plain() && slot.is_plain());
        slot.repeats = before.is_some_and(|before| {
            let of = |slot: &Slot| part(&self.floats, slot.floats, rows);
            has_equal_bits(of(before), of(&slot))
        });
        self.columns.push(slot);
    }

    /// Adds a bit for each of the `rows` before `end` whose bit is set, unless that is all of them;
    /// `false`, and nothing added, if it is none.
    fn push_present(
        &mut self,
        slot: &mut Slot,
        present: Option<&[u64]>,
        rows: &Range<usize>,
        end: usize,
    ) -> bool {
        let start = self.bits.len();
        let until = end.clamp(rows.start, rows.end);
        match present {
            Some(words) => self.copy_bits(words, rows, until),
            None => self.add_bits(rows.clone(), |row| row < until),
        }
        let count: usize =
            self.bits.iter().skip(start).map(|word| word.count_ones() as usize).sum();
        if count == 0 || count == rows.len() {
            self.bits.truncate(start);
        } else {
            slot.present = Some(start);
        }
        count > 0
    }

    /// Notes the stale ones among the `rows` before `end`, and makes their floats say so.
    fn push_stale(&mut self, slot: &mut Slot, stale: &[u64], rows: &Range<usize>, end: usize) {
        let start = self.bits.len();
        self.copy_bits(stale, rows, end.clamp(rows.start, rows.end));
        if self.bits.iter().skip(start).all(|word| *word == 0) {
            self.bits.truncate(start);
            return;
        }
        slot.stale = Some(start);
        let stale = RowBits(self.bits.split_at(start).1);
        for (at, float) in self.floats.split_at_mut(slot.floats).1.iter_mut().enumerate() {
            if stale.contains(at) {
                *float = STALE_NAN;
            }
        }
    }

    /// Adds a bit for each of the `rows`: that of `words` before `until`, else none.
    fn copy_bits(&mut self, words: &[u64], rows: &Range<usize>, until: usize) {
        let word = |at: usize| words.get(at).copied().unwrap_or(0);
        let start = self.bits.len();
        for row in rows.clone().step_by(64) {
            let (at, shift) = (row / 64, row % 64);
            let high = if shift == 0 { 0 } else { word(at + 1) << (64 - shift) };
            self.bits.push(word(at) >> shift | high);
        }
        let kept = until - rows.start;
        for (at, own) in self.bits.split_at_mut(start).1.iter_mut().enumerate() {
            let kept = kept.saturating_sub(64 * at);
            *own &= if kept >= 64 { u64::MAX } else { (1 << kept) - 1 };
        }
    }

    #[expect(clippy::indexing_slicing, reason = "one of the rows, for each of which there is room")]
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
        let mut slot = Slot::new(series, floats);
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
            for (row, float) in rows.zip(self.floats.split_at_mut(floats).1) {
                if column.is_stale(row) {
                    *float = STALE_NAN;
                }
            }
        }
        self.push_slot(slot);
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
        let word = |start: usize| {
            let rows = (start..rows.end.min(start + 64)).rev();
            rows.fold(0, |word, row| word << 1 | u64::from(bit(row)))
        };
        self.bits.extend(rows.clone().step_by(64).map(word));
    }

    /// Makes the batch one series with these samples.
    pub(crate) fn fill_alone(&mut self, series: usize, cells: &[(i64, StoredCell)]) {
        self.begin(cells.iter().map(|(timestamp, _)| *timestamp));
        let rows = 0..cells.len();
        let mut slot = Slot::new(series, 0);
        let is_stale = |row: usize| {
            cells.get(row).is_some_and(|(_, cell)| matches!(cell.value, Stored::Stale))
        };
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
        let bits = |start: usize| RowBits(part(&self.bits, start, rows.div_ceil(64)));
        let column = |slot: &Slot| {
            let floats = part(&self.floats, slot.floats, rows);
            BatchColumn {
                series: slot.series,
                values: match slot.histograms {
                    None => Values::Floats(floats),
                    Some(start) => Values::Mixed(floats, part(&self.histograms, start, rows)),
                },
                present: slot.present.map(bits),
                stale: slot.stale.map(bits),
                starts: slot.starts.map(|start| part(&self.starts, start, rows)),
                repeats: slot.repeats,
            }
        };
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        sink(Batch { timestamps: &self.timestamps, columns: &columns });
    }
}

/// Whether the floats are the same bit for bit; columns that differ nearly always do so early.
fn has_equal_bits(a: &[f64], b: &[f64]) -> bool {
    const AT_ONCE: usize = 32;
    let differ = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.fold(0, |bits, (a, b)| bits | (a.to_bits() ^ b.to_bits())) != 0
    };
    !a.chunks(AT_ONCE).zip(b.chunks(AT_ONCE)).any(|(a, b)| differ(a, b))
}

/// The part of a buffer that is a column's.
#[expect(clippy::indexing_slicing, reason = "a column is added when its parts are there")]
fn part<T>(buffer: &[T], start: usize, length: usize) -> &[T] {
    &buffer[start..start + length]
}
