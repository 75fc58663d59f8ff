//! What is kept of range queries: the same bits as without, whatever happens to the data.

use std::path::Path;
use std::sync::Arc;

use promql::value::{Answer, PointValue, Steps, Value};
use promql::{Engine, EngineOptions, EvalError, Features, Query, QueryCache, parse};
use proptest::prelude::*;
use tsdb::disk::sim::SimDisk;
use tsdb::model::histogram::Span;
use tsdb::model::{Histogram, Labels, Matcher, Metadata, TimeRange, Timestamp};
use tsdb::{Cell, CellValue, Db, FamilyColumns, Options, Storage};

/// Milliseconds between rows, and between the steps of queries.
const ROW_MS: i64 = 5_000;
const STEP_MS: i64 = 10_000;

/// Expressions of every kind. Ranges are short, so that few rows fill them.
const QUERIES: [&str; 85] = [
    "g",
    "{pod=\"0\"}",
    "g offset 20s",
    "g offset -20s",
    "g @ 1100",
    "g smoothed",
    "c_total",
    "rate(c_total[30s])",
    "rate(g[30s])",
    "rate({__name__=~\"g|h_bucket\"}[30s])",
    "increase(c_total[30s] offset 10s)",
    "rate(c_total[30s] offset -10s)",
    "increase(c_total[30s] anchored)",
    "rate(c_total[30s] smoothed)",
    "delta(g[30s] smoothed)",
    "irate(c_total[30s])",
    "idelta(g[30s])",
    "deriv(g[30s])",
    "predict_linear(g[30s], 60)",
    "changes(g[30s] anchored)",
    "changes(g[30s])",
    "resets(c_total[30s])",
    "double_exponential_smoothing(g[30s], 0.5, 0.5)",
    "sum_over_time(g[30s])",
    "avg_over_time({__name__=~\"n|h_bucket\"}[30s])",
    "min_over_time(g[30s])",
    "max_over_time({__name__=~\"g|n\"}[30s])",
    "stddev_over_time(g[30s])",
    "quantile_over_time(0.5, g[30s])",
    "quantile_over_time(1.5, g[30s])",
    "mad_over_time(g[30s])",
    "count_over_time(g[30s])",
    "present_over_time(g[30s])",
    "absent_over_time(g{pod=\"0\"}[10s])",
    "last_over_time(g[30s])",
    "ts_of_max_over_time(g[30s])",
    "absent(g{pod=\"1\"})",
    "absent(nothing)",
    "sum(g)",
    "sum by (pod) (rate(c_total[30s]))",
    "avg by (job) (g)",
    "avg(n)",
    "count by (job) ({__name__=~\"g|n\"})",
    "min without (pod) (g)",
    "max(g)",
    "group(g)",
    "stdvar(g)",
    "quantile(0.5, g)",
    "quantile(scalar(g{pod=\"0\",job=\"a\"}), g)",
    "quantile(2, g)",
    "topk(1, g)",
    "topk(1, sum by (pod) (c_total > 3))",
    "bottomk(2, g)",
    "topk(scalar(g{pod=\"0\",job=\"a\"}), g)",
    "limitk(1, sum by (pod) (g))",
    "limit_ratio(0.5, g)",
    "limit_ratio(-0.5, g)",
    "count_values(\"value\", g)",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[30s])))",
    "histogram_quantile(0.9, h_bucket)",
    "histogram_quantile(0.5, rate(n[30s]))",
    "histogram_quantile(0.5, {__name__=~\"n|g\"})",
    "histogram_fraction(0, 2, n)",
    "histogram_count(sum(rate(n[30s])))",
    "histogram_avg(n)",
    "rate(n[30s])",
    "n + n",
    "g + on (pod, job) c_total",
    "g / on (pod) group_left () sum by (pod) (c_total)",
    "g + on (pod) c_total",
    "g > 2",
    "g > bool 2",
    "g and on (pod) c_total > 3",
    "g or c_total",
    "g unless on (pod, job) c_total",
    "-g",
    "scalar(g{pod=\"0\",job=\"a\"})",
    "vector(time())",
    "timestamp(g)",
    "clamp(g, 1, 3)",
    "label_replace(g, \"pod\", \"of $1\", \"job\", \"(.*)\")",
    "label_join(g, \"both\", \"-\", \"pod\", \"job\")",
    "sort_desc(g)",
    "max_over_time(rate(c_total[20s])[40s:5s])",
    "sum_over_time((g > 2)[40s:10s] offset -10s) + sum_over_time(g[30s] @ 1100)",
];

