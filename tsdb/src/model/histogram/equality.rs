//! When two histograms are the same.

use super::{Histogram, Span};

impl Histogram {
    /// Whether both hold the same observations in the same buckets (Prometheus's `Equals`): counts
    /// and sum bit by bit, spans after empty ones are joined. What kind of numbers and which reset
    /// hint they came with does not matter.
    pub fn equals(&self, other: &Self) -> bool {
        self.schema == other.schema
            && same_bits(&self.values(), &other.values())
            && (!self.has_custom_buckets() || self.custom_values == other.custom_values)
            && self.zero_threshold == other.zero_threshold
            && same_spans(&self.positive_spans, &other.positive_spans)
            && same_spans(&self.negative_spans, &other.negative_spans)
            && same_bits(&self.positive_buckets, &other.positive_buckets)
            && same_bits(&self.negative_buckets, &other.negative_buckets)
    }

    /// Whether both are the same in every field and bit.
    pub fn is_identical(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.is_integer == other.is_integer
            && self.counter_reset_hint == other.counter_reset_hint
            && same_bits(&[self.zero_threshold], &[other.zero_threshold])
            && same_bits(&self.values(), &other.values())
            && self.positive_spans == other.positive_spans
            && self.negative_spans == other.negative_spans
            && same_bits(&self.positive_buckets, &other.positive_buckets)
            && same_bits(&self.negative_buckets, &other.negative_buckets)
            && same_bits(&self.custom_values, &other.custom_values)
    }

    fn values(&self) -> [f64; 3] {
        [self.zero_count, self.count, self.sum]
    }
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn same_spans(a: &[Span], b: &[Span]) -> bool {
    populated(a).eq(populated(b))
}

/// Spans that have buckets; the offsets of empty ones before them are added to theirs.
fn populated(spans: &[Span]) -> impl Iterator<Item = (i64, u32)> + '_ {
    let mut skipped = 0_i64;
    spans.iter().filter_map(move |span| {
        skipped += i64::from(span.offset);
        (span.length > 0).then(|| (std::mem::take(&mut skipped), span.length))
    })
}
