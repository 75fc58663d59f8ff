//! `*_over_time`: aggregations over a window's samples.

use super::Series;
use crate::error::EvalError;
use crate::eval::column::Column;
use crate::eval::gather::Gathered;
use crate::eval::quantile::{quantile, quantile_of_sorted, smallest_first};
use crate::eval::runs::Samples;
use crate::eval::window::Window;
use crate::notes::Notes;
use tsdb::model::Histogram;
use tsdb::model::kahan::{KahanMean, KahanSum};

pub(super) fn column(series: &Series<'_>, notes: &mut Notes) -> Result<Column, EvalError> {
    let seconds = |index: usize, samples: Samples<'_>| samples.timestamps[index] as f64 / 1000.0;
    Ok(match series.call.function {
        "sum_over_time" => series.of_one_kind(
            notes,
            |_, window| Some(sum(window.floats)),
            |_, window, notes| gather(series, window, Gathered::sum, notes),
        ),
        "avg_over_time" => series.of_one_kind(
            notes,
            |_, window| mean(window.floats),
            |_, window, notes| gather(series, window, Gathered::mean, notes),
        ),
        "min_over_time" => extreme(series, notes, |now, best| now < best),
        "max_over_time" => extreme(series, notes, |now, best| now > best),
        "ts_of_min_over_time" => extreme_time(series, notes, |now, best| now <= best),
        "ts_of_max_over_time" => extreme_time(series, notes, |now, best| now >= best),
        "stdvar_over_time" => series.of_floats(notes, |_, window| Some(variance(window.floats))),
        "stddev_over_time" => {
            series.of_floats(notes, |_, window| Some(variance(window.floats).sqrt()))
        }
        "quantile_over_time" => quantiles(series, notes),
        "mad_over_time" => series.of_floats(notes, |_, window| Some(deviation(window.floats))),
        "count_over_time" => of_window(series, |from, to| (to - from) as f64),
        "present_over_time" | "absent_over_time" => of_window(series, |_, _| 1.0),
        "ts_of_first_over_time" => of_window(series, |from, _| seconds(from, series.all)),
        "ts_of_last_over_time" => of_window(series, |_, to| seconds(to - 1, series.all)),
        "first_over_time" => pick(series, |from, _| from),
        "last_over_time" => pick(series, |_, to| to - 1),
        other => {
            return Err(EvalError::Execution(format!("{other}() is not evaluated yet")));
        }
    })
}

/// A float for each window that is not empty.
fn of_window(series: &Series<'_>, value: impl Fn(usize, usize) -> f64) -> Column {
    Column::from_fn(series.steps(), |step| {
        let window = series.all_windows[step];
        (window.len() > 0).then(|| value(window.from, window.to))
    })
}

/// One of the samples of each window, whatever it is.
fn pick(series: &Series<'_>, index: impl Fn(usize, usize) -> usize) -> Column {
    if !series.all.has_histograms() {
        let windows = series.all_windows.iter();
        let indexes = windows.map(|own| (own.len() > 0).then(|| index(own.from, own.to)));
        return Column::pick(series.all.floats, indexes, |_| true);
    }
    let mut column = Column::empty(series.steps());
    for (step, window) in series.all_windows.iter().enumerate() {
        if window.len() > 0 {
            column.set_value(step, series.all.cell(index(window.from, window.to)).into());
        }
    }
    column
}

fn sum(values: &[f64]) -> f64 {
    let sum = values.iter().fold(KahanSum::default(), |sum, value| sum.plus(*value));
    if sum.sum.is_infinite() { sum.sum } else { sum.total() }
}

fn mean(values: &[f64]) -> Option<f64> {
    let (first, rest) = values.split_first()?;
    let mut mean = KahanMean::new(*first);
    rest.iter().for_each(|value| mean.add(*value));
    Some(mean.mean())
}

/// All histograms of a window as one.
fn gather(
    series: &Series<'_>,
    window: Window,
    start: impl Fn(&Histogram) -> Gathered,
    notes: &mut Notes,
) -> Option<Histogram> {
    let mut gathered = start(series.histogram(window.from));
    for index in window.from + 1..window.to {
        if gathered.add(series.histogram(index)).is_err() {
            notes.mixed_exponential_custom(series.call.span, series.name);
            return None;
        }
    }
    gathered.note(notes, series.call.span);
    Some(gathered.finish())
}

