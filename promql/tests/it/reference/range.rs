//! Functions of a range vector.

use promql::ast::{Call, Expr, ValueType};

use super::number::Sum;
use super::quantile::quantile;
use super::select::Window;
use super::{
    Found, Moment, Reference, Sample, Value, Vector, fail, label, nameless, over_time, rate,
};

impl Reference<'_> {
    pub(super) fn range_call(&self, expr: &Expr, call: &Call, at: Moment) -> Found<Vector> {
        let (ranges, others): (Vec<&Expr>, Vec<&Expr>) =
            call.args.iter().partition(|own| own.value_type() == ValueType::Matrix);
        let windows = self.windows(ranges[0], at)?;
        let params: Vec<f64> =
            others.iter().map(|own| self.scalar(own, at)).collect::<Found<_>>()?;
        if call.function.name == "absent_over_time" {
            let labels = label::of_absent(ranges[0]);
            let one = Sample { labels, time: at.time, value: Value::Float(1.0) };
            return Ok(if windows.is_empty() { vec![one] } else { Vec::new() });
        }
        let mut vector = Vec::new();
        for window in &windows {
            let Some(value) = value(call.function.name, window, &params, at.time)? else {
                continue;
            };
            let keeps_name = matches!(call.function.name, "first_over_time" | "last_over_time");
            let labels = if keeps_name { window.labels.clone() } else { nameless(&window.labels) };
            let mut origins = self.origins.borrow_mut();
            let origins = origins.entry(std::ptr::from_ref(expr)).or_default();
            if *origins.entry(labels.clone()).or_insert(window.labels.clone()) != window.labels {
                return fail(format!("same labels twice, at some steps: {labels}"));
            }
            vector.push(Sample { labels, time: at.time, value });
        }
        Ok(vector)
    }
}

fn value(function: &str, window: &Window, params: &[f64], time: i64) -> Found<Option<Value>> {
    let floats = window.floats();
    let float = |value: f64| Ok(Some(Value::Float(value)));
    match function {
        "rate" => Ok(rate::extrapolated(window, true, true)),
        "increase" => Ok(rate::extrapolated(window, true, false)),
        "delta" => Ok(rate::extrapolated(window, false, false)),
        "irate" => Ok(rate::last_two(window, true)),
        "idelta" => Ok(rate::last_two(window, false)),
        "deriv" if floats.len() > 1 => float(line(&floats, floats[0].0).0),
        "predict_linear" if floats.len() > 1 => {
            let (slope, intercept) = line(&floats, time);
            float(slope * params[0] + intercept)
        }
        "deriv" | "predict_linear" => Ok(None),
        "quantile_over_time" if floats.is_empty() => Ok(None),
        "quantile_over_time" => {
            float(quantile(params[0], &floats.iter().map(|(_, value)| *value).collect::<Vec<_>>()))
        }
        "double_exponential_smoothing" => smoothed(&floats, params[0], params[1]),
        _ => Ok(over_time::value(function, window)),
    }
}

/// Slope and value at `time` (ms) of the line with the least squares.
fn line(floats: &[(i64, f64)], time: i64) -> (f64, f64) {
    let first = floats[0].1;
    if floats.iter().all(|(_, y)| *y == first) || floats.len() == 1 {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let n = floats.len() as f64;
    let of = |part: fn(f64, f64) -> f64| {
        let mut sum = Sum::default();
        floats.iter().for_each(|(own, y)| sum.add(part((own - time) as f64 / 1000.0, *y)));
        sum.total()
    };
    let (x, y, xy, xx) = (of(|x, _| x), of(|_, y| y), of(|x, y| x * y), of(|x, _| x * x));
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}

/// Holt's double exponential smoothing.
fn smoothed(floats: &[(i64, f64)], smoothing: f64, trend: f64) -> Found<Option<Value>> {
    let inside = |factor: f64| !(factor <= 0.0 || factor >= 1.0);
    if !inside(smoothing) || !inside(trend) {
        return fail("invalid factor");
    }
    if floats.len() < 2 {
        return Ok(None);
    }
    let (mut level, mut slope) = (floats[0].1, floats[1].1 - floats[0].1);
    let mut before = 0.0;
    for (index, (_, value)) in floats.iter().enumerate().skip(1) {
        if index > 1 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + slope);
        (before, level) = (level, next);
    }
    Ok(Some(Value::Float(level)))
}
