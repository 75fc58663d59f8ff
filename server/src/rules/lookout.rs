//! Missing series: rules that reference a metric which nobody has.
//!
//! Every few seconds the names of all living series are compared with what each rule demands of
//! names. What is new and what is over is said in the log, once each; what is so now is shown by
//! `/api/v1/status/rules`. What other rules record counts as living: whoever records it is reported
//! if it gives nothing for want of a metric. A rule that was not evaluated twice yet is passed over,
//! so that a start says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scraper::cycle::Clock;
use tracing::{info, warn};
use tsdb::model::{METRIC_NAME, MatchOp, Matcher, TimeRange};

use super::file::RuleKind;
use super::group::{Group, GroupStatus, key};
use super::manager::RuleManager;
use super::references::unmet;
use crate::config::nearest::nearest;
use crate::queries::Queries;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(5);
/// How far back a series counts as living, in milliseconds.
const LIVING_MS: i64 = 300_000;
/// Evaluations before a rule is looked at.
const EVALUATIONS_MIN: u64 = 2;
/// Names that rules write by themselves.
const OWN_NAMES: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// A name that no living series has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name, or the regular expression for names.
    pub name: String,
    /// The nearest name that one has, if one is near.
    pub nearest: Option<String>,
}

/// A rule's group, its place there, and its name.
type RuleKey = (String, usize, String);
/// What is missing for which rule.
type Known = BTreeMap<RuleKey, Vec<Missing>>;
/// Groups and how they are.
type Groups = [(Arc<Group>, GroupStatus)];

/// Looks for missing series.
pub struct Lookout {
    rules: Arc<RuleManager>,
    queries: Arc<dyn Queries>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

impl Lookout {
    /// Has not looked yet.
    pub fn new(rules: Arc<RuleManager>, queries: Arc<dyn Queries>, clock: Arc<dyn Clock>) -> Self {
        Self { rules, queries, clock, known: Mutex::default() }
    }

