//! Arithmetic with histograms: all counts and the sum of observations at once.

use super::bounds::exponential;
use super::{CounterResetHint, Histogram, HistogramSum, Incompatible, Reconciled, Span};

impl Histogram {
    /// Adds `other`. Zero thresholds, schemas and custom bounds are reconciled; the result is not
    /// compact. If it fails, nothing has changed.
    pub fn add(&mut self, other: &Self) -> Result<Reconciled, Incompatible> {
        self.combine(other, 1.0)
    }

    /// Subtracts `other`, as [`Self::add`] adds. Whoever needs a difference as such has to make it
    /// a gauge.
    pub fn sub(&mut self, other: &Self) -> Result<Reconciled, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &Self, sign: f64) -> Result<Reconciled, Incompatible> {
        if !self.has_layout_of(other) {
            let mut sum = HistogramSum::new(self);
            let reconciled = sum.merge(other, sign)?;
            *self = sum.plain();
            return Ok(reconciled);
        }
        let (hint, reset_collision) = self.counter_reset_hint.join(other.counter_reset_hint);
        self.counter_reset_hint = hint;
        self.is_integer = false;
        self.zero_count += sign * other.zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        for (own, other) in [
            (&mut self.positive_buckets, &other.positive_buckets),
            (&mut self.negative_buckets, &other.negative_buckets),
        ] {
            own.iter_mut().zip(other).for_each(|(own, other)| *own += sign * other);
        }
        Ok(Reconciled { reset_collision, custom_bounds: false })
    }

    /// Whether counts can be added one by one: the same buckets, none of them inside of the zero
    /// bucket.
    fn has_layout_of(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && self.positive_spans == other.positive_spans
            && self.negative_spans == other.negative_spans
            && self.positive_buckets.len() == other.positive_buckets.len()
            && self.negative_buckets.len() == other.negative_buckets.len()
            && self.custom_values == other.custom_values
            && self.is_outside_zero(&self.positive_spans)
            && self.is_outside_zero(&self.negative_spans)
    }

    /// Whether no bucket of the spans lies within the zero bucket.
    pub(super) fn is_outside_zero(&self, spans: &[Span]) -> bool {
        let first = spans.first().map(|span| exponential(span.offset, self.schema));
        self.has_custom_buckets() || first.is_none_or(|bound| bound > self.zero_threshold)
    }

    /// Multiplies everything by `factor`; a negative one makes it a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.map(|value| value * factor);
        if factor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Divides everything by `divisor`; a negative one makes it a gauge, and by zero nothing is
    /// left of the buckets.
    pub fn div(&mut self, divisor: f64) {
        self.map(|value| value / divisor);
        if divisor == 0.0 {
            self.positive_spans.clear();
            self.positive_buckets.clear();
            self.negative_spans.clear();
            self.negative_buckets.clear();
        }
        if divisor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    fn map(&mut self, change: impl Fn(f64) -> f64) {
        self.is_integer = false;
        for value in [&mut self.zero_count, &mut self.count, &mut self.sum] {
            *value = change(*value);
        }
        for count in self.positive_buckets.iter_mut().chain(&mut self.negative_buckets) {
            *count = change(*count);
        }
    }
}
