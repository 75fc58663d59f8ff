//! `rate`, `increase`, `delta`, `irate` and `idelta`.

use super::select::Window;
use super::{Native, Value};

/// Whole seconds and the rest apart, as Go's `Duration.Seconds` does.
fn seconds(ms: i64) -> f64 {
    (ms / 1000) as f64 + (ms % 1000 * 1_000_000) as f64 / 1e9
}

/// How many times the change between the first and the last sample fits into the window, when
/// it goes on as it was: to the borders if the samples come near to them, else half a distance
/// further; of a counter, at most back to where it was zero. `start` and `change` are of a
/// counter's value.
fn factor(window: &Window, count: usize, counter: Option<(f64, f64)>) -> f64 {
    let (first, last) = (window.samples[0].0, window.samples[window.samples.len() - 1].0);
    let sampled = (last - first) as f64 / 1000.0;
    let distance = sampled / (count - 1) as f64;
    let near =
        |to_border: f64| if to_border >= distance * 1.1 { distance / 2.0 } else { to_border };
    let mut to_start = near((first - window.start) as f64 / 1000.0);
    let to_end = near((window.end - last) as f64 / 1000.0);
    if let Some((start, change)) = counter
        && change > 0.0
        && start >= 0.0
    {
        let to_zero = sampled * (start / change);
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    (sampled + to_start + to_end) / sampled
}

pub(super) fn extrapolated(window: &Window, is_counter: bool, is_rate: bool) -> Option<Value> {
    let (floats, histograms) = (window.floats(), window.histograms());
    if !floats.is_empty() && !histograms.is_empty() || window.samples.len() < 2 {
        return None;
    }
    let per_second =
        |factor: f64| if is_rate { factor / seconds(window.end - window.start) } else { factor };
    if histograms.is_empty() {
        let (first, last) = (floats[0].1, floats[floats.len() - 1].1);
        let mut change = last - first;
        for pair in floats.windows(2).filter(|pair| is_counter && pair[1].1 < pair[0].1) {
            change += pair[0].1;
        }
        let counter = is_counter.then_some((first, change));
        return Some(Value::Float(change * per_second(factor(window, floats.len(), counter))));
    }
    let histograms: Vec<Native> = histograms.into_iter().map(|(_, own)| own).collect();
    let change = histogram_change(&histograms, is_counter);
    let counter = is_counter.then_some((histograms[0].count, change.count));
    Some(Value::Histogram(change.scaled(per_second(factor(window, histograms.len(), counter)))))
}

/// The last one minus the first one, plus what was lost at each reset.
fn histogram_change(all: &[Native], is_counter: bool) -> Native {
    let (mut first, last) = (all[0].clone(), &all[all.len() - 1]);
    if is_counter && all[1].is_reset_after(&first) {
        // What was before the reset does not matter, not even its schema.
        first = Native::empty(all[1].schema);
    }
    let middle = all[1..all.len() - 1].iter().filter(|_| is_counter).map(|own| own.schema);
    let schema = middle.chain([first.schema, last.schema]).min().expect("a schema");
    let mut change = last.at_schema(schema).plus(&first, -1.0);
    let mut previous = &first;
    for own in all[1..].iter().filter(|_| is_counter) {
        if own.is_reset_after(previous) {
            change = change.plus(previous, 1.0);
        }
        previous = own;
    }
    change.into_gauge()
}

pub(super) fn last_two(window: &Window, is_rate: bool) -> Option<Value> {
    let [.., (before, a), (time, b)] = window.samples.as_slice() else { return None };
    let seconds = (time - before) as f64 / 1000.0;
    let change = match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            let change = if is_rate && b < a { *b } else { b - a };
            return Some(Value::Float(if is_rate { change / seconds } else { change }));
        }
        (Value::Histogram(a), Value::Histogram(b)) if is_rate && b.is_reset_after(a) => b.clone(),
        (Value::Histogram(a), Value::Histogram(b)) => b.plus(a, -1.0),
        _ => return None,
    };
    let change = change.into_gauge();
    Some(Value::Histogram(if is_rate { change.divided(seconds) } else { change }))
}
