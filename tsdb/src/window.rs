//! Windows: runs of rows that share their timestamps, stored column by column.
//!
//! [`Windows`] is the whole history of a group (or, with one column, of a loose series): rows
//! with rising timestamps, cut into windows of [`WINDOW_ROWS`]. A row goes to the end, or fills
//! empty cells of a row that is there; old windows leave at the front as a whole.

use std::collections::VecDeque;
use std::ops::Range;

use crate::cell::StoredCell;
use crate::column::{Column, WINDOW_ROWS};

/// A run of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    timestamps: Vec<i64>,
    /// By number; a column behind the end has no cell here.
    columns: Vec<Column>,
}

impl Window {
    /// When its rows were taken, rising.
    pub(crate) fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// A column, if it has cells here.
    pub(crate) fn column(&self, column: usize) -> Option<&Column> {
        self.columns.get(column).filter(|column| !column.rows().is_empty())
    }

    /// The rows from `start` to `end`, both included.
    pub(crate) fn rows(&self, start: i64, end: i64) -> Range<usize> {
        let first = self.timestamps.partition_point(|own| *own < start);
        let last = self.timestamps.partition_point(|own| *own <= end);
        first..last.max(first)
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        self.columns.iter().map(Column::samples).sum()
    }

    fn heap_bytes(&self) -> usize {
        let columns = self.columns.capacity() * size_of::<Column>();
        let cells: usize = self.columns.iter().map(Column::heap_bytes).sum();
        columns + cells + self.timestamps.capacity() * size_of::<i64>()
    }
}

/// A row's place: its window, counted from the front, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPlace {
    window: usize,
    row: usize,
}

/// All rows of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows(VecDeque<Window>);

impl Windows {
    /// When the newest row was taken.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.0.back()?.timestamps.last().copied()
    }

    /// Where a row at `timestamp` belongs: an existing one of that time, else a new one at the
    /// end; `None` if it would be older than the newest and there is none. `columns` are expected.
    pub(crate) fn place(&mut self, timestamp: i64, columns: usize) -> Option<RowPlace> {
        if self.newest().is_some_and(|newest| timestamp <= newest) {
            return self.find(timestamp);
        }
        if self.0.back().is_none_or(|window| window.timestamps.len() == WINDOW_ROWS) {
            let columns = Vec::with_capacity(columns);
            self.0.push_back(Window { timestamps: Vec::new(), columns });
        }
        let window = self.0.len() - 1;
        self.0[window].timestamps.push(timestamp);
        Some(RowPlace { window, row: self.0[window].timestamps.len() - 1 })
    }

    fn find(&self, timestamp: i64) -> Option<RowPlace> {
        let window = self.first_ending_at(timestamp);
        let row = self.0.get(window)?.timestamps.binary_search(&timestamp).ok()?;
        Some(RowPlace { window, row })
    }

    /// The first window whose last row is not before `timestamp`.
    fn first_ending_at(&self, timestamp: i64) -> usize {
        self.0.partition_point(|window| window.timestamps.last().is_none_or(|own| *own < timestamp))
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    pub(crate) fn push(&mut self, place: RowPlace, column: usize, cell: &StoredCell) {
        let columns = &mut self.0[place.window].columns;
        if column >= columns.len() {
            columns.resize_with(column + 1, Column::default);
        }
        columns[column].push(place.row, cell);
    }

    /// The first window that has a row at `timestamp` or later.
    pub(crate) fn window_from(&self, timestamp: i64) -> Option<&Window> {
        self.0.get(self.first_ending_at(timestamp))
    }

    /// A column's cell at a time, absent where there is none.
    pub(crate) fn cell(&self, column: usize, timestamp: i64) -> StoredCell {
        let place = self.find(timestamp);
        let cell = place.and_then(|at| Some(self.0[at.window].column(column)?.cell(at.row)));
        cell.unwrap_or(StoredCell::ABSENT)
    }

    /// A column's cells from `start` to `end`, both included.
    pub(crate) fn cells(
        &self,
        column: usize,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = (i64, StoredCell)> + '_ {
        let windows = self.0.iter().skip(self.first_ending_at(start));
        let windows = windows.take_while(move |window| window.timestamps[0] <= end);
        let cells = windows.filter_map(move |window| Some((window, window.column(column)?)));
        cells.flat_map(move |(window, column)| {
            let rows = window.rows(start, end).filter(|row| column.is_present(*row));
            rows.map(|row| (window.timestamps[row], column.cell(row)))
        })
    }

    /// Takes out the first window if all its rows are older than `timestamp`.
    pub(crate) fn pop_before(&mut self, timestamp: i64) -> Option<Window> {
        let is_old = self.0.front()?.timestamps.last()? < &timestamp;
        if is_old { self.0.pop_front() } else { None }
    }

    /// Bytes that the rows take, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let windows = self.0.capacity() * size_of::<Window>();
        windows + self.0.iter().map(Window::heap_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{NO_START, Stored};

    fn float(value: f64) -> StoredCell {
        StoredCell { value: Stored::Float(value), start: NO_START }
    }

    #[test]
    fn rows_go_to_the_end_or_fill() {
        let mut windows = Windows::default();
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
    fn old_windows_leave_whole() {
        let mut windows = Windows::default();
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
