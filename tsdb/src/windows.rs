//! The rows of a group (or, with one column, of a loose series) that are in memory.
//!
//! Rows with rising timestamps are cut into windows of an equal number of them. A row goes to the
//! end, or fills empty cells of a row that is there; full windows are sealed, the older ones
//! first; old windows leave at the front as a whole. When the rows of a window share their
//! times too little to pay (series that each have times of their own), rows as poor as that are
//! refused from then on, until richer ones have filled it further.
//!
//! On the way to a block: [`Windows::close`] draws the line (rows up to it are filled no more),
//! [`Windows::freeze`] makes what is before it immutable and shared, [`Windows::flushed`] notes
//! that a block has it, and [`Windows::retire`] lets it go once no reader needs it. A reader that
//! knows of the blocks up to flush `n` reads from [`Windows::visible_from`]`(n)` on.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::cell::StoredCell;
use crate::codec::column::Scratch;
use crate::column::WINDOW_ROWS;
use crate::sealed::in_memory;
use crate::window::{Open, Window, rows_between};

/// A row's place: its window among those that are not frozen, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPlace {
    window: usize,
    pub(crate) row: usize,
}

/// All rows of a group.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Rows of a window.
    rows: usize,
    /// What is on its way to a block, or there and still read from here.
    frozen: VecDeque<Arc<Window>>,
    windows: VecDeque<Window>,
    /// How many of `windows`, from the front on, are sealed.
    sealed: usize,
    /// When the newest row was taken.
    newest: Option<i64>,
    /// Rows up to this time are filled no more.
    closed: i64,
    /// The newest row when the line was drawn last.
    newest_then: Option<i64>,
    /// Up to which time each flush wrote the rows, rising in both.
    flushed: Vec<(u64, i64)>,
    /// Rows of fewer cells are none: what the newest window said last ([`Open::cells_min`]).
    cells_min: usize,
}

/// A full window is sealed when this part of the next one is filled: until then, requests that
/// bring the rest of its rows find it open.
const LAG_PART: usize = 4;

/// Each time that this part of a window is filled, it is asked whether its rows pay.
const JUDGED_PART: usize = 4;

