//! The groups by number. One that is forgotten leaves an empty place of eight bytes: its number is
//! never given out again, for callers may still hold it.

use crate::append::GroupRef;
use crate::group::Group;
use crate::numbered::{Number, Numbered};

/// All groups that ever were.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<Option<Box<Group>>>);

impl Groups {
    /// How many numbers were given out.
    pub(super) fn numbers(&self) -> usize {
        self.0.len()
    }

    /// Adds a group under the next number.
    pub(super) fn push(&mut self, group: Group) {
        self.0.push(Some(Box::new(group)));
    }

    /// A group; `None` if it is forgotten or never was.
    pub(super) fn get(&self, group: GroupRef) -> Option<&Group> {
        self.0.get(group.index())?.as_deref()
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, group: GroupRef) -> Option<&mut Group> {
        self.0.get_mut(group.index())?.as_deref_mut()
    }

    /// Takes a group out for ever.
    pub(super) fn take(&mut self, group: GroupRef) -> Option<Box<Group>> {
        self.0.get_mut(group.index())?.take()
    }

    /// The groups that are not forgotten, with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (GroupRef, &Group)> {
        let numbered = (0..).map(GroupRef).zip(&self.0);
        numbered.filter_map(|(number, group)| Some((number, group.as_deref()?)))
    }

    /// The same, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.0.iter_mut().filter_map(Option::as_deref_mut)
    }
}

/// Who asks by a number that he keeps uses [`Groups::get`]; what the head keeps is not forgotten.
#[expect(clippy::expect_used, reason = "a number that the head keeps has its group")]
impl Numbered<Group> for Groups {
    #[inline]
    #[track_caller]
    fn of(&self, number: impl Number) -> &Group {
        self.0.of(number).as_deref().expect("BUG: a forgotten group is used")
    }

    #[inline]
    #[track_caller]
    fn of_mut(&mut self, number: impl Number) -> &mut Group {
        self.0.of_mut(number).as_deref_mut().expect("BUG: a forgotten group is used")
    }
}
