//! Groups at work, with a clock of the test: what is recorded, what fires, what ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use promql::EngineOptions;
use promql::parse::Features;
use promql::value::{PointValue, Value};
use scraper::cycle::Clock;
use server::queries::{LocalQueries, QueryLimits, QueryOptions, StatsLevel};
use server::rules::AlertState;
use server::rules::file::{Reading, RuleGroup, parse};
use server::rules::group::{Context, Definition, Group, Health, Restoring};
use server::rules::manager::{Defaults, RuleManager, RuleOptions};
use server::rules::notify::{Notice, Notify};
use server::rules::template::Surroundings;
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Cell, Db, Storage};

const MINUTE: i64 = 60_000;

/// Stands still, three minutes after the epoch.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(3 * MINUTE)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<Notice>>);

impl Notify for Told {
    fn notify(&self, notices: Vec<Notice>) {
        self.0.lock().unwrap().extend(notices);
    }
}

struct World {
    db: Arc<Db>,
    told: Arc<Told>,
    context: Context,
}

impl World {
    fn new() -> Self {
        let disk = Arc::new(SimDisk::new(1));
        let (db, _) =
            Db::open(disk, std::path::Path::new("/store"), tsdb::Options::default()).unwrap();
        let db = Arc::new(db);
        let limits = QueryLimits { samples_max: 1 << 20, bytes_max: 1 << 30, cache_bytes: 0 };
        let queries =
            LocalQueries::new(EngineOptions::default(), Features::default(), limits, db.clone());
        let told = Arc::new(Told::default());
        let context = Context {
            queries: Arc::new(queries),
            question_log: Arc::new(server::rules::notify::Nobody),
            storage: db.clone(),
            clock: Arc::new(Still),
            notify: told.clone(),
            timeout: Duration::from_secs(60),
            resend_ms: MINUTE,
            permits: server::rules::concurrency::Permits::default(),
            restoring: Restoring::default(),
        };
        Self { db, told, context }
    }

    fn sample(&self, text: &str, minute: i64, value: f64) {
        let labels = promql::parse::parse_metric(text).unwrap();
        let mut append = self.db.appender();
        append.sample(&labels, Timestamp::from_ms(minute * MINUTE), Cell::float(value)).unwrap();
        append.commit().unwrap();
    }

    /// The vector of a query, as sorted lines.
    fn ask(&self, query: &str, minute: i64) -> Vec<String> {
        let options = QueryOptions {
            timeout: Duration::from_secs(60),
            lookback_ms: None,
            is_fresh: true,
            stats: StatsLevel::Off,
        };
        let time = Timestamp::from_ms(minute * MINUTE);
        let reply = self.context.queries.instant(query, time, options).unwrap();
        let Value::Vector(vector) = reply.answer.value else { panic!("{query} is no vector") };
        let mut lines: Vec<String> = vector
            .iter()
            .map(|sample| match sample.point.value {
                PointValue::Float(value) => format!("{} {value}", sample.labels),
                PointValue::Histogram(_) => format!("{} histogram", sample.labels),
            })
            .collect();
        lines.sort();
        lines
    }

    fn evaluate(&self, group: &Group, minute: i64) {
        let now = Timestamp::from_ms(minute * MINUTE);
        group.evaluate(&self.context, now, &Default::default());
    }

    fn told(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.told.0.lock().unwrap())
    }
}

fn written(rules: &str) -> RuleGroup {
    let text = format!("groups:\n- name: g\n  limit: 3\n  labels: {{team: a}}\n  rules: {rules}");
    parse(&text, "rules.yml", Reading::default()).unwrap().remove(0)
}

fn group(rules: &str, restores: bool) -> Group {
    let written = written(rules);
    let definition = Definition {
        written,
        interval_ms: MINUTE,
        query_offset_ms: 0,
        surroundings: Surroundings::default(),
    };
    Group::new(definition, restores)
}