/// The extreme value; NaN only if there is nothing else.
fn extreme(series: &Series<'_>, notes: &mut Notes, better: impl Fn(f64, f64) -> bool) -> Column {
    series.of_floats(notes, |_, window| {
        let best =
            |best: f64, now: f64| if better(now, best) || best.is_nan() { now } else { best };
        window.floats.iter().copied().reduce(best)
    })
}

/// When the extreme value was there for the last time, in seconds.
fn extreme_time(
    series: &Series<'_>,
    notes: &mut Notes,
    better: impl Fn(f64, f64) -> bool,
) -> Column {
    series.of_floats(notes, |_, window| {
        let mut best = 0;
        for (index, now) in window.floats.iter().enumerate() {
            let value = window.floats[best];
            if better(*now, value) || value.is_nan() {
                best = index;
            }
        }
        Some(window.timestamps[best] as f64 / 1000.0)
    })
}

/// Welford's variance of a population, with Kahan's sums.
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares, mut count) = (KahanSum::default(), KahanSum::default(), 0.0);
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean = mean.plus(delta / count);
        squares = squares.plus(delta * (value - mean.total()));
    }
    squares.total() / count
}

fn quantiles(series: &Series<'_>, notes: &mut Notes) -> Column {
    let q = series.call.params.first().map_or(&[][..], Vec::as_slice);
    for step in (0..series.steps()).filter(|step| !series.window(*step).floats.is_empty()) {
        if !(0.0..=1.0).contains(&q[step]) {
            notes.invalid_quantile(series.call.span, q[step]);
        }
    }
    let mut sorted = Sorted::default();
    let (floats, windows) = (series.floats.floats, series.float_windows);
    series.of_floats(notes, |step, _| {
        sorted.advance(floats, windows[step]);
        Some(quantile_of_sorted(q[step], &sorted.values))
    })
}

/// The values of a window in order, kept up to date as the window moves.
#[derive(Default)]
struct Sorted {
    window: Window,
    values: Vec<f64>,
}

impl Sorted {
    /// Moves to the next window, which begins and ends no earlier. A few values that come and go
    /// are found and moved; for many, everything is sorted anew.
    fn advance(&mut self, floats: &[f64], next: Window) {
        let gone = self.window.from..next.from.min(self.window.to);
        let new = self.window.to.max(next.from)..next.to;
        let changes = gone.len() + new.len();
        if changes * CHANGES_PER_SORT > next.len() {
            self.values.clear();
            self.values.extend_from_slice(&floats[next.from..next.to]);
            self.values.sort_by(smallest_first);
        } else {
            // Equal values stand in order of time, as after sorting.
            for value in &floats[gone] {
                let first = self.values.partition_point(|own| smallest_first(own, value).is_lt());
                self.values.remove(first);
            }
            for value in &floats[new] {
                let end = self.values.partition_point(|own| smallest_first(own, value).is_le());
                self.values.insert(end, *value);
            }
        }
        self.window = next;
    }
}

/// A window is sorted anew if more than this part of it changes.
const CHANGES_PER_SORT: usize = 8;

/// The median of the distances to the median.
fn deviation(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut values = values.to_vec();
    let median = quantile(0.5, &mut values);
    values.iter_mut().for_each(|value| *value = (*value - median).abs());
    quantile(0.5, &mut values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_is_sorted_as_it_moves(
            floats in prop::collection::vec(
                prop::sample::select(vec![0.0, -0.0, 1.0, 2.0, f64::NAN, -f64::NAN, f64::INFINITY]), 1..60,
            ),
            moves in prop::collection::vec((0..4_usize, 0..9_usize), 1..30),
        ) {
            let mut sorted = Sorted::default();
            let mut window = Window::default();
            for (from, to) in moves {
                window.to = floats.len().min(window.to + to);
                window.from = (window.from + from).min(window.to);
                sorted.advance(&floats, window);
                let mut expected = floats[window.from..window.to].to_vec();
                expected.sort_by(smallest_first);
                let bits = |values: &[f64]| values.iter().map(|own| own.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&sorted.values), bits(&expected));
            }
        }
    }
}
