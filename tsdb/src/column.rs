//! A column of one window: the cells of one series.
//!
//! Cells are pushed in order of rows; rows before the first cell and after the last one cost
//! nothing. Floats are one value as long as all are the same bits (an idle counter), and a list
//! from the first other one on: 8 bytes a sample. All that few columns have (gaps, stale marks,
//! histograms, start timestamps) stands aside in [`Extras`].
//!
//! Invariant: a row without a float (absent, stale, histogram) repeats the float before it, so
//! that it does not end a run of equal ones; only `Extras` says what the row really is.

use std::ops::Range;
use std::sync::Arc;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::column::{Beside, ColumnInput, RowKind};
use crate::model::Histogram;

/// Rows that a window holds at most. A power of two, so that a list that grew by doubling is
/// exactly full; a row's number fits 16 bits.
pub(crate) const WINDOW_ROWS: usize = 256;

/// A set of rows of one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSet([u64; WINDOW_ROWS / 64]);

impl RowSet {
    fn insert(&mut self, row: usize) {
        self.0[row / 64] |= 1 << (row % 64);
    }

    fn contains(&self, row: usize) -> bool {
        self.0[row / 64] >> (row % 64) & 1 == 1
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The floats of rows `first..first + len`.
#[derive(Clone, Debug)]
enum Floats {
    /// All rows hold this one.
    Constant(f64),
    /// One for each row.
    Each(Vec<f64>),
}

/// A series' cells in one window.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    first: u16,
    len: u16,
    floats: Floats,
    extras: Option<Box<Extras>>,
}

/// What most columns do not have. Row numbers are the window's.
#[derive(Clone, Debug, Default)]
struct Extras {
    /// Rows between the first and the last cell that have none.
    absent: RowSet,
    stale: RowSet,
    /// Rising by row.
    histograms: Vec<(u16, Arc<Histogram>)>,
    /// Each start timestamp with the row from which on it holds, rising by row.
    starts: Vec<(u16, i64)>,
}

impl Default for Column {
    fn default() -> Self {
        Self { first: 0, len: 0, floats: Floats::Constant(0.0), extras: None }
    }
}

impl Column {
    /// The rows from the first to the last cell.
    pub(crate) fn rows(&self) -> Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.len)
    }

    /// Adds a cell that is not absent in a row behind all others.
    pub(crate) fn push(&mut self, row: usize, cell: &StoredCell) {
        debug_assert!(row >= self.rows().end && row < WINDOW_ROWS);
        if self.len == 0 {
            self.first = row as u16;
        }
        for gap in self.rows().end..row {
            self.push_float(None);
            self.extras().absent.insert(gap);
        }
        match &cell.value {
            Stored::Absent => debug_assert!(false, "an absent cell is not pushed"),
            Stored::Float(value) => self.push_float(Some(*value)),
            Stored::Stale => {
                self.push_float(None);
                self.extras().stale.insert(row);
            }
            Stored::Histogram(histogram) => {
                self.push_float(None);
                self.extras().histograms.push((row as u16, histogram.clone()));
            }
        }
        if self.start_at(row) != cell.start {
            self.extras().starts.push((row as u16, cell.start));
        }
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Adds a float; `None` repeats the last one.
    fn push_float(&mut self, value: Option<f64>) {
        let len = usize::from(self.len);
        match (&mut self.floats, value) {
            (Floats::Constant(constant), Some(value)) if len == 0 => *constant = value,
            (Floats::Constant(constant), Some(value)) if constant.to_bits() != value.to_bits() => {
                let mut each = Vec::with_capacity((len + 1).next_power_of_two().max(8));
                each.resize(len, *constant);
                each.push(value);
                self.floats = Floats::Each(each);
            }
            (Floats::Constant(_), _) => {}
            (Floats::Each(each), value) => {
                each.push(value.unwrap_or_else(|| each[len - 1]));
            }
        }
        self.len += 1;
    }

    fn start_at(&self, row: usize) -> i64 {
        let starts = self.extras.as_ref().map_or(&[][..], |extras| &extras.starts);
        let later = starts.partition_point(|(from, _)| usize::from(*from) <= row);
        later.checked_sub(1).map_or(NO_START, |at| starts[at].1)
    }

    /// The cell of a row, absent where there is none.
    pub(crate) fn cell(&self, row: usize) -> StoredCell {
        if !self.rows().contains(&row) {
            return StoredCell::ABSENT;
        }
        let float = match &self.floats {
            Floats::Constant(value) => *value,
            Floats::Each(each) => each[row - usize::from(self.first)],
        };
        let value = match &self.extras {
            Some(extras) if extras.absent.contains(row) => return StoredCell::ABSENT,
            Some(extras) if extras.stale.contains(row) => Stored::Stale,
            Some(extras) => extras.histogram(row).map_or(Stored::Float(float), Stored::Histogram),
            None => Stored::Float(float),
        };
        StoredCell { value, start: self.start_at(row) }
    }

    /// Cuts the column at a row; what was behind is returned, its rows numbered from 0.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let mut tail = Self::default();
        let rows = self.rows();
        for row in rows.start.max(at)..rows.end {
            let cell = self.cell(row);
            if !cell.is_absent() {
                tail.push(row - at, &cell);
            }
        }
        if rows.end > at {
            self.truncate(at);
        }
        tail
    }

    fn truncate(&mut self, end: usize) {
        let mut head = Self::default();
        for row in self.rows().start..end {
            let cell = self.cell(row);
            if !cell.is_absent() {
                head.push(row, &cell);
            }
        }
        *self = head;
    }

    /// Copies the floats of `rows` to the end of `out`; rows without a float give anything.
    pub(crate) fn copy_floats(&self, rows: Range<usize>, out: &mut Vec<f64>) {
        let own = self.rows();
        let filled = rows.start.max(own.start)..rows.end.min(own.end);
        if filled.is_empty() {
            out.resize(out.len() + rows.len(), 0.0);
            return;
        }
        let end = out.len() + rows.len();
        out.resize(out.len() + (filled.start - rows.start), 0.0);
        match &self.floats {
            Floats::Constant(value) => out.resize(out.len() + filled.len(), *value),
            Floats::Each(each) => {
                out.extend_from_slice(&each[filled.start - own.start..filled.end - own.start]);
            }
        }
        out.resize(end, 0.0);
    }

    /// Whether each of `rows` holds a float, and no start timestamp is known.
    pub(crate) fn is_plain(&self, rows: Range<usize>) -> bool {
        let own = self.rows();
        self.extras.is_none() && own.start <= rows.start && rows.end <= own.end
    }

    /// Whether a row has a cell.
    pub(crate) fn is_present(&self, row: usize) -> bool {
        let is_absent = |extras: &Extras| extras.absent.contains(row);
        self.rows().contains(&row) && !self.extras.as_deref().is_some_and(is_absent)
    }

    /// Whether a row holds the staleness marker.
    pub(crate) fn is_stale(&self, row: usize) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.stale.contains(row))
    }

    /// Whether any row holds the staleness marker.
    pub(crate) fn has_stale(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| !extras.stale.is_empty())
    }

    /// The histograms with their rows.
    pub(crate) fn histograms(&self) -> &[(u16, Arc<Histogram>)] {
        self.extras.as_ref().map_or(&[], |extras| &extras.histograms)
    }

    /// Copies the start timestamps of `rows` to the end of `out`; `false`, and nothing copied, if
    /// there are none.
    pub(crate) fn copy_starts(&self, rows: Range<usize>, out: &mut Vec<i64>) -> bool {
        let has_starts = self.extras.as_ref().is_some_and(|extras| !extras.starts.is_empty());
        if has_starts {
            let start = |row| if self.is_present(row) { self.start_at(row) } else { NO_START };
            out.extend(rows.map(start));
        }
        has_starts
    }

    /// What each of a window's rows holds; empty if all hold floats.
    pub(crate) fn kinds(&self, rows: usize) -> Vec<RowKind> {
        let has_histograms = self.extras.as_ref().is_some_and(|own| !own.histograms.is_empty());
        if self.rows() == (0..rows) && !has_histograms && !self.has_marks() {
            return Vec::new();
        }
        let mut kinds = vec![RowKind::Absent; rows];
        for row in self.rows().filter(|row| self.is_present(*row)) {
            kinds[row] = if self.is_stale(row) { RowKind::Stale } else { RowKind::Float };
        }
        for (row, _) in self.histograms() {
            kinds[usize::from(*row)] = RowKind::Histogram;
        }
        kinds
    }

    fn has_marks(&self) -> bool {
        self.extras.as_ref().is_some_and(|own| !own.absent.is_empty() || !own.stale.is_empty())
    }

    /// The column as the codec takes it; `kinds` are its own.
    pub(crate) fn as_input<'a>(
        &'a self,
        kinds: &'a [RowKind],
        lower: Option<usize>,
    ) -> ColumnInput<'a> {
        let floats = match &self.floats {
            Floats::Constant(value) => std::slice::from_ref(value),
            Floats::Each(each) => each,
        };
        let starts = self.extras.as_ref().map_or(&[][..], |extras| &extras.starts);
        let (first, histograms) = (usize::from(self.first), self.histograms());
        ColumnInput { first, floats, kinds, histograms, starts, lower }
    }

    /// The column that the codec gave back: a float for each row of the window, and the rest.
    pub(crate) fn from_decoded(mut floats: Vec<f64>, beside: Beside) -> Self {
        let Beside { kinds, histograms, starts } = beside;
        let is_there = |kind: &RowKind| *kind != RowKind::Absent;
        let first = kinds.iter().position(is_there).unwrap_or(0);
        let end = kinds.iter().rposition(is_there).map_or(floats.len(), |last| last + 1);
        let mut extras = Extras { histograms, starts, ..Extras::default() };
        for (row, kind) in kinds.iter().enumerate().take(end).skip(first) {
            match kind {
                RowKind::Absent => extras.absent.insert(row),
                RowKind::Stale => extras.stale.insert(row),
                RowKind::Float | RowKind::Histogram => {}
            }
        }
        floats.truncate(end);
        floats.drain(..first);
        let has_lists = !extras.histograms.is_empty() || !extras.starts.is_empty();
        let is_plain = !has_lists && extras.absent.is_empty() && extras.stale.is_empty();
        Self {
            first: first as u16,
            len: floats.len() as u16,
            floats: Floats::Each(floats),
            extras: (!is_plain).then(|| Box::new(extras)),
        }
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        let absent = self.extras.as_ref().map_or(0, |extras| {
            extras.absent.0.iter().map(|word| word.count_ones() as usize).sum()
        });
        usize::from(self.len) - absent
    }

    /// Bytes beside the struct itself, about; histograms count as the pointer to them.
    pub(crate) fn heap_bytes(&self) -> usize {
        let floats = match &self.floats {
            Floats::Constant(_) => 0,
            Floats::Each(each) => each.capacity() * size_of::<f64>(),
        };
        let extras = self.extras.as_ref().map_or(0, |extras| {
            size_of::<Extras>() + extras.histograms.capacity() * 16 + extras.starts.capacity() * 16
        });
        floats + extras
    }
}

