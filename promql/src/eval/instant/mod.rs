//! Functions of instant vectors and scalars.

mod absent;
mod bucket;
mod classic;
mod date;
mod histogram;
mod info;
mod label;
mod math;
mod native;
mod sort;

pub(super) use absent::absent_over;

use super::column::{Cell, Column};
use super::select::{self, SamplePart};
use super::series::{StepSeries, StepVector, merge_same_labels};
use super::{Evaluator, number, range};
use crate::error::EvalError;
use crate::plan::{Call, Node, NodeKind};
use crate::value::Steps;

/// Evaluates a call that gives a vector.
pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    if let Some(range) = range::argument(call) {
        return range::call(evaluator, call, range, steps);
    }
    let name = call.function.name;
    let vector = match name {
        "vector" => {
            let column = Column::full(evaluator.scalar(&call.args[0], steps)?);
            vec![StepSeries { labels: Default::default(), drop_name: false, column }]
        }
        "timestamp" => samples(evaluator, &call.args[0], SamplePart::Timestamp, steps)?,
        "start_timestamp" => samples(evaluator, &call.args[0], SamplePart::Start, steps)?,
        "absent" => absent::absent(evaluator, call, steps)?,
        "label_replace" => label::replace(evaluator, call, steps)?,
        "info" => info::info(evaluator, call, steps)?,
        "label_join" => label::join(evaluator, call, steps)?,
        "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => {
            return sort::sort(evaluator, call, steps);
        }
        "clamp" | "clamp_min" | "clamp_max" => clamp(evaluator, call, steps)?,
        "round" => round(evaluator, call, steps)?,
        "histogram_quantile" | "histogram_quantiles" | "histogram_fraction" => {
            histogram::of_any(evaluator, call, steps)?
        }
        "histogram_count" | "histogram_sum" | "histogram_avg" | "histogram_stddev"
        | "histogram_stdvar" => histogram::of_native(evaluator, call, steps)?,
        _ => match (date::part(name), math::function(name)) {
            (Some(part), _) => date::evaluate(evaluator, call, part, steps)?,
            (_, Some(function)) => {
                floats(evaluator, &call.args[0], steps, |_, value| Some(function(value)))?
            }
            (None, None) => return Err(not_yet(name)),
        },
    };
    merge_same_labels(vector)
}

fn not_yet(name: &str) -> EvalError {
    EvalError::Execution(format!("{name}() is not evaluated yet"))
}

/// Evaluates a call that gives a scalar.
pub(super) fn scalar_call(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<Vec<f64>, EvalError> {
    let mut argument = |index: usize| evaluator.scalar(&call.args[index], steps);
    match call.function.name {
        "time" => Ok(steps.times().map(|time| time.seconds()).collect()),
        "pi" => Ok(vec![std::f64::consts::PI; steps.count()]),
        "max_of" => Ok(pairwise(argument(0)?, argument(1)?, number::max)),
        "min_of" => Ok(pairwise(argument(0)?, argument(1)?, number::min)),
        "scalar" => {
            let vector = evaluator.vector(&call.args[0], steps)?;
            Ok((0..steps.count()).map(|step| only_float(&vector, step)).collect())
        }
        other => Err(not_yet(other)),
    }
}

fn pairwise(left: Vec<f64>, right: Vec<f64>, combine: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    left.into_iter().zip(right).map(|(left, right)| combine(left, right)).collect()
}

/// The float of the only series that has one, else NaN.
fn only_float(vector: &StepVector, step: usize) -> f64 {
    let mut floats = vector.iter().filter_map(|series| series.column.float(step));
    match (floats.next(), floats.next()) {
        (Some(value), None) => value,
        _ => f64::NAN,
    }
}

/// Changes each float of a vector or takes it away; histograms vanish.
fn floats(
    evaluator: &mut Evaluator<'_>,
    input: &Node,
    steps: &Steps,
    value: impl Fn(usize, f64) -> Option<f64>,
) -> Result<StepVector, EvalError> {
    let vector = evaluator.vector(input, steps)?;
    let changed = vector
        .into_iter()
        .map(|series| evaluator.derived(series, |column| column.filter_map(&value)));
    Ok(changed.collect())
}

fn clamp(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let bound =
        |evaluator: &mut Evaluator<'_>, index: usize| evaluator.scalar(&call.args[index], steps);
    let unbounded = |value: f64| vec![value; steps.count()];
    let (low, high) = match call.function.name {
        "clamp_min" => (bound(evaluator, 1)?, unbounded(f64::INFINITY)),
        "clamp_max" => (unbounded(f64::NEG_INFINITY), bound(evaluator, 1)?),
        _ => (bound(evaluator, 1)?, bound(evaluator, 2)?),
    };
    floats(evaluator, &call.args[0], steps, |step, value| {
        let (low, high) = (low[step], high[step]);
        // Also NaN bounds give values (NaN), hence not `low <= high`.
        let empty = high < low;
        (!empty).then(|| number::max(low, number::min(high, value)))
    })
}

/// Ties are rounded up; the inverse is used since it is more often exact.
fn round(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let nearest = match call.args.get(1) {
        Some(nearest) => evaluator.scalar(nearest, steps)?,
        None => vec![1.0; steps.count()],
    };
    floats(evaluator, &call.args[0], steps, |step, value| {
        let inverse = 1.0 / nearest[step];
        Some((value * inverse + 0.5).floor() / inverse)
    })
}

/// `timestamp` and `start_timestamp`: of the samples of a selector; of other vectors, the step's
/// time or nothing.
fn samples(
    evaluator: &mut Evaluator<'_>,
    input: &Node,
    part: SamplePart,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = match &input.kind {
        NodeKind::Select(_)
            if part == SamplePart::Start && !evaluator.options.use_start_timestamps =>
        {
            Vec::new()
        }
        NodeKind::Select(select) => select::vector(evaluator, select, part, input.span, steps)?,
        _ => {
            let mut vector = evaluator.vector(input, steps)?;
            for series in &mut vector {
                series.column = step_times(&series.column, part, steps);
            }
            vector
        }
    };
    let derived = vector.into_iter().map(|series| evaluator.derived(series, |column| column));
    Ok(derived.collect())
}

fn step_times(column: &Column, part: SamplePart, steps: &Steps) -> Column {
    Column::from_fn(steps.count(), |step| match column.get(step) {
        Some(Cell::Float(_) | Cell::Histogram(_)) if part == SamplePart::Timestamp => {
            Some(steps.time(step).seconds())
        }
        _ => None,
    })
}
