//! `rate`, `increase`, `delta` of native histograms in an `anchored` or `smoothed` range.
//!
//! As for floats: the change is that between the values at the borders, plus for counters the
//! value before each reset in between. A border value that lies between two samples already
//! accounts for a reset between these two.

use tsdb::model::Histogram;
use tsdb::model::histogram::CounterResetHint;

use super::Series;
use super::extended::Borders;
use crate::eval::interpolate::{Place, add, between, subtract};
use crate::eval::window::Window;
use crate::notes::Notes;

/// The change between the borders, as a gauge. The window's samples reach beyond them.
pub(super) fn change(
    borders: &Borders,
    series: &Series<'_>,
    window: Window,
    notes: &mut Notes,
) -> Option<Histogram> {
    let timestamps = &series.all.timestamps[window.from..window.to];
    let (first, last) = borders.ends(timestamps)?;
    let place = Place { span: series.call.span, name: series.name };
    let histogram = |index: usize| series.histogram(window.from + index);
    note_kind(borders, (first..=last).map(histogram), place, notes);
    let mut at_border = |index: usize, time: i64| {
        let (t1, t2) = (timestamps[index], timestamps[index + 1]);
        let part = (time - t1) as f64 / (t2 - t1) as f64;
        let (before, after) = (histogram(index), histogram(index + 1));
        between(before, after, part, borders.is_counter, place, notes)
    };
    let starts_between = borders.smoothed && timestamps[first] < borders.start;
    let left = match starts_between {
        true => at_border(first, borders.start)?,
        false => histogram(first).clone(),
    };
    let right = match borders.smoothed && last > 0 && timestamps[last] > borders.end {
        true => at_border(last - 1, borders.end)?,
        false => histogram(last).clone(),
    };
    let mut change = right.clone();
    subtract(&mut change, &left, place, notes)?;
    if borders.is_counter && first < last {
        let inside = (first + 1..last).map(histogram);
        // Between the left border and the next sample there is no further reset.
        let mut before = (&left, starts_between);
        for now in inside.chain([&right]) {
            let (previous, is_known) = before;
            if !is_known && now.detect_reset(previous) {
                add(&mut change, previous, place, notes)?;
            }
            before = (now, false);
        }
    }
    change.counter_reset_hint = CounterResetHint::Gauge;
    change.compact(0);
    Some(change)
}

fn note_kind<'a>(
    borders: &Borders,
    mut histograms: impl Iterator<Item = &'a Histogram>,
    place: Place<'_>,
    notes: &mut Notes,
) {
    let is_gauge = |own: &Histogram| own.counter_reset_hint == CounterResetHint::Gauge;
    match borders.is_counter {
        true if histograms.any(is_gauge) => notes.native_not_counter(place.span, place.name),
        false if !histograms.all(is_gauge) => notes.native_not_gauge(place.span, place.name),
        _ => {}
    }
}
