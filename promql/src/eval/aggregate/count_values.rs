//! `count_values`: how many series of a group have each value, the value being a label.

use std::collections::HashMap;

use tsdb::model::Labels;
use tsdb::model::labels::Quoted;
use tsdb::model::number::format_plain;

use super::group::group_labels;
use crate::ast::Grouping;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::{Cell, Column};
use crate::eval::series::{StepSeries, StepVector};
use crate::plan::{Aggregate, NodeKind};
use crate::value::Steps;

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let label = match aggregate.param.as_ref().map(|param| &param.kind) {
        Some(NodeKind::Text(text)) if !text.is_empty() => text,
        Some(NodeKind::Text(text)) => {
            return Err(EvalError::Execution(format!("invalid label name {}", Quoted(text))));
        }
        _ => return Err(EvalError::execution("count_values needs a label's name")),
    };
    let grouping = with_value_label(&aggregate.grouping, label);
    let vector = evaluator.vector(&aggregate.input, steps)?;
    let mut known: HashMap<Labels, usize> = HashMap::new();
    let mut output = StepVector::new();
    for series in &vector {
        for (step, cell) in series.column.cells() {
            let value = match cell {
                Cell::Float(value) => format_plain(value),
                Cell::Histogram(histogram) => histogram.to_string(),
            };
            let labels = series.labels.to_builder().set(label, value).build();
            let labels = group_labels(&labels, &grouping);
            let at = *known.entry(labels.clone()).or_insert(output.len());
            if at == output.len() {
                let column = Column::empty(steps.count());
                output.push(StepSeries { labels, drop_name: false, column });
            }
            let count = output[at].column.float(step).unwrap_or(0.0);
            output[at].column.set(step, count + 1.0);
        }
    }
    Ok(output)
}

/// The label with the value belongs to the group in any case.
fn with_value_label(grouping: &Grouping, label: &str) -> Grouping {
    match grouping {
        Grouping::By(names) => {
            Grouping::By(names.iter().cloned().chain([label.to_owned()]).collect())
        }
        Grouping::Without(names) => Grouping::Without(names.clone()),
    }
}
