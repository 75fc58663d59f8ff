//! The native histograms of a column.
//!
//! First a byte: 0, one after the other as `codec/histogram.rs` writes them; or 1, by runs of
//! equal layout (schema, spans, bounds, zero threshold and the rest that says what the numbers
//! mean), each with
//!
//! - the number of histograms (varint) and the first one of them, whole
//! - counter reset hints as runs: `length · 4 + hint` (varints)
//! - then a list for each number (count, sum, zero count, positive buckets, negative buckets):
//!   its tag (byte), its length (varint), its floats (`floats.rs`)
//!
//! whichever is shorter. Writer and reader know the number of histograms from the rows' kinds.

use std::sync::Arc;

use super::floats::{self, Tag};
use crate::codec::histogram::{HINTS, histogram, put_histogram};
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};
use crate::model::Histogram;

const PLAIN: u8 = 0;
const BY_LAYOUT: u8 = 1;

/// Writes histograms.
pub(super) fn put(out: &mut Vec<u8>, histograms: &[(u16, Arc<Histogram>)]) {
    let mut plain = vec![PLAIN];
    for (_, own) in histograms {
        put_histogram(&mut plain, own);
    }
    let start = out.len();
    out.push(BY_LAYOUT);
    for run in histograms.chunk_by(|(_, a), (_, b)| is_same_layout(a, b)) {
        put_run(out, run);
    }
    if plain.len() <= out.len() - start {
        out.truncate(start);
        out.append(&mut plain);
    }
}

fn put_run(out: &mut Vec<u8>, run: &[(u16, Arc<Histogram>)]) {
    let Some((_, first)) = run.first() else { return };
    put_varint(out, run.len() as u64);
    put_histogram(out, first);
    for hints in run.chunk_by(|(_, a), (_, b)| a.counter_reset_hint == b.counter_reset_hint) {
        let of_run = hints.first().map(|(_, own)| own.counter_reset_hint);
        let hint = HINTS.iter().position(|own| Some(*own) == of_run).unwrap_or(0);
        put_varint(out, hints.len() as u64 * 4 + hint as u64);
    }
    let mut list = Vec::new();
    for number in 0..numbers(first) {
        let values: Vec<_> = run.iter().map(|(_, own)| get(own, number)).collect();
        list.clear();
        out.push(floats::put(&mut list, &values) as u8);
        put_varint(out, list.len() as u64);
        out.extend_from_slice(&list);
    }
}

/// Reads `count` histograms from the whole input.
pub(super) fn read(input: &mut Input<'_>, count: usize) -> Result<Vec<Histogram>, Malformed> {
    let mut histograms = Vec::new();
    match input.byte()? {
        PLAIN => {
            for _ in 0..count {
                histograms.push(histogram(input)?);
            }
        }
        BY_LAYOUT => {
            let mut room = NUMBERS_MAX;
            while histograms.len() < count {
                let rest = count - histograms.len();
                read_run(input, rest, &mut room, &mut histograms)?;
            }
        }
        _ => return Err(Malformed("a layout of histograms")),
    }
    Ok(histograms)
}

fn read_run(
    input: &mut Input<'_>,
    most: usize,
    room: &mut usize,
    histograms: &mut Vec<Histogram>,
) -> Result<(), Malformed> {
    let length = input.size()?;
    if length == 0 || length > most {
        return Err(Malformed("a run of the column's histograms"));
    }
    let first = histogram(input)?;
    let (start, numbers) = (histograms.len(), numbers(&first));
    let all = (numbers + LAYOUT_NUMBERS + list_length(&first)).saturating_mul(length);
    *room = room.checked_sub(all).ok_or(Malformed("histograms of bounded size"))?;
    histograms.resize(start + length, first);
    let run = histograms.split_at_mut(start).1;
    read_hints(input, run)?;
    let (mut values, mut integers) = (vec![0.0; length], vec![0; length]);
    for number in 0..numbers {
        let tag = Tag::from_number(input.byte()?)?;
        let length = input.count()?;
        let (bytes, count) = (input.take(length)?, values.len());
        floats::read(tag, &mut Input(bytes), count, 0..count, &mut integers, &mut values)?;
        for (own, value) in run.iter_mut().zip(&values) {
            set(own, number, *value);
        }
    }
    Ok(())
}

fn read_hints(input: &mut Input<'_>, run: &mut [Histogram]) -> Result<(), Malformed> {
    let mut rest = run;
    while !rest.is_empty() {
        let hints = input.size()?;
        let (own, others) =
            rest.split_at_mut_checked(hints / 4).ok_or(Malformed("hints of a run"))?;
        if own.is_empty() {
            return Err(Malformed("hints"));
        }
        let hint = HINTS.get(hints % 4).copied().ok_or(Malformed("a hint"))?;
        own.iter_mut().for_each(|own| own.counter_reset_hint = hint);
        rest = others;
    }
    Ok(())
}

