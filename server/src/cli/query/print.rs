//! Answers in the notation of Prometheus's Go client, which promtool prints.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;
use tsdb::model::labels::Quoted;
use tsdb::model::number::{format_plain, parse_float};

use super::Failure;

/// Names with values, in order of names.
type Metric = BTreeMap<String, String>;
/// Seconds and a number as a text.
type Point = (f64, String);

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

#[derive(Deserialize)]
struct Series {
    metric: Metric,
    value: Option<Point>,
    histogram: Option<(f64, Histogram)>,
    #[serde(default)]
    values: Vec<Point>,
    #[serde(default)]
    histograms: Vec<(f64, Histogram)>,
}

#[derive(Deserialize)]
struct Histogram {
    count: String,
    sum: String,
    #[serde(default)]
    buckets: Vec<(u8, String, String, String)>,
}

/// What a query gave, as it came.
pub(super) fn result(data: &RawValue) -> Result<String, Failure> {
    let value: Value<'_> = read(data)?;
    Ok(json(value.result))
}

/// As it came, with the characters escaped that Go escapes.
pub(super) fn json(data: &RawValue) -> String {
    // Outside of texts they do not occur.
    let escapes = ['<', '>', '&', '\u{2028}', '\u{2029}'];
    let mut text = String::with_capacity(data.get().len() + 1);
    for c in data.get().chars() {
        match escapes.contains(&c) {
            true => drop(write!(text, "\\u{:04x}", u32::from(c))),
            false => text.push(c),
        }
    }
    text + "\n"
}

/// What a query gave, in words.
pub(super) fn value(data: &RawValue) -> Result<String, Failure> {
    let value: Value<'_> = read(data)?;
    let mut text = match value.kind.as_str() {
        "vector" => {
            let series: Vec<Series> = read(value.result)?;
            series.iter().map(newest).collect::<Vec<_>>().join("\n")
        }
        "matrix" => {
            let mut series: Vec<Series> = read(value.result)?;
            series.sort_by(|a, b| order(&a.metric, &b.metric));
            series.iter().map(all).collect::<Vec<_>>().join("\n")
        }
        "scalar" => {
            let (at, number): Point = read(value.result)?;
            format!("scalar: {}", point(at, &number))
        }
        _ => read::<Point>(value.result)?.1,
    };
    text.push('\n');
    Ok(text)
}

/// Label sets, one a line.
pub(super) fn series(data: &RawValue) -> Result<String, Failure> {
    let sets: Vec<Metric> = read(data)?;
    let pairs = |set: &Metric| {
        set.iter().map(|(name, value)| pair(name, value)).collect::<Vec<_>>().join(", ")
    };
    Ok(sets.iter().map(|set| format!("{{{}}}\n", pairs(set))).collect())
}

/// Texts, one a line.
pub(super) fn lines(data: &RawValue) -> Result<String, Failure> {
    let values: Vec<String> = read(data)?;
    Ok(values.iter().map(|value| format!("{value}\n")).collect())
}

fn read<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Result<T, Failure> {
    serde_json::from_str(json.get()).map_err(|error| format!("query error: bad_response: {error}"))
}

fn newest(series: &Series) -> String {
    let value = series.value.as_ref().map(|(at, number)| point(*at, number));
    let histogram =
        series.histogram.as_ref().map(|(at, histogram)| histogram_point(*at, histogram));
    format!("{} => {}", name(&series.metric), value.or(histogram).unwrap_or_default())
}

fn all(series: &Series) -> String {
    let values = series.values.iter().map(|(at, number)| point(*at, number));
    let histograms = series.histograms.iter().map(|(at, own)| histogram_point(*at, own));
    let lines: Vec<String> = values.chain(histograms).collect();
    format!("{} =>\n{}", name(&series.metric), lines.join("\n"))
}

fn point(at: f64, number: &str) -> String {
    format!("{} @[{}]", plain(number), format_plain(at))
}

fn histogram_point(at: f64, histogram: &Histogram) -> String {
    let mut text = format!(
        "Count: {}, Sum: {}, Buckets: [",
        rounded(&histogram.count),
        rounded(&histogram.sum)
    );
    for (index, (bounds, lower, upper, count)) in histogram.buckets.iter().enumerate() {
        let open = if [1, 3].contains(bounds) { '[' } else { '(' };
        let close = if [0, 3].contains(bounds) { ']' } else { ')' };
        let separator = if index == 0 { "" } else { " " };
        let (lower, upper, count) = (short(lower), short(upper), plain(count));
        let _ = write!(text, "{separator}{open}{lower},{upper}{close}:{count}");
    }
    let _ = write!(text, "] @[{}]", format_plain(at));
    text
}

/// A number without exponent.
fn plain(text: &str) -> String {
    parse_float(text).map_or_else(|| text.to_owned(), format_plain)
}

/// A number with six decimals.
fn rounded(text: &str) -> String {
    match parse_float(text).filter(|number| number.is_finite()) {
        Some(number) => format!("{number:.6}"),
        None => plain(text),
    }
}

/// A number as Go's `%g` writes it: with an exponent below 1e-4 and from 1e6 on.
fn short(text: &str) -> String {
    let Some(number) = parse_float(text).filter(|number| number.is_finite() && *number != 0.0)
    else {
        return plain(text);
    };
    let exponential = format!("{number:e}");
    let Some((mantissa, exponent)) = exponential.split_once('e') else { return plain(text) };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format_plain(number);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn name(metric: &Metric) -> String {
    let own = metric.get("__name__").map_or("", String::as_str);
    let labels = metric.iter().filter(|(name, _)| *name != "__name__");
    let mut pairs: Vec<String> = labels.map(|(name, value)| pair(name, value)).collect();
    pairs.sort();
    match (pairs.is_empty(), own) {
        (true, "") => "{}".to_owned(),
        (true, own) => own.to_owned(),
        (false, own) => format!("{own}{{{}}}", pairs.join(", ")),
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{name}={}", Quoted(value))
}

/// Fewer labels first; then the first name that only one of them has, or whose values differ.
fn order(a: &Metric, b: &Metric) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| {
        let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
        names.sort();
        for name in names {
            match (a.get(name), b.get(name)) {
                (None, _) => return Ordering::Less,
                (_, None) => return Ordering::Greater,
                (Some(a), Some(b)) if a != b => return a.cmp(b),
                _ => {}
            }
        }
        Ordering::Equal
    })
}
