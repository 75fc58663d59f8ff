//! A column of one window: the cells of one series.
//!
//! Cells are pushed in order of rows; rows before the first cell and after the last one cost
//! nothing. Floats are kept as [`Runs`] of the same bits: one that repeats the float before it
//! (nine of ten floats of a page) touches no memory but the struct, one that does not takes four
//! or eight bytes, and a column of one run (an idle counter) has no list. All that few columns have (gaps,
//! stale marks, histograms, start timestamps) stands aside in [`Extras`].
//!
//! Invariant: a row without a float (absent, stale, histogram) repeats the float before it, so
//! that it does not end a run; only `Extras` says what the row really is.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::column::{Beside, ColumnInput, RowKind};
use crate::floats::Floats;
use crate::model::Histogram;

/// Rows that a window holds at most; a row's number fits 16 bits.
pub(crate) const WINDOW_ROWS: usize = 256;

/// A set of rows of one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSet([u64; WINDOW_ROWS / 64]);

#[expect(clippy::indexing_slicing, reason = "a row is one of `WINDOW_ROWS`")]
impl RowSet {
    #[inline]
    fn insert(&mut self, row: usize) {
        self.0[row / 64] |= 1 << (row % 64);
    }

    #[inline]
    fn contains(&self, row: usize) -> bool {
        self.0[row / 64] >> (row % 64) & 1 == 1
    }
}

impl RowSet {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rows of the set from 0 to `row`.
    #[expect(clippy::indexing_slicing, reason = "`from_fn` counts the words")]
    fn until(&self, row: usize) -> Self {
        let part = |at: usize| match (row / 64).cmp(&at) {
            Ordering::Less => 0,
            Ordering::Equal => self.0[at] & (u64::MAX >> (63 - row % 64)),
            Ordering::Greater => self.0[at],
        };
        Self(std::array::from_fn(part))
    }

    /// The rows of the set from `row` on, numbered from there.
    fn from(&self, row: usize) -> Self {
        let word = |at: usize| self.0.get(at + row / 64).copied().unwrap_or(0);
        let shift = row % 64;
        let part = |at: usize| {
            let high = if shift == 0 { 0 } else { word(at + 1) << (64 - shift) };
            word(at) >> shift | high
        };
        Self(std::array::from_fn(part))
    }

    /// The rows of the set, rising.
    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..).zip(self.0).flat_map(|(word, bits)| {
            let rest = std::iter::successors(Some(bits), |bits| Some(bits & (bits - 1)));
            let rest = rest.take(bits.count_ones() as usize);
            rest.map(move |bits| word * 64 + bits.trailing_zeros() as usize)
        })
    }
}

/// A series' cells in one window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    first: u16,
    len: u16,
    /// The float of the last run.
    last: f64,
    /// All runs, if there are two or more.
    runs: Option<Box<Runs>>,
    extras: Option<Box<Extras>>,
}

