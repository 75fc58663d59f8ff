//! What is expected and what there is, compared and printed as promtool does.

use promql::value::{InstantSample, PointValue};
use tsdb::model::duration::format_duration;
use tsdb::model::labels::Quoted;
use tsdb::model::{Histogram, Labels};

use super::super::alert::AlertState;
use super::super::alerting::ALERT_NAME;
use super::super::file::Texts;
use super::super::group::Group;
use super::file::{self, AlertTest, QueryTest, TestGroup};

/// Labels and annotations of an alert.
type Pair = (Texts, Texts);

/// Why an alert test fails.
pub(super) fn alerts(group: &TestGroup, test: &AlertTest, groups: &[Group]) -> Option<String> {
    let mut got: Vec<Pair> = Vec::new();
    for group in groups {
        let rules = group.definition.written.rules.iter().zip(group.status().rules);
        for (_, status) in rules.filter(|(rule, _)| rule.name == test.name) {
            let firing = status.alerts.into_iter().filter(|one| one.state == AlertState::Firing);
            got.extend(firing.map(|alert| (to_texts(&alert.labels), alert.annotations)));
        }
    }
    let with_name = |(labels, annotations): &Pair| {
        let mut labels = labels.clone();
        labels.insert(ALERT_NAME.to_owned(), test.name.clone());
        (labels, annotations.clone())
    };
    let mut expected: Vec<Pair> = test.expected.iter().map(with_name).collect();
    expected.sort();
    got.sort();
    if got == expected {
        return None;
    }
    let name = match group.name.as_str() {
        "" => String::new(),
        name => format!("    name: {name},\n"),
    };
    let (alert, time) = (&test.name, format_duration(test.eval_ms));
    let (expected, got) = (print_alerts(&expected), print_alerts(&got));
    Some(format!(
        "{name}    alertname: {alert}, time: {time}, \n        exp:{expected}, \n        got:{got}"
    ))
}

fn to_texts(labels: &Labels) -> Texts {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn print_alerts(alerts: &[Pair]) -> String {
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let margin = " ".repeat(12);
    let one = |(index, (labels, annotations)): (usize, &Pair)| {
        let (labels, annotations) = (print_texts(labels), print_texts(annotations));
        format!("{margin}{index}:\n{margin}  Labels:{labels}\n{margin}  Annotations:{annotations}")
    };
    let all: Vec<String> = alerts.iter().enumerate().map(one).collect();
    format!("[\n{}\n{margin}]", all.join(",\n"))
}

fn print_texts(texts: &Texts) -> String {
    let pairs = texts.iter().map(|(name, text)| format!("{name}={}", Quoted(text)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// A sample of a vector.
struct Sample {
    labels: Labels,
    value: PointValue,
}

/// Why a test of a query fails.
pub(super) fn samples(
    test: &QueryTest,
    got: Result<Vec<InstantSample>, String>,
    is_fuzzy: bool,
) -> Option<String> {
    let time = format_duration(test.eval_ms);
    let what = format!("    expr: {}, time: {time},", Quoted(&test.expr));
    let got = match got {
        Ok(got) => got,
        Err(error) => return Some(format!("{what} err: {error}")),
    };
    let expected: Result<Vec<Sample>, String> = test.expected.iter().map(expected).collect();
    let mut expected = match expected {
        Ok(expected) => expected,
        Err(error) => return Some(format!("{what} err: {error}")),
    };
    let sample = |one: InstantSample| Sample { labels: one.labels, value: one.point.value };
    let mut got: Vec<Sample> = got.into_iter().map(sample).collect();
    expected.sort_by(|a, b| a.labels.cmp(&b.labels));
    got.sort_by(|a, b| a.labels.cmp(&b.labels));
    let is_same = |(a, b): (&Sample, &Sample)| {
        a.labels == b.labels && same_values(&a.value, &b.value, is_fuzzy)
    };
    if expected.len() == got.len() && expected.iter().zip(&got).all(is_same) {
        return None;
    }
    let (expected, got) = (print_samples(&expected), print_samples(&got));
    Some(format!("{what}\n        exp: {expected}\n        got: {got}"))
}

fn expected(sample: &file::ExpectedSample) -> Result<Sample, String> {
    let value = match &sample.histogram {
        Some(text) => PointValue::Histogram(file::histogram(text)?.into()),
        None => PointValue::Float(sample.value),
    };
    Ok(Sample { labels: file::metric(&sample.labels)?, value })
}

fn same_values(expected: &PointValue, got: &PointValue, is_fuzzy: bool) -> bool {
    match (expected, got) {
        (PointValue::Float(a), PointValue::Float(b)) => {
            let is_near = is_fuzzy && (a.next_up() == *b || a.next_down() == *b);
            a == b || (a.is_nan() && b.is_nan()) || is_near
        }
        (PointValue::Histogram(a), PointValue::Histogram(b)) => compact(a) == compact(b),
        _ => false,
    }
}

/// As promtool compares them: without empty buckets.
fn compact(histogram: &Histogram) -> String {
    let mut histogram = histogram.clone();
    histogram.compact(0);
    histogram.to_string()
}

fn print_samples(samples: &[Sample]) -> String {
    if samples.is_empty() {
        return "nil".to_owned();
    }
    let one = |sample: &Sample| match &sample.value {
        PointValue::Float(value) => format!("{} {}", sample.labels, exponent(*value)),
        PointValue::Histogram(histogram) => format!("{} {histogram}", sample.labels),
    };
    samples.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Go's `'E', -1`.
fn exponent(value: f64) -> String {
    if !value.is_finite() {
        return tsdb::model::number::format_plain(value);
    }
    let digits = format!("{value:E}");
    let (mantissa, exponent) = digits.split_once('E').unwrap_or((&digits, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}E{sign}{exponent:0>2}")
}