    /// Looks and says, for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let own = self.clone();
            // An error is a bug that cost this look; the next one is another chance.
            let _looked = tokio::task::spawn_blocking(move || own.look()).await;
        }
    }

    /// What is missing for the rule at place `index` of `group`.
    pub fn missing(&self, group: &Group, index: usize) -> Vec<Missing> {
        let rule = group.definition.written.rules.get(index);
        let name = rule.map(|rule| rule.name.clone()).unwrap_or_default();
        self.known()
            .get(&(key(&group.definition.written), index, name))
            .cloned()
            .unwrap_or_default()
    }

    fn look(&self) {
        let groups = self.rules.groups();
        if groups.is_empty() {
            return self.known().clear();
        }
        let now = self.clock.now();
        let range = TimeRange { start: now.plus_ms(-LIVING_MS), end: now };
        let names = match self.queries.label_values(METRIC_NAME, range, &[], usize::MAX) {
            Ok(names) => names.into_iter().collect(),
            Err(error) => return warn!("the names of series cannot be listed: {error}"),
        };
        let mut known = self.known();
        let now = compare(&groups, &names, &known);
        for line in news(&known, &now) {
            match line {
                Ok(over) => info!("{over}"),
                Err(begun) => warn!("{begun}"),
            }
        }
        *known = now;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is missing for each rule; of what was so before, the nearest name is not looked for again.
fn compare(groups: &Groups, names: &BTreeSet<String>, before: &Known) -> Known {
    let recorded = recorded(groups);
    let is_met = |matcher: &Matcher| match matcher.op() {
        MatchOp::Equal => names.contains(matcher.value()) || recorded.contains(matcher.value()),
        _ => names.iter().chain(&recorded).any(|name| matcher.matches(name)),
    };
    let mut now = Known::new();
    for (group, status) in groups {
        if status.iterations.saturating_sub(status.missed) < EVALUATIONS_MIN {
            continue;
        }
        let written = &group.definition.written;
        for (index, rule) in written.rules.iter().enumerate() {
            let key = (key(written), index, rule.name.clone());
            let known = before.get(&key).map(Vec::as_slice).unwrap_or_default();
            let missing = unmet(&rule.expr, &is_met);
            let missing = missing.into_iter().map(|matcher| {
                let same = known.iter().find(|own| own.name == matcher.value());
                same.cloned().unwrap_or_else(|| describe(matcher, names))
            });
            let missing: Vec<Missing> = missing.collect();
            if !missing.is_empty() {
                now.insert(key, missing);
            }
        }
    }
    now
}

fn describe(matcher: &Matcher, names: &BTreeSet<String>) -> Missing {
    let name = matcher.value().to_owned();
    let nearest = match matcher.op() {
        MatchOp::Equal => nearest(&name, names.iter().map(String::as_str)).map(str::to_owned),
        _ => None,
    };
    Missing { name, nearest }
}

/// The names that rules give.
fn recorded(groups: &Groups) -> BTreeSet<String> {
    let rules = groups.iter().flat_map(|(group, _)| &group.definition.written.rules);
    let recording = rules.filter(|rule| rule.kind == RuleKind::Recording);
    let names = recording.map(|rule| rule.name.clone());
    names.chain(OWN_NAMES.map(str::to_owned)).collect()
}

/// What is new (`Err`) and what is over (`Ok`), in words.
fn news(before: &Known, now: &Known) -> Vec<Result<String, String>> {
    let has = |known: &Known, key: &RuleKey, name: &str| {
        known.get(key).is_some_and(|list| list.iter().any(|own| own.name == name))
    };
    let each = |known: &Known| -> Vec<(RuleKey, Missing)> {
        let lists = known.iter();
        lists.flat_map(|(key, list)| list.iter().map(|own| (key.clone(), own.clone()))).collect()
    };
    let over = each(before).into_iter().filter(|(key, own)| !has(now, key, &own.name));
    let over = over.map(|((group, _, rule), own)| {
        Ok(format!("rule {rule} of group {group}: {} is no longer missing", own.name))
    });
    let begun = each(now).into_iter().filter(|(key, own)| !has(before, key, &own.name));
    let begun = begun.map(|((group, _, rule), Missing { name, nearest })| {
        let cure = nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        Err(format!("rule {rule} of group {group}: there is no series {name}{cure}"))
    });
    over.chain(begun).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file::{Reading, parse};
    use super::super::group::Definition;
    use super::super::template::Surroundings;
    use super::*;

    const RULES: &str = "groups: [{name: g, rules: [{record: r, expr: num_requests_runing}, \
        {alert: A, expr: 'r > 0 unless ALERTS'}, {alert: B, expr: 'sum(first_metric) > y'}]}]";

    fn groups(iterations: u64) -> Vec<(Arc<Group>, GroupStatus)> {
        let written = parse(RULES, "f", Reading::default()).unwrap().remove(0);
        let surroundings = Surroundings::default();
        let definition =
            Definition { written, interval_ms: 1_000, query_offset_ms: 0, surroundings };
        let group = Arc::new(Group::new(definition, false));
        vec![(group, GroupStatus { iterations, ..GroupStatus::default() })]
    }

    #[test]
    fn each_change_is_said_once() {
        let a = "rule r of group f;g: there is no series num_requests_runing; did you mean \
                 num_requests_running?";
        let b = "rule B of group f;g: there is no series";
        let over = "is no longer missing";
        let rows: [(u64, &[&str], Vec<String>); 5] = [
            (1, &[], vec![]),
            (2, &["num_requests_running", "y"], vec![a.to_owned(), format!("{b} first_metric")]),
            (3, &["num_requests_running", "y"], vec![]),
            (
                4,
                &["num_requests_runing", "z"],
                vec![
                    format!("rule r of group f;g: num_requests_runing {over}"),
                    format!("{b} y; did you mean z?"),
                ],
            ),
            (
                5,
                &["first_metric", "y", "num_requests_runing"],
                vec![
                    format!("rule B of group f;g: first_metric {over}"),
                    format!("rule B of group f;g: y {over}"),
                ],
            ),
        ];
        let mut known = Known::new();
        for (iterations, living, expected) in rows {
            let names = living.iter().map(|name| (*name).to_owned()).collect();
            let now = compare(&groups(iterations), &names, &known);
            let said = news(&known, &now).into_iter().map(|line| line.unwrap_or_else(|new| new));
            let mut said: Vec<String> = said.collect();
            let mut expected = expected;
            said.sort();
            expected.sort();
            assert_eq!(said, expected, "{iterations}");
            known = now;
        }
    }
}
