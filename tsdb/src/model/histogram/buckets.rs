//! The buckets of a histogram, with their bounds.

use super::bounds::bound;
use super::{Histogram, Span};

/// A bucket: an interval and how many observations lie in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Where it begins.
    pub lower: f64,
    /// Where it ends.
    pub upper: f64,
    /// Whether `lower` itself belongs to it.
    pub lower_inclusive: bool,
    /// Whether `upper` itself belongs to it.
    pub upper_inclusive: bool,
    /// Observations in it.
    pub count: f64,
    /// Its place among the buckets of its schema and sign; 0 for the zero bucket.
    pub index: i32,
}

/// Indexes and counts of the buckets that spans lay out, as far as there are both.
pub(super) fn entries(spans: &[Span], counts: &[f64]) -> impl Iterator<Item = (i32, f64)> + Clone {
    let mut next = 0_i32;
    let indexes = spans.iter().flat_map(move |span| {
        let first = next.saturating_add(span.offset);
        next = first.saturating_add_unsigned(span.length);
        (0..span.length).map(move |at| first.saturating_add_unsigned(at))
    });
    indexes.zip(counts.iter().copied())
}

/// The layout of buckets with these indexes, which rise.
pub(super) fn spans(indexes: impl Iterator<Item = i32>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    // Index after the last bucket; the first span counts from 0.
    let mut next = 0_i64;
    for index in indexes {
        let index = i64::from(index);
        match spans.last_mut() {
            Some(span) if index == next => span.length += 1,
            _ => {
                let offset = (index - next).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
                spans.push(Span { offset: offset as i32, length: 1 });
            }
        }
        next = index + 1;
    }
    spans
}

/// Spans and counts of buckets with these indexes, which rise.
pub(super) fn layout(entries: &[(i32, f64)]) -> (Vec<Span>, Vec<f64>) {
    let counts = entries.iter().map(|(_, count)| *count).collect();
    (spans(entries.iter().map(|(index, _)| *index)), counts)
}

impl Histogram {
    /// The buckets above zero from the lowest on, also empty ones that are laid out.
    pub fn positive(&self) -> impl Iterator<Item = Bucket> + Clone + '_ {
        entries(&self.positive_spans, &self.positive_buckets)
            .map(|(index, count)| self.positive_bucket(index, count))
    }

    /// The buckets below zero from the highest (next to zero) down.
    pub fn negative(&self) -> impl Iterator<Item = Bucket> + Clone + '_ {
        entries(&self.negative_spans, &self.negative_buckets)
            .map(|(index, count)| self.negative_bucket(index, count))
    }

    /// The zero bucket, empty or not.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        }
    }

    /// All buckets from the lowest to the highest; the zero bucket only if something is in it.
    /// Buckets that the zero bucket overlaps begin where it ends.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + '_ {
        let negative: Vec<_> = entries(&self.negative_spans, &self.negative_buckets).collect();
        let positive: Vec<_> = entries(&self.positive_spans, &self.positive_buckets).collect();
        let negative =
            negative.into_iter().rev().map(|(index, count)| self.negative_bucket(index, count));
        let zero = (self.zero_count > 0.0).then(|| self.zero_bucket());
        let positive =
            positive.into_iter().map(|(index, count)| self.positive_bucket(index, count));
        let outside = |bucket| self.outside_zero(bucket);
        negative.map(outside).chain(zero).chain(positive.map(outside))
    }

    fn positive_bucket(&self, index: i32, count: f64) -> Bucket {
        let upper = bound(index, self.schema, &self.custom_values);
        let lower = bound(index.saturating_sub(1), self.schema, &self.custom_values);
        self.bucket(lower, upper, index, count)
    }

    fn negative_bucket(&self, index: i32, count: f64) -> Bucket {
        let lower = -bound(index, self.schema, &[]);
        let upper = -bound(index.saturating_sub(1), self.schema, &[]);
        self.bucket(lower, upper, index, count)
    }

    fn bucket(&self, lower: f64, upper: f64, index: i32, count: f64) -> Bucket {
        let (lower_inclusive, upper_inclusive) = match self.has_custom_buckets() {
            true => (index == 0, true),
            false => (lower < 0.0, upper > 0.0),
        };
        Bucket { lower, upper, lower_inclusive, upper_inclusive, count, index }
    }

    fn outside_zero(&self, mut bucket: Bucket) -> Bucket {
        let threshold = self.zero_threshold;
        if bucket.lower > 0.0 && bucket.lower < threshold {
            bucket.lower = threshold;
        } else if bucket.upper < 0.0 && bucket.upper > -threshold {
            bucket.upper = -threshold;
        }
        bucket
    }
}
