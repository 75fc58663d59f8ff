//! `changes` and `resets`: how often neighbouring samples of a window differ.
//!
//! What differs from its neighbour is counted once for the whole series; a window's count is a
//! difference of two such counts.

use tsdb::model::Histogram;

use super::Series;
use super::rate::is_start_reset;
use crate::eval::column::{Cell, Column};

/// Another value than before; two NaNs are the same.
pub(super) fn changes(series: &Series<'_>) -> Column {
    count(
        series,
        |_, before, now| now != before && !(now.is_nan() && before.is_nan()),
        |_, before, now| !now.equals(before),
    )
}

/// A smaller value than before, or a start timestamp that says so.
pub(super) fn resets(series: &Series<'_>) -> Column {
    let use_starts = series.call.use_start_timestamps && series.all.has_starts();
    let by_start = |index| use_starts && is_start_reset(&series.all, index);
    count(
        series,
        |index, before, now| now < before || by_start(index),
        |index, before, now| by_start(index) || now.detect_reset(before),
    )
}

/// Neighbours of different kinds always differ.
fn count(
    series: &Series<'_>,
    floats_differ: impl Fn(usize, f64, f64) -> bool,
    histograms_differ: impl Fn(usize, &Histogram, &Histogram) -> bool,
) -> Column {
    // `up_to[i]`: how often up to sample i.
    let mut up_to = Vec::with_capacity(series.all.floats.len());
    let mut total = 0_u64;
    for index in 0..series.all.floats.len() {
        if index > 0 {
            total += u64::from(match (series.all.cell(index - 1), series.all.cell(index)) {
                (Cell::Float(before), Cell::Float(now)) => floats_differ(index, before, now),
                (Cell::Histogram(before), Cell::Histogram(now)) => {
                    histograms_differ(index, before, now)
                }
                _ => true,
            });
        }
        up_to.push(total);
    }
    Column::from_fn(series.steps(), |step| {
        let first = first_sample(series, step)?;
        let window = series.all_windows[step];
        Some((up_to[window.to - 1] - up_to[first]) as f64)
    })
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
