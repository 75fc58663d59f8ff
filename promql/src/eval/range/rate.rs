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

use std::sync::Arc;

use super::histogram_rate::Histograms;
use super::{CallContext, Series, seconds};
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

pub(super) fn column(series: &Series<'_>, kind: Kind, notes: &mut Notes) -> Column {
    let resets = match kind.is_counter() {
        true => Resets::find(&series.floats, series.call.use_start_timestamps),
        false => Resets::default(),
    };
    let has_starts = series.call.use_start_timestamps && series.all.has_starts();
    if !series.all.has_histograms() && !has_starts {
        let (samples, windows) = (&series.floats, series.float_windows);
        return series.grid.rates(samples, windows, &resets.after, kind, series.call);
    }
    let histograms = Histograms::new(series, kind);
    let mut cursor = 0;
    let mut column = Column::empty(series.steps());
    for (step, window) in series.float_windows.iter().enumerate() {
        match (window.len(), series.histograms(step)) {
            (_, 0) => {}
            (0, _) => {
                if let Some(value) = histograms.rate(step, notes) {
                    column.set_histogram(step, Arc::new(value));
                }
                continue;
            }
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
    column
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
        let pairs = floats.iter().zip(floats.iter().skip(1));
        if !use_starts && !pairs.fold(false, |any, (before, now)| any | (now < before)) {
            return Self::default();
        }
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

/// Whether sample `index` claims to have started before the sample before it.
pub(super) fn overlaps(samples: &Samples<'_>, index: usize) -> bool {
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
    let mut change = floats[last] - floats[first];
    for index in resets {
        change += floats[index - 1];
    }

    let start = start_inside(series, kind, &series.floats, first, range_end);
    if start.is_some() {
        // The counter was zero then.
        change += floats[first];
    }
    let first_share = (change > 0.0 && floats[first] >= 0.0).then(|| floats[first] / change);
    let sampled = Sampled { first_t, last_t, distances: last - first, start, first_share };
    let extensions = sampled.extensions(series.call, range_end);
    Some(change * sampled.factor(series.call, kind, extensions)?)
}

/// What a window has samples of.
pub(super) struct Sampled {
    /// Milliseconds of the first sample and of the last.
    pub(super) first_t: i64,
    pub(super) last_t: i64,
    /// Samples after the first.
    pub(super) distances: usize,
    /// When the counter was zero, if that is known to lie in the range.
    pub(super) start: Option<i64>,
    /// The first value as a part of the change, if the counter can be drawn back to zero.
    pub(super) first_share: Option<f64>,
}

impl Sampled {
    /// Seconds from the first sample to the last.
    pub(super) fn seconds(&self) -> f64 {
        (self.last_t - self.first_t) as f64 / 1000.0
    }

    /// Seconds by which the samples' line is drawn on to the start of the range and to its end.
    pub(super) fn extensions(&self, call: &CallContext<'_>, range_end: i64) -> (f64, f64) {
        let range_start = range_end.saturating_sub(call.range_ms);
        let distances = self.distances as f64;
        let average = if self.distances > 0 { self.seconds() / distances } else { 0.0 };
        let extension = |ms: i64| {
            let border = ms as f64 / 1000.0;
            if border >= average * 1.1 { average / 2.0 } else { border }
        };
        (extension(self.first_t - range_start), extension(range_end - self.last_t))
    }

    /// What the change is multiplied by if the line may be drawn on so far to the start and to the
    /// end. One sample alone has a change only if it says when it started.
    pub(super) fn factor(
        &self,
        call: &CallContext<'_>,
        kind: Kind,
        (mut to_start, to_end): (f64, f64),
    ) -> Option<f64> {
        let mut sampled = self.seconds();
        if let Some(start) = self.start {
            // Nothing is drawn on to the left.
            to_start = 0.0;
            sampled = (self.last_t - start) as f64 / 1000.0;
        } else if self.distances == 0 {
            return None;
        } else {
            let to_zero = self.first_share.filter(|_| kind.is_counter());
            if let Some(to_zero) = to_zero.map(|share| sampled * share)
                && to_zero < to_start
            {
                to_start = to_zero;
            }
        }
        let mut factor = 1.0;
        if sampled != 0.0 {
            factor = (sampled + to_start + to_end) / sampled;
        }
        if kind == Kind::Rate {
            factor /= seconds(call.range_ms);
        }
        Some(factor)
    }
}

/// The start timestamp of the window's first sample, if it lies in the window.
pub(super) fn start_inside(
    series: &Series<'_>,
    kind: Kind,
    samples: &Samples<'_>,
    first: usize,
    range_end: i64,
) -> Option<i64> {
    if !kind.is_counter() || !series.call.use_start_timestamps {
        return None;
    }
    let start = samples.start(first)?;
    let range_start = range_end.saturating_sub(series.call.range_ms);
    let inside = start != 0 && start > range_start && start < samples.timestamps[first];
    inside.then_some(start)
}
