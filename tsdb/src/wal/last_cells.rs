//! The last cell of each column of a group in a segment.
//!
//! It is kept as the row had it, in eight bytes. What is to be known beyond that (a start
//! timestamp, the float before an absence) stands aside.

use hashbrown::HashMap;

use crate::append::ColumnRef;
use crate::codec::cell::CellState;
use crate::numbered::Numbered;
use crate::packed::{Packed, PackedRow};

/// The last cells by column.
#[derive(Debug, Default)]
pub(super) struct LastCells {
    /// A float, [`Packed::ABSENT`] or [`Packed::OTHER`].
    cells: Vec<Packed>,
    /// The columns whose last cell was no plain float, and what it was; without an entry they had
    /// none.
    aside: HashMap<ColumnRef, CellState>,
}

impl LastCells {
    /// Makes room for so many columns; new ones had no cell.
    pub(super) fn resize(&mut self, columns: usize) {
        self.cells.resize(columns, Packed::ABSENT);
    }

    /// Whether a cell of `row` repeats the last one of its column.
    #[inline]
    pub(super) fn is_unchanged(&self, column: ColumnRef, cell: Packed, row: PackedRow<'_>) -> bool {
        let last = *self.cells.of(column);
        match cell.is_plain() {
            true => last == cell,
            false => last == Packed::OTHER && self.state(column).is_unchanged(&row.stored(cell)),
        }
    }

    /// Writes a cell of `row` and remembers it.
    pub(super) fn put(
        &mut self,
        column: ColumnRef,
        cell: Packed,
        row: PackedRow<'_>,
        out: &mut Vec<u8>,
    ) {
        let mut state = self.state(column);
        state.put(out, &row.stored(cell));
        let last = self.cells.of_mut(column);
        let was_plain = last.float().is_some();
        *last = state.plain().and_then(Packed::of).unwrap_or(match cell.is_absent() {
            true => Packed::ABSENT,
            false => Packed::OTHER,
        });
        if last.float().is_none() {
            self.aside.insert(column, state);
        } else if !was_plain {
            self.aside.remove(&column);
        }
    }

    fn state(&self, column: ColumnRef) -> CellState {
        match self.cells.of(column).float() {
            Some(float) => CellState::float(float),
            None => self.aside.get(&column).copied().unwrap_or(CellState::NEW),
        }
    }
}
