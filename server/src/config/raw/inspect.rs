//! Looking through all that was read: for names that are none, and for secrets.

use super::super::error::{Place, Problem};
use super::super::names::Level;
use super::super::yaml::{At, Pairs};

/// What was found.
#[derive(Debug, Default)]
pub(in crate::config) struct Found {
    /// Why the names that are not read are refused.
    pub(in crate::config) refused: Vec<Problem>,
    /// Where secrets stand.
    pub(in crate::config) secrets: Vec<Place>,
}

impl Found {
    pub(super) fn refuse(&mut self, level: &Level, names: &[At<String>]) {
        self.refused.extend(names.iter().map(|name| level.refuse(name)));
    }
}

/// Everything that is found in `what`.
pub(in crate::config) fn found(what: &impl Inspect) -> Found {
    let mut found = Found::default();
    what.look_through(Place::default(), &mut found);
    found
}

/// What can be looked through.
pub(in crate::config) trait Inspect {
    /// Adds what is found in this value, which stands at `place`.
    fn look_through(&self, place: Place, found: &mut Found);
}

impl<T: Inspect> Inspect for Option<T> {
    fn look_through(&self, place: Place, found: &mut Found) {
        if let Some(value) = self {
            value.look_through(place, found);
        }
    }
}

impl<T: Inspect> Inspect for At<T> {
    fn look_through(&self, _: Place, found: &mut Found) {
        self.value.look_through(self.place, found);
    }
}

impl<T: Inspect> Inspect for Vec<T> {
    fn look_through(&self, place: Place, found: &mut Found) {
        self.iter().for_each(|item| item.look_through(place, found));
    }
}

impl<T: Inspect> Inspect for Pairs<T> {
    fn look_through(&self, place: Place, found: &mut Found) {
        self.0.iter().for_each(|(_, value)| value.look_through(place, found));
    }
}

/// Values in which nothing is found.
macro_rules! plain {
    ($($type:ty),*) => {
        $(impl Inspect for $type {
            fn look_through(&self, _: Place, _: &mut Found) {}
        })*
    };
}

plain!(String, bool, u64, i64, f64);
