//! When a group is evaluated: once each interval, each group at an offset of its own, so that the
//! work is spread. The offsets are Prometheus's.

use tsdb::model::{Labels, Timestamp};

/// Prometheus's offsets are counted in nanoseconds: so many are a millisecond.
const NANOSECONDS: u64 = 1_000_000;

/// A group's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    interval_ms: i64,
    offset_ms: i64,
}

impl Schedule {
    /// Of group `name` in `file`, every `interval_ms`, at least 1.
    pub(super) fn new(file: &str, name: &str, interval_ms: i64) -> Self {
        let interval_ms = interval_ms.max(1);
        let hash = Labels::from_pairs([("file", file), ("name", name)]).hash64();
        let interval_ns = interval_ms.unsigned_abs().saturating_mul(NANOSECONDS);
        let offset_ms = i64::try_from(hash % interval_ns / NANOSECONDS).unwrap_or(0);
        Self { interval_ms, offset_ms }
    }

    /// The last time at or before `now` at which the group may be evaluated.
    pub(super) fn slot(&self, now: Timestamp) -> Timestamp {
        let since_ms = now.ms().saturating_sub(self.offset_ms);
        now.plus_ms(-since_ms.rem_euclid(self.interval_ms))
    }

    /// The evaluation after the one of `last`, if it is `now`; with how many were missed.
    pub(super) fn next(&self, last: Timestamp, now: Timestamp) -> (Timestamp, i64) {
        let missed = (now.ms_since(last) / self.interval_ms - 1).max(0);
        (last.plus_ms((missed + 1).saturating_mul(self.interval_ms)), missed)
    }

    /// The evaluation after the one of `last`, if none is missed.
    pub(super) fn due(&self, last: Timestamp) -> Timestamp {
        last.plus_ms(self.interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_one_interval_apart_and_not_in_the_future() {
        for (file, name) in [("a.yml", "x"), ("a.yml", "y"), ("/etc/rules/b.yml", "z")] {
            let schedule = Schedule::new(file, name, 60_000);
            let first = schedule.slot(Timestamp::from_ms(1_000_000_000_000));
            for after_ms in [0, 1, 30_000, 59_999] {
                assert_eq!(schedule.slot(first.plus_ms(after_ms)), first, "{name} {after_ms}");
            }
            assert_eq!(schedule.slot(first.plus_ms(60_001)), first.plus_ms(60_000));
        }
        let slots = ["x", "y", "z"].map(|name| {
            Schedule::new("a.yml", name, 60_000).slot(Timestamp::from_ms(1_000_000_000_000))
        });
        assert!(slots[0] != slots[1] && slots[1] != slots[2], "{slots:?}");
    }

    #[test]
    fn missed_evaluations_are_counted() {
        let schedule = Schedule::new("a.yml", "x", 1_000);
        let last = Timestamp::from_ms(10_000);
        let rows =
            [(10_500, 11_000, 0), (11_000, 11_000, 0), (12_999, 12_000, 1), (15_000, 15_000, 4)];
        for (now, next, missed) in rows {
            let expected = (Timestamp::from_ms(next), missed);
            assert_eq!(schedule.next(last, Timestamp::from_ms(now)), expected, "{now}");
        }
    }
}