#[test]
fn recording() {
    let world = World::new();
    let group = group(
        "[{record: 'a:sum', expr: 'sum by (x) (a)', labels: {x: '', y: z}}, \
          {record: 'a:twice', expr: '2 * a:sum'}, {record: 'b:copy', expr: b}, \
          {record: all, expr: 'c'}, {record: same, expr: '{__name__=~\"a|b\"}'}, \
          {record: one, expr: '1'}, {record: text, expr: '\"x\"'}]",
        false,
    );
    world.sample("a{x=\"1\"}", 1, 5.0);
    world.sample("b{x=\"1\"}", 1, 7.0);
    for n in 0..4 {
        world.sample(&format!("c{{n=\"{n}\"}}"), 1, 1.0);
    }
    world.evaluate(&group, 1);
    let all = "{__name__=~\"a:.*|b:.*|all|same|one\"}";
    let recorded = [
        "{__name__=\"a:sum\", team=\"a\", y=\"z\"} 5",
        "{__name__=\"a:twice\", team=\"a\", y=\"z\"} 10",
        "{__name__=\"b:copy\", team=\"a\", x=\"1\"} 7",
        "{__name__=\"one\", team=\"a\"} 1",
    ];
    assert_eq!(world.ask(all, 1), recorded);
    let status = group.status();
    let errors: Vec<_> = status.rules.iter().map(|rule| rule.last_error.as_deref()).collect();
    let same = "vector contains metrics with the same labelset after applying rule labels";
    let limit = "exceeded limit of 3 with 4 series";
    let text = "rule result is not a vector or scalar";
    assert_eq!(errors, [None, None, None, Some(limit), Some(same), None, Some(text)]);
    assert_eq!((status.rules[0].health, status.rules[3].health), (Health::Good, Health::Bad));
    assert_eq!((status.evaluations, status.failures, status.samples), (7, 3, 4));

    // A series that is no longer given ends at once.
    world.sample("b{x=\"2\"}", 2, 8.0);
    world
        .db
        .delete(
            tsdb::model::TimeRange::ALL,
            &[tsdb::model::Matcher::equal("__name__", "b"), tsdb::model::Matcher::equal("x", "1")],
        )
        .unwrap();
    world.evaluate(&group, 2);
    assert_eq!(world.ask("b:copy", 2), ["{__name__=\"b:copy\", team=\"a\", x=\"2\"} 8"]);
    assert_eq!(world.ask("count_over_time(b:copy[5m])", 2).len(), 2);
    // The label that names the group of the store is nowhere to be seen.
    let names = world.context.queries.label_names(tsdb::model::TimeRange::ALL, &[], 100).unwrap();
    assert_eq!(names, ["__name__", "n", "team", "x", "y"]);
}

const ALERT: &str = "[{alert: High, expr: 'a > 1', for: 2m, keep_firing_for: 1m, \
    labels: {severity: page}, annotations: {summary: '{{ $labels.x }} is {{ $value }}'}}]";

#[test]
fn what_the_store_forgot_is_found_again() {
    let world = World::new();
    let group = group("[{record: one, expr: '1'}]", false);
    world.evaluate(&group, 1);
    // Of a group whose interval is long nothing is in memory before its next evaluation.
    for minute in 1..6 {
        world.sample("a", minute, 1.0);
        world.db.flush_all().unwrap();
    }
    world.evaluate(&group, 2);
    assert_eq!(group.status().rules[0].last_error, None);
    assert_eq!(world.ask("count_over_time(one[5m])", 2), ["{team=\"a\"} 2"]);
}

#[test]
fn alerts_live() {
    let world = World::new();
    let group = group(ALERT, false);
    // Value of the series in each minute, and what the alert is in then.
    let rows = [
        (0.0, None),
        (5.0, Some(AlertState::Pending)),
        (0.0, None),
        (6.0, Some(AlertState::Pending)),
        (7.0, Some(AlertState::Pending)),
        (8.0, Some(AlertState::Firing)),
        (0.0, Some(AlertState::Firing)),
        (0.0, None),
        (0.0, None),
    ];
    let mut told = Vec::new();
    for (minute, (value, state)) in rows.into_iter().enumerate() {
        let minute = minute as i64;
        world.sample("a{x=\"1\"}", minute, value);
        world.evaluate(&group, minute);
        let status = group.status();
        let alerts = &status.rules[0].alerts;
        assert_eq!(alerts.first().map(|alert| alert.state), state, "{minute}");
        let labels = "alertname=\"High\"";
        let series = state.map(|state| {
            let rest = "severity=\"page\", team=\"a\", x=\"1\"";
            let state = state.as_str();
            format!("{{__name__=\"ALERTS\", {labels}, alertstate=\"{state}\", {rest}}} 1")
        });
        assert_eq!(world.ask("ALERTS", minute), Vec::from_iter(series), "{minute}");
        told.extend(world.told().into_iter().map(|notice| (minute, notice)));
    }
    let minutes: Vec<_> = told
        .iter()
        .map(|(at, notice)| (*at, notice.starts_at.ms() / MINUTE, notice.ends_at.ms() / MINUTE))
        .collect();
    // Sent when it fires, again when the minute is over, and at once when it ended.
    assert_eq!(minutes, [(5, 5, 9), (7, 5, 7)]);
    let (_, first) = &told[0];
    assert_eq!(first.annotations["summary"], "1 is 8");
    let labels = [("alertname", "High"), ("severity", "page"), ("team", "a"), ("x", "1")];
    assert_eq!(first.labels, Labels::from_pairs(labels));
    assert_eq!(first.query, "a > 1");
}