/// Rows that follow one another and have floats of the same bits, two runs or more.
#[derive(Clone, Debug, Default)]
struct Runs {
    /// Their first rows, that of the column among them.
    starts: RowSet,
    /// The float of each.
    floats: Floats,
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

impl Column {
    /// The rows from the first to the last cell.
    pub(crate) fn rows(&self) -> Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.len)
    }

    /// Adds a cell that is not absent in a row behind all others.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, cell: &StoredCell) {
        match cell.value {
            Stored::Float(value) if self.is_plain_next(row, cell.start) => {
                self.push_float(row, value);
            }
            _ => self.push_any(row, cell),
        }
    }

    /// Whether a float there needs nothing aside.
    fn is_plain_next(&self, row: usize, start: i64) -> bool {
        self.extras.is_none() && start == NO_START && row == self.rows().end
    }

    fn push_any(&mut self, row: usize, cell: &StoredCell) {
        debug_assert!(row >= self.rows().end && row < WINDOW_ROWS);
        if self.len == 0 {
            self.first = row as u16;
        }
        for gap in self.rows().end..row {
            self.len += 1;
            self.extras().absent.insert(gap);
        }
        match &cell.value {
            Stored::Absent => debug_assert!(false, "an absent cell is not pushed"),
            Stored::Float(value) => self.push_float(row, *value),
            Stored::Stale => {
                self.len += 1;
                self.extras().stale.insert(row);
            }
            Stored::Histogram(histogram) => {
                self.len += 1;
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

    #[inline]
    fn push_float(&mut self, row: usize, value: f64) {
        if value.to_bits() != self.last.to_bits() {
            self.begin_run(row, value);
        }
        self.len += 1;
    }

    fn begin_run(&mut self, row: usize, value: f64) {
        if self.len > 0 {
            let runs = self.runs.get_or_insert_default();
            if runs.floats.len() == 0 {
                runs.starts.insert(usize::from(self.first));
                runs.floats.push(self.last);
            }
            runs.starts.insert(row);
            runs.floats.push(value);
        }
        self.last = value;
    }

    /// The float of a row between the first and the last cell.
    fn float(&self, row: usize) -> f64 {
        match &self.runs {
            Some(runs) => runs.floats.at(runs.starts.until(row).len() - 1),
            None => self.last,
        }
    }

    /// The floats of the rows from the first to the last cell, or one that all of them repeat;
    /// those of rows without a float may be anything.
    pub(crate) fn floats(&self) -> Vec<f64> {
        if self.runs.is_none() {
            return vec![self.last];
        }
        let mut floats = Vec::with_capacity(WINDOW_ROWS);
        self.copy_floats(self.rows(), &mut floats);
        floats
    }

    fn start_at(&self, row: usize) -> i64 {
        let starts = self.extras.as_ref().map_or(&[][..], |extras| &extras.starts);
        let later = starts.partition_point(|(from, _)| usize::from(*from) <= row);
        later.checked_sub(1).and_then(|at| starts.get(at)).map_or(NO_START, |(_, start)| *start)
    }

    /// The cell of a row, absent where there is none.
    pub(crate) fn cell(&self, row: usize) -> StoredCell {
        if !self.rows().contains(&row) {
            return StoredCell::ABSENT;
        }
        let value = match &self.extras {
            Some(extras) if extras.absent.contains(row) => return StoredCell::ABSENT,
            Some(extras) if extras.stale.contains(row) => Stored::Stale,
            Some(extras) => {
                let float = || Stored::Float(self.float(row));
                extras.histogram(row).map_or_else(float, Stored::Histogram)
            }
            None => Stored::Float(self.float(row)),
        };
        StoredCell { value, start: self.start_at(row) }
    }

    /// Cuts the column at a row; what was behind is returned, its rows numbered from 0.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        if self.extras.is_none() {
            return self.split_plain(at);
        }
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

    /// The same if there is nothing aside: run by run.
    fn split_plain(&mut self, at: usize) -> Self {
        let rows = self.rows();
        if at >= rows.end {
            return Self::default();
        }
        if at <= rows.start {
            let mut tail = std::mem::take(self);
            tail.first -= at as u16;
            tail.runs.iter_mut().for_each(|runs| runs.starts = runs.starts.from(at));
            return tail;
        }
        let len = (at - rows.start) as u16;
        let mut tail = Self { len: self.len - len, last: self.last, ..Self::default() };
        self.len = len;
        if let Some(runs) = &mut self.runs {
            let own = runs.split_off(at);
            self.last = runs.floats.at(runs.floats.len() - 1);
            tail.runs = (own.floats.len() > 1).then(|| Box::new(own));
        }
        if self.runs.as_ref().is_some_and(|runs| runs.floats.len() == 1) {
            self.runs = None;
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
        match &self.runs {
            // Every row begins one.
            Some(runs) if runs.floats.len() == own.len() => {
                runs.floats.copy(filled.start - own.start..filled.end - own.start, out);
            }
            Some(runs) => runs.copy_floats(filled, out),
            None => out.resize(out.len() + filled.len(), self.last),
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
    #[expect(clippy::indexing_slicing, reason = "the column's rows are rows of the window")]
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

    /// The column as the codec takes it; `floats` and `kinds` are its own.
    pub(crate) fn as_input<'a>(
        &'a self,
        floats: &'a [f64],
        kinds: &'a [RowKind],
        lower: Option<usize>,
    ) -> ColumnInput<'a> {
        let starts = self.extras.as_ref().map_or(&[][..], |extras| &extras.starts);
        let (first, histograms) = (usize::from(self.first), self.histograms());
        ColumnInput { first, floats, kinds, histograms, starts, lower }
    }

    /// The column that the codec gave back: a float for each row of the window, and the rest.
    pub(crate) fn from_decoded(floats: Vec<f64>, beside: Beside) -> Self {
        let Beside { pattern, histograms, starts } = beside;
        let kinds = pattern.as_ref().map_or(&[][..], |pattern| pattern.kinds());
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
        let has_lists = !extras.histograms.is_empty() || !extras.starts.is_empty();
        let is_plain = !has_lists && extras.absent.is_empty() && extras.stale.is_empty();
        let extras = (!is_plain).then(|| Box::new(extras));
        let mut column = Self { first: first as u16, extras, ..Self::default() };
        for (row, float) in floats.into_iter().enumerate().take(end).skip(first) {
            column.push_float(row, float);
        }
        column
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        let absent = self.extras.as_ref().map_or(0, |extras| extras.absent.len());
        usize::from(self.len) - absent
    }

    /// Bytes beside the struct itself, about; histograms count as the pointer to them.
    pub(crate) fn heap_bytes(&self) -> usize {
        let extras = self.extras.as_ref().map_or(0, |extras| {
            size_of::<Extras>() + extras.histograms.capacity() * 16 + extras.starts.capacity() * 16
        });
        let runs = self.runs.as_ref();
        let runs = runs.map_or(0, |runs| size_of::<Runs>() + runs.floats.heap_bytes());
        runs + extras
    }
}

impl Runs {
    /// Cuts the runs at a row behind the first one; what was behind is returned, its rows numbered
    /// from 0.
    fn split_off(&mut self, at: usize) -> Self {
        let before = self.starts.until(at - 1).len();
        let mut starts = self.starts.from(at);
        // The last run before may go on.
        let first = before - usize::from(!starts.contains(0));
        starts.insert(0);
        let floats = self.floats.behind(first);
        self.starts = self.starts.until(at - 1);
        self.floats.truncate(before);
        Self { starts, floats }
    }

    /// Copies the floats of `rows` to the end of `out`.
    fn copy_floats(&self, rows: Range<usize>, out: &mut Vec<f64>) {
        let before = self.starts.until(rows.start).len();
        let (start, mut float) = (out.len(), self.floats.at(before - 1));
        for (run, at) in self.starts.iter().zip(0..).skip(before) {
            if run >= rows.end {
                break;
            }
            out.resize(start + run - rows.start, float);
            float = self.floats.at(at);
        }
        out.resize(start + rows.len(), float);
    }
}

impl Extras {
    fn histogram(&self, row: usize) -> Option<Arc<Histogram>> {
        let at = self.histograms.binary_search_by_key(&row, |(own, _)| usize::from(*own)).ok()?;
        self.histograms.get(at).map(|(_, histogram)| histogram.clone())
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

    fn column_of(cells: &[StoredCell]) -> Column {
        let mut column = Column::default();
        let there = cells.iter().enumerate().filter(|(_, cell)| !cell.is_absent());
        there.for_each(|(row, cell)| column.push(row, cell));
        column
    }

    proptest! {
        #[test]
        fn two_parts_are_the_whole(
            cells in prop::collection::vec(any_cell(), 1..WINDOW_ROWS),
            plain in prop::collection::vec((0..4_u8, 1..40_usize), 1..20),
            skipped in 0..70_usize,
            is_plain: bool,
            at in 0..WINDOW_ROWS,
            added in any_cell(),
        ) {
            let runs = plain.iter().flat_map(|(value, length)| vec![f64::from(*value); *length]);
            let plain = runs.map(|value| Cell1(value).into()).take(WINDOW_ROWS - 1 - skipped);
            let gap = std::iter::repeat_n(StoredCell::ABSENT, skipped);
            let cells = if is_plain { gap.chain(plain).collect() } else { cells };
            let mut head = column_of(&cells);
            let mut tail = head.split_off(at);
            let same = |own: StoredCell, cell: &StoredCell| {
                own.value.is_same(&cell.value) && own.start == cell.start
            };
            for (row, cell) in cells.iter().enumerate() {
                let (own, other) = if row < at {
                    (head.cell(row), tail.cell(row + WINDOW_ROWS))
                } else {
                    (tail.cell(row - at), head.cell(row))
                };
                prop_assert!(same(own, cell) && other.is_absent(), "{row}");
            }
            // What was cut grows as any other.
            let (kept, cut) = cells.split_at(at.min(cells.len()));
            for (part, column) in [(kept, &mut head), (cut, &mut tail)] {
                if !added.is_absent() {
                    column.push(part.len(), &added);
                    prop_assert!(same(column.cell(part.len()), &added));
                }
                for (row, cell) in part.iter().enumerate() {
                    prop_assert!(same(column.cell(row), cell));
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
        assert!(column.heap_bytes() <= 192);
        assert!(size_of::<Column>() <= 40);
    }

    struct Cell1(f64);

    impl From<Cell1> for StoredCell {
        fn from(cell: Cell1) -> Self {
            StoredCell { value: Stored::Float(cell.0), start: NO_START }
        }
    }
}
