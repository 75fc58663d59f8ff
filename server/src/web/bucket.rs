//! The rate limit: a bucket of tokens. A request takes one; one comes back each interval.

use std::time::{Duration, Instant};

use crate::config::web::RateLimit;

/// How full it is.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, tokens: f64::from(limit.burst), at: now }
    }

    /// Whether it is for this limit.
    pub(super) fn is_of(&self, limit: RateLimit) -> bool {
        self.limit == limit
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let past = now.saturating_duration_since(self.at).as_secs_f64();
        let came = past / self.limit.interval.max(Duration::from_nanos(1)).as_secs_f64();
        self.tokens = (self.tokens + came).min(f64::from(self.limit.burst));
        self.at = now;
        let is_there = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(is_there));
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_each_interval() {
        let start = Instant::now();
        let limit = RateLimit { interval: Duration::from_secs(1), burst: 3 };
        let mut bucket = Bucket::new(limit, start);
        let rows = [(0, true), (0, true), (0, true), (0, false), (999, false), (1000, true)];
        let later = [(1001, false), (9000, true), (9000, true), (9000, true), (9000, false)];
        for (ms, expected) in rows.into_iter().chain(later) {
            assert_eq!(bucket.take(start + Duration::from_millis(ms)), expected, "at {ms} ms");
        }
    }
}
