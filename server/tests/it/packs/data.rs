//! The packs of rules on pages: those of real vLLM servers of each version, and those of the
//! simulated fleet, which has an endpoint picker and a GPU exporter too. Which records have a series
//! at least once is written down here for each; nothing sleeps.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use promql::EngineOptions;
use promql::parse::Features;
use promql::value::Value;
use scraper::cycle::SystemClock;
use scraper::ingest::{Ingest, Report};
use scraper::job::Job;
use server::packs::PACKS;
use server::queries::{LocalQueries, QueryLimits, QueryOptions, StatsLevel};
use server::rules::AlertState;
use server::rules::file::RuleKind;
use server::rules::group::{Context, Definition, Group, Health};
use server::rules::notify::Nobody;
use server::rules::template::Surroundings;
use server::simulate::Fleet;
use tsdb::disk::sim::SimDisk;
use tsdb::model::labels::Labels;
use tsdb::model::{TimeRange, Timestamp};
use tsdb::select::Select;
use tsdb::{Db, Options, Storage};

use crate::running::shared;

/// A store, and all packs at work on it.
struct World {
    db: Arc<Db>,
    context: Context,
    groups: Vec<Group>,
    /// Records that had a series, alerts that were pending or fired.
    given: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let disk = Arc::new(SimDisk::new(1));
        let (db, _) = Db::open(disk, Path::new("/store"), Options::default()).unwrap();
        let db = Arc::new(db);
        let limits = QueryLimits { samples_max: 1 << 24, bytes_max: 1 << 30, cache_bytes: 0 };
        let queries =
            LocalQueries::new(EngineOptions::default(), Features::default(), limits, db.clone());
        let context = Context {
            queries: Arc::new(queries),
            question_log: Arc::new(Nobody),
            storage: db.clone(),
            clock: Arc::new(SystemClock::new()),
            notify: Arc::new(Nobody),
            timeout: Duration::from_secs(60),
            resend_ms: 60_000,
            permits: server::rules::concurrency::Permits::default(),
            restoring: server::rules::group::Restoring::default(),
        };
        let written = PACKS.iter().flat_map(|pack| pack.groups());
        let groups = written.map(|written| {
            let interval_ms = written.interval_ms.unwrap();
            let surroundings = Surroundings::default();
            Group::new(Definition { written, interval_ms, query_offset_ms: 0, surroundings }, false)
        });
        Self { db, context, groups: groups.collect(), given: BTreeSet::new() }
    }

    fn scrape(&self, ingest: &mut Ingest, page: Option<&str>, content_type: &str, at: Timestamp) {
        let mut appender = self.db.appender();
        let report = match page {
            Some(page) => {
                let counts = ingest
                    .page(page.as_bytes(), Some(content_type), at, appender.as_mut())
                    .unwrap();
                Report { up: true, counts, ..Report::default() }
            }
            None => {
                ingest.lose(at, appender.as_mut()).unwrap();
                Report::default()
            }
        };
        ingest.report(&report, at, appender.as_mut()).unwrap();
        appender.commit().unwrap();
    }

    /// Evaluates every group, whatever its interval; no rule may fail.
    fn evaluate(&mut self, at: Timestamp) {
        for group in &self.groups {
            group.evaluate(&self.context, at, &Default::default());
            for (rule, status) in group.definition.written.rules.iter().zip(group.status().rules) {
                assert_eq!(status.health, Health::Good, "{}: {:?}", rule.name, status.last_error);
                let is_raised =
                    status.alerts.iter().any(|alert| alert.state != AlertState::Inactive);
                if rule.kind != RuleKind::Recording && is_raised {
                    self.given.insert(rule.name.clone());
                }
            }
        }
    }

    /// Adds what was recorded, and returns all that gave something. What divides by nothing has to
    /// give nothing: no record is NaN.
    fn given(mut self, at: Timestamp) -> BTreeSet<String> {
        let names = self.db.label_values("__name__", TimeRange::ALL, &[], usize::MAX).unwrap();
        let records: Vec<String> =
            names.into_iter().filter(|name| name.starts_with("llm:")).collect();
        for name in &records {
            let query = format!("count_over_time(({name} != {name})[10m:15s])");
            assert_eq!(self.ask(&query, at), 0, "{name} is NaN");
        }
        self.given.extend(records);
        self.given
    }

    /// How many series a query gives.
    fn ask(&self, query: &str, at: Timestamp) -> usize {
        let options = QueryOptions {
            timeout: Duration::from_secs(60),
            lookback_ms: None,
            is_fresh: true,
            stats: StatsLevel::Off,
        };
        let reply = self.context.queries.instant(query, at, options).unwrap();
        let Value::Vector(vector) = reply.answer.value else { panic!("{query} is no vector") };
        vector.len()
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

fn unpack(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// What the packs give on the recorded sequence of a fixture.
fn on_fixture(folder: &Path) -> BTreeSet<String> {
    let mut world = World::new();
    let target = labels(&[("job", "vllm-instances"), ("instance", "a:8000"), ("pod", "a")]);
    let mut ingest = Ingest::new(target, Arc::new(Job::new("vllm")));
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut evaluated = Timestamp::from_ms(0);
    for row in index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        let seconds: f64 = row[1].parse().unwrap();
        let at = Timestamp::from_ms((seconds * 1000.0).round() as i64);
        let page = (row[0] != "-").then(|| unpack(&folder.join(format!("{}.txt.gz", row[0]))));
        world.scrape(&mut ingest, page.as_deref(), "text/plain; version=0.0.4", at);
        if at.ms_since(evaluated) >= 9_000 {
            world.evaluate(at);
            evaluated = at;
        }
    }
    world.given(evaluated)
}

/// What every vLLM gives that is asked anything.
const ALWAYS: &[&str] = &[
    "llm:generation_tokens:rate5m",
    "llm:goodput:ratio_rate5m_lower",
    "llm:goodput:ratio_rate5m_upper",
    "llm:goodput_requests:rate5m_lower",
    "llm:goodput_requests:rate5m_upper",
    "llm:inter_token_latency_seconds_bucket:rate5m",
    "llm:kv_cache_usage:ratio",
    "llm:preemptions_per_request:ratio_rate5m",
    "llm:queue_time:ratio_rate5m",
    "llm:slo_bad:ratio_rate1d",
    "llm:slo_bad:ratio_rate1h",
    "llm:slo_bad:ratio_rate2h",
    "llm:slo_bad:ratio_rate30m",
    "llm:slo_bad:ratio_rate3d",
    "llm:slo_bad:ratio_rate5m",
    "llm:slo_bad:ratio_rate6h",
    "llm:slo_bad_events:rate5m",
    "llm:slo_events:rate5m",
    "llm:slo_objective:ratio",
];
/// What those give that count lookups of the prefix cache.
const PREFIXES: &[&str] = &[
    "llm:prefill_seconds_saved:rate5m",
    "llm:prefix_cache_hit:ratio_rate5m",
    "llm:prefix_cache_hits:rate5m",
    "llm:prefix_cache_queries:rate5m",
];

/// Raised everywhere: there is no endpoint picker. In minutes of recording most are only pending.
const NO_PICKER: &[&str] = &["SchedulerUnhealthy"];
/// Raised where requests were late all the time.
const SLOW: &[&str] =
    &["LLMErrorBudgetBurns", "LLMErrorBudgetBurnsSlowly", "LLMErrorBudgetWillNotLast"];
/// Raised where more than one of seven was.
const FAST: &[&str] = &["LLMErrorBudgetBurnsFast"];
/// Raised where prompts had little in common.
const NEW_PROMPTS: &[&str] = &["LowCacheHitRate"];

/// A fixture and the records and alerts of its pages.
type Row = (&'static str, &'static [&'static [&'static str]]);

