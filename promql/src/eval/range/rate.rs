//! `rate`, `increase`, `delta`: the change over a window, extrapolated to its borders.
//!
//! For a window with samples `first … last` (at least two):
//! 1. change = last − first, plus the value before each counter reset;
//! 2. at either end the samples' line is drawn on to the border, if the border is nearer than 1.1
//!    average sample distances, else by half of one (the series begins or ends there);
//! 3. a counter is not drawn on below zero;
//! 4. change × (sampled + both extensions) / sampled, for `rate` per second.
//!
//! The order of the operations is that of Prometheus's `extrapolatedRate`: equal bits. Resets are
//! found once for the series; a window only walks over those that lie in it.

use super::{Series, seconds};
use crate::error::EvalError;
use crate::eval::column::Column;
use crate::eval::runs::Samples;
use crate::eval::window::Window;
use crate::notes::Notes;

/// Which of the three functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rate,
    Increase,
    Delta,
}

impl Kind {
    pub(super) fn is_counter(self) -> bool {
        self != Self::Delta
    }
}

pub(super) fn column(
    series: &Series<'_>,
    kind: Kind,
    notes: &mut Notes,
) -> Result<Column, EvalError> {
    let resets = match kind.is_counter() {
        true => Resets::find(&series.floats, series.call.use_start_timestamps),
        false => Resets::default(),
    };
    let mut cursor = 0;
    let mut column = Column::empty(series.steps());
    for (step, window) in series.float_windows.iter().enumerate() {
        match (window.len(), series.histograms(step)) {
            (_, 0) => {}
            // One alone has a change only if it says when it started.
            (0, 1) if !(series.call.use_start_timestamps && series.all.has_starts()) => continue,
            (0, _) => return Err(EvalError::native_histograms(series.call.function)),
            _ => {
                notes.mixed_floats_histograms(series.call.span, series.name);
                continue;
            }
        }
        if window.len() > 0 {
            let inside = resets.inside(*window, &mut cursor);
            if resets.overlap_inside(*window) {
                notes.start_overlap(series.call.span, series.name);
            }
            let end = series.call.reach.ends[step];
            if let Some(value) = extrapolate(series, kind, *window, inside, end) {
                column.set(step, value);
            }
        }
    }
    Ok(column)
}

/// Where a series' counter was reset: indexes of the first sample after each reset.
#[derive(Default)]
struct Resets {
    after: Vec<usize>,
    /// Samples that claim to have started before the sample before them.
    overlaps: Vec<usize>,
}

impl Resets {
    fn find(samples: &Samples<'_>, use_starts: bool) -> Self {
        let floats = samples.floats;
        let use_starts = use_starts && samples.has_starts();
        let is_reset = |index: &usize| {
            floats[*index] < floats[index - 1] || use_starts && is_start_reset(samples, *index)
        };
        let overlaps = |index: &usize| use_starts && overlaps(samples, *index);
        Self {
            after: (1..floats.len()).filter(is_reset).collect(),
            overlaps: (1..floats.len()).filter(overlaps).collect(),
        }
    }

    /// The resets between two samples of the window; `cursor` moves forward with the windows.
    fn inside(&self, window: Window, cursor: &mut usize) -> &[usize] {
        while self.after.get(*cursor).is_some_and(|index| *index <= window.from) {
            *cursor += 1;
        }
        let rest = &self.after[*cursor..];
        let count = rest.iter().take_while(|index| **index < window.to).count();
        &rest[..count]
    }

    fn overlap_inside(&self, window: Window) -> bool {
        self.overlaps.iter().any(|index| *index > window.from && *index < window.to)
    }
}

/// Whether the start timestamps say that the counter was reset before sample `index`.
pub(super) fn is_start_reset(samples: &Samples<'_>, index: usize) -> bool {
    let (before, now) = (samples.timestamps[index - 1], samples.timestamps[index]);
    let Some(start) = samples.start(index).filter(|start| *start != 0 && *start < now) else {
        return false;
    };
    if start != before {
        return start > before;
    }
    // It starts exactly at the sample before: a reset for deltas, but not for a cumulative series
    // that does not know its start.
    samples.start(index - 1).is_some_and(|earlier| earlier != 0 && earlier < before)
}

fn overlaps(samples: &Samples<'_>, index: usize) -> bool {
    samples.start(index).is_some_and(|start| {
        start != 0
            && start < samples.timestamps[index - 1]
            && start != samples.start(index - 1).unwrap_or(0)
    })
}

fn extrapolate(
    series: &Series<'_>,
    kind: Kind,
    window: Window,
    resets: &[usize],
    range_end: i64,
) -> Option<f64> {
    let Samples { timestamps, floats, .. } = series.floats;
    let (first, last) = (window.from, window.to - 1);
    let (first_t, last_t) = (timestamps[first], timestamps[last]);
    let range_start = range_end.saturating_sub(series.call.range_ms);
    let mut change = floats[last] - floats[first];
    for index in resets {
        change += floats[index - 1];
    }

    let mut to_start = (first_t - range_start) as f64 / 1000.0;
    let mut to_end = (range_end - last_t) as f64 / 1000.0;
    let mut sampled = (last_t - first_t) as f64 / 1000.0;
    let average = if last > first { sampled / (last - first) as f64 } else { 0.0 };
    let threshold = average * 1.1;

    if let Some(start) = start_inside(series, kind, first, range_start) {
        // The counter was zero then; nothing is drawn on to the left.
        to_start = 0.0;
        sampled = (last_t - start) as f64 / 1000.0;
        change += floats[first];
    } else if last == first {
        return None;
    } else {
        if to_start >= threshold {
            to_start = average / 2.0;
        }
        if kind.is_counter() {
            let mut to_zero = to_start;
            if change > 0.0 && floats[first] >= 0.0 {
                to_zero = sampled * (floats[first] / change);
            }
            if to_zero < to_start {
                to_start = to_zero;
            }
        }
    }
    if to_end >= threshold {
        to_end = average / 2.0;
    }
    let mut factor = 1.0;
    if sampled != 0.0 {
        factor = (sampled + to_start + to_end) / sampled;
    }
    if kind == Kind::Rate {
        factor /= seconds(series.call.range_ms);
    }
    Some(change * factor)
}

/// The start timestamp of the window's first sample, if it lies in the window.
fn start_inside(series: &Series<'_>, kind: Kind, first: usize, range_start: i64) -> Option<i64> {
    if !kind.is_counter() || !series.call.use_start_timestamps {
        return None;
    }
    let start = series.floats.start(first)?;
    let inside = start != 0 && start > range_start && start < series.floats.timestamps[first];
    inside.then_some(start)
}
