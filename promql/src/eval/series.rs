//! An instant vector over a whole grid: series with a column each.

use hashbrown::{HashMap, HashSet};
use tsdb::model::{Labels, METRIC_NAME};

use super::column::Column;
use crate::error::EvalError;

/// One series of a vector.
#[derive(Clone, Debug)]
pub(crate) struct StepSeries {
    pub(crate) labels: Labels,
    /// The metric's name is only still there because names are dropped at the end.
    pub(crate) drop_name: bool,
    pub(crate) column: Column,
}

/// Series in an order that means something only if there is one step.
pub(crate) type StepVector = Vec<StepSeries>;

/// Whether a label says what the metric is, and goes when a value is no longer that.
fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// The labels without name, type and unit.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    labels.filtered(|name| !is_metadata(name))
}

/// The metric's name, or nothing.
pub(crate) fn metric_name(labels: &Labels) -> &str {
    labels.metric_name().unwrap_or("")
}

/// What a vector counts for in a budget.
pub(crate) fn weight(vector: &StepVector) -> usize {
    vector.iter().map(|series| series.column.weight()).sum()
}

/// Makes series with the same labels one, which fails if two have a value at the same step. They
/// come from the series of one vector, each from one of its own. Series without values vanish.
pub(crate) fn merge_same_labels(mut vector: StepVector) -> Result<StepVector, EvalError> {
    vector.retain(|series| !series.column.present().is_empty());
    if have_lost_the_same(&vector) { Ok(vector) } else { merge_any(vector) }
}

/// The same, wherever the series come from: those of two vectors may have been equal before.
pub(crate) fn merge_any(mut vector: StepVector) -> Result<StepVector, EvalError> {
    vector.retain(|series| !series.column.present().is_empty());
    let mut seen: HashMap<Labels, usize> = HashMap::with_capacity(vector.len());
    let mut merged: StepVector = Vec::with_capacity(vector.len());
    for series in vector {
        match seen.get(&series.labels) {
            None => {
                seen.insert(series.labels.clone(), merged.len());
                merged.push(series);
            }
            Some(at) => {
                if !merged[*at].column.merge(&series.column) {
                    return Err(EvalError::same_labelset());
                }
            }
        }
    }
    Ok(merged)
}

/// Fails if two series have the same labels, even if never at the same step: the output of a range
/// function is looked at as a whole. Series without values vanish.
pub(crate) fn distinct(mut vector: StepVector) -> Result<StepVector, EvalError> {
    vector.retain(|series| !series.column.present().is_empty());
    let are_distinct = have_lost_the_same(&vector) || {
        let mut seen = HashSet::with_capacity(vector.len());
        vector.iter().all(|series| seen.insert(&series.labels))
    };
    if are_distinct { Ok(vector) } else { Err(EvalError::same_labelset()) }
}

/// Whether all label sets lost the same name and nothing else, so that they are still different.
fn have_lost_the_same(vector: &StepVector) -> bool {
    let Some(first) = vector.first().map(|series| series.labels.hidden_text()) else { return true };
    !first.is_empty() && vector.iter().all(|series| series.labels.hidden_text() == first)
}

/// Drops the names that were kept until the end.
pub(crate) fn drop_delayed_names(mut vector: StepVector) -> Result<StepVector, EvalError> {
    for series in vector.iter_mut().filter(|series| series.drop_name) {
        series.labels = without_metadata(&series.labels);
    }
    merge_same_labels(vector)
}
