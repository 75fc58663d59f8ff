//! When a target is scraped: every `interval_ms`, at an offset that its identity gives, so that
//! all targets together spread evenly over the interval, and the same after every restart. Offsets
//! are multiples of a 64th of the interval (0.1 s at most): scrapes that come together find code and
//! data in the processor's caches, and wake it once.

use tsdb::model::Timestamp;

/// A scrape at most this late or early counts as one in time (Prometheus's number).
const TOLERANCE_MAX_MS: i64 = 2;

/// The offsets that there are in an interval, at least.
const SLOTS: i64 = 64;
/// Longest time between two offsets.
const SLOT_MS_MAX: i64 = 100;

/// The times of a target's scrapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    interval_ms: i64,
    offset_ms: i64,
}

impl Schedule {
    /// The schedule of the target with this identity. `interval_ms` is above zero.
    pub fn new(identity: u64, interval_ms: i64) -> Self {
        let interval_ms = interval_ms.max(1);
        let slot_ms = (interval_ms / SLOTS).clamp(1, SLOT_MS_MAX);
        let offset_ms = (identity % interval_ms.unsigned_abs()) as i64;
        let offset_ms = offset_ms - offset_ms % slot_ms;
        Self { interval_ms, offset_ms }
    }

    /// Milliseconds from one scrape to the next.
    pub fn interval_ms(self) -> i64 {
        self.interval_ms
    }

    /// The first time after `now`.
    pub fn after(self, now: Timestamp) -> Timestamp {
        let since = (now.ms() - self.offset_ms).rem_euclid(self.interval_ms);
        now.plus_ms(self.interval_ms - since)
    }

    /// The timestamp of a scrape that was due at `due` and begins at `now`: `due` if it is
    /// hardly off (2 ms, and no more than a hundredth of the interval), so that timestamps are
    /// evenly spaced and cost nothing to store.
    pub fn align(self, due: Timestamp, now: Timestamp) -> Timestamp {
        let tolerance = TOLERANCE_MAX_MS.min(self.interval_ms / 100);
        if now.ms_since(due).abs() <= tolerance { due } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let rows = [
            // identity, interval, now, next
            (0, 5_000, 0, 5_000),
            (0, 5_000, 4_999, 5_000),
            (77, 5_000, 0, 5_000),
            (78, 5_000, 0, 78),
            (160, 5_000, 0, 156),
            (160, 5_000, 156, 5_156),
            (5_160, 5_000, 155, 156),
            (u64::MAX, 5_000, 0, 1_560),
            (250, 60_000, 0, 200),
            (7, 60, 0, 7),
            (1, 1, 41, 42),
        ];
        for (identity, interval_ms, now, next) in rows {
            let schedule = Schedule::new(identity, interval_ms);
            let after = schedule.after(Timestamp::from_ms(now));
            assert_eq!(after.ms(), next, "{identity} {interval_ms} {now}");
        }
    }

    #[test]
    fn hardly_late_is_in_time() {
        let rows = [
            (5_000, 100, 100, 100),
            (5_000, 100, 102, 100),
            (5_000, 100, 103, 103),
            (5_000, 100, 99, 100),
            (5_000, 100, 90, 90),
            (150, 100, 101, 100),
            (150, 100, 102, 102),
            (50, 100, 101, 101),
        ];
        for (interval_ms, due, now, at) in rows {
            let (due, now) = (Timestamp::from_ms(due), Timestamp::from_ms(now));
            assert_eq!(Schedule::new(0, interval_ms).align(due, now).ms(), at);
        }
    }
}
