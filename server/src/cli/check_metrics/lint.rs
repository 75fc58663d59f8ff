//! What is unusual about metrics, in the words of Prometheus's linter (`promlint`).

use std::collections::HashSet;

use super::read::{Family, Kind};

/// Units with the one that is to be used instead.
const UNITS: [(&str, &str); 24] = [
    ("amperes", "amperes"),
    ("bytes", "bytes"),
    ("celsius", "celsius"),
    ("grams", "grams"),
    ("joules", "joules"),
    ("kelvin", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("seconds", "seconds"),
    ("volts", "volts"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("weeks", "seconds"),
    ("kelvins", "kelvin"),
    ("fahrenheit", "celsius"),
    ("rankine", "celsius"),
    ("inches", "meters"),
    ("yards", "meters"),
    ("miles", "meters"),
    ("bits", "bytes"),
    ("calories", "joules"),
    ("pounds", "grams"),
    ("ounces", "grams"),
];

const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
];

const ABBREVIATIONS: [&str; 14] =
    ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];

/// All problems, each with its metric's name, in order of both.
pub(super) fn lint(families: &[Family]) -> Vec<(&str, String)> {
    let mut problems: Vec<(&str, String)> = Vec::new();
    for family in families {
        let of_one = [names(family), suffixes(family), series(family)].concat();
        problems.extend(of_one.into_iter().map(|text| (family.name.as_str(), text)));
    }
    problems.sort();
    problems
}

/// Help, unit, type, spelling.
fn names(family: &Family) -> Vec<String> {
    let (name, lower) = (family.name.as_str(), family.name.to_lowercase());
    let has_word =
        |word: &str| lower.contains(&format!("_{word}_")) || lower.ends_with(&format!("_{word}"));
    let mut problems = Vec::new();
    if !family.has_help {
        problems.push("no help text".to_owned());
    }
    if let Some((unit, base)) = name.split('_').find_map(unit).filter(|(unit, base)| unit != base) {
        problems.push(format!("use base unit \"{base}\" instead of \"{unit}\""));
    }
    if let Some(kind) = kind_name(family).filter(|kind| has_word(kind)) {
        problems.push(format!("metric name should not include type '{kind}'"));
    }
    if name.contains(':') {
        problems.push("metric names should not contain ':'".to_owned());
    }
    if is_camel_case(name) {
        problems.push("metric names should be written in 'snake_case' not 'camelCase'".to_owned());
    }
    let abbreviated = ABBREVIATIONS.iter().filter(|unit| has_word(unit));
    let abbreviated = abbreviated.map(|_| "metric names should not contain abbreviated units");
    problems.extend(abbreviated.map(str::to_owned));
    problems
}

/// Endings that belong to other types.
fn suffixes(family: &Family) -> Vec<String> {
    let kind = family.kind.unwrap_or(Kind::Untyped);
    let ends = |end: &str| family.name.ends_with(end);
    let (is_counter, is_histogram) = (kind == Kind::Counter, kind == Kind::Histogram);
    let has_sum = is_histogram || kind == Kind::Summary;
    let typed = kind != Kind::Untyped;
    let rows = [
        (is_counter && !ends("_total"), "counter metrics should have \"_total\" suffix"),
        (
            typed && !is_counter && ends("_total"),
            "non-counter metrics should not have \"_total\" suffix",
        ),
        (
            typed && kind != Kind::Gauge && ends("_timestamp_seconds"),
            "non-gauge metrics should not have \"_timestamp_seconds\" suffix",
        ),
        (
            typed && !is_histogram && ends("_bucket"),
            "non-histogram metrics should not have \"_bucket\" suffix",
        ),
        (
            typed && !has_sum && ends("_count"),
            "non-histogram and non-summary metrics should not have \"_count\" suffix",
        ),
        (
            typed && !has_sum && ends("_sum"),
            "non-histogram and non-summary metrics should not have \"_sum\" suffix",
        ),
    ];
    rows.iter().filter(|(is_so, _)| *is_so).map(|(_, text)| (*text).to_owned()).collect()
}

/// Labels, and series that stand there twice.
fn series(family: &Family) -> Vec<String> {
    let kind = family.kind.unwrap_or(Kind::Untyped);
    let mut problems = Vec::new();
    for (name, _) in family.series.iter().flatten() {
        if is_camel_case(name) {
            problems.push("label names should be written in 'snake_case' not 'camelCase'");
        }
        if kind != Kind::Untyped && kind != Kind::Histogram && name == "le" {
            problems.push("non-histogram metrics should not have \"le\" label");
        }
        if kind != Kind::Untyped && kind != Kind::Summary && name == "quantile" {
            problems.push("non-summary metrics should not have \"quantile\" label");
        }
    }
    let different: HashSet<_> = family.series.iter().collect();
    let again = family.series.len() - different.len();
    problems.extend(std::iter::repeat_n("metric not unique", again));
    problems.into_iter().map(str::to_owned).collect()
}

/// A word that is a unit, and the one to be used.
fn unit(word: &str) -> Option<(&str, &'static str)> {
    let base = |word: &str| UNITS.iter().find(|(unit, _)| *unit == word).map(|(_, base)| *base);
    let prefixed = || PREFIXES.iter().find_map(|prefix| base(word.strip_prefix(prefix)?));
    base(word).or_else(prefixed).map(|base| (word, base))
}

fn kind_name(family: &Family) -> Option<&'static str> {
    match family.kind? {
        Kind::Counter => Some("counter"),
        Kind::Gauge => Some("gauge"),
        Kind::Summary => Some("summary"),
        Kind::Histogram => Some("histogram"),
        Kind::Untyped => None,
    }
}

fn is_camel_case(name: &str) -> bool {
    name.as_bytes()
        .windows(2)
        .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}