/// Plans that are never kept, since they say when the query starts or ends, or are of all steps.
const NOT_KEPT: [&str; 7] = [
    "g @ start()",
    "g - g @ end()",
    "sum_over_time(g[range()])",
    "vector(end() - start())",
    "info(g, {__name__=\"target_info\"})",
    "g offset (range() / 2)",
    "topk(scalar(g{pod=\"0\",job=\"a\"}), g)",
];

/// A cell of the next row.
#[derive(Clone, Copy, Debug)]
enum Next {
    Absent,
    Stale,
    /// By so much more than before; a counter starts again if it is negative.
    More(i8),
    Number(f64),
}

#[derive(Clone, Debug)]
enum Change {
    /// A row of all series, so many intervals later.
    Row {
        later: i64,
        cells: Vec<Next>,
    },
    /// A sample so much earlier, of one series.
    Late {
        earlier: i64,
        series: usize,
        next: Next,
    },
    Delete {
        from: i64,
        length: i64,
        metric: &'static str,
    },
    DropBefore {
        earlier: i64,
    },
    DropOldestBlock,
    Flush,
    Merge,
}

/// A query over so many steps, that ends so much after the newest row.
#[derive(Clone, Debug)]
struct Question {
    query: usize,
    steps: i64,
    end: i64,
    phase: bool,
}