#[test]
fn limit_of_alerts() {
    let world = World::new();
    let group = group(ALERT, false);
    for n in 0..4 {
        world.sample(&format!("a{{x=\"{n}\"}}"), 1, 9.0);
    }
    world.evaluate(&group, 1);
    let status = group.status();
    let error = status.rules[0].last_error.as_deref();
    assert_eq!(error, Some("exceeded limit of 3 with 4 alerts"));
    assert!(status.rules[0].alerts.is_empty());
}

#[test]
fn since_when_is_restored() {
    let world = World::new();
    let rules = ALERT.replace("for: 2m", "for: 30m");
    let before = group(&rules, false);
    for minute in 0..=20 {
        world.sample("a{x=\"1\"}", minute, 9.0);
        world.evaluate(&before, minute);
    }
    // Started again 10 minutes later: pending for 20 minutes when it went down, so that 10 are left.
    let after = group(&rules, true);
    for minute in 30..=31 {
        world.sample("a{x=\"1\"}", minute, 9.0);
        world.evaluate(&after, minute);
    }
    assert_eq!(world.ask("ALERTS", 31), [""; 0], "nothing is written before");
    after.restore(&world.context, Timestamp::from_ms(31 * MINUTE));
    let mut fires = None;
    for minute in 32..=50 {
        world.sample("a{x=\"1\"}", minute, 9.0);
        world.evaluate(&after, minute);
        if after.status().rules[0].alerts[0].state == AlertState::Firing {
            fires = fires.or(Some(minute));
        }
    }
    assert_eq!(fires, Some(41));
}

/// Groups whose tasks never come to an evaluation, since the clock stands still.
fn options(rules: &[&str]) -> RuleOptions {
    let groups = rules.iter().map(|rules| written(rules)).collect();
    RuleOptions { groups, defaults: Defaults { interval_ms: 1, ..Defaults::default() } }
}

#[tokio::test]
async fn groups_that_change_keep_what_they_know() {
    let world = World::new();
    let queries = world.context.queries.clone();
    let context = Context {
        queries: queries.clone(),
        question_log: Arc::new(server::rules::notify::Nobody),
        storage: world.db.clone(),
        clock: Arc::new(Still),
        notify: world.told.clone(),
        timeout: Duration::from_secs(60),
        resend_ms: MINUTE,
        permits: server::rules::concurrency::Permits::default(),
        restoring: Restoring::default(),
    };
    let manager =
        RuleManager::new(context, Features::default(), "http://localhost:9090".to_owned());
    let current = || manager.groups().into_iter().next().unwrap().0;
    let alert = &ALERT[1..ALERT.len() - 1];
    let first = format!("[{{record: r1, expr: a}}, {{record: r2, expr: a}}, {alert}]");
    manager.apply(options(&[&first])).await;
    let before = current();
    world.sample("a{x=\"1\"}", 1, 9.0);
    world.evaluate(&before, 1);
    assert_eq!(world.ask("{__name__=~'r.'}", 1).len(), 2);

    manager.apply(options(&[&first])).await;
    assert!(Arc::ptr_eq(&before, &current()), "what is the same goes on");

    let second = format!("[{{record: r1, expr: a}}, {alert}]").replace("is", "has");
    manager.apply(options(&[&second])).await;
    let after = current();
    assert!(!Arc::ptr_eq(&before, &after));
    world.sample("a{x=\"1\"}", 2, 9.0);
    world.evaluate(&after, 2);
    let alerts = &after.status().rules[1].alerts;
    assert_eq!(alerts[0].active_at, Timestamp::from_ms(MINUTE), "the alert is the same one");
    assert_eq!(alerts[0].annotations["summary"], "1 has 9");
    assert_eq!(after.status().evaluations, 3 + 2);
    assert_eq!(world.ask("{__name__=~'r.'}", 2).len(), 1, "what a rule gave that is gone ends");

    manager.apply(options(&[])).await;
    assert!(manager.groups().is_empty());
    // Two intervals later, here two milliseconds, what the group gave ends.
    for _ in 0..2000 {
        if world.ask("{__name__=~'r.|ALERTS.*'}", 3).is_empty() {
            manager.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("series of a group that is gone are still there");
}
