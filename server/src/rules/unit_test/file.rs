//! A file of unit tests, resolved.

use std::path::{Path, PathBuf};

use promql::parse::series::{SeriesDescription, SeriesValue, parse_series};
use tsdb::model::duration::parse_duration;
use tsdb::model::{Histogram, Labels, Timestamp};

use super::super::file::{Reading, Texts, UnknownNames, read};
use super::super::section::{Section, first_document, given, refused};
use super::raw;
use crate::config::yaml::{self, Pairs, Value};
use crate::config::{Problem, glob};

/// One minute, in milliseconds: what intervals are if nothing is said.
const MINUTE_MS: i64 = 60_000;

/// The file.
pub(super) struct File {
    pub(super) rule_files: Vec<PathBuf>,
    /// Patterns of rule files that stand for none.
    pub(super) unmatched: Vec<String>,
    pub(super) interval_ms: i64,
    pub(super) order: Vec<String>,
    pub(super) is_fuzzy: bool,
    /// How rule files are read.
    pub(super) reading: Reading,
    pub(super) groups: Vec<TestGroup>,
}

/// Series, and what rules and queries make of them.
pub(super) struct TestGroup {
    pub(super) name: String,
    pub(super) interval_ms: i64,
    pub(super) start: Timestamp,
    /// As they are written: what is wrong with them is a failure of the test.
    pub(super) series: Vec<(String, String)>,
    pub(super) alerts: Vec<AlertTest>,
    pub(super) queries: Vec<QueryTest>,
    pub(super) external_labels: Texts,
    pub(super) external_url: String,
}

/// Which alerts fire at a time after the start.
pub(super) struct AlertTest {
    pub(super) eval_ms: i64,
    pub(super) name: String,
    /// Labels, without the alert's name, and annotations.
    pub(super) expected: Vec<(Texts, Texts)>,
}

/// What a query gives at a time after the start.
pub(super) struct QueryTest {
    pub(super) eval_ms: i64,
    pub(super) expr: String,
    pub(super) expected: Vec<ExpectedSample>,
}

/// One of its samples, as it is written.
pub(super) struct ExpectedSample {
    pub(super) labels: String,
    pub(super) value: f64,
    pub(super) histogram: Option<String>,
}

