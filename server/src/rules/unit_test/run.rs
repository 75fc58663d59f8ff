//! One test group: a store in memory, its series, its rules, its tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use promql::EngineOptions;
use promql::parse::series::{SeriesDescription, SeriesValue};
use scraper::cycle::{Clock, SystemClock};
use tsdb::disk::sim::SimDisk;
use tsdb::model::duration::format_duration;
use tsdb::model::{Metadata, Timestamp};
use tsdb::{Cell, CellValue, Db, FamilyColumns, Storage};

use super::super::ask;
use super::super::concurrency::Permits;
use super::super::file as rule_file;
use super::super::group::{Context, Definition, Group, Restoring};
use super::super::notify::Nobody;
use super::super::template::Surroundings;
use super::compare;
use super::file::{self, File, TestGroup};
use crate::features::Enabled;
use crate::queries::{LocalQueries, QueryLimits};

/// Samples that a query may hold: promtool's.
const SAMPLES_MAX: usize = 10_000;
/// Bytes that queries may hold.
const BYTES_MAX: usize = 1 << 30;
/// How long a query may take: promtool's.
const TIMEOUT: Duration = Duration::from_secs(100);

/// What failed in a test group.
pub(super) fn group(file: &File, test: &TestGroup, features: &Enabled) -> Vec<String> {
    Run::new(file, test, features).map_or_else(|errors| errors, |mut run| run.all())
}

struct Run<'a> {
    file: &'a File,
    test: &'a TestGroup,
    db: Arc<Db>,
    context: Context,
    groups: Vec<Group>,
    input: Vec<SeriesDescription>,
    /// Steps of the input series that are in the store.
    loaded: usize,
}

impl<'a> Run<'a> {
    fn new(file: &'a File, test: &'a TestGroup, features: &Enabled) -> Result<Self, Vec<String>> {
        let input = file::input(test).map_err(|error| vec![error])?;
        let groups = groups(file, test)?;
        let path = Path::new("/store");
        let (db, _) = Db::open(Arc::new(SimDisk::new(0)), path, tsdb::Options::default())
            .map_err(|error| vec![error.to_string()])?;
        let db = Arc::new(db);
        let limits = QueryLimits { samples_max: SAMPLES_MAX, bytes_max: BYTES_MAX, cache_bytes: 0 };
        let engine =
            EngineOptions { subquery_step_ms: file.interval_ms, ..EngineOptions::default() };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let context = Context {
            queries: Arc::new(LocalQueries::new(
                features.engine(engine),
                features.language,
                limits,
                db.clone(),
            )),
            question_log: Arc::new(Nobody),
            storage: db.clone(),
            clock,
            notify: Arc::new(Nobody),
            timeout: TIMEOUT,
            resend_ms: 0,
            permits: Permits::default(),
            restoring: Restoring::default(),
        };
        Ok(Self { file, test, db, context, groups, input, loaded: 0 })
    }

    /// Evaluates at each step and compares; a rule that fails ends it.
    fn all(&mut self) -> Vec<String> {
        let mut failures = Vec::new();
        if let Some(failure) = self.nameless() {
            return vec![failure];
        }
        let alerts = self.test.alerts.iter().map(|test| test.eval_ms);
        let last_ms = alerts.chain(self.test.queries.iter().map(|test| test.eval_ms)).max();
        let mut after_ms = 0;
        while after_ms <= last_ms.unwrap_or(0) {
            let errors = self.step(after_ms);
            if !errors.is_empty() {
                failures.extend(errors);
                return failures;
            }
            failures.extend(self.alerts(after_ms));
            after_ms += self.file.interval_ms;
        }
        failures.extend(self.queries());
        failures
    }

    /// An alert test that does not say which alert.
    fn nameless(&self) -> Option<String> {
        let test = self.test.alerts.iter().find(|test| test.name.is_empty())?;
        let name = match self.test.name.as_str() {
            "" => String::new(),
            name => format!(" (in TestGroup {name})"),
        };
        let time = format_duration(test.eval_ms);
        Some(format!(
            "an item under alert_rule_test misses required attribute alertname at eval_time \
             {time}{name}"
        ))
    }

    /// Loads the input up to a time after the start and evaluates all groups then; why that failed.
    fn step(&mut self, after_ms: i64) -> Vec<String> {
        if let Err(error) = self.load(after_ms) {
            return vec![error];
        }
        let now = self.test.start.plus_ms(after_ms);
        let mut errors = Vec::new();
        for group in &self.groups {
            group.evaluate(&self.context, now, &super::super::metrics::Totals::default());
            let rules = group.definition.written.rules.iter().zip(group.status().rules);
            errors.extend(rules.filter_map(|(rule, status)| {
                let (name, time) = (&rule.name, rule_time(after_ms));
                Some(format!("    rule: {name}, time: {time}, err: {}", status.last_error?))
            }));
        }
        errors
    }

