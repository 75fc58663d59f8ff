//! Which series make a group.

use tsdb::model::{Labels, METRIC_NAME};

use crate::ast::Grouping;
use crate::eval::numbering::Numbering;
use crate::eval::series::{StepSeries, StepVector};

/// The groups of a vector's series.
pub(super) struct Groups {
    /// Each group's labels.
    pub(super) labels: Vec<Labels>,
    /// Each series' group.
    pub(super) of_series: Vec<usize>,
}

impl Groups {
    pub(super) fn new(vector: &StepVector, grouping: &Grouping) -> Self {
        let mut groups = Numbering::default();
        let number =
            |series: &StepSeries| groups.number(&series.labels, |name| is_common(name, grouping));
        let of_series = vector.iter().map(number).collect();
        Self { labels: groups.into_parts(), of_series }
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
