//! Which samples a step looks at.
//!
//! A window is left-open: `(end − range, end]`. As the steps rise, both ends only move forward, so
//! that finding all windows of a grid costs O(samples + steps).

use super::runs::{Runs, Samples};
use crate::plan::Shift;
use crate::value::Steps;

/// The samples `from..to` of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Window {
    pub(crate) fn len(&self) -> usize {
        self.to - self.from
    }
}

/// The times that the steps of a grid look at.
pub(crate) struct Reach {
    /// The end of each step's window, in milliseconds; never falls.
    pub(crate) ends: Vec<i64>,
    /// How far a window goes back from there.
    pub(crate) before_ms: i64,
    /// How far it goes ahead.
    pub(crate) after_ms: i64,
}

impl Reach {
    pub(crate) fn new(steps: &Steps, shift: Shift, before_ms: i64, after_ms: i64) -> Self {
        let ends = steps.times().map(|time| shift.apply(time).ms()).collect();
        Self { ends, before_ms, after_ms }
    }

    /// The first and the last time of all windows, if there is a step.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.ends.first()?, self.ends.last()?);
        let start = first.saturating_sub(self.before_ms).saturating_add(1);
        Some((start, last.saturating_add(self.after_ms)))
    }

    fn windows(&self, timestamps: &[i64]) -> Vec<Window> {
        let mut window = Window::default();
        let windows = self.ends.iter().map(|end| {
            let (start, end) =
                (end.saturating_sub(self.before_ms), end.saturating_add(self.after_ms));
            window.to += count_up_to(&timestamps[window.to..], end);
            window.from += count_up_to(&timestamps[window.from..window.to], start);
            window
        });
        windows.collect()
    }
}

/// How many of the timestamps are `time` or earlier; they are usually few.
fn count_up_to(timestamps: &[i64], time: i64) -> usize {
    match timestamps.iter().take(32).position(|timestamp| *timestamp > time) {
        Some(count) => count,
        None => timestamps.partition_point(|timestamp| *timestamp <= time),
    }
}

/// The windows of all steps of a grid over the same timestamps.
#[derive(Debug, Default)]
pub(crate) struct WindowSet {
    /// Each step's.
    pub(crate) list: Vec<Window>,
    /// Samples in all of them.
    pub(crate) samples: u64,
    /// Samples in the largest.
    pub(crate) longest: usize,
    /// Differs from that of other sets.
    pub(crate) number: usize,
}

/// The windows of series after series; those with the same timestamps share them.
pub(crate) struct Windows<'a> {
    reach: &'a Reach,
    known: Option<(Option<usize>, usize)>,
    set: WindowSet,
}

impl<'a> Windows<'a> {
    pub(crate) fn new(reach: &'a Reach) -> Self {
        Self { reach, known: None, set: WindowSet::default() }
    }

    /// The samples of series `index` and the window of each step.
    pub(crate) fn of<'r>(&mut self, runs: &'r Runs, index: usize) -> (Samples<'r>, &WindowSet) {
        let samples = runs.samples(index);
        let key = Some(runs.timeline_key(index));
        if self.known != key {
            let list = self.reach.windows(samples.timestamps);
            let lengths = list.iter().map(Window::len);
            self.set = WindowSet {
                samples: lengths.clone().map(|length| length as u64).sum(),
                longest: lengths.max().unwrap_or(0),
                number: self.set.number + 1,
                list,
            };
            self.known = key;
        }
        (samples, &self.set)
    }

    /// Forgets what is known, before other runs come.
    pub(crate) fn reset(&mut self) {
        self.known = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_left_open_and_move_forward() {
        let reach = Reach { ends: vec![10, 20, 25, 25, 60], before_ms: 10, after_ms: 0 };
        let windows = reach.windows(&[0, 5, 10, 20, 21, 30]);
        let expected = [(1, 3), (3, 4), (3, 5), (3, 5), (6, 6)];
        assert_eq!(windows, expected.map(|(from, to)| Window { from, to }));
        assert_eq!(reach.bounds(), Some((1, 60)));
    }
}