    fn load(&mut self, after_ms: i64) -> Result<(), String> {
        let steps = self.input.iter().map(|series| series.values.len()).max().unwrap_or(0);
        let due = usize::try_from(after_ms / self.test.interval_ms).unwrap_or(0) + 1;
        while self.loaded < steps.min(due) {
            self.row(self.loaded).map_err(|error| error.to_string())?;
            self.loaded += 1;
        }
        Ok(())
    }

    /// Stores one step of all series, as one row.
    fn row(&self, step: usize) -> Result<(), Box<dyn std::error::Error>> {
        let mut append = self.db.appender();
        let group = append.group(&tsdb::model::Labels::empty())?;
        let pairs = |series: &SeriesDescription| {
            let own = series.labels.iter();
            own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let columns = self.input.iter().map(pairs).collect();
        let family = FamilyColumns { name: "x".to_owned(), metadata: Metadata::default(), columns };
        let columns = append.columns(group, &[family])?;
        let cells: Vec<Cell<'_>> = self.input.iter().map(|series| cell(series, step)).collect();
        // Of a series that is written twice the last values count, as in promtool.
        let mut newest = BTreeMap::new();
        newest.extend(columns.into_iter().zip(cells).filter(|(_, c)| *c != Cell::ABSENT));
        let (columns, cells): (Vec<_>, Vec<_>) = newest.into_iter().unzip();
        let ms = i64::try_from(step)?.saturating_mul(self.test.interval_ms);
        append.row(group, self.test.start.plus_ms(ms), &columns, &cells)?;
        append.commit()?;
        Ok(())
    }

    /// The alert tests of the times from this step to the next one.
    fn alerts(&self, after_ms: i64) -> Vec<String> {
        let times = after_ms..after_ms.saturating_add(self.file.interval_ms);
        let mut tests: Vec<_> =
            self.test.alerts.iter().filter(|test| times.contains(&test.eval_ms)).collect();
        tests.sort_by_key(|test| test.eval_ms);
        let check = |test: &&file::AlertTest| compare::alerts(self.test, test, &self.groups);
        tests.iter().filter_map(check).collect()
    }

    fn queries(&self) -> Vec<String> {
        let check = |test: &file::QueryTest| {
            let time = self.test.start.plus_ms(test.eval_ms);
            let options = ask::options(TIMEOUT);
            let got = ask::vector(&*self.context.queries, &test.expr, time, options);
            compare::samples(test, got, self.file.is_fuzzy)
        };
        self.test.queries.iter().filter_map(check).collect()
    }
}

/// The groups of all rule files, those first that the file names first.
fn groups(file: &File, test: &TestGroup) -> Result<Vec<Group>, Vec<String>> {
    let mut written = Vec::new();
    for path in &file.rule_files {
        written.extend(rule_file::load(path, file.reading).map_err(|error| error.0)?);
    }
    for (index, name) in file.order.iter().enumerate() {
        if file.order[..index].contains(name) {
            return Err(vec![format!("group name repeated in evaluation order: {name}")]);
        }
    }
    // As in promtool, a group that is not named counts as the first one.
    let place = |name: &String| file.order.iter().position(|own| own == name).unwrap_or(0);
    written.sort_by_key(|group| place(&group.name));
    let surroundings = Surroundings {
        external_labels: test.external_labels.clone(),
        external_url: test.external_url.clone(),
    };
    let new = |written: rule_file::RuleGroup| {
        let definition = Definition {
            interval_ms: written.interval_ms.unwrap_or(test.interval_ms),
            query_offset_ms: written.query_offset_ms.unwrap_or(0),
            surroundings: surroundings.clone(),
            written,
        };
        Group::new(definition, false)
    };
    Ok(written.into_iter().map(new).collect())
}

fn cell(series: &SeriesDescription, step: usize) -> Cell<'_> {
    match series.values.get(step) {
        None | Some(SeriesValue::Omitted) => Cell::ABSENT,
        Some(SeriesValue::Float(value)) if tsdb::model::is_stale(*value) => Cell::STALE,
        Some(SeriesValue::Float(value)) => Cell::float(*value),
        Some(SeriesValue::Histogram { histogram, .. }) => {
            Cell { value: CellValue::Histogram(histogram), start: None }
        }
    }
}

/// A time after the start as Go prints it: `1h0m0s`.
fn rule_time(after_ms: i64) -> String {
    super::super::template::go_duration(Timestamp::from_ms(after_ms).seconds())
}