/// Numbers that the histograms of a column hold at most, 8 bytes each: a few bytes must not be
/// able to ask for more memory than that.
const NUMBERS_MAX: usize = 4 << 20;
/// What counts for the single fields of a histogram.
const LAYOUT_NUMBERS: usize = 16;

fn list_length(own: &Histogram) -> usize {
    own.positive_spans.len() + own.negative_spans.len() + own.custom_values.len()
}

/// How many numbers change from row to row.
fn numbers(own: &Histogram) -> usize {
    3 + own.positive_buckets.len() + own.negative_buckets.len()
}

#[expect(clippy::indexing_slicing, reason = "there are `numbers(own)` of them")]
fn get(own: &Histogram, number: usize) -> f64 {
    let positive = own.positive_buckets.len();
    match number {
        0 => own.count,
        1 => own.sum,
        2 => own.zero_count,
        number if number < 3 + positive => own.positive_buckets[number - 3],
        number => own.negative_buckets[number - 3 - positive],
    }
}

#[expect(clippy::indexing_slicing, reason = "there are `numbers(own)` of them")]
fn set(own: &mut Histogram, number: usize, value: f64) {
    let positive = own.positive_buckets.len();
    match number {
        0 => own.count = value,
        1 => own.sum = value,
        2 => own.zero_count = value,
        number if number < 3 + positive => own.positive_buckets[number - 3] = value,
        number => own.negative_buckets[number - 3 - positive] = value,
    }
}

fn is_same_layout(a: &Histogram, b: &Histogram) -> bool {
    let of = |own: &Histogram| {
        let lengths = (own.positive_buckets.len(), own.negative_buckets.len());
        (own.schema, own.is_integer, own.zero_threshold.to_bits(), lengths)
    };
    of(a) == of(b)
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && floats::is_same(&a.custom_values, &b.custom_values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Stored;
    use crate::model::histogram::Span;
    use proptest::prelude::*;

    fn any_histogram() -> impl Strategy<Value = Histogram> {
        let float = prop_oneof![
            4 => (0..50_u32).prop_map(f64::from),
            1 => any::<u64>().prop_map(f64::from_bits),
        ];
        let floats = move |count| prop::collection::vec(float.clone(), count);
        (0..2_usize, 0..4_usize, floats(4), floats(5), floats(2)).prop_map(
            |(layout, hint, singles, positive, custom)| Histogram {
                schema: layout as i32,
                is_integer: layout == 1,
                counter_reset_hint: HINTS[hint],
                zero_threshold: 0.5,
                zero_count: singles[0],
                count: singles[1],
                sum: singles[2],
                positive_spans: vec![Span { offset: 2, length: 3 + layout as u32 }],
                positive_buckets: positive[..3 + layout].to_vec(),
                negative_spans: Vec::new(),
                negative_buckets: Vec::new(),
                custom_values: if layout == 1 { custom } else { Vec::new() },
            },
        )
    }

    #[test]
    fn a_growing_histogram_costs_its_changes() {
        let row = |row: u16| {
            let buckets = (0..20_u16).map(|bucket| f64::from(row / (bucket + 1))).collect();
            let own = Histogram {
                count: f64::from(row),
                positive_spans: vec![Span { offset: 0, length: 20 }],
                positive_buckets: buckets,
                ..Histogram::default()
            };
            (row, Arc::new(own))
        };
        let mut out = Vec::new();
        put(&mut out, &(0..256).map(row).collect::<Vec<_>>());
        assert!(out.len() < 700, "{} bytes", out.len());
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(histograms in prop::collection::vec(any_histogram(), 0..20)) {
            let histograms: Vec<_> = (0..).zip(histograms.into_iter().map(Arc::new)).collect();
            let mut out = Vec::new();
            put(&mut out, &histograms);
            let mut input = Input(&out);
            let again = read(&mut input, histograms.len()).unwrap();
            prop_assert!(input.is_empty());
            for ((_, own), again) in histograms.iter().zip(again) {
                let again = Stored::Histogram(Arc::new(again));
                prop_assert!(Stored::Histogram(own.clone()).is_same(&again));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, layout in 0..3_u8, count in 0..300_usize) {
            let bytes = [vec![layout], bytes].concat();
            let _ = read(&mut Input(&bytes), count);
        }
    }
}
