//! What `rate` and its like need of timestamps alone, computed once for all series that share them.
//!
//! Without resets and start timestamps, the change over a window is multiplied by a factor that
//! depends on the times of its first and last sample only; except where a counter must not be
//! drawn on below zero, which is seen from its first value.

use std::cell::OnceCell;

use super::rate::{Kind, Sampled};
use super::{CallContext, Samples, Window, WindowSet, seconds};
use crate::eval::column::{Column, Presence};

/// The steps of a set of windows.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Number of the set.
    number: usize,
    borders: OnceCell<Borders>,
}

/// Of each step whose window holds two samples at least: what its factor is made of.
#[derive(Debug, Default)]
struct Borders {
    steps: Vec<usize>,
    /// The first sample of the window, and the last one.
    first: Vec<usize>,
    last: Vec<usize>,
    /// Seconds from the first sample to the last one, and what is added at either end.
    sampled: Vec<f64>,
    to_start: Vec<f64>,
    to_end: Vec<f64>,
    /// The factor of a change that is drawn on to the start as far as it goes.
    factor: Vec<f64>,
    /// Nothing is drawn on to the start by more than there are samples.
    is_drawn_little: bool,
    present: Option<Presence>,
}

impl Grid {
    /// Forgets everything if this is not the set that it belongs to.
    pub(super) fn follow(&mut self, windows: &WindowSet) {
        if self.number != windows.number {
            *self = Self { number: windows.number, borders: OnceCell::new() };
        }
    }

    /// The rates, increases or deltas of floats without start timestamps; `resets` are the samples
    /// before which the counter was reset.
    pub(super) fn rates(
        &self,
        samples: &Samples<'_>,
        windows: &[Window],
        resets: &[usize],
        kind: Kind,
        call: &CallContext<'_>,
    ) -> Column {
        let borders =
            self.borders.get_or_init(|| Borders::new(samples.timestamps, windows, kind, call));
        let floats = samples.floats;
        let ends = borders.first.iter().zip(&borders.last);
        let mut values: Vec<f64> =
            ends.map(|(first, last)| floats[*last] - floats[*first]).collect();
        add_before_resets(&mut values, borders, floats, resets);
        let firsts = || borders.first.iter().map(|at| floats[*at]);
        let below_zero = kind.is_counter() && borders.is_drawn_below_zero(firsts(), &values);
        match below_zero {
            true => borders.multiply_down_to_zero(firsts(), &mut values, kind, call),
            false => {
                let both = values.iter_mut().zip(&borders.factor);
                both.for_each(|(value, factor)| *value *= factor);
            }
        }
        borders.column(values, windows.len())
    }
}

/// Adds the values before each reset inside of a window; windows move forward only.
fn add_before_resets(values: &mut [f64], borders: &Borders, floats: &[f64], resets: &[usize]) {
    if resets.is_empty() {
        return;
    }
    let mut cursor = 0;
    for (value, (first, last)) in values.iter_mut().zip(borders.first.iter().zip(&borders.last)) {
        cursor += resets[cursor..].iter().take_while(|index| *index <= first).count();
        for index in resets[cursor..].iter().take_while(|index| *index <= last) {
            *value += floats[index - 1];
        }
    }
}

impl Borders {
    fn new(timestamps: &[i64], windows: &[Window], kind: Kind, call: &CallContext<'_>) -> Self {
        let steps = windows.len();
        let floats = || Vec::with_capacity(steps);
        let indexes = || Vec::with_capacity(steps);
        let mut borders = Self {
            steps: indexes(),
            first: indexes(),
            last: indexes(),
            sampled: floats(),
            to_start: floats(),
            to_end: floats(),
            factor: floats(),
            ..Self::default()
        };
        let mut present = Presence::none(steps);
        for (step, window) in windows.iter().enumerate().filter(|(_, own)| own.len() > 1) {
            let (first, last) = (window.from, window.to - 1);
            let sampled = Sampled {
                first_t: timestamps[first],
                last_t: timestamps[last],
                distances: last - first,
                start: None,
                first_share: None,
            };
            let extensions = sampled.extensions(call, call.reach.ends[step]);
            let Some(factor) = sampled.factor(call, kind, extensions) else { continue };
            let (to_start, to_end) = extensions;
            present.insert(step);
            borders.steps.push(step);
            borders.first.push(first);
            borders.last.push(last);
            borders.sampled.push(sampled.seconds());
            borders.to_start.push(to_start);
            borders.to_end.push(to_end);
            borders.factor.push(factor);
        }
        borders.present = Some(present);
        let mut drawn = borders.to_start.iter().zip(&borders.sampled);
        borders.is_drawn_little = drawn.all(|(to_start, sampled)| to_start <= sampled);
        borders
    }

    /// Whether a counter that is drawn on to the start of a window would be below zero there.
    fn is_drawn_below_zero(
        &self,
        firsts: impl Iterator<Item = f64> + Clone,
        changes: &[f64],
    ) -> bool {
        let counters = firsts.zip(changes);
        // One that rose by no more than it had was zero longer ago than the window has samples.
        let rose_fast = |(first, change): (f64, &f64)| first < *change;
        if self.is_drawn_little && !counters.clone().fold(false, |any, own| any | rose_fast(own)) {
            return false;
        }
        let borders = self.sampled.iter().zip(&self.to_start);
        let is_below = |((first, change), (sampled, to_start)): ((f64, &f64), (&f64, &f64))| {
            to_zero(first, *change, *sampled) < *to_start
        };
        counters.zip(borders).fold(false, |any, one| any | is_below(one))
    }

    fn multiply_down_to_zero(
        &self,
        firsts: impl Iterator<Item = f64>,
        values: &mut [f64],
        kind: Kind,
        call: &CallContext<'_>,
    ) {
        let range_seconds = if kind == Kind::Rate { seconds(call.range_ms) } else { 1.0 };
        for (at, (value, first)) in values.iter_mut().zip(firsts).enumerate() {
            let (sampled, to_start) = (self.sampled[at], self.to_start[at]);
            let to_zero = to_zero(first, *value, sampled);
            *value *= match to_zero < to_start {
                true => (sampled + to_zero + self.to_end[at]) / sampled / range_seconds,
                false => self.factor[at],
            };
        }
    }

    fn column(&self, values: Vec<f64>, steps: usize) -> Column {
        let Some(present) = &self.present else { return Column::empty(steps) };
        if values.len() == steps {
            return Column::full(values);
        }
        let mut floats = vec![0.0; steps];
        for (step, value) in self.steps.iter().zip(values) {
            floats[*step] = value;
        }
        Column::of_floats(floats, present.clone())
    }
}

/// Seconds before the first sample of a rising counter at which it was zero, if it rose as it does
/// in the window; infinite if that says nothing.
fn to_zero(first: f64, change: f64, sampled: f64) -> f64 {
    let to_zero = sampled * (first / change);
    if (change > 0.0) & (first >= 0.0) { to_zero } else { f64::INFINITY }
}