fn any_next() -> impl Strategy<Value = Next> {
    let numbers = prop::sample::select(vec![0.0, -0.0, 1.0, 2.5, -3.0, f64::NAN, f64::INFINITY]);
    prop_oneof![
        2 => Just(Next::Absent),
        1 => Just(Next::Stale),
        12 => (0..4_i8).prop_map(Next::More),
        1 => (-4..0_i8).prop_map(Next::More),
        1 => numbers.prop_map(Next::Number),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    let cells = prop::collection::vec(any_next(), SERIES.len());
    let metric = prop::sample::select(vec!["g", "c_total", "n"]);
    prop_oneof![
        12 => (1..4_i64, cells).prop_map(|(later, cells)| Change::Row { later, cells }),
        3 => (0..120_000_i64, 0..SERIES.len(), any_next())
            .prop_map(|(earlier, series, next)| Change::Late { earlier, series, next }),
        1 => (0..150_000_i64, 0..60_000_i64, metric)
            .prop_map(|(from, length, metric)| Change::Delete { from, length, metric }),
        1 => (0..300_000_i64).prop_map(|earlier| Change::DropBefore { earlier }),
        1 => Just(Change::DropOldestBlock),
        2 => Just(Change::Flush),
        1 => Just(Change::Merge),
    ]
}

fn any_question() -> impl Strategy<Value = Question> {
    (0..QUERIES.len(), 10..22_i64, -3..4_i64, prop::bool::weighted(0.1))
        .prop_map(|(query, steps, end, phase)| Question { query, steps, end, phase })
}

/// Name, pod, job, and `le`.
const SERIES: [(&str, &str, &str, &str); 12] = [
    ("c_total", "0", "a", ""),
    ("c_total", "1", "a", ""),
    ("c_total", "1", "b", ""),
    ("g", "0", "a", ""),
    ("g", "1", "a", ""),
    ("g", "0", "b", ""),
    ("h_bucket", "0", "a", "1"),
    ("h_bucket", "0", "a", "2"),
    ("h_bucket", "0", "a", "+Inf"),
    ("n", "0", "a", ""),
    ("n", "1", "a", ""),
    ("target_info", "0", "a", ""),
];

fn pairs(series: usize) -> Vec<(String, String)> {
    let (name, pod, job, le) = SERIES[series];
    let pairs = [("__name__", name), ("pod", pod), ("job", job), ("le", le)];
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

struct Fleet {
    db: Db,
    engine: Engine,
    cache: QueryCache,
    now: i64,
    values: [f64; SERIES.len()],
}

impl Fleet {
    fn new(cache_bytes: usize) -> Self {
        let options = Options { window_rows: 4, out_of_order_ms: 100_000, ..Options::default() };
        let opened = Db::open(Arc::new(SimDisk::new(1)), Path::new("/data"), options);
        let options = EngineOptions { lookback_ms: 40_000, ..EngineOptions::default() };
        Self {
            db: opened.expect("the store opens").0,
            engine: Engine::new(options),
            cache: QueryCache::new(cache_bytes),
            now: 1_000_000,
            values: [0.0; SERIES.len()],
        }
    }

    /// The series' next value; `None` for none.
    fn next(&mut self, series: usize, next: Next) -> Option<Stored> {
        let value = &mut self.values[series];
        match next {
            Next::Absent => return None,
            Next::Stale => return Some(Stored::Stale),
            Next::More(more) if more < 0 => *value = f64::from(-more),
            Next::More(more) => *value += f64::from(more),
            Next::Number(number) if SERIES[series].0 == "g" => return Some(Stored::Float(number)),
            Next::Number(_) => *value += 1.0,
        }
        Some(match SERIES[series].0 {
            "n" => Stored::Histogram(Histogram {
                count: *value,
                sum: 2.0 * *value,
                positive_spans: vec![Span { offset: 0, length: 1 }],
                positive_buckets: vec![*value],
                ..Histogram::default()
            }),
            _ => Stored::Float(*value),
        })
    }

    fn row(&mut self, next: &[Next]) {
        let stored: Vec<_> = (0..SERIES.len()).map(|own| self.next(own, next[own])).collect();
        let mut appender = self.db.appender();
        let group = appender.group(&Labels::empty()).expect("a group");
        let family = FamilyColumns {
            name: "f".into(),
            metadata: Metadata::default(),
            columns: (0..SERIES.len()).map(pairs).collect(),
        };
        let columns = appender.columns(group, &[family]).expect("columns");
        let cells: Vec<_> =
            stored.iter().map(|own| own.as_ref().map_or(Cell::ABSENT, |own| own.cell())).collect();
        let time = Timestamp::from_ms(self.now);
        appender.row(group, time, &columns, &cells).expect("a row");
        appender.commit().expect("a commit");
    }

    fn late(&mut self, time: i64, series: usize, next: Next) {
        let Some(stored) = self.next(series, next) else { return };
        let mut appender = self.db.appender();
        let labels = Labels::from_pairs(pairs(series));
        // Too old, or there already: then nothing happens.
        let _ = appender.sample(&labels, Timestamp::from_ms(time), stored.cell());
        appender.commit().expect("a commit");
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Row { later, cells } => {
                self.now += later * ROW_MS;
                self.row(cells);
            }
            Change::Late { earlier, series, next } => {
                self.late(self.now - earlier, *series, *next);
            }
            Change::Delete { from, length, metric } => {
                let time = |ms: i64| Timestamp::from_ms(ms);
                let range = TimeRange::new(time(self.now - from), time(self.now - from + length));
                self.db.delete(range, &[Matcher::equal("__name__", *metric)]).expect("deleted");
            }
            Change::DropBefore { earlier } => {
                self.db.drop_before(Timestamp::from_ms(self.now - earlier)).expect("dropped");
            }
            Change::DropOldestBlock => {
                let stats = self.db.stats();
                let bytes = (stats.log_bytes + stats.block_bytes).saturating_sub(1);
                self.db.drop_beyond(bytes).expect("dropped");
            }
            Change::Flush => drop(self.db.flush_all().expect("flushed")),
            Change::Merge => drop(self.db.compact_if_due().expect("merged")),
        }
    }

    /// Steps as a dashboard asks for them, aligned; out of phase they are not.
    fn steps(&self, question: &Question) -> Steps {
        let phase = if question.phase { 3_000 } else { 0 };
        let end = (self.now / STEP_MS + question.end) * STEP_MS + phase;
        let start = end - question.steps * STEP_MS;
        Steps { start: Timestamp::from_ms(start), end: Timestamp::from_ms(end), step_ms: STEP_MS }
    }

    fn ask(&self, text: &str, steps: Steps, cached: bool) -> Result<Answer, EvalError> {
        let expr = parse(text, &Features::ALL).expect("a query");
        let (query, budget) = (Query { text, expr: &expr }, self.engine.budget());
        match cached {
            true => self.engine.range_cached(query, &self.db, steps, &budget, &self.cache),
            false => self.engine.range(query, &self.db, steps, &budget),
        }
    }
}

enum Stored {
    Stale,
    Float(f64),
    Histogram(Histogram),
}

impl Stored {
    fn cell(&self) -> Cell<'_> {
        let value = match self {
            Self::Stale => CellValue::Stale,
            Self::Float(value) => CellValue::Float(*value),
            Self::Histogram(histogram) => CellValue::Histogram(histogram),
        };
        Cell { value, start: None }
    }
}

