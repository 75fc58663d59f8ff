//! Windows: runs of rows that share their timestamps, stored column by column.
//!
//! [`Windows`] is the whole history of a group (or, with one column, of a loose series): rows
//! with rising timestamps, cut into windows of an equal number of them. A row goes to the end, or
//! fills empty cells of a row that is there; full windows are sealed, the older ones first; old
//! windows leave at the front as a whole.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use crate::cell::StoredCell;
use crate::codec::column::Scratch;
use crate::column::{Column, WINDOW_ROWS};
use crate::sealed::{Sealed, SealedColumns};

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
    timestamps: Vec<i64>,
    /// By number; a column behind the end has no cell here.
    columns: Vec<Column>,
}

/// Reads columns of one window.
#[derive(Debug)]
pub(crate) enum Columns<'a> {
    /// Those of an open window.
    Open(&'a [Column]),
    /// Those of a sealed one.
    Sealed(SealedColumns<'a>),
}

impl<'a> Columns<'a> {
    /// A column, if it has cells in the window.
    pub(crate) fn column(&mut self, number: usize) -> Option<Cow<'a, Column>> {
        match self {
            Self::Open(columns) => {
                let column = columns.get(number).filter(|column| !column.rows().is_empty());
                column.map(Cow::Borrowed)
            }
            Self::Sealed(columns) => columns.column(number),
        }
    }
}

/// Of rising `timestamps`, those from `start` to `end`, both included.
pub(crate) fn rows_between(timestamps: &[i64], start: i64, end: i64) -> Range<usize> {
    let first = timestamps.partition_point(|own| *own < start);
    let last = timestamps.partition_point(|own| *own <= end);
    first..last.max(first)
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

    fn first(&self) -> Option<i64> {
        match self {
            Self::Open(open) => open.timestamps.first().copied(),
            Self::Sealed { range, .. } => Some(range.0),
        }
    }

    fn last(&self) -> Option<i64> {
        match self {
            Self::Open(open) => open.timestamps.last().copied(),
            Self::Sealed { range, .. } => Some(range.1),
        }
    }

    fn push(&mut self, row: usize, column: usize, cell: &StoredCell) {
        match self {
            Self::Open(Open { columns, .. }) => {
                if column >= columns.len() {
                    columns.resize_with(column + 1, Column::default);
                }
                columns[column].push(row, cell);
            }
            Self::Sealed { rows, .. } => rows.push(column, row, cell),
        }
    }

    /// The window sealed.
    fn sealed(self, lower: &[Option<u32>]) -> Self {
        match self {
            Self::Open(Open { timestamps, columns }) => {
                let ends = timestamps.first().copied().zip(timestamps.last().copied());
                let rows = Sealed::new(&timestamps, &columns, lower);
                Self::Sealed { range: ends.unwrap_or_default(), rows }
            }
            sealed @ Self::Sealed { .. } => sealed,
        }
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Open(open) => open.columns.iter().map(Column::samples).sum(),
            Self::Sealed { rows, .. } => rows.samples(),
        }
    }

    fn heap_bytes(&self) -> usize {
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

/// A row's place: its window, counted from the front, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPlace {
    window: usize,
    row: usize,
}

/// All rows of a group.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Rows of a window.
    rows: usize,
    windows: VecDeque<Window>,
    /// How many of them, from the front on, are sealed.
    sealed: usize,
}

/// A full window is sealed when this part of the next one is filled: until then, requests that
/// bring the rest of its rows find it open.
const LAG_PART: usize = 4;

