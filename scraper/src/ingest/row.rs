//! The row that a page becomes: a cell for each column that the target ever had.

use tsdb::{Cell, CellValue, ColumnRef};

/// Stands for no place.
const NOWHERE: u32 = u32::MAX;

/// Columns in the order in which they came; the first few may be set apart for the report.
#[derive(Debug, Default)]
pub(super) struct Row {
    columns: Vec<ColumnRef>,
    /// Which of them had a value in the last row, so that their end has to be told.
    live: Vec<bool>,
    /// The place of each column of the group, as far as it has one.
    places: Vec<u32>,
}

impl Row {
    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn columns(&self) -> &[ColumnRef] {
        &self.columns
    }

    /// Whether it has a place.
    pub(super) fn has(&self, column: ColumnRef) -> bool {
        self.places.get(column.0 as usize).is_some_and(|place| *place != NOWHERE)
    }

    /// The place of a column, made if it is new.
    pub(super) fn place(&mut self, column: ColumnRef) -> u32 {
        let number = column.0 as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, NOWHERE);
        }
        if self.places[number] == NOWHERE {
            let next = u32::try_from(self.columns.len()).ok().filter(|next| *next != NOWHERE);
            self.places[number] = next.expect("BUG: a row with 4 G columns");
            self.columns.push(column);
            self.live.push(false);
        }
        self.places[number]
    }

    /// Ends the page: the cells of those that lived and have no value say that they ended.
    /// Returns how many did end.
    pub(super) fn finish(&self, cells: &mut [Cell<'_>]) -> usize {
        let mut ended = 0;
        for (cell, _) in cells.iter_mut().zip(&self.live).filter(|(_, live)| **live) {
            if matches!(cell.value, CellValue::Absent) {
                *cell = Cell::STALE;
                ended += 1;
            }
        }
        ended
    }

    /// The row was appended: what it filled is what lives now, the first `apart` columns apart.
    pub(super) fn settle(&mut self, cells: &[Cell<'_>], apart: usize) {
        for (live, cell) in self.live.iter_mut().zip(cells).skip(apart) {
            *live = !matches!(cell.value, CellValue::Absent | CellValue::Stale);
        }
    }

    /// Whether the column at `place` had a value in the last row.
    pub(super) fn is_living(&self, place: u32) -> bool {
        self.live.get(place as usize).copied().unwrap_or(false)
    }

    /// Says that of the column at `place`.
    pub(super) fn set_living(&mut self, place: u32, is_living: bool) {
        if let Some(live) = self.live.get_mut(place as usize) {
            *live = is_living;
        }
    }

    /// All that lived has ended.
    pub(super) fn end(&mut self) {
        self.live.fill(false);
    }

    /// The row was not appended: keeps the first `length` columns.
    pub(super) fn abandon(&mut self, length: usize) {
        for column in self.columns.drain(length..) {
            self.places[column.0 as usize] = NOWHERE;
        }
        self.live.truncate(length);
    }

    /// Number of columns that live.
    pub(super) fn living(&self) -> usize {
        self.live.iter().filter(|live| **live).count()
    }

    /// Whether the columns stand in the order of their numbers, in which the store likes them.
    pub(super) fn is_sorted(&self) -> bool {
        self.columns.is_sorted()
    }

    /// Keeps the first `apart` columns and those that live, sorted but for the first ones; returns
    /// the new place of each old one.
    pub(super) fn tidy(&mut self, apart: usize) -> Vec<Option<u32>> {
        let old = std::mem::take(self);
        let mut kept: Vec<_> = old.columns.iter().copied().zip(old.live).collect();
        let apart = apart.min(kept.len());
        let mut rest = kept.split_off(apart);
        rest.retain(|(_, live)| *live);
        rest.sort_unstable();
        for (column, live) in kept.into_iter().chain(rest) {
            let place = self.place(column);
            self.live[place as usize] = live;
        }
        let new = |column: &ColumnRef| self.places.get(column.0 as usize).copied();
        old.columns.iter().map(|column| new(column).filter(|place| *place != NOWHERE)).collect()
    }
}
