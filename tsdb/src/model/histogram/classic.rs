//! A classic histogram's series (`_bucket`, `_count`, `_sum`) as one with custom buckets ("NHCB").
//!
//! Buckets are cumulative and may come in any order. The rules are those of Prometheus's
//! `util/convertnhcb`: what contradicts itself is no histogram.

use thiserror::Error;

use super::{BUCKETS_MAX, CUSTOM_BUCKETS_SCHEMA, Histogram, Span};

/// Empty buckets between two others that are written out in a histogram of whole numbers.
const EMPTY_MAX: u32 = 2;
/// Whole numbers beyond are not all representable.
const WHOLE_MAX: f64 = (1_u64 << 53) as f64;

/// Why series do not make a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum NotAHistogram {
    /// A bucket without a bound.
    #[error("bucket boundary must not be NaN")]
    BoundNan,
    /// A bucket with a count below zero.
    #[error("bucket count must be non-negative: le={bound}, count={count}")]
    NegativeBucket {
        /// The bucket's upper bound.
        bound: f64,
        /// Its count.
        count: f64,
    },
    /// A count of observations below zero.
    #[error("count must be non-negative: count={0}")]
    NegativeCount(f64),
    /// A bucket that holds less than one below it.
    #[error("count is not cumulative: {0} < {1}")]
    NotCumulative(f64, f64),
    /// Neither buckets nor a count.
    #[error("count must be provided when no buckets are present")]
    NoCount,
    /// The largest bucket does not hold all observations.
    #[error("count mismatch: count={count} != le={bound} count={bucket}")]
    CountMismatch {
        /// All observations.
        count: f64,
        /// The largest bound.
        bound: f64,
        /// Observations up to it.
        bucket: f64,
    },
    /// More buckets than [`BUCKETS_MAX`].
    #[error("more than {BUCKETS_MAX} buckets")]
    TooManyBuckets,
}

/// Gathers the samples of a classic histogram.
#[derive(Clone, Debug, Default)]
pub struct ClassicHistogram {
    /// Bounds, rising, and cumulative counts, which do not fall.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
    problem: Option<NotAHistogram>,
}

impl ClassicHistogram {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The sample of the bucket with that upper bound; a bound that was there already is ignored.
    pub fn set_bucket(&mut self, bound: f64, count: f64) {
        let result = self.insert(bound, count);
        self.problem = self.problem.or(result.err());
    }

    fn insert(&mut self, bound: f64, count: f64) -> Result<(), NotAHistogram> {
        if bound.is_nan() {
            return Err(NotAHistogram::BoundNan);
        }
        if count < 0.0 {
            return Err(NotAHistogram::NegativeBucket { bound, count });
        }
        let at = self.buckets.partition_point(|(own, _)| *own < bound);
        let after = self.buckets.get(at).copied();
        if after.is_some_and(|(own, _)| own == bound) {
            return Ok(());
        }
        let before = at.checked_sub(1).and_then(|at| self.buckets.get(at));
        if let Some((_, before)) = before.filter(|(_, before)| count < *before) {
            return Err(NotAHistogram::NotCumulative(count, *before));
        }
        if let Some((_, after)) = after.filter(|(_, after)| count > *after) {
            return Err(NotAHistogram::NotCumulative(after, count));
        }
        if self.buckets.len() == BUCKETS_MAX {
            return Err(NotAHistogram::TooManyBuckets);
        }
        self.buckets.insert(at, (bound, count));
        Ok(())
    }

    /// The sample of `_count`.
    pub fn set_count(&mut self, count: f64) {
        if count < 0.0 {
            self.problem = self.problem.or(Some(NotAHistogram::NegativeCount(count)));
        }
        self.count = Some(count);
    }

    /// The sample of `_sum`.
    pub fn set_sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The histogram; one of whole numbers if all counts are.
    pub fn build(mut self) -> Result<Histogram, NotAHistogram> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let largest = self.buckets.last().copied();
        let count = self.count.or(largest.map(|(_, count)| count)).ok_or(NotAHistogram::NoCount)?;
        match largest {
            Some((bound, bucket)) if bound == f64::INFINITY => {
                if bucket != count {
                    return Err(NotAHistogram::CountMismatch { count, bound, bucket });
                }
            }
            _ => self.buckets.push((f64::INFINITY, count)),
        }
        let is_whole = |value: f64| value.fract() == 0.0 && value <= WHOLE_MAX;
        let is_integer = is_whole(count) && self.buckets.iter().all(|(_, count)| is_whole(*count));
        let mut below = 0.0;
        let counts = self.buckets.iter().map(|(_, count)| {
            let own = count - below;
            below = *count;
            own
        });
        let mut histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            is_integer,
            count,
            sum: self.sum,
            positive_spans: vec![Span { offset: 0, length: self.buckets.len() as u32 }],
            positive_buckets: counts.collect(),
            ..Histogram::default()
        };
        self.buckets.pop();
        histogram.custom_values = self.buckets.into_iter().map(|(bound, _)| bound).collect();
        histogram.compact(if is_integer { EMPTY_MAX } else { 0 });
        Ok(histogram)
    }
}
