//! `…_over_time` and its like: a window → a value. Histograms among floats are passed over, where a
//! function knows no histograms.

use super::number::{Sum, mean};
use super::quantile::quantile;
use super::select::Window;
use super::{Native, Value};

/// The value of a function of a window that is not empty; none if there is nothing to say.
pub(super) fn value(function: &str, window: &Window) -> Option<Value> {
    let (floats, histograms) = (window.floats(), window.histograms());
    let all = &window.samples;
    match function {
        "count_over_time" => return Some(Value::Float(all.len() as f64)),
        "present_over_time" => return Some(Value::Float(1.0)),
        "first_over_time" => return Some(all[0].1.clone()),
        "last_over_time" => return Some(all[all.len() - 1].1.clone()),
        "ts_of_first_over_time" => return Some(Value::Float(all[0].0 as f64 / 1000.0)),
        "ts_of_last_over_time" => return Some(Value::Float(all[all.len() - 1].0 as f64 / 1000.0)),
        "changes" => return Some(pairs(window, differ)),
        "resets" => return Some(pairs(window, falls)),
        "sum_over_time" | "avg_over_time" if !histograms.is_empty() => {
            return floats.is_empty().then(|| added(function, &histograms));
        }
        _ => {}
    }
    if floats.is_empty() {
        return None;
    }
    Some(Value::Float(of_floats(function, &floats)))
}

fn added(function: &str, histograms: &[(i64, Native)]) -> Value {
    let first = histograms[0].1.clone();
    let sum = histograms[1..].iter().fold(first, |sum, (_, own)| sum.plus(own, 1.0));
    let is_sum = function == "sum_over_time";
    Value::Histogram(if is_sum { sum } else { sum.divided(histograms.len() as f64) })
}

fn of_floats(function: &str, floats: &[(i64, f64)]) -> f64 {
    let values: Vec<f64> = floats.iter().map(|(_, value)| *value).collect();
    match function {
        "sum_over_time" => {
            let mut sum = Sum::default();
            values.iter().for_each(|value| sum.add(*value));
            sum.total()
        }
        "avg_over_time" => mean(&values),
        "min_over_time" => values[extreme(&values, |own, best| own < best)],
        "max_over_time" => values[extreme(&values, |own, best| own > best)],
        "ts_of_min_over_time" => {
            floats[extreme(&values, |own, best| own <= best)].0 as f64 / 1000.0
        }
        "ts_of_max_over_time" => {
            floats[extreme(&values, |own, best| own >= best)].0 as f64 / 1000.0
        }
        "stdvar_over_time" => variance(&values),
        "stddev_over_time" => variance(&values).sqrt(),
        "mad_over_time" if values.iter().any(|value| value.is_nan()) => f64::NAN,
        "mad_over_time" => {
            let median = quantile(0.5, &values);
            let distances: Vec<_> = values.iter().map(|value| (value - median).abs()).collect();
            quantile(0.5, &distances)
        }
        other => unreachable!("left out of the grammar: {other}"),
    }
}

/// The place of the best value. Anything is better than NaN.
fn extreme(values: &[f64], is_better: fn(f64, f64) -> bool) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if is_better(*value, values[best]) || values[best].is_nan() {
            best = index;
        }
    }
    best
}

/// The mean square distance from the mean (Welford).
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (Sum::default(), Sum::default());
    for (index, value) in values.iter().enumerate() {
        let distance = value - mean.total();
        mean.add(distance / (index + 1) as f64);
        squares.add(distance * (value - mean.total()));
    }
    squares.total() / values.len() as f64
}

/// Neighbours of which that is true.
fn pairs(window: &Window, holds: fn(&Value, &Value) -> bool) -> Value {
    let pairs = window.samples.windows(2);
    Value::Float(pairs.filter(|pair| holds(&pair[0].1, &pair[1].1)).count() as f64)
}

fn differ(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Float(a), Value::Float(b)) => a != b && !(a.is_nan() && b.is_nan()),
        (Value::Histogram(a), Value::Histogram(b)) => !b.equals(a),
        _ => true,
    }
}

fn falls(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Float(a), Value::Float(b)) => b < a,
        (Value::Histogram(a), Value::Histogram(b)) => b.is_reset_after(a),
        _ => true,
    }
}
