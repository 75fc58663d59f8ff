//! Groups: the series that arrive together, and their rows.
//!
//! A series' labels are the group's target labels overlaid by the column's own ones; an own label
//! with an empty value hides the target's. [`overlay`] and [`own_labels`] are each other's
//! inverse.

use crate::commit::SeriesId;
use crate::head::Idle;
use crate::model::Labels;
use crate::windows::Windows;

/// One group.
#[derive(Debug)]
pub(crate) struct Group {
    /// What names it.
    pub(crate) target: Labels,
    /// The series of each column.
    pub(crate) columns: Vec<SeriesId>,
    /// Whether a column is a series that has its home in another group.
    pub(crate) is_shared: bool,
    /// The lower neighbour of each column, as far as they were looked for.
    pub(crate) lower: Vec<Option<u32>>,
    /// Whether nobody named it since it had no rows.
    pub(crate) idle: Idle,
    /// Whether it still takes rows.
    pub(crate) age: Age,
    /// Its rows.
    pub(crate) windows: Windows,
}

impl Group {
    /// A group without columns, with windows of so many rows.
    pub(crate) fn new(target: Labels, window_rows: usize) -> Self {
        let windows = Windows::new(window_rows);
        let (columns, lower) = (Vec::new(), Vec::new());
        let (idle, age) = (Idle::default(), Age::default());
        Self { target, columns, is_shared: false, lower, idle, age, windows }
    }
}

/// Whether a group takes rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Age {
    /// It does.
    #[default]
    Current,
    /// Who asks for its target gets another group; who has its number may add.
    Replaced,
    /// Nobody may add.
    Closed,
}

/// The labels of a column's series.
pub(crate) fn overlay(target: &Labels, own: &[(String, String)]) -> Labels {
    let mut builder = target.to_builder();
    for (name, value) in own {
        builder.set(name.as_str(), value.as_str());
    }
    builder.build()
}

/// The own labels that make `labels` of `target`.
pub(crate) fn own_labels<'a>(target: &'a Labels, labels: &'a Labels) -> Vec<(&'a str, &'a str)> {
    if let Some(own) = labels.beside(target) {
        return own.collect();
    }
    let differs = |(name, value): &(&str, &str)| target.get(name) != Some(value);
    let hidden = target.iter().filter(|(name, _)| labels.get(name).is_none());
    labels.iter().filter(differs).chain(hidden.map(|(name, _)| (name, ""))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_labels() -> impl Strategy<Value = Labels> {
        prop::collection::vec(("[a-d]", "[xy]{0,1}"), 0..4).prop_map(Labels::from_pairs)
    }

    proptest! {
        #[test]
        fn own_labels_make_the_series(target in any_labels(), labels in any_labels()) {
            let own = own_labels(&target, &labels);
            let own: Vec<_> = own.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            prop_assert_eq!(overlay(&target, &own), labels);
        }

        #[test]
        fn own_labels_of_joined_sets_are_what_was_joined(
            target in any_labels(),
            own in any_labels(),
        ) {
            let joined = Labels::joined(&target, &own);
            let own: Vec<_> = own.iter().filter(|(n, v)| target.get(n) != Some(*v)).collect();
            prop_assert_eq!(own_labels(&target, &joined), own);
        }
    }
}
