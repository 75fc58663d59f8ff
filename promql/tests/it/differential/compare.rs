//! Two answers as tables, and where they differ.
//!
//! Values have the same bits (NaN is NaN), except in queries that sum, average or interpolate:
//! there they may differ by 1e-12 of themselves. Parts of native histograms always may.

use std::collections::BTreeMap;

use promql::ast::AggregateOp;
use promql::value::{InstantSample, Point, PointValue, Steps, Value as Answered};
use tsdb::model::{Labels, Timestamp};

use crate::reference::{Answer, Native, Value};

/// The values of each series by time.
pub(super) type Table = BTreeMap<Labels, BTreeMap<i64, Value>>;

/// What the reference says.
pub(super) fn of_reference(answer: Answer, steps: Steps) -> Table {
    let mut table = Table::new();
    let mut put = |labels: &Labels, time: i64, value: Value| {
        table.entry(labels.clone()).or_default().insert(time, value);
    };
    let times = steps.times().map(Timestamp::ms);
    match answer {
        Answer::Scalar(values) => {
            for (time, value) in times.zip(values) {
                put(&Labels::empty(), time, Value::Float(value));
            }
        }
        Answer::Vector(vectors) => {
            for (time, vector) in times.zip(vectors) {
                vector.into_iter().for_each(|own| put(&own.labels, time, own.value));
            }
        }
    }
    table
}

/// What the engine says.
pub(super) fn of_engine(answer: Answered) -> Table {
    let point = |point: Point| {
        let value = match point.value {
            PointValue::Float(value) => Value::Float(value),
            PointValue::Histogram(own) => Value::Histogram(Native::from(&*own)),
        };
        (point.timestamp.ms(), value)
    };
    match answer {
        Answered::Matrix(matrix) => {
            let (count, series) = (matrix.len(), matrix.into_iter());
            let table: Table = series
                .map(|own| (own.labels, own.points.into_iter().map(point).collect()))
                .collect();
            assert_eq!(table.len(), count, "the same labels twice");
            table
        }
        Answered::Vector(vector) => {
            let count = vector.len();
            let table: Table = vector
                .into_iter()
                .map(|own| (own.labels, BTreeMap::from([point(own.point)])))
                .collect();
            assert_eq!(table.len(), count, "the same labels twice");
            table
        }
        Answered::Scalar(value, time) => {
            Table::from([(Labels::empty(), BTreeMap::from([(time.ms(), Value::Float(value))]))])
        }
        Answered::Text(..) => unreachable!("left out of the grammar"),
    }
}

/// Whether a query sums, averages or interpolates: these may differ by 1e-12, as their order of
/// operations is not said by the documentation. Everything else gives the same bits.
pub(super) fn is_rounded(text: &str) -> bool {
    let aggregations =
        [AggregateOp::Sum, AggregateOp::Avg, AggregateOp::Stddev, AggregateOp::Stdvar];
    let others = ["quantile", "deriv", "predict_linear", "smoothing", "mad_over_time"];
    // `n` and `mixed` are histograms, whose parts are sums.
    let histograms = ["n[", "n{", "mixed"];
    let names = aggregations.iter().map(|op| op.as_str()).chain(others).chain(histograms);
    names.into_iter().any(|name| text.contains(name))
}

pub(super) fn differing(found: &Table, expected: &Table, is_exact: bool) -> Option<String> {
    for labels in found.keys().chain(expected.keys()) {
        let none = BTreeMap::new();
        let (own, other) =
            (found.get(labels).unwrap_or(&none), expected.get(labels).unwrap_or(&none));
        for time in own.keys().chain(other.keys()) {
            let same = match (own.get(time), other.get(time)) {
                (Some(a), Some(b)) => same(a, b, is_exact),
                _ => false,
            };
            if !same {
                let text = |value: Option<&Value>| {
                    value.map_or("nothing".into(), |own| format!("{own:?}"))
                };
                let (a, b) = (text(own.get(time)), text(other.get(time)));
                return Some(format!("{labels} at {time}: the engine {a}, the reference {b}"));
            }
        }
    }
    None
}

fn same(found: &Value, expected: &Value, is_exact: bool) -> bool {
    match (found, expected) {
        (Value::Float(a), Value::Float(b)) if is_exact => {
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        (Value::Float(a), Value::Float(b)) => near(*a, *b),
        (Value::Histogram(a), Value::Histogram(b)) => {
            let parts = |own: &Native| [own.count, own.sum, own.zero];
            let indexes = a.buckets.keys().chain(b.buckets.keys());
            let of = |own: &Native, index: &i32| own.buckets.get(index).copied().unwrap_or(0.0);
            // What is left of a bucket that is subtracted from itself is measured by the whole.
            let close = |x: f64, y: f64| near(x, y) || (x - y).abs() <= 1e-12 * a.count.abs();
            a.schema == b.schema
                && parts(a).iter().zip(parts(b)).all(|(x, y)| close(*x, y))
                && indexes.into_iter().all(|index| close(of(a, index), of(b, index)))
        }
        _ => false,
    }
}

fn near(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

/// What is wrong with the order of a query that sorts.
pub(super) fn order_problem(text: &str, answer: &Answered) -> Option<String> {
    let Answered::Vector(vector) = answer else { return None };
    let is_descending = text.starts_with("sort_desc(");
    let sorts_whole = is_descending || text.starts_with("sort(");
    if !sorts_whole || !ends_with_its_call(text) {
        return None;
    }
    let float = |own: &InstantSample| match own.point.value {
        PointValue::Float(value) => value,
        PointValue::Histogram(_) => panic!("a histogram was sorted"),
    };
    let floats: Vec<f64> = vector.iter().map(float).collect();
    let in_order = |pair: &[f64]| {
        let (a, b) = if is_descending { (pair[1], pair[0]) } else { (pair[0], pair[1]) };
        // NaN comes last both ways.
        a <= b || pair[1].is_nan()
    };
    (!floats.windows(2).all(in_order)).then(|| format!("not sorted: {floats:?}"))
}

/// Whether the first parenthesis is closed by the last character.
fn ends_with_its_call(text: &str) -> bool {
    let mut depth = 0;
    for (at, own) in text.char_indices() {
        match own {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1 == text.len();
        }
    }
    false
}
