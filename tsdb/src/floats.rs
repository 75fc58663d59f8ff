//! A list of floats that grows at its end.
//!
//! Counts are whole, and most of them small: as long as all floats of a list are whole numbers
//! below 2^32 they take four bytes each, from the first other one on eight. The bits are given
//! back in any case.

use std::ops::Range;

/// Bytes for which a list has room at first, and by which it grows: most lists of a store grow at
/// the same time, and what they have too much of room is the memory that it needs at most.
const ROOM_BYTES: usize = 64;

/// Some floats.
#[derive(Clone, Debug)]
pub(crate) enum Floats {
    /// Whole numbers, none of them −0.0.
    Whole(Vec<u32>),
    /// Others among them.
    Any(Vec<f64>),
}

impl Default for Floats {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

/// The whole number whose float has the same bits.
#[inline]
fn whole(float: f64) -> Option<u32> {
    let number = float as u32;
    (f64::from(number).to_bits() == float.to_bits()).then_some(number)
}

impl Floats {
    /// Number of floats.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(list) => list.len(),
            Self::Any(list) => list.len(),
        }
    }

    /// Adds one.
    #[inline]
    pub(crate) fn push(&mut self, float: f64) {
        match self {
            Self::Whole(list) => match whole(float) {
                Some(number) => push(list, number),
                None => self.push_other(float),
            },
            Self::Any(list) => push(list, float),
        }
    }

    /// Adds the first one that is not whole.
    #[cold]
    fn push_other(&mut self, float: f64) {
        let mut floats = Vec::with_capacity(self.len() + ROOM_BYTES / size_of::<f64>());
        self.copy(0..self.len(), &mut floats);
        floats.push(float);
        *self = Self::Any(floats);
    }

    /// The float at a place of the list.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "the caller counts what it pushes")]
    pub(crate) fn at(&self, place: usize) -> f64 {
        match self {
            Self::Whole(list) => f64::from(list[place]),
            Self::Any(list) => list[place],
        }
    }

    /// Copies a part of the list to the end of `out`.
    #[expect(clippy::indexing_slicing, reason = "the caller counts what it pushes")]
    pub(crate) fn copy(&self, part: Range<usize>, out: &mut Vec<f64>) {
        match self {
            Self::Whole(list) => out.extend(list[part].iter().map(|number| f64::from(*number))),
            Self::Any(list) => out.extend_from_slice(&list[part]),
        }
    }

    /// A list of those from `start` on.
    pub(crate) fn behind(&self, start: usize) -> Self {
        match self {
            Self::Whole(list) => Self::Whole(list.split_at(start).1.to_vec()),
            Self::Any(list) => Self::Any(list.split_at(start).1.to_vec()),
        }
    }

    /// Leaves the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Whole(list) => list.truncate(len),
            Self::Any(list) => list.truncate(len),
        }
    }

    /// Bytes that the list holds, those for more floats included.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Whole(list) => list.capacity() * size_of::<u32>(),
            Self::Any(list) => list.capacity() * size_of::<f64>(),
        }
    }
}

#[inline]
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(ROOM_BYTES / size_of::<T>());
    }
    list.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_float() -> impl Strategy<Value = f64> {
        let border = f64::from(u32::MAX);
        let odd = [0.0, -0.0, 1.0, -1.0, 0.5, border, border + 1.0, border - 0.5, f64::INFINITY];
        prop_oneof![
            8 => any::<u32>().prop_map(f64::from),
            1 => prop::sample::select(odd.to_vec()),
            1 => any::<u64>().prop_map(f64::from_bits),
        ]
    }

    fn bits(floats: &[f64]) -> Vec<u64> {
        floats.iter().map(|float| float.to_bits()).collect()
    }

    fn all(list: &Floats) -> Vec<u64> {
        let mut floats = Vec::new();
        list.copy(0..list.len(), &mut floats);
        bits(&floats)
    }

    proptest! {
        #[test]
        fn a_list_gives_back_the_bits(
            floats in prop::collection::vec(any_float(), 0..40),
            cut in 0_usize..40,
        ) {
            let mut list = Floats::default();
            floats.iter().for_each(|float| list.push(*float));
            let cut = cut.min(floats.len());
            prop_assert_eq!(all(&list), bits(&floats));
            let each: Vec<_> = (0..floats.len()).map(|at| list.at(at)).collect();
            prop_assert_eq!(bits(&each), bits(&floats));
            prop_assert_eq!(all(&list.behind(cut)), bits(&floats[cut..]));
            list.truncate(cut);
            prop_assert_eq!(all(&list), bits(&floats[..cut]));
        }
    }

    #[test]
    fn small_whole_numbers_take_four_bytes() {
        let mut list = Floats::default();
        (0..16).for_each(|number| list.push(f64::from(number)));
        assert_eq!(list.heap_bytes(), 64);
        list.push(0.5);
        assert!(matches!(list, Floats::Any(_)));
    }
}