#[test]
fn real_pages_give_what_their_version_has() {
    const STALLED: &[&str] = &["InferenceQueueLengthHigh", "LLMEngineStalled"];
    const FULL: &[&str] = &["GPUMemoryHigh", "InferenceQueueLengthHigh", "LLMKVCachePressure"];
    const LATE: &[&str] = &["HighInferenceLatency"];
    let rows: [Row; 7] = [
        ("vllm-0.8.5", &[ALWAYS, NO_PICKER, SLOW, FAST]),
        ("vllm-0.9.2", &[ALWAYS, PREFIXES, NO_PICKER, NEW_PROMPTS]),
        ("vllm-0.9.2-stalled-engine", &[ALWAYS, PREFIXES, NO_PICKER, SLOW, STALLED]),
        ("vllm-0.10.2", &[ALWAYS, PREFIXES, NO_PICKER, NEW_PROMPTS]),
        ("vllm-0.32.0", &[ALWAYS, PREFIXES, NO_PICKER, NEW_PROMPTS, SLOW, FAST, FULL]),
        ("vllm-0.32.0-dp2-multiprocess", &[ALWAYS, PREFIXES, NO_PICKER, NEW_PROMPTS]),
        (
            "vllm-0.32.0-lora-specdecode",
            &[ALWAYS, PREFIXES, NO_PICKER, NEW_PROMPTS, SLOW, FAST, LATE],
        ),
    ];
    let mut problems = Vec::new();
    for (fixture, expected) in rows {
        let Some(folder) = shared(&format!("fixtures/{fixture}")) else { return };
        let given = on_fixture(&folder);
        let expected: BTreeSet<String> = expected.concat().into_iter().map(str::to_owned).collect();
        let more: Vec<_> = given.difference(&expected).collect();
        let less: Vec<_> = expected.difference(&given).collect();
        if !more.is_empty() || !less.is_empty() {
            problems.push(format!("{fixture}: gives {more:?} too, and not {less:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Ten minutes of the simulated fleet.
#[test]
fn the_whole_fleet_gives_everything_but_costs() {
    const STEP_MS: i64 = 15_000;
    let mut world = World::new();
    let mut fleet = Fleet::new(1, 0);
    let targets = fleet.targets().to_vec();
    let mut ingests: Vec<Ingest> = targets
        .iter()
        .map(|target| {
            let pairs: Vec<(&str, &str)> =
                target.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let instance = [("instance", target.name.as_str())];
            let own = labels(&[pairs.as_slice(), &instance].concat());
            Ingest::new(own, Arc::new(Job { honor_labels: true, ..Job::new("fleet") }))
        })
        .collect();
    let mut at = Timestamp::from_ms(0);
    for _ in 0..40 {
        at = at.plus_ms(STEP_MS);
        fleet.advance_to(at.ms());
        for (target, ingest) in targets.iter().zip(&mut ingests) {
            let mut page = String::new();
            fleet.page(target, &mut page);
            world.scrape(ingest, Some(&page), target.content_type, at);
        }
        world.evaluate(at);
    }
    let given = world.given(at);
    let all = PACKS.iter().flat_map(|pack| pack.groups());
    let all: BTreeSet<String> = all.flat_map(|group| group.rules).map(|rule| rule.name).collect();
    let missing: Vec<&str> = all
        .difference(&given)
        .map(String::as_str)
        .filter(|name| name.starts_with("llm:"))
        .collect();
    // Nobody says what a GPU costs.
    let costs = ["llm:cost_per_million_tokens:dollars", "llm:gpu_cost:dollars_per_hour"];
    assert_eq!(missing, costs, "{given:?}");
}
