//! `irate` and `idelta`: the change between the last two samples of a window.

use super::Series;
use super::rate::is_start_reset;
use crate::error::EvalError;
use crate::eval::column::Column;
use crate::eval::window::Window;
use crate::notes::Notes;

/// With `per_second` as `irate` (a reset makes the last value the change), else as `idelta`.
pub(super) fn column(
    series: &Series<'_>,
    per_second: bool,
    notes: &mut Notes,
) -> Result<Column, EvalError> {
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
            (true, true) => return Err(EvalError::native_histograms(series.call.function)),
            _ => notes.mixed_floats_histograms(series.call.span, series.name),
        }
    }
    Ok(column)
}

fn change(series: &Series<'_>, window: Window, per_second: bool) -> f64 {
    let samples = series.all;
    let last = window.to - 1;
    let (before, now) = (samples.floats[last - 1], samples.floats[last]);
    if !per_second {
        return now - before;
    }
    let use_starts = series.call.use_start_timestamps && samples.has_starts();
    let is_reset = now < before || use_starts && is_start_reset(&samples, last);
    let change = if is_reset { now } else { now - before };
    let elapsed_ms = samples.timestamps[last] - samples.timestamps[last - 1];
    change / (elapsed_ms as f64 / 1000.0)
}
