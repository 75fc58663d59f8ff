//! How many series, labels and windows are in memory, and what they are most of: the first thing
//! to look at when a store grows.
//!
//! Only the head counts, as in Prometheus: series that still get samples. Each list has its
//! largest counts first, equal ones in order of names.

use super::Db;
use crate::model::{METRIC_NAME, Timestamp};

/// What the head holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series.
    pub series: u64,
    /// Distinct pairs of a label's name and value.
    pub label_pairs: usize,
    /// Runs of samples of one series that are compressed together.
    pub chunk_count: u64,
    /// Time of the oldest sample.
    pub min_time: Option<Timestamp>,
    /// Time of the newest sample.
    pub max_time: Option<Timestamp>,
    /// Series of each metric name.
    pub series_count_by_metric_name: Vec<(String, u64)>,
    /// Values of each label name.
    pub label_value_count_by_label_name: Vec<(String, u64)>,
    /// Bytes that each label would take if every series held its own text of it, in Prometheus's
    /// layout; here they are shared.
    pub memory_in_bytes_by_label_name: Vec<(String, u64)>,
    /// Series that have each `name=value`.
    pub series_count_by_label_value_pair: Vec<(String, u64)>,
}

impl Db {
    /// Runs of samples in memory of one series that are compressed together.
    pub fn head_chunks(&self) -> u64 {
        self.head().chunks()
    }

    /// Counts the series and labels in memory; each list has `limit` entries at most.
    pub fn cardinality(&self, limit: usize) -> Cardinality {
        let head = self.head();
        let range = head.time_range();
        let (mut values, mut bytes) = (Vec::new(), Vec::new());
        let (mut pairs, mut metrics) = (Vec::new(), Vec::new());
        for (name, counts) in head.postings().counts() {
            values.push((name, counts.len() as u64));
            bytes.push((name, counts.iter().map(|own| label_bytes(name, own)).sum()));
            pairs.extend(counts.iter().map(|(value, series)| ((name, *value), *series)));
            if name == METRIC_NAME {
                metrics = counts;
            }
        }
        Cardinality {
            series: head.listed_series(),
            label_pairs: pairs.len(),
            chunk_count: head.chunks(),
            min_time: range.map(|(oldest, _)| Timestamp::from_ms(oldest)),
            max_time: range.map(|(_, newest)| Timestamp::from_ms(newest)),
            series_count_by_metric_name: largest(metrics, limit, str::to_owned),
            label_value_count_by_label_name: largest(values, limit, str::to_owned),
            memory_in_bytes_by_label_name: largest(bytes, limit, str::to_owned),
            series_count_by_label_value_pair: largest(pairs, limit, |(name, value)| {
                format!("{name}={value}")
            }),
        }
    }
}

/// The largest counts, in order.
fn largest<T: Copy + Ord>(
    mut counts: Vec<(T, u64)>,
    limit: usize,
    text: impl Fn(T) -> String,
) -> Vec<(String, u64)> {
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.into_iter().take(limit).map(|(name, count)| (text(name), count)).collect()
}

/// Bytes of a label in all its series, each text with its length before it.
fn label_bytes(name: &str, (value, series): &(&str, u64)) -> u64 {
    let text = |text: &str| text.len() + if text.len() < 255 { 1 } else { 4 };
    (text(name) + text(value)) as u64 * series
}
