//! The row that a page becomes: a cell for each column that the target ever had.

use std::collections::HashMap;

use tsdb::{Cell, ColumnRef};

/// Columns and cells, in the order in which the columns came.
#[derive(Debug, Default)]
pub(super) struct Row {
    columns: Vec<ColumnRef>,
    cells: Vec<Cell<'static>>,
    state: Vec<State>,
    by_ref: HashMap<ColumnRef, u32>,
}

/// What is known of a column while a page is read.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// It had a value in the last row, so that its end has to be told.
    live: bool,
    /// It has a value on this page.
    filled: bool,
}

impl Row {
    /// The place of a column, made if it is new.
    pub(super) fn place(&mut self, column: ColumnRef) -> u32 {
        let next = u32::try_from(self.columns.len()).expect("BUG: a row with 4 G columns");
        let place = *self.by_ref.entry(column).or_insert(next);
        if place == next {
            self.columns.push(column);
            self.cells.push(Cell::ABSENT);
            self.state.push(State::default());
        }
        place
    }

    /// Sets the value at `place`; `false` if this page has set it already.
    pub(super) fn fill(&mut self, place: u32, value: f64) -> bool {
        let state = &mut self.state[place as usize];
        let first = !state.filled;
        if first {
            state.filled = true;
            self.cells[place as usize] = Cell::float(value);
        }
        first
    }

    /// Ends the page: cells that were not filled say that their series ended, if it lived.
    /// Returns how many did end.
    pub(super) fn finish(&mut self) -> usize {
        let mut ended = 0;
        for (cell, state) in self.cells.iter_mut().zip(&self.state).filter(|(_, s)| !s.filled) {
            *cell = if state.live { Cell::STALE } else { Cell::ABSENT };
            ended += usize::from(state.live);
        }
        ended
    }

    /// The finished row was appended: what it filled is what lives now.
    pub(super) fn settle(&mut self) {
        for state in &mut self.state {
            *state = State { live: state.filled, filled: false };
        }
    }

    /// The row was not appended: keeps the first `length` columns, and what lives.
    pub(super) fn abandon(&mut self, length: usize) {
        for column in self.columns.drain(length..) {
            self.by_ref.remove(&column);
        }
        self.cells.truncate(length);
        self.state.truncate(length);
        self.state.iter_mut().for_each(|state| state.filled = false);
    }

    pub(super) fn columns(&self) -> &[ColumnRef] {
        &self.columns
    }

    pub(super) fn cells(&self) -> &[Cell<'static>] {
        &self.cells
    }

    /// Keeps the columns that live, under new places; returns the new place of each old one.
    pub(super) fn retain_live(&mut self) -> Vec<Option<u32>> {
        let old = std::mem::take(self);
        let pairs = old.columns.into_iter().zip(old.state);
        let moved = pairs.map(|(column, state)| {
            state.live.then(|| {
                let place = self.place(column);
                self.state[place as usize].live = true;
                place
            })
        });
        moved.collect()
    }
}
