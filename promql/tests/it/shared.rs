//! Equal parts of a query are evaluated once: the store is asked once for what they select.
//! `promqltest/twice.rs` shows that answers are the same.

use std::sync::atomic::{AtomicUsize, Ordering};

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::Steps;
use promql::{Budget, Engine, EngineOptions, EvalError, Features, Query, parse};
use tsdb::model::{Labels, Matcher, Sample, TimeRange, Timestamp, Value};
use tsdb::select::Generation;
use tsdb::{Batches, Error, Select, Selection};

/// Counts the selections that it is asked for.
struct Counting {
    store: MemoryStore,
    resolved: AtomicUsize,
}

impl Select for Counting {
    fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error> {
        self.resolved.fetch_add(1, Ordering::Relaxed);
        self.store.resolve(range, matchers)
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        self.store.read(selection, range)
    }

    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.store.label_names(range, matchers, limit)
    }

    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.store.label_values(name, range, matchers, limit)
    }

    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, Error> {
        self.store.series(range, matchers, limit)
    }

    fn generation(&self) -> Generation {
        self.store.generation()
    }
}

/// Three series with ten samples.
fn store() -> Counting {
    let sample = |row: i64| Sample {
        timestamp: Timestamp::from_ms(row * 10_000),
        value: Value::Float((row * row) as f64),
        start: None,
    };
    let series = (0..3).map(|pod| LoadedSeries {
        labels: Labels::from_pairs([("__name__", "x_total".into()), ("pod", format!("{pod}"))]),
        samples: (0..10).map(sample).collect(),
    });
    let mut store = MemoryStore::new();
    store.insert(&series.collect::<Vec<_>>());
    Counting { store, resolved: AtomicUsize::new(0) }
}

/// The answer or error as text, and how many selections it took.
fn ask(text: &str, share_equal: bool, samples_max: usize) -> (String, usize) {
    let expr = parse(text, &Features::ALL).expect("a query");
    let engine = Engine::new(EngineOptions { share_equal, ..EngineOptions::default() });
    let time = Timestamp::from_ms;
    let steps = Steps { start: time(0), end: time(90_000), step_ms: 10_000 };
    let (store, query) = (store(), Query { text, expr: &expr });
    let answer = engine.range(query, &store, steps, &Budget::samples(samples_max));
    assert!(answer.is_ok() || matches!(answer, Err(EvalError::TooManySamples)), "{answer:?}");
    (format!("{answer:?}"), store.resolved.into_inner())
}

#[test]
fn what_the_store_is_asked_for() {
    let rows = [
        ("x_total", 1),
        ("x_total + x_total", 1),
        ("rate(x_total[1m]) / (rate(x_total[1m]))", 1),
        ("sum(x_total) + sum(x_total) + on () group_right x_total", 1),
        ("x_total + x_total{} + (x_total) + {__name__=\"x_total\"}", 1),
        ("-x_total or -x_total", 1),
        ("x_total @ 50 + x_total @ 50", 1),
        ("x_total @ 50 + x_total * x_total @ 50", 2),
        ("max_over_time(x_total[1m:10s]) - min_over_time(x_total[1m:10s])", 1),
        ("topk(scalar(sum(x_total)), x_total)", 1),
        // Nearly equal.
        ("x_total + x_total offset 10s", 2),
        ("x_total + on (pod) x_total{pod!=\"9\"}", 2),
        ("rate(x_total[1m]) / rate(x_total[2m])", 2),
        ("x_total or last_over_time(x_total[1m])", 2),
        ("x_total or x_total @ 50", 2),
        ("x_total or max_over_time(x_total[1m:10s])", 2),
        ("max_over_time(x_total[1m:10s]) - max_over_time(x_total[1m:20s])", 2),
        ("x_total / 0 or x_total / -0", 1),
        // The samples' times are not their values.
        ("timestamp(x_total) - x_total", 2),
        ("timestamp(x_total) - timestamp(x_total)", 1),
    ];
    for (text, selections) in rows {
        let once = ask(text, true, 10_000);
        assert_eq!(once.1, selections, "{text}");
        assert_eq!(once.0, ask(text, false, 10_000).0, "{text}");
    }
}

#[test]
fn what_is_kept_takes_no_room_from_a_query() {
    // Ten steps of three series each; the last one is kept while the one before is evaluated.
    let text = "x_total + on (pod) (x_total offset 10s + on (pod) x_total)";
    let least = (0..500).find(|max| ask(text, false, *max).0.starts_with("Ok")).expect("enough");
    for samples_max in [least - 1, least, 10_000] {
        let (once, twice) = (ask(text, true, samples_max), ask(text, false, samples_max));
        assert_eq!(once.0, twice.0, "{samples_max}");
    }
    assert_eq!(ask(text, true, 10_000).1, 2);
    // Too little to keep anything: everything is evaluated.
    let tight = ask("x_total + x_total offset 10s + x_total", true, least);
    assert!(tight.0.starts_with("Ok"), "{tight:?}");
}
