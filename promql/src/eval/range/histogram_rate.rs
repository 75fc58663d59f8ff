//! `rate`, `increase`, `delta` of native histograms.
//!
//! As for floats: the last one minus the first, plus for counters the one before each reset,
//! extrapolated to the borders by what the counts of observations say. Resets are found once for
//! the series. The result is a gauge.

use tsdb::model::Histogram;
use tsdb::model::histogram::CounterResetHint;

use super::Series;
use super::rate::{Kind, Sampled, is_start_reset, overlaps, start_inside};
use crate::eval::interpolate::{Place, add, subtract};
use crate::eval::window::Window;
use crate::notes::Notes;

/// The histograms of a series.
pub(super) struct Histograms<'a> {
    series: &'a Series<'a>,
    kind: Kind,
    /// For each sample, whether the counter was reset before it; empty if nothing counts.
    resets: Vec<bool>,
}

impl<'a> Histograms<'a> {
    pub(super) fn new(series: &'a Series<'a>, kind: Kind) -> Self {
        let counts = kind.is_counter() && series.all.has_histograms();
        let samples = if counts { series.all.floats.len() } else { 0 };
        let use_starts = series.call.use_start_timestamps && series.all.has_starts();
        let is_reset = |index: usize| {
            let before = index.checked_sub(1).and_then(|before| series.all.histogram(before));
            match (before, series.all.histogram(index)) {
                (Some(before), Some(now)) => {
                    use_starts && is_start_reset(&series.all, index) || now.detect_reset(before)
                }
                _ => false,
            }
        };
        Self { series, kind, resets: (0..samples).map(is_reset).collect() }
    }

    /// The rate at a step whose window has histograms only.
    pub(super) fn rate(&self, step: usize, notes: &mut Notes) -> Option<Histogram> {
        let (series, kind) = (self.series, self.kind);
        let window = series.all_windows[step];
        let (first, last) = (window.from, window.to.checked_sub(1)?);
        let range_end = series.call.reach.ends[step];
        let start = start_inside(series, kind, &series.all, first, range_end);
        if window.len() == 1 && start.is_none() {
            return None;
        }
        if kind.is_counter() && series.call.use_start_timestamps {
            let overlap = (first + 1..=last).any(|index| overlaps(&series.all, index));
            if overlap {
                notes.start_overlap(series.call.span, series.name);
            }
        }
        let mut change = self.change(window, start.is_some(), notes)?;
        let count = series.histogram(first).count;
        let sampled = Sampled {
            first_t: series.all.timestamps[first],
            last_t: series.all.timestamps[last],
            distances: last - first,
            start,
            first_share: (change.count > 0.0 && count >= 0.0).then(|| count / change.count),
        };
        let extensions = sampled.extensions(series.call, range_end);
        change.mul(sampled.factor(series.call, kind, extensions)?);
        Some(change)
    }

    /// The change within a window; from zero on if `from_zero`.
    fn change(&self, window: Window, from_zero: bool, notes: &mut Notes) -> Option<Histogram> {
        let series = self.series;
        let place = Place { span: series.call.span, name: series.name };
        let (first, last) = (window.from, window.to - 1);
        self.note_kind(window, place, notes);
        let reset = |index: usize| self.resets.get(index).copied().unwrap_or(false);
        // What was counted before a reset at once needs no look, whatever its layout is.
        let restarts = last > first && reset(first + 1);
        let begin = if restarts { first + 1 } else { first };
        let custom = series.histogram(begin).has_custom_buckets();
        let relevant = match self.kind.is_counter() {
            true => begin..last + 1,
            false => last..last + 1,
        };
        if relevant.clone().any(|index| series.histogram(index).has_custom_buckets() != custom) {
            notes.mixed_exponential_custom(place.span, place.name);
            return None;
        }
        let mut change = series.histogram(last).clone();
        let coarsest = relevant.map(|index| series.histogram(index).schema).min();
        if let (false, Some(schema)) = (custom, coarsest) {
            change.reduce_resolution(schema).expect("BUG: custom buckets");
        }
        if !restarts && last > first {
            subtract(&mut change, series.histogram(first), place, notes)?;
        }
        for index in (begin + 1..=last).filter(|index| reset(*index)) {
            add(&mut change, series.histogram(index - 1), place, notes)?;
        }
        if from_zero && last > first {
            add(&mut change, series.histogram(first), place, notes)?;
        }
        change.counter_reset_hint = CounterResetHint::Gauge;
        change.compact(0);
        Some(change)
    }

    fn note_kind(&self, window: Window, place: Place<'_>, notes: &mut Notes) {
        let is_gauge = |index: usize| {
            self.series.histogram(index).counter_reset_hint == CounterResetHint::Gauge
        };
        let (first, last) = (window.from, window.to - 1);
        match self.kind.is_counter() {
            true if (first..=last).any(is_gauge) => {
                notes.native_not_counter(place.span, place.name);
            }
            false if !is_gauge(first) || !is_gauge(last) => {
                notes.native_not_gauge(place.span, place.name);
            }
            _ => {}
        }
    }
}