impl Extras {
    fn histogram(&self, row: usize) -> Option<Arc<Histogram>> {
        let at = self.histograms.binary_search_by_key(&row, |(own, _)| usize::from(*own)).ok()?;
        Some(self.histograms[at].1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_cell() -> impl Strategy<Value = StoredCell> {
        let value = prop_oneof![
            2 => Just(Stored::Absent),
            1 => Just(Stored::Stale),
            8 => prop::sample::select(vec![0.0, -0.0, 1.0, f64::NAN]).prop_map(Stored::Float),
            1 => Just(Stored::Histogram(Arc::default())),
        ];
        let start = prop::sample::select(vec![NO_START, NO_START, 5, 7]);
        (value, start).prop_map(|(value, start)| match value {
            Stored::Absent => StoredCell::ABSENT,
            value => StoredCell { value, start },
        })
    }

    proptest! {
        #[test]
        fn a_column_is_the_list_of_its_cells(cells in prop::collection::vec(any_cell(), 0..WINDOW_ROWS)) {
            let mut column = Column::default();
            for (row, cell) in cells.iter().enumerate() {
                if !matches!(cell.value, Stored::Absent) {
                    column.push(row, cell);
                }
            }
            let (mut floats, mut starts) = (Vec::new(), Vec::new());
            column.copy_floats(0..cells.len(), &mut floats);
            let has_starts = column.copy_starts(0..cells.len(), &mut starts);
            let is_absent = |cell: &&StoredCell| matches!(cell.value, Stored::Absent);
            prop_assert_eq!(column.samples(), cells.len() - cells.iter().filter(is_absent).count());
            prop_assert_eq!(floats.len(), cells.len());
            for (row, cell) in cells.iter().enumerate() {
                let own = column.cell(row);
                prop_assert!(own.value.is_same(&cell.value) && own.start == cell.start);
                prop_assert_eq!(column.is_present(row), !is_absent(&cell));
                prop_assert_eq!(column.is_stale(row), matches!(cell.value, Stored::Stale));
                prop_assert_eq!(if has_starts { starts[row] } else { NO_START }, cell.start);
                if let Stored::Float(value) = cell.value {
                    prop_assert_eq!(floats[row].to_bits(), value.to_bits());
                }
            }
        }
    }

    #[test]
    fn equal_floats_take_no_room() {
        let mut column = Column::default();
        for row in 0..WINDOW_ROWS - 1 {
            column.push(row, &Cell1(0.5).into());
        }
        assert_eq!(column.heap_bytes(), 0);
        column.push(WINDOW_ROWS - 1, &Cell1(0.25).into());
        assert_eq!(column.heap_bytes(), WINDOW_ROWS * 8);
        assert!(size_of::<Column>() <= 40);
    }

    struct Cell1(f64);

    impl From<Cell1> for StoredCell {
        fn from(cell: Cell1) -> Self {
            StoredCell { value: Stored::Float(cell.0), start: NO_START }
        }
    }
}
