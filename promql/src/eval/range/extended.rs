//! `rate`, `increase`, `delta` of an `anchored` or `smoothed` range.
//!
//! Such a range has a value at either border: anchored, the last sample before it counts as one
//! at its start; smoothed, both border values lie on the line between the samples around the
//! border. The change is that between the borders; nothing is drawn on.

use super::{Series, extended_histogram, seconds};
use crate::ast::RangeExtension;
use crate::eval::column::Column;
use crate::eval::runs::Samples;
use crate::notes::Notes;

pub(super) fn rate(series: &Series<'_>, notes: &mut Notes) -> Column {
    let function = series.call.function;
    let is_counter = function != "delta";
    let smoothed = series.call.extension == Some(RangeExtension::Smoothed);
    let borders = |step: usize| {
        let end = series.call.reach.ends[step];
        let start = end.saturating_sub(series.call.range_ms);
        Borders { start, end, smoothed, is_counter }
    };
    let range = seconds(series.call.range_ms);
    series.of_one_kind(
        notes,
        |step, samples| {
            let change = borders(step).change(&samples)?;
            Some(if function == "rate" { change / range } else { change })
        },
        |step, window, notes| {
            let mut change = extended_histogram::change(&borders(step), series, window, notes)?;
            if function == "rate" {
                change.div(range);
            }
            Some(change)
        },
    )
}

/// The borders of a range, and how values at them are found.
pub(super) struct Borders {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) smoothed: bool,
    pub(super) is_counter: bool,
}

impl Borders {
    /// The samples that the values at the borders come from: the last one up to the start (else
    /// the first), and the first one from the end on if it is smoothed (else the last). `None` if
    /// nothing lies within.
    pub(super) fn ends(&self, timestamps: &[i64]) -> Option<(usize, usize)> {
        let most = timestamps.len() - 1;
        let after_start = timestamps[..most].partition_point(|time| *time <= self.start);
        let first = after_start.saturating_sub(1);
        let last = match self.smoothed {
            true => timestamps[..most].partition_point(|time| *time < self.end),
            false => most,
        };
        let outside =
            timestamps[last] <= self.start || self.smoothed && timestamps[first] > self.end;
        (!outside).then_some((first, last))
    }

    /// The change between the borders; `samples` reach beyond them.
    fn change(&self, samples: &Samples<'_>) -> Option<f64> {
        let Samples { timestamps, floats, .. } = *samples;
        let (mut first, mut last) = self.ends(timestamps)?;
        let left = match self.smoothed && timestamps[first] < self.start {
            true => self.between(samples, first, self.start),
            false => floats[first],
        };
        let right = match self.smoothed && last > 0 && timestamps[last] > self.end {
            true => self.between(samples, last - 1, self.end),
            false => floats[last],
        };
        let mut change = right - left;
        if self.is_counter {
            if timestamps[first] <= self.start {
                first += 1;
            }
            // One past the last sample strictly inside.
            if timestamps[last] < self.end {
                last += 1;
            }
            change += resets(left, right, floats.get(first..last).unwrap_or(&[]));
        }
        Some(change)
    }

    /// The value at `time` on the line from sample `index` to the next; a counter that was reset
    /// in between began at zero.
    fn between(&self, samples: &Samples<'_>, index: usize, time: i64) -> f64 {
        let (t1, t2) = (samples.timestamps[index], samples.timestamps[index + 1]);
        let (mut y1, y2) = (samples.floats[index], samples.floats[index + 1]);
        if self.is_counter && y2 < y1 {
            y1 = 0.0;
        }
        y1 + (y2 - y1) * (time - t1) as f64 / (t2 - t1) as f64
    }
}

/// The sum of the values before each reset.
fn resets(left: f64, right: f64, inside: &[f64]) -> f64 {
    let (mut correction, mut before) = (0.0, left);
    for value in inside.iter().chain([&right]) {
        if *value < before {
            correction += before;
        }
        before = *value;
    }
    correction
}
