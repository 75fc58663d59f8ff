//! Counter resets: was there one between a histogram and the one before it?

use super::buckets::entries;
use super::schema::coarser;
use super::zero::Zero;
use super::{CounterResetHint, Histogram, Span, bounds};
use crate::model::kahan::KahanSum;

impl Histogram {
    /// Whether the counter was reset after `previous`: a count is smaller (of a bucket, of zero, of
    /// all), or the layout changed in a way that only a reset allows. The hint decides alone if it
    /// says so. The sum of observations says nothing: it may fall.
    pub fn detect_reset(&self, previous: &Self) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::Reset => true,
            CounterResetHint::NotReset => false,
            CounterResetHint::Unknown | CounterResetHint::Gauge => self.fell_after(previous),
        }
    }

    /// The hint that it has once it is stored after `previous`, the sample just before (`None` if
    /// that is no histogram or a staleness marker). As in Prometheus, whatever was sent, a counter
    /// is only said not to have been reset: where it was, or where the layout changed, queries look
    /// themselves.
    pub fn hint_after(&self, previous: Option<&Self>) -> CounterResetHint {
        use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
        let goes_on = |previous: &Self| {
            previous.counter_reset_hint != Gauge
                && self.counter_reset_hint != Reset
                && self.schema == previous.schema
                && self.zero_threshold == previous.zero_threshold
                && !self.fell_after(previous)
        };
        match self.counter_reset_hint {
            Gauge => Gauge,
            _ if previous.is_some_and(goes_on) => NotReset,
            _ => Unknown,
        }
    }

    /// Whether a count is smaller than before, or the layout cannot come from the one before.
    fn fell_after(&self, previous: &Self) -> bool {
        if self.count < previous.count {
            return true;
        }
        if self.has_custom_buckets() {
            if !previous.has_custom_buckets() {
                return true;
            }
            if self.custom_values != previous.custom_values {
                return self.custom_bucket_fell(previous);
            }
        }
        // Finer buckets and a narrower zero bucket cannot be made from what was counted before.
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        self.zero_fell(previous)
            || self.fell(
                (&self.positive_spans, &self.positive_buckets),
                (&previous.positive_spans, &previous.positive_buckets),
                previous.schema,
            )
            || self.fell(
                (&self.negative_spans, &self.negative_buckets),
                (&previous.negative_spans, &previous.negative_buckets),
                previous.schema,
            )
    }

    /// Whether the zero bucket holds less than before, or cannot come from the one before.
    fn zero_fell(&self, previous: &Self) -> bool {
        let mut before =
            Zero { threshold: previous.zero_threshold, count: KahanSum::new(previous.zero_count) };
        if self.zero_threshold != previous.zero_threshold {
            let positive = sums(&previous.positive_spans, &previous.positive_buckets);
            let negative = sums(&previous.negative_spans, &previous.negative_buckets);
            before = before.widened(self.zero_threshold, previous.schema, &positive, &negative);
        }
        before.threshold != self.zero_threshold || self.zero_count < before.count.sum
    }

    /// Whether a bucket outside of the zero bucket holds less than before.
    fn fell(&self, now: (&[Span], &[f64]), before: (&[Span], &[f64]), schema: i32) -> bool {
        if now.0 == before.0 && self.schema == schema && self.is_outside_zero(now.0) {
            return now.1.iter().zip(before.1).any(|(now, before)| now < before);
        }
        let outside = |(index, _): &(i32, KahanSum)| {
            self.has_custom_buckets()
                || bounds::exponential(*index, self.schema) > self.zero_threshold
        };
        let before = coarser(sums(before.0, before.1).into_iter(), schema, self.schema);
        let mut now = sums(now.0, now.1).into_iter().filter(outside).peekable();
        before.into_iter().filter(outside).any(|(index, before)| {
            while now.next_if(|(own, _)| *own < index).is_some() {}
            match now.peek().filter(|(own, _)| *own == index) {
                Some((_, now)) => now.sum < before.sum,
                None => before.sum != 0.0,
            }
        })
    }
}

fn sums(spans: &[Span], counts: &[f64]) -> Vec<(i32, KahanSum)> {
    entries(spans, counts).map(|(index, count)| (index, KahanSum::new(count))).collect()
}
