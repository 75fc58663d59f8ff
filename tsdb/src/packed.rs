//! A row's cells in eight bytes each.
//!
//! Nearly all cells are floats without a start timestamp: they are kept as their bits. What is more
//! stands aside, and in its place is a mark, a NaN that says where it stands. A float that looks
//! like a mark stands aside, too, so that all bits come back.

use std::ops::Range;

use crate::append::{Cell, CellValue};
use crate::cell::{NO_START, Stored, StoredCell};
use crate::model::is_stale;

/// The upper half of a mark; the lower one is a place. Nothing is known to make such NaNs.
const MARKS: u64 = 0xFFF9_5E1F;

/// A float's bits or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed(u64);

impl Packed {
    /// No value.
    pub(crate) const ABSENT: Self = Self(MARKS << 32 | u32::MAX as u64);

    /// Something else, where nobody asks what: no row has such a cell.
    pub(crate) const OTHER: Self = Self(Self::ABSENT.0 - 1);

    /// A float without a start timestamp; `None` if it has to stand aside.
    #[inline]
    pub(crate) fn of(float: f64) -> Option<Self> {
        let bits = float.to_bits();
        (bits >> 32 != MARKS && !is_stale(float)).then_some(Self(bits))
    }

    /// The float; `None` for a mark.
    #[inline]
    pub(crate) fn float(self) -> Option<f64> {
        (self.0 >> 32 != MARKS).then_some(f64::from_bits(self.0))
    }

    /// Whether nothing stands aside for it: a float, or no value.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        self.is_absent() || self.float().is_some()
    }

    /// Whether there is no value.
    #[inline]
    pub(crate) fn is_absent(self) -> bool {
        self == Self::ABSENT
    }
}

/// Cells of rows, one behind another.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackedCells {
    cells: Vec<Packed>,
    aside: Vec<StoredCell>,
}

/// Some of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedRow<'a> {
    /// Each cell.
    pub(crate) cells: &'a [Packed],
    aside: &'a [StoredCell],
}

impl PackedCells {
    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Adds a writer's cells.
    pub(crate) fn extend(&mut self, cells: &[Cell<'_>]) {
        self.cells.reserve(cells.len());
        cells.iter().for_each(|cell| self.push(cell));
    }

    #[inline]
    fn push(&mut self, cell: &Cell<'_>) {
        match (cell.value, cell.start) {
            (CellValue::Absent, _) => self.cells.push(Packed::ABSENT),
            (CellValue::Float(float), None) if let Some(packed) = Packed::of(float) => {
                self.cells.push(packed);
            }
            _ => self.push_stored(StoredCell::from(*cell)),
        }
    }

    /// Adds a cell.
    #[expect(clippy::expect_used, reason = "they would take 100 GB")]
    pub(crate) fn push_stored(&mut self, cell: StoredCell) {
        let packed = match cell {
            StoredCell { value: Stored::Absent, .. } => Some(Packed::ABSENT),
            StoredCell { value: Stored::Float(float), start: NO_START } => Packed::of(float),
            _ => None,
        };
        self.cells.push(packed.unwrap_or_else(|| {
            let place = u32::try_from(self.aside.len())
                .ok()
                .filter(|place| *place < Packed::OTHER.0 as u32);
            self.aside.push(cell);
            Packed(MARKS << 32 | u64::from(place.expect("BUG: 2^32 cells in a commit")))
        }));
    }

    /// Some of the cells.
    #[expect(clippy::indexing_slicing, reason = "a row's cells are there before the row is")]
    pub(crate) fn row(&self, part: Range<usize>) -> PackedRow<'_> {
        PackedRow { cells: &self.cells[part], aside: &self.aside }
    }

    /// Makes a cell absent.
    pub(crate) fn leave_out(&mut self, at: usize) {
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = Packed::ABSENT;
        }
    }
}

impl PackedRow<'_> {
    /// What a cell of the row stands for.
    #[inline]
    pub(crate) fn stored(&self, cell: Packed) -> StoredCell {
        match cell.float() {
            Some(float) => StoredCell { value: Stored::Float(float), start: NO_START },
            None => self.aside.get(cell.0 as u32 as usize).cloned().unwrap_or(StoredCell::ABSENT),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Histogram, STALE_NAN, Timestamp};

    #[test]
    fn cells_come_back() {
        let mark = f64::from_bits(MARKS << 32);
        let absent = f64::from_bits(Packed::ABSENT.0);
        let histogram = Arc::new(Histogram::default());
        let floats = [0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, mark, absent].map(Stored::Float);
        let others = [Stored::Absent, Stored::Stale, Stored::Histogram(histogram)];
        let values: Vec<_> = floats.into_iter().chain(others).collect();
        let mut packed = PackedCells::default();
        let mut cells = Vec::new();
        for (value, start) in values.iter().flat_map(|value| [(value, NO_START), (value, 7)]) {
            let is_absent = matches!(value, Stored::Absent);
            let start = if is_absent { NO_START } else { start };
            let cell = StoredCell { value: value.clone(), start };
            packed.push_stored(cell.clone());
            packed.push(&cell.as_cell());
            cells.extend([cell.clone(), cell]);
        }
        let row = packed.row(0..packed.len());
        assert_eq!(row.cells.len(), cells.len());
        for (packed, cell) in row.cells.iter().zip(&cells) {
            let found = row.stored(*packed);
            assert!(found.value.is_same(&cell.value) && found.start == cell.start, "{cell:?}");
            assert_eq!(packed.is_absent(), cell.is_absent(), "{cell:?}");
        }
    }

    #[test]
    fn what_needs_more_than_its_bits_stands_aside() {
        let mut packed = PackedCells::default();
        let start = Some(Timestamp::from_ms(7));
        let rows = [
            (Cell::float(1.0), 0),
            (Cell::ABSENT, 0),
            (Cell::STALE, 1),
            (Cell::float(STALE_NAN), 1),
            (Cell { start, ..Cell::float(1.0) }, 1),
            (Cell { start, ..Cell::ABSENT }, 0),
        ];
        for (cell, aside) in rows {
            let before = packed.aside.len();
            packed.push(&cell);
            assert_eq!(packed.aside.len() - before, aside, "{cell:?}");
        }
    }

    #[test]
    fn a_cell_that_is_left_out_is_absent() {
        let mut packed = PackedCells::default();
        packed.push(&Cell::float(1.0));
        packed.leave_out(0);
        assert!(packed.row(0..1).cells[0].is_absent());
    }
}
