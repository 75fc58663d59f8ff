//! An expected result against the one that came.
//!
//! Values are equal within a relative difference of 1e-6, NaN equals NaN. The result has to be
//! complete. Native histograms are compared bucket by bucket, empty buckets left out; the counter
//! reset hint counts only where the expectation names one.

use std::collections::HashMap;

use tsdb::model::{Histogram, Labels, Timestamp};

use super::script::{Eval, EvalTime, Expected};
use crate::eval::almost_equal;
use crate::parse::series::SeriesValue;
use crate::value::{InstantSample, Point, PointValue, RangeSeries, Steps, Value};

/// Relative difference up to which values are equal.
const EPSILON: f64 = 1e-6;

/// What is wrong with `value`, if something is.
pub(super) fn check(eval: &Eval, value: &Value) -> Result<(), String> {
    match value {
        Value::Text(text, _) => {
            let expected = eval.string.as_deref().unwrap_or("");
            if expected == text {
                Ok(())
            } else {
                Err(format!("expected {expected:?}, got {text:?}"))
            }
        }
        Value::Scalar(value, _) => match eval.expected.as_slice() {
            [Expected::Scalar(expected)] if almost_equal(*expected, *value, EPSILON) => Ok(()),
            other => Err(format!("expected {other:?}, got the scalar {value}")),
        },
        Value::Vector(vector) => check_vector(eval, vector),
        Value::Matrix(matrix) => check_matrix(eval, matrix),
    }
}

fn by_labels(eval: &Eval) -> Result<HashMap<&Labels, (usize, &[SeriesValue])>, String> {
    let mut series = HashMap::new();
    for (position, expected) in eval.expected.iter().enumerate() {
        match expected {
            Expected::Scalar(value) => return Err(format!("expected the scalar {value}")),
            Expected::Series(labels, values) => {
                series.insert(labels, (position, values.as_slice()));
            }
        }
    }
    Ok(series)
}

pub(super) fn check_vector(eval: &Eval, vector: &[InstantSample]) -> Result<(), String> {
    let mut expected = by_labels(eval)?;
    for (position, sample) in vector.iter().enumerate() {
        let (own, values) = expected
            .remove(&sample.labels)
            .ok_or_else(|| format!("unexpected {} {:?}", sample.labels, sample.point.value))?;
        if eval.ordered && own != position {
            let labels = &sample.labels;
            return Err(format!("{labels} comes as number {}, not {}", position + 1, own + 1));
        }
        let value = values.first().unwrap_or(&SeriesValue::Omitted);
        check_value(value, &sample.point.value)
            .map_err(|error| format!("{}: {error}", sample.labels))?;
    }
    match expected.keys().next() {
        Some(labels) => Err(format!("{labels} is missing")),
        None => Ok(()),
    }
}

/// NaN is the same in whichever query.
pub(super) fn check_nan(value: &PointValue) -> Result<(), String> {
    match value {
        PointValue::Float(value) if value.is_nan() => Ok(()),
        other => Err(format!("expected NaN, got {other:?}")),
    }
}

fn check_matrix(eval: &Eval, matrix: &[RangeSeries]) -> Result<(), String> {
    check_sorted(matrix)?;
    if eval.ordered {
        return Err("a matrix has no order of its own".into());
    }
    let mut expected = by_labels(eval)?;
    let steps = match (eval.matrix, eval.time) {
        (Some(steps), _) | (None, EvalTime::Range(steps)) => steps,
        (None, EvalTime::Instant(time)) => Steps::instant(time),
    };
    for series in matrix {
        let (_, values) = expected
            .remove(&series.labels)
            .ok_or_else(|| format!("unexpected {} {:?}", series.labels, series.points))?;
        check_points(values, &series.points, &steps)
            .map_err(|error| format!("{}: {error}", series.labels))?;
    }
    match expected.keys().next() {
        Some(labels) => Err(format!("{labels} is missing")),
        None => Ok(()),
    }
}

/// Matrices are in label order.
pub(super) fn check_sorted(matrix: &[RangeSeries]) -> Result<(), String> {
    match matrix.windows(2).find(|pair| pair[0].labels > pair[1].labels) {
        Some(pair) => Err(format!("{} comes before {}", pair[0].labels, pair[1].labels)),
        None => Ok(()),
    }
}

fn check_points(values: &[SeriesValue], points: &[Point], steps: &Steps) -> Result<(), String> {
    if values.len() > steps.count() {
        return Err(format!("{} values expected of {} steps", values.len(), steps.count()));
    }
    let expected = values.iter().enumerate().filter(|(_, value)| **value != SeriesValue::Omitted);
    let expected: Vec<(Timestamp, &SeriesValue)> =
        expected.map(|(step, value)| (steps.time(step), value)).collect();
    if expected.len() != points.len() {
        return Err(format!("expected {} points, got {points:?}", expected.len()));
    }
    for ((time, value), point) in expected.into_iter().zip(points) {
        if time != point.timestamp {
            return Err(format!("expected a point at {time}, got one at {}", point.timestamp));
        }
        check_value(value, &point.value).map_err(|error| format!("at {time}: {error}"))?;
    }
    Ok(())
}

fn check_value(expected: &SeriesValue, value: &PointValue) -> Result<(), String> {
    let equal = match (expected, value) {
        (SeriesValue::Float(expected), PointValue::Float(value)) => {
            almost_equal(*expected, *value, EPSILON)
        }
        (SeriesValue::Histogram { histogram, names_hint }, PointValue::Histogram(value)) => {
            equal_histograms(histogram, value, *names_hint)
        }
        _ => false,
    };
    if equal { Ok(()) } else { Err(format!("expected {expected:?}, got {value:?}")) }
}

fn equal_histograms(expected: &Histogram, value: &Histogram, with_hint: bool) -> bool {
    let close = |a: f64, b: f64| almost_equal(a, b, EPSILON);
    let all_close =
        |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b));
    let [mut a, mut b] = [expected.clone(), value.clone()];
    a.compact(0);
    b.compact(0);
    a.schema == b.schema
        && close(a.count, b.count)
        && close(a.sum, b.sum)
        && (!a.has_custom_buckets() || a.custom_values == b.custom_values)
        && a.zero_threshold == b.zero_threshold
        && close(a.zero_count, b.zero_count)
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && all_close(&a.positive_buckets, &b.positive_buckets)
        && all_close(&a.negative_buckets, &b.negative_buckets)
        && (!with_hint || a.counter_reset_hint == b.counter_reset_hint)
}
