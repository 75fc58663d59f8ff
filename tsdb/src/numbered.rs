//! Lists by number: groups, columns, series, families and the like are numbered in the order in
//! which they come, and a number is its holder's place in a list.
//!
//! Invariant: a number is looked up in the list that gave it out, or in one that is as long, and
//! neither ever becomes shorter. So a number without a place is a fault of the store and a panic:
//! an answer about nothing would be worse. Numbers from outside go through `get`.

use crate::append::{ColumnRef, GroupRef};
use crate::commit::SeriesId;

/// What counts the places of a list.
pub(crate) trait Number: Copy {
    /// The place.
    fn index(self) -> usize;
}

impl Number for u32 {
    #[inline]
    fn index(self) -> usize {
        self as usize
    }
}

impl Number for GroupRef {
    #[inline]
    fn index(self) -> usize {
        self.0.index()
    }
}

impl Number for ColumnRef {
    #[inline]
    fn index(self) -> usize {
        self.0.index()
    }
}

impl Number for SeriesId {
    #[inline]
    fn index(self) -> usize {
        self.0.index()
    }
}

/// A list by number.
pub(crate) trait Numbered<T> {
    /// The item of a number.
    fn of(&self, number: impl Number) -> &T;

    /// The item of a number, to be changed.
    fn of_mut(&mut self, number: impl Number) -> &mut T;
}

#[expect(clippy::indexing_slicing, reason = "a number has a place in its list, see above")]
impl<T> Numbered<T> for [T] {
    #[inline]
    #[track_caller]
    fn of(&self, number: impl Number) -> &T {
        &self[number.index()]
    }

    #[inline]
    #[track_caller]
    fn of_mut(&mut self, number: impl Number) -> &mut T {
        &mut self[number.index()]
    }
}
