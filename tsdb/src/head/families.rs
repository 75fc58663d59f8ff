//! The metric families that series here have, by number. One that no series has any more is
//! forgotten, and its number is given out again: a number means something together with a series
//! only.

use std::collections::HashMap;
use std::sync::Arc;

use crate::numbered::Numbered;

/// All families.
#[derive(Debug, Default)]
pub(super) struct Families {
    list: Vec<Family>,
    by_name: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct Family {
    name: Arc<str>,
    series: usize,
}

impl Families {
    /// The number of the family of one more series.
    pub(super) fn join(&mut self, name: &str) -> u32 {
        let number = self.by_name.get(name).copied().unwrap_or_else(|| self.add(name));
        self.list.of_mut(number).series += 1;
        number
    }

    fn add(&mut self, name: &str) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.list.push(Family::default());
            // Made with a series only, so this number fits as theirs do.
            self.list.len() as u32 - 1
        });
        let name: Arc<str> = name.into();
        self.list.of_mut(number).name = name.clone();
        self.by_name.insert(name, number);
        number
    }

    /// A series of the family is no more.
    pub(super) fn leave(&mut self, number: u32) {
        let family = self.list.of_mut(number);
        family.series -= 1;
        if family.series == 0 {
            let Family { name, .. } = std::mem::take(family);
            self.by_name.remove(&name);
            self.free.push(number);
        }
    }

    /// A family's name.
    pub(super) fn name(&self, number: u32) -> &Arc<str> {
        &self.list.of(number).name
    }

    /// No number is as large as this.
    pub(super) fn numbers(&self) -> u32 {
        self.list.len() as u32
    }

    /// How many families there are.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }
}