/// All bits of an answer but how many samples were looked at.
fn bits(answer: Result<Answer, EvalError>) -> Result<Vec<String>, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    let Value::Matrix(matrix) = answer.value else { panic!("no matrix") };
    let mut lines: Vec<_> = answer.warnings.into_iter().chain(answer.infos).collect();
    for series in matrix {
        lines.push(series.labels.to_string());
        lines.extend(series.points.iter().map(|point| match &point.value {
            PointValue::Float(value) => {
                format!("{} {value} {:x}", point.timestamp, value.to_bits())
            }
            PointValue::Histogram(histogram) => format!("{} {histogram:?}", point.timestamp),
        }));
    }
    Ok(lines)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn kept_steps_are_those_that_are_computed(
        first in prop::collection::vec(prop::collection::vec(any_next(), SERIES.len()), 30),
        turns in prop::collection::vec(
            (prop::collection::vec(any_change(), 0..3), prop::collection::vec(any_question(), 1..4)),
            1..12,
        ),
        bytes in prop::sample::select(vec![1 << 20, 1 << 14]),
    ) {
        let mut fleet = Fleet::new(bytes);
        for cells in &first {
            fleet.now += ROW_MS;
            fleet.row(cells);
        }
        let mut asked: Vec<Question> = Vec::new();
        for (changes, questions) in &turns {
            changes.iter().for_each(|change| fleet.change(change));
            // As dashboards do, all is asked again.
            asked.extend(questions.iter().cloned());
            for question in &asked {
                let (text, steps) = (QUERIES[question.query], fleet.steps(question));
                let without = bits(fleet.ask(text, steps, false));
                let with = bits(fleet.ask(text, steps, true));
                prop_assert_eq!(with, without, "{} {:?}", text, steps);
            }
            let stats = fleet.cache.stats();
            prop_assert!(stats.bytes <= bytes, "{stats:?}");
        }
    }
}

/// A fleet with 60 rows.
fn filled(cache_bytes: usize) -> Fleet {
    let mut fleet = Fleet::new(cache_bytes);
    for _ in 0..60 {
        fleet.now += ROW_MS;
        fleet.row(&[Next::More(1); SERIES.len()]);
    }
    fleet
}

/// Steps as a dashboard asks for them now.
fn now(fleet: &Fleet) -> Steps {
    fleet.steps(&Question { query: 0, steps: 20, end: 0, phase: false })
}

fn hits(fleet: &Fleet) -> (u64, u64) {
    let stats = fleet.cache.stats();
    (stats.hits, stats.misses)
}

#[test]
fn a_refresh_computes_what_is_new() {
    let mut fleet = filled(1 << 20);
    let all = fleet.ask("sum(rate(c_total[30s]))", now(&fleet), true).unwrap().samples;
    let mut looked_at = 0;
    for turn in 1..10 {
        fleet.now += ROW_MS;
        fleet.row(&[Next::More(1); SERIES.len()]);
        let answer = fleet.ask("sum(rate(c_total[30s]))", now(&fleet), true).unwrap();
        assert_eq!(hits(&fleet), (turn, 1));
        // Of 21 steps, the newest one at most.
        assert!(answer.samples <= all / 20, "{} of {all}", answer.samples);
        looked_at += answer.samples;
    }
    assert!(looked_at > 0);
    let again = fleet.ask("sum(rate(c_total[30s]))", now(&fleet), true).unwrap();
    assert_eq!(again.samples, 0);
    fleet.db.flush_all().unwrap();
    let flushed = fleet.ask("sum(rate(c_total[30s]))", now(&fleet), true).unwrap();
    assert_eq!((flushed.value, flushed.samples), (again.value, 0));
}

