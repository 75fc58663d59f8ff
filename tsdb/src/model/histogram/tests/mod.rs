//! Rows of data, and properties against naive expansions by index and bound.

mod arithmetic;
mod layout;
mod property;
mod validate;

use std::collections::BTreeMap;

use super::buckets::entries;
use super::*;

type Buckets<'a> = &'a [(i32, f64)];
type Change<'a> = &'a dyn Fn(&mut Histogram);

/// An exponential histogram with that zero bucket (threshold and count); its sum is 1.
fn exponential(schema: i32, zero: (f64, f64), positive: Buckets, negative: Buckets) -> Histogram {
    let (positive_spans, positive_buckets) = super::buckets::layout(positive);
    let (negative_spans, negative_buckets) = super::buckets::layout(negative);
    let counts = positive_buckets.iter().chain(&negative_buckets);
    Histogram {
        schema,
        zero_threshold: zero.0,
        zero_count: zero.1,
        count: counts.sum::<f64>() + zero.1,
        sum: 1.0,
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        ..Histogram::default()
    }
}

/// A histogram with custom bounds and a bucket more.
fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    Histogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: counts.iter().sum(),
        sum: 1.0,
        positive_spans: vec![Span { offset: 0, length: counts.len() as u32 }],
        positive_buckets: counts.to_vec(),
        custom_values: bounds.to_vec(),
        ..Histogram::default()
    }
}

fn with_hint(mut histogram: Histogram, hint: CounterResetHint) -> Histogram {
    histogram.counter_reset_hint = hint;
    histogram
}

/// The populated buckets, by sign and index.
fn populated(histogram: &Histogram) -> BTreeMap<(bool, i32), f64> {
    let side = |positive: bool, spans: &[Span], counts: &[f64]| -> Vec<_> {
        entries(spans, counts).map(|(index, count)| ((positive, index), count)).collect()
    };
    let positive = side(true, &histogram.positive_spans, &histogram.positive_buckets);
    let negative = side(false, &histogram.negative_spans, &histogram.negative_buckets);
    positive.into_iter().chain(negative).filter(|(_, count)| *count != 0.0).collect()
}

/// A histogram with the same layout parameters and no observations.
fn empty_like(histogram: &Histogram) -> Histogram {
    Histogram {
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        custom_values: histogram.custom_values.clone(),
        ..Histogram::default()
    }
}
