//! A second, naive evaluator of PromQL, which the engine is compared with.
//!
//! It takes the parsed tree and plain series, and answers for one step at a time: every step selects,
//! computes and matches everything again. There is no plan, no sharing between steps, and nothing
//! of `promql::eval`; it follows Prometheus's documentation and, where that is silent, what
//! Prometheus 3.14 does.
//!
//! Reading order: `select` (samples of a time, of a window, of a subquery), `range` and `over_time`
//! (a window → a value), `instant` and `label` (functions), `binary`, `aggregate`, `quantile`, and
//! `native` (a histogram as a map of buckets).
//!
//! It does not know, so that the grammar of `differential` leaves out: `anchored`, `smoothed`, `fill`,
//! duration expressions, delayed name removal, start timestamps, `__type__` and `__unit__`, `info`,
//! `start_timestamp`, `start`/`end`/`step`/`range`/`min_of`/`max_of`, `histogram_quantiles`,
//! `histogram_fraction`, `histogram_stddev`, `histogram_stdvar`, `</` and `>/`, quantiles of native
//! histograms, native histograms with negative or custom buckets or counter reset hints, and
//! `sort_by_label` of numbers in labels (natural order).

mod aggregate;
mod binary;
mod date;
mod instant;
mod label;
mod native;
mod number;
mod over_time;
mod quantile;
mod range;
mod rate;
mod select;

use std::cell::RefCell;
use std::collections::HashMap;

use promql::ast::{Expr, ExprKind, UnaryOp};
use promql::value::Steps;
use tsdb::model::{Labels, METRIC_NAME};

pub(crate) use native::Native;

/// A value at a time.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Float(f64),
    Histogram(Native),
}

/// A series as it is stored; `None` is a stale marker.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) samples: Vec<(i64, Option<Value>)>,
}

/// An element of an instant vector. `time` is that of the sample if it was just selected.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) labels: Labels,
    pub(crate) time: i64,
    pub(crate) value: Value,
}

pub(crate) type Vector = Vec<Sample>;

/// Why there is no answer. Only that there is none is compared.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Found<T> = Result<T, Failure>;

fn fail<T>(text: impl Into<String>) -> Found<T> {
    Err(Failure(text.into()))
}

/// One step, and the steps among which it is one: of the query, or of a subquery.
#[derive(Clone, Copy, Debug)]
struct Moment {
    time: i64,
    steps: Steps,
}

/// What holds for a whole query.
pub(crate) struct Reference<'a> {
    series: &'a [Series],
    lookback_ms: i64,
    subquery_step_ms: i64,
    /// What `start()` and `end()` are.
    start: i64,
    end: i64,
    /// For each call of a range function, which series each output comes from, over all steps.
    origins: RefCell<HashMap<*const Expr, HashMap<Labels, Labels>>>,
}

/// What an expression gives: a number or series, for each step.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Scalar(Vec<f64>),
    Vector(Vec<Vector>),
}

/// Evaluates a query step by step. `series` lie in label order.
pub(crate) fn evaluate(
    expr: &Expr,
    series: &[Series],
    steps: Steps,
    lookback_ms: i64,
    subquery_step_ms: i64,
) -> Found<Answer> {
    let (start, end) = (steps.start.ms(), steps.end.ms());
    let origins = RefCell::default();
    let reference = Reference { series, lookback_ms, subquery_step_ms, start, end, origins };
    let moments = steps.times().map(|time| Moment { time: time.ms(), steps });
    if expr.value_type() == promql::ast::ValueType::Scalar {
        return Ok(Answer::Scalar(
            moments.map(|at| reference.scalar(expr, at)).collect::<Found<_>>()?,
        ));
    }
    Ok(Answer::Vector(moments.map(|at| reference.vector(expr, at)).collect::<Found<_>>()?))
}

impl Reference<'_> {
    fn vector(&self, expr: &Expr, at: Moment) -> Found<Vector> {
        let vector = match &expr.kind {
            ExprKind::Vector(selector) => return Ok(self.instant(selector, at)),
            ExprKind::Paren(inner) => return self.vector(inner, at),
            ExprKind::Unary(UnaryOp::Plus, inner) => self.vector(inner, at)?,
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                let vector = self.vector(inner, at)?;
                vector.into_iter().map(|own| derived(own, |value| value.scaled(-1.0))).collect()
            }
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, at)?,
            ExprKind::Binary(binary) => self.binary(binary, at)?,
            ExprKind::Call(call) => self.call(expr, call, at)?,
            other => unreachable!("not a vector: {other:?}"),
        };
        let vector = vector.into_iter().map(|own| Sample { time: at.time, ..own }).collect();
        distinct(vector)
    }

    fn scalar(&self, expr: &Expr, at: Moment) -> Found<f64> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(number.value),
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => {
                self.scalar(inner, at)
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => Ok(-self.scalar(inner, at)?),
            ExprKind::Binary(binary) => {
                let (left, right) =
                    (self.scalar(&binary.left, at)?, self.scalar(&binary.right, at)?);
                Ok(number::scalars(binary.op, left, right))
            }
            ExprKind::Call(call) => match call.function.name {
                "time" => Ok(at.time as f64 / 1000.0),
                "pi" => Ok(std::f64::consts::PI),
                "scalar" => Ok(only_float(&self.vector(&call.args[0], at)?)),
                other => unreachable!("left out of the grammar: {other}"),
            },
            other => unreachable!("not a scalar: {other:?}"),
        }
    }
}

/// The float of a vector with exactly one, or NaN.
fn only_float(vector: &Vector) -> f64 {
    let floats: Vec<f64> = vector.iter().filter_map(|own| own.value.float()).collect();
    if let [only] = floats[..] { only } else { f64::NAN }
}

/// What stands in parentheses.
fn bare(expr: &Expr) -> &Expr {
    if let ExprKind::Paren(inner) = &expr.kind { bare(inner) } else { expr }
}

/// Two elements with the same labels cannot be told apart.
fn distinct(vector: Vector) -> Found<Vector> {
    for (index, own) in vector.iter().enumerate() {
        if vector[..index].iter().any(|other| other.labels == own.labels) {
            return fail(format!("same labels twice: {}", own.labels));
        }
    }
    Ok(vector)
}

/// An element that is no longer of its metric.
fn derived(sample: Sample, change: impl FnOnce(Value) -> Value) -> Sample {
    let labels = nameless(&sample.labels);
    Sample { labels, time: sample.time, value: change(sample.value) }
}

fn nameless(labels: &Labels) -> Labels {
    labels.filtered(|name| name != METRIC_NAME)
}

impl Value {
    fn float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Float(value) => Self::Float(value * factor),
            Self::Histogram(histogram) => Self::Histogram(histogram.scaled(factor)),
        }
    }
}
