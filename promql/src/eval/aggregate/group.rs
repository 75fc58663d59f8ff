//! Which series make a group.

use std::collections::HashMap;

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
        let mut known: HashMap<Labels, usize> = HashMap::new();
        let mut labels = Vec::new();
        let of_series = vector.iter().map(|series| {
            let own = group_labels(&series.labels, grouping);
            *known.entry(own.clone()).or_insert_with(|| {
                labels.push(own);
                labels.len() - 1
            })
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

/// The labels that a group's series have in common.
pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    match grouping {
        Grouping::By(names) => labels.filtered(|name| names.iter().any(|own| own == name)),
        Grouping::Without(names) => {
            labels.filtered(|name| name != METRIC_NAME && !names.iter().any(|own| own == name))
        }
    }
}