/// Of the groups of `sum by (pod)`, that of pod 0 comes first only while its series of job a is there.
#[test]
fn ties_do_not_depend_on_what_else_is_asked_for() {
    let mut fleet = filled(1 << 20);
    let mut cells = [Next::More(0); SERIES.len()];
    cells[3] = Next::Absent;
    for _ in 0..20 {
        for text in ["limitk(1, sum by (pod) (g))", "topk(1, sum by (pod) (g * 0))"] {
            let without = bits(fleet.ask(text, now(&fleet), false));
            assert_eq!(bits(fleet.ask(text, now(&fleet), true)), without, "{text}");
        }
        fleet.now += ROW_MS;
        fleet.row(&cells);
    }
    assert_eq!(hits(&fleet), (38, 2));
}

#[test]
fn most_queries_are_kept() {
    let mut fleet = filled(1 << 20);
    let mut never = Vec::new();
    for text in QUERIES {
        let before = fleet.cache.stats().hits;
        for _ in 0..2 {
            fleet.now += ROW_MS;
            fleet.row(&[Next::More(1); SERIES.len()]);
            let _ = fleet.ask(text, now(&fleet), true);
        }
        if fleet.cache.stats().hits == before {
            never.push(text);
        }
    }
    assert_eq!(
        never,
        [
            // Of several metrics: whether they fail is seen from all steps.
            "rate({__name__=~\"g|h_bucket\"}[30s])",
            "avg_over_time({__name__=~\"n|h_bucket\"}[30s])",
            "max_over_time({__name__=~\"g|n\"}[30s])",
            "quantile(scalar(g{pod=\"0\",job=\"a\"}), g)",
            "topk(scalar(g{pod=\"0\",job=\"a\"}), g)",
            // It fails.
            "g + on (pod) c_total",
            "vector(time())",
            // So does this one.
            "label_replace(g, \"pod\", \"of $1\", \"job\", \"(.*)\")",
        ]
    );
}

#[test]
fn what_is_of_the_whole_query_is_not_kept() {
    let fleet = filled(1 << 20);
    for text in NOT_KEPT {
        for _ in 0..2 {
            fleet.ask(text, now(&fleet), true).unwrap();
        }
        assert_eq!((fleet.cache.stats().entries, hits(&fleet)), (0, (0, 0)), "{text}");
    }
}

#[test]
fn bytes_are_bounded_and_0_keeps_nothing() {
    let off = filled(0);
    for _ in 0..2 {
        off.ask("g", now(&off), true).unwrap();
    }
    assert_eq!((off.cache.stats().entries, hits(&off)), (0, (0, 0)));
    let fleet = filled(6_000);
    fleet.ask("g", now(&fleet), true).unwrap();
    let one = fleet.cache.stats().bytes;
    assert!(one > 3 * 21 * 8, "{one}");
    for query in 0..20 {
        fleet.ask(&format!("g + {query}"), now(&fleet), true).unwrap();
        fleet.ask("g", now(&fleet), true).unwrap();
    }
    let stats = fleet.cache.stats();
    assert!(stats.bytes <= 6_000 && stats.entries >= 2, "{stats:?}");
    // What is asked for again and again stays.
    assert_eq!(stats.hits, 20);
}

#[test]
fn what_is_kept_counts_as_held() {
    let fleet = filled(1 << 20);
    let ask = |samples_max: usize| {
        let expr = parse("g", &Features::ALL).unwrap();
        let budget = promql::Budget::samples(samples_max);
        let query = Query { text: "g", expr: &expr };
        fleet.engine.range_cached(query, &fleet.db, now(&fleet), &budget, &fleet.cache)
    };
    assert!(matches!(ask(62), Err(EvalError::TooManySamples)));
    assert!(ask(63).is_ok());
    assert!(matches!(ask(62), Err(EvalError::TooManySamples)));
}
