//! What is counted over all scrapes, and how long things took: for who shows it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cycle::Outcome;
use crate::ingest::IngestError;

/// The newest durations of which quantiles are given.
const KEPT: usize = 512;

/// How often something was done, how long it took in all, and quantiles of the newest durations.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    /// How often.
    pub count: u64,
    /// In all, in seconds.
    pub sum: f64,
    newest: VecDeque<f64>,
}

impl Durations {
    /// Once more.
    pub fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        (self.count, self.sum) = (self.count + 1, self.sum + seconds);
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(seconds);
    }

    /// With all of `other`, whose newest come after its own.
    pub fn join(&mut self, other: &Self) {
        (self.count, self.sum) = (self.count + other.count, self.sum + other.sum);
        self.newest.extend(&other.newest);
        let over = self.newest.len().saturating_sub(KEPT);
        self.newest.drain(..over);
    }

    /// Seconds that a part `quantile` of the newest did not exceed; NaN if there were none.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let mut sorted: Vec<_> = self.newest.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (quantile * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

/// Counters, each also of targets that are gone.
#[derive(Debug, Default)]
pub struct Totals {
    /// Pages that were too long.
    pub too_large: AtomicU64,
    /// Pages with too many samples.
    pub too_many_samples: AtomicU64,
    /// Samples that were on their page before.
    pub repeated: AtomicU64,
    /// Samples that the store refused: out of order, too old or contradicting.
    pub refused: AtomicU64,
    intervals: Mutex<BTreeMap<i64, Durations>>,
    syncs: Mutex<BTreeMap<String, Durations>>,
}

impl Totals {
    /// The times from one scrape of a target to its next, by the interval in milliseconds that
    /// there should be.
    pub fn intervals(&self) -> BTreeMap<i64, Durations> {
        locked(&self.intervals).clone()
    }

    /// How long it took to start and end scrapes when a job's targets changed, by jobs.
    pub fn syncs(&self) -> BTreeMap<String, Durations> {
        locked(&self.syncs).clone()
    }

    pub(crate) fn scraped_after(&self, interval_ms: i64, between: Option<Duration>) {
        if let Some(between) = between {
            locked(&self.intervals).entry(interval_ms).or_default().add(between);
        }
    }

    pub(crate) fn synced(&self, job: &str, took: Duration) {
        let mut syncs = locked(&self.syncs);
        match syncs.get_mut(job) {
            Some(durations) => durations.add(took),
            None => syncs.entry(job.to_owned()).or_default().add(took),
        }
    }

    pub(crate) fn stored(&self, outcome: &Outcome, is_too_large: bool) {
        let add = |counter: &AtomicU64, more: usize| {
            counter.fetch_add(more as u64, Ordering::Relaxed);
        };
        let limit = IngestError::SampleLimit.to_string();
        add(&self.too_large, usize::from(is_too_large));
        add(&self.too_many_samples, usize::from(outcome.error.as_ref() == Some(&limit)));
        add(&self.repeated, outcome.counts.repeated);
        add(&self.refused, outcome.counts.refused);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_newest() {
        let mut durations = Durations::default();
        assert!(durations.quantile(0.5).is_nan());
        for second in 1..=(KEPT as u64 + 100) {
            durations.add(Duration::from_secs(second));
        }
        assert_eq!((durations.count, durations.sum), (612, 187_578.0));
        let rows = [(0.0, 101.0), (0.5, 356.0), (0.99, 607.0), (1.0, 612.0)];
        for (quantile, expected) in rows {
            assert_eq!(durations.quantile(quantile), expected, "{quantile}");
        }
    }
}