impl Windows {
    /// No rows yet; a window is to have so many of them, [`WINDOW_ROWS`] at most.
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows: rows.clamp(1, WINDOW_ROWS), windows: VecDeque::new(), sealed: 0 }
    }

    /// When the newest row was taken.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.windows.back()?.last()
    }

    /// Where a row at `timestamp` belongs: an existing one of that time, else a new one at the
    /// end; `None` if it would be older than the newest and there is none. `columns` are expected.
    pub(crate) fn place(&mut self, timestamp: i64, columns: usize) -> Option<RowPlace> {
        if self.newest().is_some_and(|newest| timestamp <= newest) {
            return self.find(timestamp);
        }
        let last = self.windows.len().saturating_sub(1);
        if let Some(Window::Open(open)) = self.windows.back_mut()
            && open.timestamps.len() < self.rows
        {
            open.timestamps.push(timestamp);
            return Some(RowPlace { window: last, row: open.timestamps.len() - 1 });
        }
        let (timestamps, columns) = (vec![timestamp], Vec::with_capacity(columns));
        self.windows.push_back(Window::Open(Open { timestamps, columns }));
        Some(RowPlace { window: self.windows.len() - 1, row: 0 })
    }

    fn find(&self, timestamp: i64) -> Option<RowPlace> {
        let window = self.first_ending_at(timestamp);
        let row = self.windows.get(window)?.timestamps().binary_search(&timestamp).ok()?;
        Some(RowPlace { window, row })
    }

    /// The first window whose last row is not before `timestamp`.
    fn first_ending_at(&self, timestamp: i64) -> usize {
        self.windows.partition_point(|window| window.last().is_none_or(|own| own < timestamp))
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    pub(crate) fn push(&mut self, place: RowPlace, column: usize, cell: &StoredCell) {
        self.windows[place.window].push(place.row, column, cell);
    }

    /// Whether there is a window to be sealed.
    pub(crate) fn has_full(&self) -> bool {
        let behind = self.windows.len().saturating_sub(self.sealed);
        match self.windows.back() {
            Some(Window::Open(open)) if behind == 2 => {
                open.timestamps.len() >= self.rows.div_ceil(LAG_PART)
            }
            _ => behind > 2,
        }
    }

    /// Seals the windows that are to be sealed; `lower` as for [`Sealed::new`].
    pub(crate) fn seal_full(&mut self, lower: &[Option<u32>]) {
        while self.has_full() {
            let window = &mut self.windows[self.sealed];
            let open = std::mem::replace(window, Window::Open(Open::default()));
            *window = open.sealed(lower);
            self.sealed += 1;
        }
    }

    /// The first window that has a row at `timestamp` or later.
    pub(crate) fn window_from(&self, timestamp: i64) -> Option<&Window> {
        self.windows.get(self.first_ending_at(timestamp))
    }

    /// A column's cell at a time, absent where there is none.
    pub(crate) fn cell(&self, column: usize, timestamp: i64) -> StoredCell {
        let cell = self.find(timestamp).and_then(|place| {
            let mut scratch = Scratch::default();
            let column = self.windows[place.window].columns(&mut scratch).column(column)?;
            Some(column.cell(place.row))
        });
        cell.unwrap_or(StoredCell::ABSENT)
    }

    /// A column's cells from `start` to `end`, both included.
    pub(crate) fn cells(
        &self,
        column: usize,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = (i64, StoredCell)> + '_ {
        let windows = self.windows.iter().skip(self.first_ending_at(start));
        let windows =
            windows.take_while(move |window| window.first().is_some_and(|own| own <= end));
        windows.flat_map(move |window| {
            let mut scratch = Scratch::default();
            let column = window.columns(&mut scratch).column(column).map(Cow::into_owned);
            let column = column.unwrap_or_default();
            let timestamps = window.timestamps();
            rows_between(&timestamps, start, end)
                .map(move |row| (timestamps[row], column.cell(row)))
                .filter(|(_, cell)| !cell.is_absent())
        })
    }

    /// Takes out the first window if all its rows are older than `timestamp`.
    pub(crate) fn pop_before(&mut self, timestamp: i64) -> Option<Window> {
        let is_old = self.windows.front()?.last()? < timestamp;
        if !is_old {
            return None;
        }
        self.sealed = self.sealed.saturating_sub(1);
        self.windows.pop_front()
    }

    /// Bytes that the rows take, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let windows = self.windows.capacity() * size_of::<Window>();
        windows + self.windows.iter().map(Window::heap_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::cell::{NO_START, Stored};

    fn float(value: f64) -> StoredCell {
        StoredCell { value: Stored::Float(value), start: NO_START }
    }

    #[test]
    fn rows_go_to_the_end_or_fill() {
        let mut windows = Windows::new(WINDOW_ROWS);
        for row in 0..600 {
            let place = windows.place(row * 10, 2).unwrap();
            windows.push(place, 0, &float(row as f64));
        }
        assert_eq!(windows.newest(), Some(5990));
        assert_eq!(windows.place(5985, 2), None);
        let fill = windows.place(20, 2).unwrap();
        windows.push(fill, 1, &float(7.0));
        let cells: Vec<_> = windows.cells(0, 2550, 2570).map(|(at, _)| at).collect();
        assert_eq!(cells, [2550, 2560, 2570]);
        assert_eq!(windows.cells(1, 0, i64::MAX).map(|(at, _)| at).collect::<Vec<_>>(), [20]);
        assert!(windows.cell(0, 2560).value.is_same(&Stored::Float(256.0)));
        assert!(windows.cell(0, 2565).value.is_same(&Stored::Absent));
    }

    #[test]
    fn full_windows_are_sealed_a_little_later() {
        let mut windows = Windows::new(8);
        for row in 0..10 {
            let place = windows.place(row, 1).unwrap();
            windows.push(place, 0, &float(row as f64 / 8.0));
            assert_eq!(windows.has_full(), row == 9);
        }
        let before = windows.heap_bytes();
        windows.seal_full(&[]);
        assert!(windows.heap_bytes() < before && !windows.has_full());
        assert!(matches!(windows.windows[0], Window::Sealed { .. }));
    }

    /// A push: which column, how many rows behind the newest one (0: a new row), what.
    fn any_push() -> impl Strategy<Value = (usize, usize, Stored)> {
        let value = prop_oneof![
            1 => Just(Stored::Stale),
            1 => Just(Stored::Histogram(Arc::default())),
            8 => prop::sample::select(vec![0.0, -0.0, 0.5, 7.0]).prop_map(Stored::Float),
        ];
        (0..4_usize, prop_oneof![2 => Just(0), 1 => 0..30_usize], value)
    }

    proptest! {
        #[test]
        fn windows_are_a_map_of_cells(pushes in prop::collection::vec(any_push(), 0..200)) {
            let mut windows = Windows::new(4);
            let mut model: [BTreeMap<i64, StoredCell>; 4] = Default::default();
            let mut rows = 0;
            for (column, behind, value) in pushes {
                let row = if behind == 0 { rows } else { (rows - behind as i64).max(0) };
                // The head takes no cell that is not newer than all of its series.
                let newest = model[column].last_key_value().map(|(at, _)| *at / 10);
                if newest.is_some_and(|newest| newest >= row) {
                    continue;
                }
                rows = rows.max(row + 1);
                let cell = StoredCell { value, start: row / 7 };
                let place = windows.place(row * 10, 4).unwrap();
                windows.push(place, column, &cell);
                windows.seal_full(&[None, Some(0), Some(1), Some(3)]);
                model[column].insert(row * 10, cell);
            }
            let is_same = |a: &StoredCell, b: &StoredCell| {
                a.value.is_same(&b.value) && a.start == b.start
            };
            for (column, model) in model.iter().enumerate() {
                let cells: Vec<_> = windows.cells(column, 15, 500).collect();
                prop_assert_eq!(cells.len(), model.range(15..=500).count());
                let both = cells.iter().zip(model.range(15..=500));
                for ((at, cell), (own_at, own)) in both {
                    prop_assert!(at == own_at && is_same(cell, own));
                    prop_assert!(is_same(&windows.cell(column, *at), own));
                }
            }
            let samples: usize = model.iter().map(BTreeMap::len).sum();
            let popped = std::iter::from_fn(|| windows.pop_before(i64::MAX));
            prop_assert_eq!(popped.map(|window| window.samples()).sum::<usize>(), samples);
        }
    }

    #[test]
    fn old_windows_leave_whole() {
        let mut windows = Windows::new(WINDOW_ROWS);
        for row in 0..600 {
            let place = windows.place(row, 1).unwrap();
            windows.push(place, 0, &float(0.0));
        }
        assert!(windows.pop_before(255).is_none());
        assert_eq!(windows.pop_before(256).map(|window| window.samples()), Some(256));
        assert!(windows.pop_before(256).is_none());
        assert_eq!(windows.cells(0, 0, 256).map(|(at, _)| at).collect::<Vec<_>>(), [256]);
    }
}
