//! `changes` and `resets`: how often neighbouring samples of a window differ.
//!
//! What differs from its neighbour is counted once for the whole series; a window's count is a
//! difference of two such counts.

use super::Series;
use super::rate::is_start_reset;
use crate::error::EvalError;
use crate::eval::column::{Cell, Column};

/// Another value than before; two NaNs are the same.
pub(super) fn changes(series: &Series<'_>) -> Result<Column, EvalError> {
    count(series, |_, before, now| now != before && !(now.is_nan() && before.is_nan()))
}

/// A smaller value than before, or a start timestamp that says so.
pub(super) fn resets(series: &Series<'_>) -> Result<Column, EvalError> {
    let use_starts = series.call.use_start_timestamps && series.all.has_starts();
    count(series, |index, before, now| {
        now < before || use_starts && is_start_reset(&series.all, index)
    })
}

fn count(
    series: &Series<'_>,
    differs: impl Fn(usize, f64, f64) -> bool,
) -> Result<Column, EvalError> {
    // `up_to[i]`: how often up to sample i.
    let mut up_to = Vec::with_capacity(series.all.floats.len());
    let mut total = 0_u64;
    for index in 0..series.all.floats.len() {
        if index > 0 {
            total += u64::from(match (series.all.cell(index - 1), series.all.cell(index)) {
                (Cell::Float(before), Cell::Float(now)) => differs(index, before, now),
                (Cell::Histogram(_), Cell::Histogram(_)) => {
                    return Err(EvalError::native_histograms(series.call.function));
                }
                _ => true,
            });
        }
        up_to.push(total);
    }
    Ok(Column::from_fn(series.steps(), |step| {
        let first = first_sample(series, step)?;
        let window = series.all_windows[step];
        Some((up_to[window.to - 1] - up_to[first]) as f64)
    }))
}

/// The first sample that counts; an anchored range begins with the last sample before it.
fn first_sample(series: &Series<'_>, step: usize) -> Option<usize> {
    let window = series.all_windows[step];
    if window.len() == 0 {
        return None;
    }
    if series.call.extension.is_none() {
        return Some(window.from);
    }
    let range_start = series.call.reach.ends[step].saturating_sub(series.call.range_ms);
    let timestamps = &series.all.timestamps[window.from..window.to];
    let before = timestamps.partition_point(|timestamp| *timestamp <= range_start);
    (before < timestamps.len()).then_some(window.from + before.saturating_sub(1))
}
