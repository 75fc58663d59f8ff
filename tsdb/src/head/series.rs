//! A series: its labels, and where its samples lie. (When the oldest and the newest were taken
//! stands in lists of the head, since every append asks for that and for nothing else.)

use crate::append::{ColumnRef, GroupRef};
use crate::head::Idle;
use crate::loose::Loose;
use crate::model::Labels;

/// A column of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) group: GroupRef,
    pub(crate) column: ColumnRef,
}

/// One label set.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Number of its metric family.
    pub(crate) family: u32,
    /// The number that its `le` label names.
    pub(crate) le: Option<f64>,
    /// Whether it ever stood in the index.
    pub(crate) was_listed: bool,
    /// Whether its newest sample was looked for in the blocks.
    pub(crate) is_looked_up: bool,
    /// Whether nobody named it by its labels since it had neither column nor samples.
    pub(crate) idle: Idle,
    /// The first column that is this series.
    pub(crate) home: Option<Place>,
    /// Further columns, of other groups.
    pub(crate) others: Vec<Place>,
    /// Samples that are no part of a row.
    pub(crate) loose: Option<Box<Loose>>,
}

impl Series {
    /// A series without samples.
    pub(crate) fn new(labels: Labels, family: u32, le: Option<f64>) -> Self {
        Self {
            labels,
            family,
            le,
            was_listed: false,
            is_looked_up: false,
            idle: Idle::default(),
            home: None,
            others: Vec::new(),
            loose: None,
        }
    }

    /// All columns that are this series.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.home.into_iter().chain(self.others.iter().copied())
    }

    /// Its column in a group is gone; the group that it has its home in now, if that is another.
    pub(crate) fn leave(&mut self, group: GroupRef) -> Option<GroupRef> {
        self.others.retain(|place| place.group != group);
        if self.home.is_none_or(|home| home.group != group) {
            return None;
        }
        self.home = (!self.others.is_empty()).then(|| self.others.remove(0));
        self.home.map(|home| home.group)
    }
}