impl Windows {
    /// No rows yet; a window is to have so many of them, [`WINDOW_ROWS`] at most.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows: rows.clamp(1, WINDOW_ROWS),
            frozen: VecDeque::new(),
            windows: VecDeque::new(),
            sealed: 0,
            newest: None,
            closed: i64::MIN,
            newest_then: None,
            flushed: Vec::new(),
            cells_min: 0,
        }
    }

    /// When the newest row was taken, be it in memory still or not.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Whether there is no row in memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.frozen.is_empty() && self.windows.is_empty()
    }

    /// Where a row of so many cells at `timestamp` belongs: an existing one of that time, else a
    /// new one at the end; `None` if it would be older than the newest and there is none that may
    /// still be filled, or if such cells have shown not to make rows. `columns` are expected.
    pub(crate) fn place(
        &mut self,
        timestamp: i64,
        cells: usize,
        columns: usize,
    ) -> Option<RowPlace> {
        if self.newest.is_some_and(|newest| timestamp <= newest) {
            return self.find(timestamp);
        }
        if cells < self.cells_min {
            return None;
        }
        self.newest = Some(timestamp);
        let last = self.windows.len().saturating_sub(1);
        if let Some(Window::Open(open)) = self.windows.back_mut() {
            let rows = open.timestamps.len();
            if rows.is_multiple_of(self.rows.div_ceil(JUDGED_PART)) {
                self.cells_min = open.cells_min();
            }
            if rows < self.rows {
                open.timestamps.push(timestamp);
                return Some(RowPlace { window: last, row: rows });
            }
        }
        let (timestamps, columns) = (vec![timestamp], Vec::with_capacity(columns));
        self.windows.push_back(Window::Open(Open { timestamps, columns }));
        Some(RowPlace { window: self.windows.len() - 1, row: 0 })
    }

    fn find(&self, timestamp: i64) -> Option<RowPlace> {
        let is_older = |window: &Window| window.last().is_none_or(|own| own < timestamp);
        let window = self.windows.partition_point(is_older);
        let row = self.windows.get(window)?.timestamps().binary_search(&timestamp).ok()?;
        (timestamp > self.closed).then_some(RowPlace { window, row })
    }

    /// The window of a row.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a place is used before any window leaves")]
    pub(crate) fn at(&mut self, place: RowPlace) -> &mut Window {
        &mut self.windows[place.window]
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    pub(crate) fn push(&mut self, place: RowPlace, column: usize, cell: &StoredCell) {
        self.at(place).push(place.row, column, cell);
    }

    /// Whether there is a window to be sealed.
    pub(crate) fn has_full(&self) -> bool {
        let behind = self.windows.len().saturating_sub(self.sealed);
        let next = self.windows.get(self.sealed);
        // The line for the next block will cut it.
        if next
            .is_some_and(|own| own.first() <= Some(self.closed) && own.last() > Some(self.closed))
        {
            return false;
        }
        match self.windows.back() {
            Some(Window::Open(open)) if behind == 2 => {
                open.timestamps.len() >= self.rows.div_ceil(LAG_PART)
            }
            _ => behind > 2,
        }
    }

    /// Seals the windows that are to be sealed; `lower` as for
    /// [`Sealed::new`](crate::sealed::Sealed::new).
    pub(crate) fn seal_full(&mut self, lower: &[Option<u32>]) {
        while self.has_full() {
            let Some(window) = self.windows.get_mut(self.sealed) else { return };
            let open = std::mem::replace(window, Window::Open(Open::default()));
            *window = open.sealed(lower);
            self.sealed += 1;
        }
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Window> {
        self.frozen.iter().map(|window| &**window).chain(&self.windows)
    }

    /// The first window in memory that has a row at `timestamp` or later.
    pub(crate) fn window_from(&self, timestamp: i64) -> Option<&Window> {
        self.windows_from(timestamp).next()
    }

    /// The last window in memory that has a row at `timestamp` or earlier.
    pub(crate) fn window_until(&self, timestamp: i64) -> Option<&Window> {
        let is_later = |window: &Window| window.first().is_none_or(|own| own > timestamp);
        let windows = self.windows.partition_point(|window| !is_later(window));
        if let Some(last) = windows.checked_sub(1) {
            return self.windows.get(last);
        }
        let frozen = self.frozen.partition_point(|window| !is_later(window));
        frozen.checked_sub(1).and_then(|last| self.frozen.get(last)).map(|window| &**window)
    }

    fn windows_from(&self, timestamp: i64) -> impl Iterator<Item = &Window> {
        let is_older = move |last: Option<i64>| last.is_none_or(|own| own < timestamp);
        let frozen = self.frozen.partition_point(|window| is_older(window.last()));
        let windows = self.windows.partition_point(|window| is_older(window.last()));
        let frozen = self.frozen.range(frozen..).map(|window| &**window);
        frozen.chain(self.windows.range(windows..))
    }

    /// A column's cell at a time, absent where there is none.
    pub(crate) fn cell(&self, column: usize, timestamp: i64) -> StoredCell {
        let found = self.cells(column, timestamp, timestamp).next();
        found.map_or(StoredCell::ABSENT, |(_, cell)| cell)
    }

    /// A column's cells from `start` to `end`, both included.
    pub(crate) fn cells(
        &self,
        column: usize,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = (i64, StoredCell)> + '_ {
        let is_inside = move |window: &&Window| window.first().is_some_and(|own| own <= end);
        let windows = self.windows_from(start).take_while(is_inside);
        windows.flat_map(move |window| {
            let timestamps = window.timestamps();
            let (rows, timestamps) = rows_between(&timestamps, start, end);
            let mut scratch = Scratch::default();
            let column = in_memory(window.columns(&mut scratch).column(column));
            let cells = rows.zip(timestamps).filter_map(|(row, timestamp)| {
                let cell = column.as_ref()?.cell(row);
                (!cell.is_absent()).then_some((*timestamp, cell))
            });
            cells.collect::<Vec<_>>()
        })
    }

    /// Takes out the first window if all its rows are older than `timestamp`, and says how many
    /// cells it had that no block has.
    pub(crate) fn pop_before(&mut self, timestamp: i64) -> Option<usize> {
        let is_old = self.all().next()?.last()? < timestamp;
        if !is_old {
            return None;
        }
        if let Some(window) = self.frozen.pop_front() {
            let is_new = window.last() > Some(self.done());
            return Some(if is_new { window.samples() } else { 0 });
        }
        self.sealed = self.sealed.saturating_sub(1);
        self.windows.pop_front().map(|window| window.samples())
    }

    /// Columns of all windows that have cells.
    pub(crate) fn chunks(&self) -> usize {
        self.all().map(Window::chunks).sum()
    }

    /// Bytes that the rows take, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let windows = self.windows.capacity() * size_of::<Window>();
        windows + self.all().map(Window::heap_bytes).sum::<usize>()
    }

    /// Draws the line for the next block: all rows but the newest `kept` (which must be open) are
    /// filled no more; all rows, if none came since the line was drawn last.
    pub(crate) fn close(&mut self, kept: usize) {
        let has_ended = std::mem::replace(&mut self.newest_then, self.newest) == self.newest;
        let kept = if has_ended { 0 } else { kept };
        let open = self.windows.iter().skip(self.sealed).map(|window| window.timestamps().len());
        let kept = kept.min(open.sum());
        let newest_first = self.windows.iter().rev().flat_map(|window| match window {
            Window::Open(open) => open.timestamps.iter().rev().copied().collect::<Vec<_>>(),
            Window::Sealed { range, .. } => vec![range.1],
        });
        if let Some(line) = newest_first.into_iter().nth(kept) {
            self.closed = line;
        }
    }

    /// Whether a row is before the line that no block has.
    pub(crate) fn has_closed(&self) -> bool {
        let next = self.window_from(self.done().saturating_add(1));
        let first = next.and_then(Window::first);
        first.is_some_and(|first| first <= self.closed)
    }

    /// The rows behind the line, with the cells of each column.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (i64, Vec<(u32, StoredCell)>)> + '_ {
        let open = self.windows.iter().filter_map(|window| match window {
            Window::Open(open) => Some(open),
            Window::Sealed { .. } => None,
        });
        open.flat_map(|open| {
            let start = self.closed.saturating_add(1);
            let (rows, timestamps) = rows_between(&open.timestamps, start, i64::MAX);
            rows.zip(timestamps).map(|(row, timestamp)| {
                let cells = (0..).zip(&open.columns).map(|(number, own)| (number, own.cell(row)));
                (*timestamp, cells.filter(|(_, cell)| !cell.is_absent()).collect())
            })
        })
    }

    /// Makes the rows before the line immutable, and gives those that no block has.
    pub(crate) fn freeze(&mut self) -> Vec<Arc<Window>> {
        let closed = self.closed;
        while self.windows.front().is_some_and(|window| window.first() <= Some(closed)) {
            let Some(mut window) = self.windows.pop_front() else { break };
            self.sealed = self.sealed.saturating_sub(1);
            if let Window::Open(open) = &mut window {
                let row = open.timestamps.partition_point(|own| *own <= closed);
                if row < open.timestamps.len() {
                    self.windows.push_front(Window::Open(open.split_off(row)));
                }
            }
            self.frozen.push_back(Arc::new(window));
        }
        let done = self.done();
        let new = self.frozen.iter().filter(|window| window.last() > Some(done));
        new.cloned().collect()
    }

    /// Notes that a block has what was frozen; how many cells that were.
    pub(crate) fn flushed(&mut self, flush: u64) -> usize {
        let done = self.done();
        self.flushed.push((flush, self.closed));
        let new = self.frozen.iter().filter(|window| window.last() > Some(done));
        new.map(|window| window.samples()).sum()
    }

    /// Blocks have the rows up to this time.
    fn done(&self) -> i64 {
        self.flushed.last().map_or(i64::MIN, |(_, until)| *until)
    }

    /// The first time that a reader that knows the blocks up to `flush` does not find there.
    pub(crate) fn visible_from(&self, flush: u64) -> i64 {
        let known = self.flushed.partition_point(|(own, _)| *own <= flush);
        let until = known.checked_sub(1).and_then(|at| self.flushed.get(at));
        until.map_or(i64::MIN, |(_, until)| until.saturating_add(1))
    }

    /// No row that such a reader finds here, now or later, is older than this.
    pub(crate) fn first_visible(&self, flush: u64) -> i64 {
        let first = self.all().next().and_then(Window::first);
        let none = || self.newest.map(|newest| newest.saturating_add(1));
        self.visible_from(flush).max(first.or_else(none).unwrap_or(i64::MIN))
    }

    /// Lets go what the blocks up to `flush` have.
    pub(crate) fn retire(&mut self, flush: u64) {
        let from = self.visible_from(flush);
        while self.frozen.front().is_some_and(|window| window.last() < Some(from)) {
            self.frozen.pop_front();
        }
        let known = self.flushed.partition_point(|(own, _)| *own <= flush);
        self.flushed.drain(..known.saturating_sub(1));
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
            let place = windows.place(row * 10, 2, 2).unwrap();
            windows.push(place, 0, &float(row as f64));
        }
        assert_eq!(windows.newest(), Some(5990));
        assert_eq!(windows.place(5985, 2, 2), None);
        let fill = windows.place(20, 2, 2).unwrap();
        windows.push(fill, 1, &float(7.0));
        let cells: Vec<_> = windows.cells(0, 2550, 2570).map(|(at, _)| at).collect();
        assert_eq!(cells, [2550, 2560, 2570]);
        assert_eq!(windows.cells(1, 0, i64::MAX).map(|(at, _)| at).collect::<Vec<_>>(), [20]);
        assert!(windows.cell(0, 2560).value.is_same(&Stored::Float(256.0)));
        assert!(windows.cell(0, 2565).value.is_same(&Stored::Absent));
    }

    /// Adds a row with cells in these columns, if they make one.
    fn add_row(windows: &mut Windows, row: i64, columns: &[usize]) -> bool {
        let Some(place) = windows.place(row, columns.len(), columns.len()) else { return false };
        columns.iter().for_each(|column| windows.push(place, *column, &float(row as f64)));
        true
    }

    #[test]
    fn chunks_are_columns_with_cells() {
        let mut windows = Windows::new(8);
        for row in 0..20 {
            let columns: &[usize] = if row < 8 { &[0, 1] } else { &[0, 3] };
            assert!(add_row(&mut windows, row * 10, columns));
        }
        assert_eq!(windows.chunks(), 6);
        windows.seal_full(&[]);
        assert_eq!((windows.sealed, windows.chunks()), (2, 6));
        // Columns that had no cell in a sealed window: between the others, and behind the end.
        for (row, column) in [(100, 1), (100, 5), (30, 2), (40, 2)] {
            let place = windows.place(row, 1, 1).unwrap();
            windows.push(place, column, &float(1.0));
        }
        assert_eq!(windows.chunks(), 9);
    }

    /// How many cells a row has to have after a window of rows with cells in the given columns, or
    /// when the first of them is refused.
    fn cells_min(columns_of: impl Fn(usize) -> Vec<usize>) -> usize {
        let mut windows = Windows::new(WINDOW_ROWS);
        let mut rows = 0..=WINDOW_ROWS;
        rows.find(|row| !add_row(&mut windows, *row as i64, &columns_of(*row)));
        windows.cells_min
    }

    #[test]
    fn rows_that_share_little_are_none() {
        // Pages: of one column, with others that come later, by turns.
        let page =
            |row: usize| (0..99).filter(move |own| row > 30 || *own != 7).chain([99 + row / 64]);
        assert_eq!(cells_min(|row| page(row).collect()), 0);
        assert_eq!(cells_min(|_| vec![0]), 0);
        assert_eq!(cells_min(|row| (row % 3 * 20..row % 3 * 20 + 20).collect()), 0);
        // Series with times of their own: two, many, another one each time, and in pairs.
        assert_eq!(cells_min(|row| vec![row % 2]), 2);
        assert_eq!(cells_min(|row| vec![row % 40]), 10);
        assert_eq!(cells_min(|row| vec![row]), 16);
        assert_eq!(cells_min(|row| vec![row % 20, 20 + row % 20]), 10);
    }

    #[test]
    fn rows_that_share_much_are_some_again() {
        let mut windows = Windows::new(WINDOW_ROWS);
        let alone = (0..99).find(|row| !add_row(&mut windows, *row, &[*row as usize % 4]));
        assert_eq!(alone, Some(65));
        assert!(windows.place(64, 1, 1).is_some(), "a row that is there is filled");
        assert!((100..164).all(|row| add_row(&mut windows, row, &[0, 1, 2, 3])));
        assert!(add_row(&mut windows, 200, &[0]));
    }

    #[test]
    fn full_windows_are_sealed_a_little_later() {
        let mut windows = Windows::new(8);
        for row in 0..10 {
            let place = windows.place(row, 1, 1).unwrap();
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
                let place = windows.place(row * 10, 4, 4).unwrap();
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
            prop_assert_eq!(popped.sum::<usize>(), samples);
        }
    }

    #[test]
    fn old_windows_leave_whole() {
        let mut windows = Windows::new(WINDOW_ROWS);
        for row in 0..600 {
            let place = windows.place(row, 1, 1).unwrap();
            windows.push(place, 0, &float(0.0));
        }
        assert!(windows.pop_before(255).is_none());
        assert_eq!(windows.pop_before(256), Some(256));
        assert!(windows.pop_before(256).is_none());
        assert_eq!(windows.cells(0, 0, 256).map(|(at, _)| at).collect::<Vec<_>>(), [256]);
    }
}
