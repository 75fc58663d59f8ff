//! `quantile`: of a group's floats at each step.

use super::Input;
use crate::eval::column::Column;
use crate::eval::quantile::quantile;
use crate::eval::series::{StepSeries, StepVector};
use crate::notes::Notes;
use crate::value::Steps;

pub(super) fn evaluate(notes: &mut Notes, input: &Input<'_>, steps: &Steps) -> StepVector {
    note_invalid(notes, input);
    let groups = input.groups();
    let members = groups.members(&input.vector);
    let outputs = groups.labels.iter().zip(members).map(|(labels, members)| {
        let columns: Vec<&Column> =
            members.iter().map(|series| &input.vector[*series].column).collect();
        if columns.iter().any(|column| column.has_histograms()) {
            notes.histogram_ignored_in_aggregation(input.input_span, "quantile");
        }
        let mut values = Vec::with_capacity(columns.len());
        let column = Column::from_fn(steps.count(), |step| {
            values.clear();
            values.extend(columns.iter().filter_map(|column| column.float(step)));
            (!values.is_empty()).then(|| quantile(input.params[step], &mut values))
        });
        let drop_name = members.iter().any(|series| input.vector[*series].drop_name);
        StepSeries { labels: labels.clone(), drop_name, column }
    });
    outputs.collect()
}

/// One note for each way in which the quantiles are outside of 0…1.
fn note_invalid(notes: &mut Notes, input: &Input<'_>) {
    let (min, max) = input.min_max();
    if input.params.iter().any(|q| q.is_nan()) {
        notes.invalid_quantile(input.param_span, f64::NAN);
    }
    for q in [max, min].into_iter().filter(|q| *q > 1.0 && *q == max || *q < 0.0 && *q == min) {
        notes.invalid_quantile(input.param_span, q);
    }
}