/// Reads a file; relative files in it are in its folder.
pub(super) fn load(path: &Path, how: Reading) -> Result<File, Vec<String>> {
    let text = read(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let mut reading = Resolver::default();
    let file: raw::File =
        yaml::read(first_document(&text)).map_err(|problem| vec![said(&problem)])?;
    let file = reading.file(file, path.parent().unwrap_or(Path::new("")), how);
    let ignores = how.unknown == UnknownNames::Ignored;
    let problems = if ignores { Vec::new() } else { reading.unknown };
    let errors: Vec<String> = problems.iter().chain(&reading.wrong).map(said).collect();
    if errors.is_empty() { Ok(file) } else { Err(errors) }
}

fn said(problem: &Problem) -> String {
    format!("{}:{}: {}", problem.place.line, problem.place.column, problem.text)
}

/// What is wrong so far.
#[derive(Default)]
struct Resolver {
    unknown: Vec<Problem>,
    wrong: Vec<Problem>,
}

impl Resolver {
    fn file(&mut self, mut file: raw::File, folder: &Path, reading: Reading) -> File {
        self.unknown.extend(refused(&mut file));
        let written = texts_of(&file.rule_files);
        let (mut rule_files, mut unmatched) = (Vec::new(), Vec::new());
        for pattern in written {
            let path = folder.join(&pattern);
            let found = glob::expand(&path);
            if found.is_empty() {
                unmatched.push(path.display().to_string());
            }
            rule_files.extend(found);
        }
        let interval_ms = self.duration(&file.evaluation_interval);
        let order = texts_of(&file.group_eval_order);
        let is_fuzzy = given(&file.fuzzy_compare).copied().unwrap_or(false);
        let groups = self.each(file.tests, Self::group);
        let interval_ms = if interval_ms == 0 { MINUTE_MS } else { interval_ms };
        File { rule_files, unmatched, interval_ms, order, is_fuzzy, reading, groups }
    }

    /// Resolves each item of a list.
    fn each<S: Section, T>(
        &mut self,
        list: Option<Value<Vec<Value<S>>>>,
        resolve: fn(&mut Self, S) -> T,
    ) -> Vec<T> {
        let items = list.and_then(|at| at.value).unwrap_or_default();
        let resolve = |item: Value<S>| {
            let mut section = item.value.unwrap_or_default();
            self.unknown.extend(refused(&mut section));
            resolve(self, section)
        };
        items.into_iter().map(resolve).collect()
    }

    fn group(&mut self, group: raw::TestGroup) -> TestGroup {
        let text = |field: &Option<Value<String>>| given(field).cloned().unwrap_or_default();
        let interval_ms = self.duration(&group.interval);
        TestGroup {
            name: text(&group.name),
            interval_ms: if interval_ms == 0 { MINUTE_MS } else { interval_ms },
            start: self.start(&group.start_timestamp),
            external_labels: texts(&group.external_labels),
            external_url: text(&group.external_url),
            series: self.each(group.input_series, |_, one| {
                let text = |field: Option<Value<String>>| field.and_then(|at| at.value);
                (text(one.series).unwrap_or_default(), text(one.values).unwrap_or_default())
            }),
            alerts: self.each(group.alert_rule_test, Self::alert_test),
            queries: self.each(group.promql_expr_test, Self::query_test),
        }
    }

    fn alert_test(&mut self, test: raw::AlertTest) -> AlertTest {
        AlertTest {
            eval_ms: self.duration(&test.eval_time),
            name: given(&test.alertname).cloned().unwrap_or_default(),
            expected: self.each(test.exp_alerts, |_, alert| {
                (texts(&alert.exp_labels), texts(&alert.exp_annotations))
            }),
        }
    }

    fn query_test(&mut self, test: raw::QueryTest) -> QueryTest {
        QueryTest {
            eval_ms: self.duration(&test.eval_time),
            expr: given(&test.expr).cloned().unwrap_or_default(),
            expected: self.each(test.exp_samples, |_, sample| ExpectedSample {
                labels: given(&sample.labels).cloned().unwrap_or_default(),
                value: given(&sample.value).copied().unwrap_or(0.0),
                histogram: given(&sample.histogram).filter(|text| !text.is_empty()).cloned(),
            }),
        }
    }

    /// 0 if there is none.
    fn duration(&mut self, field: &Option<Value<String>>) -> i64 {
        let Some(text) = given(field) else { return 0 };
        parse_duration(text).unwrap_or_else(|error| {
            self.refuse(field, error.to_string());
            0
        })
    }

    /// Seconds since 1970, or RFC 3339.
    fn start(&mut self, field: &Option<Value<String>>) -> Timestamp {
        let Some(text) = given(field) else { return Timestamp::from_ms(0) };
        let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
        let date = || text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond());
        let ms = seconds.map(|seconds| (seconds * 1000.0).round() as i64).or_else(date);
        if ms.is_none() {
            let what = format!("{text:?} is no time; write 2026-01-31T12:00:00Z, or seconds");
            self.refuse(field, what);
        }
        Timestamp::from_ms(ms.unwrap_or(0))
    }

    fn refuse<T>(&mut self, field: &Option<Value<T>>, text: String) {
        let place = super::super::section::place(field);
        self.wrong.push(Problem { place, text });
    }
}

fn texts_of(list: &Option<Value<Vec<Value<String>>>>) -> Vec<String> {
    let items = given(list).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item.value.clone()).collect()
}

fn texts(field: &Option<Value<Pairs<Value<String>>>>) -> Texts {
    let pairs = given(field).map(|pairs| pairs.0.as_slice()).unwrap_or_default();
    let text = |value: &Value<String>| value.value.clone().unwrap_or_default();
    pairs.iter().map(|(name, value)| (name.value.clone(), text(value))).collect()
}

/// The input series of a test group; the error has the place that promtool gives it, in a script
/// that loads them all.
pub(super) fn input(group: &TestGroup) -> Result<Vec<SeriesDescription>, String> {
    let parse = |(index, (series, values)): (usize, &(String, String))| {
        parse_series(&format!("{series} {values}")).map_err(|error| match error.position {
            Some((line, column)) => {
                format!("{}:{}: parse error: {}", index + 1 + line, column + 2, error.message)
            }
            None => error.to_string(),
        })
    };
    group.series.iter().enumerate().map(parse).collect()
}

/// The histogram that a text stands for.
pub(super) fn histogram(text: &str) -> Result<Histogram, String> {
    let parsed = parse_series(&format!("x {text}")).map_err(|error| error.to_string())?;
    match parsed.values.as_slice() {
        [SeriesValue::Histogram { histogram, .. }] => Ok((**histogram).clone()),
        _ => Err(format!("{text:?} is no histogram")),
    }
}

/// The labels that a metric's text stands for; none of no text.
pub(super) fn metric(text: &str) -> Result<Labels, String> {
    if text.is_empty() {
        return Ok(Labels::empty());
    }
    promql::parse::parse_metric(text).map_err(|error| format!("labels {text:?}: {error}"))
}
