//! The label index: which series have which label.
//!
//! For each label name the values in order, and for each value the numbers of the series that
//! have it, as a roaring bitmap. A series without a label does not stand under its name.

mod resolve;

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::model::Labels;

/// Numbers of series by label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postings {
    all: RoaringBitmap,
    names: BTreeMap<Box<str>, BTreeMap<Box<str>, RoaringBitmap>>,
}

/// Series that follow one another and have the same value of a label, among those that have it.
struct Run<'a> {
    name: &'a str,
    value: &'a str,
    ids: Vec<u32>,
}

impl Postings {
    /// Adds series. Those that follow one another are alike in most labels: a label is looked up
    /// when its value changes.
    pub(crate) fn insert_all<'a>(&mut self, series: impl Iterator<Item = (u32, &'a Labels)>) {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (id, labels) in series {
            self.all.insert(id);
            for (name, value) in labels.iter() {
                let at = runs.iter().position(|run| run.name == name);
                let Some(run) = at.and_then(|at| runs.get_mut(at)) else {
                    runs.push(Run { name, value, ids: vec![id] });
                    continue;
                };
                if run.value != value {
                    self.add(run);
                    run.value = value;
                    run.ids.clear();
                }
                run.ids.push(id);
            }
        }
        runs.iter().for_each(|run| self.add(run));
    }

    fn add(&mut self, run: &Run<'_>) {
        if !self.names.contains_key(run.name) {
            self.names.insert(run.name.into(), BTreeMap::new());
        }
        let Some(values) = self.names.get_mut(run.name) else { return };
        match values.get_mut(run.value) {
            Some(ids) => ids.extend(&run.ids),
            None => drop(values.insert(run.value.into(), run.ids.iter().collect())),
        }
    }

    /// Removes a series that was added with these labels.
    pub(crate) fn remove(&mut self, id: u32, labels: &Labels) {
        self.all.remove(id);
        for (name, value) in labels.iter() {
            let Some(values) = self.names.get_mut(name) else { continue };
            let is_empty = values.get_mut(value).is_some_and(|ids| {
                ids.remove(id);
                ids.is_empty()
            });
            if is_empty {
                values.remove(value);
            }
            if values.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// The numbers of all series.
    pub(crate) fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    /// Number of series.
    pub(crate) fn len(&self) -> u64 {
        self.all.len()
    }

    /// Each label name with its values and the number of series that have them, all in order.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, Vec<(&str, u64)>)> {
        self.names.iter().map(|(name, values)| {
            let counts = values.iter().map(|(value, ids)| (&**value, ids.len()));
            (&**name, counts.collect())
        })
    }

    /// The label names of the series in `ids`, in order.
    pub(crate) fn names<'a>(&'a self, ids: &'a RoaringBitmap) -> impl Iterator<Item = &'a str> {
        let used = self
            .names
            .iter()
            .filter(|(_, values)| values.values().any(|own| !own.is_disjoint(ids)));
        used.map(|(name, _)| &**name)
    }

    /// The values that label `name` has in the series in `ids`, in order.
    pub(crate) fn values<'a>(
        &'a self,
        name: &str,
        ids: &'a RoaringBitmap,
    ) -> impl Iterator<Item = &'a str> {
        let values = self.names.get(name).into_iter().flatten();
        values.filter(|(_, own)| !own.is_disjoint(ids)).map(|(value, _)| &**value)
    }
}
