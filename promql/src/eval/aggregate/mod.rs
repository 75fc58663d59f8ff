//! Aggregations: the series of a vector, group by group → one series or some of them.
//!
//! Groups come in the order of their first series. Addends of a group are added in label order,
//! whole columns at a time.

mod count_values;
mod fold;
mod group;
mod limit;
mod quantile;
mod rank;

use super::series::{StepVector, merge_same_labels};
use super::{Evaluator, Node};
use crate::ast::{AggregateOp, Grouping, Span};
use crate::error::EvalError;
use crate::plan::Aggregate;
use crate::value::Steps;
use group::Groups;

/// What an aggregation works on.
struct Input<'a> {
    op: AggregateOp,
    grouping: &'a Grouping,
    vector: StepVector,
    /// `k`, the ratio or the quantile of each step.
    params: Vec<f64>,
    /// Where the aggregation, its vector and its parameter stand.
    span: Span,
    input_span: Span,
    param_span: Span,
}

impl Input<'_> {
    fn min_max(&self) -> (f64, f64) {
        let fold = |start: f64, pick: fn(f64, f64) -> f64| {
            self.params.iter().fold(start, |best, param| pick(best, *param))
        };
        (fold(f64::INFINITY, super::number::min), fold(f64::NEG_INFINITY, super::number::max))
    }

    fn groups(&self) -> Groups {
        Groups::new(&self.vector, self.grouping)
    }
}

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    node: &Node,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    if aggregate.op == AggregateOp::CountValues {
        return count_values::evaluate(evaluator, aggregate, steps);
    }
    let param = aggregate.param.as_ref();
    let params = match param {
        Some(param) => evaluator.scalar(param, steps)?,
        None => Vec::new(),
    };
    let vector = evaluator.vector(&aggregate.input, steps)?;
    let input = Input {
        op: aggregate.op,
        grouping: &aggregate.grouping,
        vector,
        params,
        span: node.span,
        input_span: aggregate.input.span,
        param_span: param.map_or(node.span, |param| param.span),
    };
    match aggregate.op {
        AggregateOp::Topk | AggregateOp::Bottomk => rank::evaluate(evaluator, input, steps),
        AggregateOp::Limitk | AggregateOp::LimitRatio => limit::evaluate(evaluator, input, steps),
        AggregateOp::Quantile => {
            merge_same_labels(quantile::evaluate(&mut evaluator.notes, &input, steps))
        }
        _ => merge_same_labels(fold::evaluate(&mut evaluator.notes, &input, steps)?),
    }
}
