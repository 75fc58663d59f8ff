//! Which series make a group.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};
use tsdb::model::{Labels, METRIC_NAME};

use crate::ast::Grouping;
use crate::eval::series::StepVector;

/// The groups of a vector's series.
pub(super) struct Groups {
    /// Each group's labels.
    pub(super) labels: Vec<Labels>,
    /// Each series' group.
    pub(super) of_series: Vec<usize>,
}

impl Groups {
    pub(super) fn new(vector: &StepVector, grouping: &Grouping) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut known: HashTable<usize> = HashTable::new();
        let mut labels: Vec<Labels> = Vec::new();
        let of_series = vector.iter().map(|series| {
            // A group's labels are made once, for its first series.
            let own = || series.labels.iter().filter(|(name, _)| is_common(name, grouping));
            let hash = pairs_hash(&hasher, own());
            let is_it = |group: &usize| labels[*group].iter().eq(own());
            if let Some(group) = known.find(hash, is_it) {
                return *group;
            }
            labels.push(group_labels(&series.labels, grouping));
            let group = labels.len() - 1;
            let rehash = |group: &usize| pairs_hash(&hasher, labels[*group].iter());
            known.insert_unique(hash, group, rehash);
            group
        });
        let of_series = of_series.collect();
        Self { labels, of_series }
    }

    /// The series of each group, in label order.
    pub(super) fn members(&self, vector: &StepVector) -> Vec<Vec<usize>> {
        let mut members = self.in_order();
        for group in &mut members {
            if !group.is_sorted_by(|a, b| vector[*a].labels <= vector[*b].labels) {
                group.sort_by(|a, b| vector[*a].labels.cmp(&vector[*b].labels));
            }
        }
        members
    }

    /// The series of each group, in the order of the vector.
    pub(super) fn in_order(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.labels.len()];
        for (series, group) in self.of_series.iter().enumerate() {
            members[*group].push(series);
        }
        members
    }
}

fn pairs_hash<'a>(
    hasher: &DefaultHashBuilder,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> u64 {
    let mut state = hasher.build_hasher();
    pairs.for_each(|pair| pair.hash(&mut state));
    state.finish()
}

/// Whether a label is one of those that a group's series have in common.
fn is_common(name: &str, grouping: &Grouping) -> bool {
    let is_named = |names: &[String]| names.iter().any(|own| own == name);
    match grouping {
        Grouping::By(names) => is_named(names),
        Grouping::Without(names) => name != METRIC_NAME && !is_named(names),
    }
}

/// The labels that a group's series have in common.
pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    labels.filtered(|name| is_common(name, grouping))
}
