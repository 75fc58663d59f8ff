//! The load that a store of rows likes least: no two series share a time, no value repeats, and
//! series are replaced all the while.
//!
//! - A **slot** is a place for a series; a slot that is replaced goes on as another series.
//! - Each series has a phase of its own within the interval, and each sample comes up to
//!   `JITTER_MS` later than that.
//! - Values are uniform in [0, 1): nothing in their 53 bits can be foretold.
//!
//! Samples are sent in order of time, as a sender does that reads them from its scrapes.

use server::ingest::remote_write::message::{FloatSample, LabelPair, TimeSeries, WriteRequest};

use crate::random::Random;

/// Milliseconds between two samples of a series.
pub const INTERVAL_MS: i64 = 15_000;
/// Samples of a request; Prometheus sends 2000 at most, too.
pub const REQUEST_SAMPLES: usize = 2_000;
/// Milliseconds that a sample may be late.
const JITTER_MS: u64 = 20;
/// Series of one target.
const TARGET_SERIES: usize = 200;
/// Milliseconds in which [`REPLACED`] of all series are replaced.
const HOUR_MS: u64 = 3_600_000;
/// Share of the slots that are replaced within an hour, in percent.
const REPLACED: u64 = 30;

/// A place for a series.
struct Slot {
    phase_ms: i64,
    /// When it becomes another series, after the start, once an hour; `None`: never.
    replaced_ms: Option<i64>,
}

/// The load.
pub struct Adversary {
    slots: Vec<Slot>,
    random: Random,
    start_ms: i64,
    round: i64,
}

impl Adversary {
    /// A load of so many series at a time, from `start_ms` on.
    pub fn new(seed: u64, series: usize, start_ms: i64) -> Self {
        let mut random = Random::new(seed);
        let slots = (0..series).map(|_| Slot {
            phase_ms: random.below(INTERVAL_MS as u64 - JITTER_MS) as i64,
            replaced_ms: (random.below(100) < REPLACED).then(|| random.below(HOUR_MS) as i64),
        });
        Self { slots: slots.collect(), random, start_ms, round: 0 }
    }

    /// The requests of the next interval, one sample of each slot in order of time.
    pub fn round(&mut self) -> Vec<WriteRequest> {
        let after_start = self.round * INTERVAL_MS;
        self.round += 1;
        let mut samples = Vec::with_capacity(self.slots.len());
        for (number, slot) in self.slots.iter().enumerate() {
            let at = after_start + slot.phase_ms + self.random.below(JITTER_MS) as i64;
            samples.push((at, number, self.random.unit()));
        }
        samples.sort_unstable_by_key(|(at, number, _)| (*at, *number));
        let requests = samples.chunks(REQUEST_SAMPLES).map(|samples| {
            let timeseries = samples.iter().map(|(at, number, value)| {
                let timestamp = self.start_ms + at;
                let samples = vec![FloatSample { value: *value, timestamp }];
                TimeSeries { labels: self.labels(*number, *at), samples, ..TimeSeries::default() }
            });
            WriteRequest { timeseries: timeseries.collect(), metadata: Vec::new() }
        });
        requests.collect()
    }

    /// The labels of the series that is in a slot at a time after the start.
    fn labels(&self, number: usize, at: i64) -> Vec<LabelPair> {
        let generation = self.slots[number]
            .replaced_ms
            .map_or(0, |replaced| (at - replaced).div_euclid(HOUR_MS as i64) + 1);
        let (target, own) = (number / TARGET_SERIES, number % TARGET_SERIES);
        let pairs = [
            ("__name__", format!("load_{own}_seconds")),
            ("instance", format!("10.0.{}.{}:9100", target / 250, target % 250)),
            ("job", "adversary".to_owned()),
            ("pod", format!("worker-{number}-{generation}")),
        ];
        pairs.map(|(name, value)| LabelPair { name: name.to_owned(), value }).to_vec()
    }
}
