//! The labels by which two vectors' series find each other.

use hashbrown::HashMap;
use tsdb::model::{Labels, METRIC_NAME};

use crate::ast::MatchingLabels;
use crate::eval::series::StepVector;

/// The labels that are compared.
pub(super) fn matching_labels(labels: &Labels, matching: &MatchingLabels) -> Labels {
    match matching {
        MatchingLabels::On(names) => labels.filtered(|name| names.iter().any(|own| own == name)),
        MatchingLabels::Ignoring(names) => {
            labels.filtered(|name| name != METRIC_NAME && !names.iter().any(|own| own == name))
        }
    }
}

/// Series of both sides with the same matching labels, by their indexes.
#[derive(Debug, Default)]
pub(super) struct Match {
    pub(super) labels: Labels,
    pub(super) left: Vec<usize>,
    pub(super) right: Vec<usize>,
}

/// The matches of two vectors, in the order of their first series, left ones first.
pub(super) fn matches(
    left: &StepVector,
    right: &StepVector,
    matching: &MatchingLabels,
) -> Vec<Match> {
    let mut known: HashMap<Labels, usize> = HashMap::new();
    let mut matches: Vec<Match> = Vec::new();
    let mut find = |labels: &Labels| {
        let own = matching_labels(labels, matching);
        *known.entry(own).or_insert_with_key(|own: &Labels| {
            matches.push(Match { labels: own.clone(), ..Match::default() });
            matches.len() - 1
        })
    };
    let left: Vec<usize> = left.iter().map(|series| find(&series.labels)).collect();
    let right: Vec<usize> = right.iter().map(|series| find(&series.labels)).collect();
    for (series, found) in left.into_iter().enumerate() {
        matches[found].left.push(series);
    }
    for (series, found) in right.into_iter().enumerate() {
        matches[found].right.push(series);
    }
    matches
}
