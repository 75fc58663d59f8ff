//! What changed lately: from which generation on a query could see something else, and at which
//! times.
//!
//! 1. A commit or a deletion changes what is seen at its oldest time **and after it**; dropping
//!    what is old changes what is seen at its newest time **and before it**.
//! 2. Asked for a generation, [`Changes`] says which times lie between all of that since then.
//!
//! Invariants: in a list, generations and times rise: a mark that a later one covers is gone, so that
//! the answer is the first mark after the generation. Marks that are joined to keep the list short
//! say too much, never too little.

use std::collections::VecDeque;

use crate::model::{TimeRange, Timestamp};

/// Marks that are kept; the oldest two are joined beyond.
const MARKS_MAX: usize = 4096;
/// Marks nearer than this to the last one are joined with it, in milliseconds: many targets commit
/// in a second.
const MARK_DISTANCE_MS: i64 = 1000;

/// Times at which something changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// This time and everything after it.
    after: Marks,
    /// This time and everything before it, as its complement (`!time`), which rises when it falls.
    before: Marks,
}

impl Changes {
    /// Something at `time` or later was added or removed.
    pub(super) fn changed_from(&mut self, time: i64, generation: u64) {
        self.after.add(time, generation);
    }

    /// Something at `time` or earlier was removed.
    pub(super) fn changed_up_to(&mut self, time: i64, generation: u64) {
        self.before.add(!time, generation);
    }

    /// The times at which nothing changed after `generation`.
    pub(super) fn unchanged_since(&self, generation: u64) -> TimeRange {
        let start = self.before.least_since(generation).map_or(i64::MIN, |least| {
            // After what was dropped; all of time can be dropped too.
            (!least).saturating_add(1)
        });
        let end =
            self.after.least_since(generation).map_or(i64::MAX, |least| least.saturating_sub(1));
        TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(end))
    }
}

/// Generations and times, both strictly rising.
#[derive(Debug, Default)]
struct Marks(VecDeque<(u64, i64)>);

impl Marks {
    fn add(&mut self, time: i64, generation: u64) {
        while self.0.back().is_some_and(|(_, last)| *last >= time) {
            self.0.pop_back();
        }
        match self.0.back_mut() {
            Some((newest, last)) if time.saturating_sub(*last) < MARK_DISTANCE_MS => {
                *newest = generation;
            }
            _ => self.0.push_back((generation, time)),
        }
        if self.0.len() > MARKS_MAX
            && let Some((_, oldest)) = self.0.pop_front()
            && let Some((_, next)) = self.0.front_mut()
        {
            *next = oldest;
        }
    }

    /// The least time of the marks after `generation`.
    fn least_since(&self, generation: u64) -> Option<i64> {
        let at = self.0.partition_point(|(own, _)| *own <= generation);
        self.0.get(at).map(|(_, time)| *time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against all marks: never more than is unchanged, and no more than a second less while
        /// the list is not full.
        #[test]
        fn no_change_is_forgotten(
            changes in prop::collection::vec((any::<bool>(), -5000..5000_i64), 0..200),
            since in 0..200_u64,
        ) {
            let mut marks = Changes::default();
            let (mut start, mut end) = (i64::MIN, i64::MAX);
            for ((is_drop, time), generation) in changes.into_iter().zip(1..) {
                match is_drop {
                    true => marks.changed_up_to(time, generation),
                    false => marks.changed_from(time, generation),
                }
                if generation > since && is_drop {
                    start = start.max(time + 1);
                } else if generation > since {
                    end = end.min(time - 1);
                }
            }
            let unchanged = marks.unchanged_since(since);
            let (own_start, own_end) = (unchanged.start.ms(), unchanged.end.ms());
            prop_assert!(own_start >= start && own_end <= end, "{unchanged:?}");
            prop_assert!(own_start <= start.saturating_add(MARK_DISTANCE_MS));
            prop_assert!(own_end >= end.saturating_sub(MARK_DISTANCE_MS));
        }
    }

    #[test]
    fn the_list_is_bounded_and_its_oldest_marks_are_joined() {
        let mut marks = Changes::default();
        let count = 3 * MARKS_MAX as i64;
        for mark in 0..count {
            marks.changed_from(mark * MARK_DISTANCE_MS, mark as u64 + 1);
        }
        assert_eq!(marks.after.0.len(), MARKS_MAX);
        let end = |generation: i64| marks.unchanged_since(generation as u64).end.ms();
        assert_eq!(end(0), -1);
        // Joined with the first one.
        assert_eq!(end(1000), -1);
        assert_eq!(end(count - 1), (count - 1) * MARK_DISTANCE_MS - 1);
        assert_eq!(end(count), i64::MAX);
    }
}
