//! Native histograms.
//!
//! Schema (signed), a byte (bit 0: whole numbers; bits 1–2: counter reset hint), then zero
//! threshold, zero count, count and sum, each as a cell's float (its difference to 0.0), then
//! positive spans and buckets, negative spans and buckets, custom bounds. Lists begin with their
//! length; a bucket or bound is written as its difference to its left neighbour.

use super::cell::{float, put_float};
use super::varint::{Input, Malformed, put_signed, put_varint};
use crate::model::Histogram;
use crate::model::histogram::{CounterResetHint, Span};

/// The hints in the order of their numbers.
pub(super) const HINTS: [CounterResetHint; 4] = [
    CounterResetHint::Unknown,
    CounterResetHint::Reset,
    CounterResetHint::NotReset,
    CounterResetHint::Gauge,
];

/// Writes a histogram.
pub(crate) fn put_histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    let hint = HINTS.iter().position(|hint| *hint == histogram.counter_reset_hint).unwrap_or(0);
    put_signed(out, i64::from(histogram.schema));
    out.push(hint as u8 * 2 + u8::from(histogram.is_integer));
    for value in [histogram.zero_threshold, histogram.zero_count, histogram.count, histogram.sum] {
        put_float(out, &mut 0, value);
    }
    put_spans(out, &histogram.positive_spans);
    put_floats(out, &histogram.positive_buckets);
    put_spans(out, &histogram.negative_spans);
    put_floats(out, &histogram.negative_buckets);
    put_floats(out, &histogram.custom_values);
}

/// Reads a histogram.
pub(crate) fn histogram(input: &mut Input<'_>) -> Result<Histogram, Malformed> {
    let schema = i32::try_from(input.signed()?).map_err(|_| Malformed("a schema"))?;
    let flags = input.byte()?;
    let hint = HINTS.get(usize::from(flags >> 1)).ok_or(Malformed("a counter reset hint"))?;
    let mut single = || {
        let tag = input.byte()?;
        float(input, &mut 0, tag)
    };
    Ok(Histogram {
        schema,
        is_integer: flags & 1 == 1,
        counter_reset_hint: *hint,
        zero_threshold: single()?,
        zero_count: single()?,
        count: single()?,
        sum: single()?,
        positive_spans: spans(input)?,
        positive_buckets: floats(input)?,
        negative_spans: spans(input)?,
        negative_buckets: floats(input)?,
        custom_values: floats(input)?,
    })
}

fn put_spans(out: &mut Vec<u8>, spans: &[Span]) {
    put_varint(out, spans.len() as u64);
    for span in spans {
        put_signed(out, i64::from(span.offset));
        put_varint(out, u64::from(span.length));
    }
}

fn spans(input: &mut Input<'_>) -> Result<Vec<Span>, Malformed> {
    let count = input.count()?;
    let span = |_| {
        let offset = i32::try_from(input.signed()?).map_err(|_| Malformed("a span's offset"))?;
        let length = u32::try_from(input.varint()?).map_err(|_| Malformed("a span's length"))?;
        Ok(Span { offset, length })
    };
    (0..count).map(span).collect()
}

fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    put_varint(out, values.len() as u64);
    let mut before = 0;
    for value in values {
        put_float(out, &mut before, *value);
    }
}

fn floats(input: &mut Input<'_>) -> Result<Vec<f64>, Malformed> {
    let (count, mut before) = (input.count()?, 0);
    let value = |_| {
        let tag = input.byte()?;
        float(input, &mut before, tag)
    };
    (0..count).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_floats() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..6)
    }

    fn any_spans() -> impl Strategy<Value = Vec<Span>> {
        let span = (any::<i32>(), any::<u32>());
        prop::collection::vec(span.prop_map(|(offset, length)| Span { offset, length }), 0..4)
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(
            schema: i32, is_integer: bool, hint in 0..4_usize,
            singles in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 4),
            spans in (any_spans(), any_spans()),
            lists in (any_floats(), any_floats(), any_floats()),
        ) {
            let written = Histogram {
                schema,
                is_integer,
                counter_reset_hint: HINTS[hint],
                zero_threshold: singles[0],
                zero_count: singles[1],
                count: singles[2],
                sum: singles[3],
                positive_spans: spans.0,
                negative_spans: spans.1,
                positive_buckets: lists.0,
                negative_buckets: lists.1,
                custom_values: lists.2,
            };
            let (mut out, mut again) = (Vec::new(), Vec::new());
            put_histogram(&mut out, &written);
            let mut input = Input(&out);
            let read = histogram(&mut input).unwrap();
            prop_assert!(input.is_empty());
            // Written once more instead of compared: NaN is not equal to itself.
            put_histogram(&mut again, &read);
            prop_assert_eq!(out, again);
            prop_assert_eq!(read.sum.to_bits(), written.sum.to_bits());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = histogram(&mut Input(&bytes));
        }
    }
}
