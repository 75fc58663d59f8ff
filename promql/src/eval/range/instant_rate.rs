//! `irate` and `idelta`: the change between the last two samples of a window.

use std::sync::Arc;

use tsdb::model::Histogram;
use tsdb::model::histogram::{CounterResetHint, Incompatible, Reconciled};

use super::Series;
use super::rate::is_start_reset;
use crate::eval::column::Column;
use crate::eval::runs::Samples;
use crate::eval::window::Window;
use crate::notes::{Notes, Operation};

/// With `per_second` as `irate` (a reset makes the last value the change), else as `idelta`.
pub(super) fn column(series: &Series<'_>, per_second: bool, notes: &mut Notes) -> Column {
    let mut column = Column::empty(series.steps());
    for (step, window) in series.all_windows.iter().enumerate() {
        if window.len() < 2 {
            continue;
        }
        let last = window.to - 1;
        let is_histogram = |index| series.all.histogram(index).is_some();
        match (is_histogram(last - 1), is_histogram(last)) {
            (false, false) => {
                let value = change(series, *window, per_second);
                column.set(step, value);
            }
            (true, true) => {
                if let Some(value) = histogram_change(series, *window, per_second, notes) {
                    column.set_histogram(step, Arc::new(value));
                }
            }
            _ => notes.mixed_floats_histograms(series.call.span, series.name),
        }
    }
    column
}

fn change(series: &Series<'_>, window: Window, per_second: bool) -> f64 {
    let samples = series.all;
    let last = window.to - 1;
    let (before, now) = (samples.floats[last - 1], samples.floats[last]);
    if !per_second {
        return now - before;
    }
    let is_reset = now < before || says_reset(series, last);
    let change = if is_reset { now } else { now - before };
    change / elapsed(&samples, last)
}

/// Whether start timestamps say that the counter was reset before sample `index`.
fn says_reset(series: &Series<'_>, index: usize) -> bool {
    series.call.use_start_timestamps
        && series.all.has_starts()
        && is_start_reset(&series.all, index)
}

/// Seconds since the sample before.
fn elapsed(samples: &Samples<'_>, index: usize) -> f64 {
    (samples.timestamps[index] - samples.timestamps[index - 1]) as f64 / 1000.0
}

fn histogram_change(
    series: &Series<'_>,
    window: Window,
    per_second: bool,
    notes: &mut Notes,
) -> Option<Histogram> {
    let (span, name, last) = (series.call.span, series.name, window.to - 1);
    let (before, now) = (series.histogram(last - 1), series.histogram(last));
    let is_gauge = |own: &Histogram| own.counter_reset_hint == CounterResetHint::Gauge;
    match per_second {
        true if is_gauge(before) || is_gauge(now) => notes.native_not_counter(span, name),
        false if !is_gauge(before) || !is_gauge(now) => notes.native_not_gauge(span, name),
        _ => {}
    }
    let mut change = now.clone();
    let is_reset = per_second && (says_reset(series, last) || now.detect_reset(before));
    if !is_reset {
        // Contradicting reset hints are expected here: resets are what was looked for.
        match change.sub(before) {
            Err(Incompatible) => {
                notes.mixed_exponential_custom(span, name);
                return None;
            }
            Ok(Reconciled { custom_bounds: true, .. }) => {
                notes.custom_bounds_reconciled(span, Operation::Subtraction);
            }
            Ok(_) => {}
        }
    }
    change.counter_reset_hint = CounterResetHint::Gauge;
    change.compact(0);
    if per_second {
        change.div(elapsed(&series.all, last));
    }
    Some(change)
}
