//! `absent` and `absent_over_time`: 1 where nothing is, with the labels that were asked for.

use std::collections::HashMap;

use tsdb::model::{Labels, METRIC_NAME, MatchOp, Matcher};

use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::{Column, Presence};
use crate::eval::series::{StepSeries, StepVector};
use crate::plan::{Call, Node, NodeKind, RangeSource};
use crate::value::Steps;

pub(super) fn absent(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = evaluator.vector(&call.args[0], steps)?;
    Ok(complement(&vector, &call.args, false, steps))
}

/// For `absent_over_time`; `vector` has a value where a window was not empty.
pub(in crate::eval) fn absent_over(vector: StepVector, args: &[Node], steps: &Steps) -> StepVector {
    complement(&vector, args, true, steps)
}

fn complement(vector: &StepVector, args: &[Node], drop_name: bool, steps: &Steps) -> StepVector {
    let mut missing = Presence::all(steps.count());
    for series in vector {
        missing.subtract(series.column.present());
    }
    if missing.is_empty() {
        return Vec::new();
    }
    let labels = args.first().map(asked_for).unwrap_or_default();
    let mut column = Column::full(vec![1.0; steps.count()]);
    column.keep(&missing);
    vec![StepSeries { labels, drop_name, column }]
}

/// The labels that a selector matches with `=`, each once; nothing for other expressions.
fn asked_for(node: &Node) -> Labels {
    let matchers: &[Matcher] = match &node.kind {
        NodeKind::Select(select) => &select.matchers,
        NodeKind::Range(range) => match &range.source {
            RangeSource::Select(select) => &select.matchers,
            RangeSource::Subquery(_) => &[],
        },
        NodeKind::Invariant(inner) => return asked_for(inner),
        _ => &[],
    };
    let mut values: HashMap<&str, Option<&str>> = HashMap::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME) {
        let value = (matcher.op() == MatchOp::Equal).then(|| matcher.value());
        // A label that is matched twice is not known.
        values.entry(matcher.name()).and_modify(|value| *value = None).or_insert(value);
    }
    Labels::from_pairs(values.into_iter().filter_map(|(name, value)| Some((name, value?))))
}
