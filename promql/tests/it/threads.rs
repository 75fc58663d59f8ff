//! Answers do not depend on how many threads they were computed by.

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::Steps;
use promql::{Budget, Engine, EngineOptions, EvalError, Features, Query, parse};
use tsdb::model::{Labels, Sample, Timestamp, Value};

const SERIES: i64 = 1500;
const MINUTES: i64 = 60;

/// Counters and gauges of sixteenths, so that sums of them round.
fn store() -> MemoryStore {
    let series = (0..SERIES).map(|number| {
        let name = if number % 3 == 0 { "x_total" } else { "gauge" };
        let sample = |minute: i64| {
            let value = (number * 37 % 101 + minute * (number % 7)) as f64 / 3.0;
            let (timestamp, value) = (Timestamp::from_ms(minute * 60_000), Value::Float(value));
            Sample { timestamp, value, start: None }
        };
        let rows = number % 5..MINUTES - number % 11;
        let pod = format!("{}", number * 7919 % SERIES);
        let labels = [("__name__", name.to_owned()), ("pod", pod), ("zone", "a".repeat(2))];
        LoadedSeries { labels: Labels::from_pairs(labels), samples: rows.map(sample).collect() }
    });
    let mut store = MemoryStore::new();
    store.insert(&series.collect::<Vec<_>>());
    store
}

#[test]
fn answers_are_the_same_bits() {
    let store = store();
    let minutes = |minutes: i64| Timestamp::from_ms(minutes * 60_000);
    let steps = Steps { start: minutes(0), end: minutes(MINUTES), step_ms: 120_000 };
    let rows = [
        "gauge",
        "sum(gauge)",
        "sum by (zone) (rate(x_total[10m]))",
        "rate(gauge[5m])",
        "quantile_over_time(0.3, gauge[7m])",
        "topk(3, avg_over_time(x_total[10m]))",
        "gauge * on (pod) group_left gauge",
        "last_over_time(gauge[1m] offset -3m)",
    ];
    for text in rows {
        let expr = parse(text, &Features::default()).expect("a query");
        let ask = |threads: usize, samples_max: usize| {
            let engine = Engine::new(EngineOptions { threads, ..EngineOptions::default() });
            let budget = Budget::samples(samples_max);
            engine.range(Query { text, expr: &expr }, &store, steps, &budget)
        };
        let alone = ask(1, 1_000_000).expect("an answer");
        assert!(!format!("{:?}", alone.value).is_empty() && alone.samples > 0);
        for threads in [2, 3, 16] {
            let answer = ask(threads, 1_000_000).expect("an answer");
            assert_eq!(format!("{answer:?}"), format!("{alone:?}"), "{text} {threads}");
            let refused = ask(threads, 400);
            assert!(matches!(refused, Err(EvalError::TooManySamples)), "{text}: {refused:?}");
        }
    }
}
