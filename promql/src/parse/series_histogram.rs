//! Native histograms in the series notation: `{{schema:0 sum:5 count:4 buckets:[1 2 1]}}`.
//!
//! Keys come in any order, each at most once. `buckets` lie side by side from index `offset` on
//! (`n_buckets` from `n_offset`); `custom_values` are the upper bounds of schema −53.

use nom::Parser as _;
use nom::bytes::complete::{take_while, take_while1};
use tsdb::model::Histogram;
use tsdb::model::histogram::{CounterResetHint, Span};

use super::error::Parsed;
use super::lex::is_space;
use super::series::Items;

/// A histogram and whether its text names a counter reset hint.
pub(super) struct HistogramLiteral {
    pub(super) histogram: Histogram,
    pub(super) names_hint: bool,
}

/// Buckets as they are written.
#[derive(Default)]
struct Buckets {
    offset: i32,
    counts: Vec<f64>,
}

impl Buckets {
    fn spans(&self) -> Vec<Span> {
        let length = self.counts.len() as u32;
        if length == 0 { Vec::new() } else { vec![Span { offset: self.offset, length }] }
    }
}

/// Reads a histogram with its braces.
pub(super) fn histogram(items: &mut Items<'_>) -> Parsed<HistogramLiteral> {
    if !(items.accept('{') && items.accept('{')) {
        return Err(items.fail("unexpected end of histogram, expected \"{{\""));
    }
    let mut literal = HistogramLiteral { histogram: Histogram::default(), names_hint: false };
    let (mut positive, mut negative) = (Buckets::default(), Buckets::default());
    let mut seen: Vec<&str> = Vec::new();
    loop {
        items.take(|input| take_while(is_space).parse(input));
        if items.rest().starts_with("}}") {
            items.at += 2;
            break;
        }
        let key = key(items)?;
        if seen.contains(&key) {
            return Err(items.fail(format!("duplicate key \"{key}\" in histogram")));
        }
        seen.push(key);
        entry(items, key, &mut literal, &mut positive, &mut negative)?;
    }
    let histogram = &mut literal.histogram;
    (histogram.positive_spans, histogram.negative_spans) = (positive.spans(), negative.spans());
    (histogram.positive_buckets, histogram.negative_buckets) = (positive.counts, negative.counts);
    Ok(literal)
}

fn key<'a>(items: &mut Items<'a>) -> Parsed<&'a str> {
    let name = |c: char| c.is_ascii_alphabetic() || c == '_';
    let Some(key) = items.take(|input| take_while1(name).parse(input)) else {
        let expected = "histogram description key, e.g. buckets:[5 10 7]";
        let message = format!("unexpected input in histogram description, expected {expected}");
        return Err(items.fail(message));
    };
    if items.accept(':') {
        return Ok(key);
    }
    Err(items.fail("missing `:` for histogram descriptor"))
}

fn entry(
    items: &mut Items<'_>,
    key: &str,
    literal: &mut HistogramLiteral,
    positive: &mut Buckets,
    negative: &mut Buckets,
) -> Parsed<()> {
    let histogram = &mut literal.histogram;
    match key {
        "schema" => histogram.schema = integer(items)?,
        "sum" => histogram.sum = number(items)?,
        "count" => histogram.count = number(items)?,
        "z_bucket" => histogram.zero_count = number(items)?,
        "z_bucket_w" => histogram.zero_threshold = number(items)?,
        "buckets" => positive.counts = list(items)?,
        "offset" => positive.offset = integer(items)?,
        "n_buckets" => negative.counts = list(items)?,
        "n_offset" => negative.offset = integer(items)?,
        "custom_values" => histogram.custom_values = list(items)?,
        "counter_reset_hint" => {
            literal.names_hint = true;
            histogram.counter_reset_hint = hint(items)?;
        }
        _ => return Err(items.fail(format!("bad histogram descriptor found: \"{key}\""))),
    }
    Ok(())
}

fn number(items: &mut Items<'_>) -> Parsed<f64> {
    items.float().ok_or_else(|| items.fail("bad number syntax in histogram description"))
}

fn integer(items: &mut Items<'_>) -> Parsed<i32> {
    let digits = |c: char| c.is_ascii_digit() || c == '-';
    let text = items.take(|input| take_while1(digits).parse(input));
    let value = text.and_then(|text| text.parse().ok());
    value.ok_or_else(|| items.fail("bad number syntax in histogram description"))
}

fn list(items: &mut Items<'_>) -> Parsed<Vec<f64>> {
    if !items.accept('[') {
        return Err(items.fail("unexpected input in buckets description, expected \"[\""));
    }
    let mut values = Vec::new();
    loop {
        items.take(|input| take_while(is_space).parse(input));
        if items.accept(']') {
            return Ok(values);
        }
        values.push(number(items)?);
    }
}

fn hint(items: &mut Items<'_>) -> Parsed<CounterResetHint> {
    let name = |c: char| c.is_ascii_alphabetic() || c == '_';
    match items.take(|input| take_while(name).parse(input)) {
        Some("unknown") => Ok(CounterResetHint::Unknown),
        Some("reset") => Ok(CounterResetHint::Reset),
        Some("not_reset") => Ok(CounterResetHint::NotReset),
        Some("gauge") => Ok(CounterResetHint::Gauge),
        _ => Err(items.fail("unknown counter_reset_hint in histogram description")),
    }
}
