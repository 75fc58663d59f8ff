//! `deriv` and `predict_linear`: the line through a window's floats, by least squares.

use super::Series;
use crate::eval::column::Column;
use crate::eval::runs::Samples;
use crate::notes::Notes;
use tsdb::model::kahan::KahanSum;

/// The line's slope per second.
pub(super) fn deriv(series: &Series<'_>, notes: &mut Notes) -> Column {
    of_pairs(series, notes, |_, samples| fit(&samples, samples.timestamps[0]).0)
}

/// The line's value some seconds after the step.
pub(super) fn predict_linear(series: &Series<'_>, notes: &mut Notes) -> Column {
    let ahead = series.call.params.first().map_or(&[][..], Vec::as_slice);
    of_pairs(series, notes, |step, samples| {
        let (slope, intercept) = fit(&samples, series.call.steps.time(step).ms());
        slope * ahead[step] + intercept
    })
}

/// A line needs two floats. That histograms are ignored is noted where there is one at least.
fn of_pairs(
    series: &Series<'_>,
    notes: &mut Notes,
    value: impl Fn(usize, Samples<'_>) -> f64,
) -> Column {
    series
        .of_floats(notes, |step, samples| (samples.floats.len() >= 2).then(|| value(step, samples)))
}

/// Slope per second, and the value at `zero_ms`.
fn fit(samples: &Samples<'_>, zero_ms: i64) -> (f64, f64) {
    let first = samples.floats[0];
    if samples.floats.iter().all(|value| *value == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let zero = KahanSum::default();
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) = (zero, zero, zero, zero);
    for (timestamp, y) in samples.timestamps.iter().zip(samples.floats) {
        let x = (timestamp - zero_ms) as f64 / 1e3;
        x_sum = x_sum.plus(x);
        y_sum = y_sum.plus(*y);
        xy_sum = xy_sum.plus(x * y);
        xx_sum = xx_sum.plus(x * x);
    }
    let count = samples.floats.len() as f64;
    let (x, y, xy, xx) = (x_sum.total(), y_sum.total(), xy_sum.total(), xx_sum.total());
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}
