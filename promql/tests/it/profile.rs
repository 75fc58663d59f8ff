//! What an evaluation took, by a clock that a test turns.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::{Answer, Steps};
use promql::{
    Budget, Engine, EvalError, Features, OperatorProfile, Profile, Query, QueryCache, parse,
};
use tsdb::model::{Labels, Sample, Timestamp, Value};

const STEPS: Steps =
    Steps { start: Timestamp::from_ms(50_000), end: Timestamp::from_ms(90_000), step_ms: 10_000 };

/// Three series with ten samples.
fn store() -> MemoryStore {
    let sample = |row: i64| Sample {
        timestamp: Timestamp::from_ms(row * 10_000),
        value: Value::Float(row as f64),
        start: None,
    };
    let series = (0..3).map(|pod| LoadedSeries {
        labels: Labels::from_pairs([("__name__", "x_total".into()), ("pod", format!("{pod}"))]),
        samples: (0..10).map(sample).collect(),
    });
    let mut store = MemoryStore::new();
    store.insert(&series.collect::<Vec<_>>());
    store
}

fn ask(text: &str, budget: &Budget<'_>) -> Result<Answer, EvalError> {
    let expr = parse(text, &Features::ALL).expect("a query");
    Engine::default().range(Query { text, expr: &expr }, &store(), STEPS, budget)
}

/// Asks with a profile whose clock goes on by a second each time that somebody looks at it.
fn profiled<T>(text: &str, look: impl FnOnce(&Profile<'_>, Answer) -> T) -> T {
    let seconds = AtomicU64::new(0);
    let clock = || Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed));
    let profile = Profile::new(&clock);
    let budget = Budget { profile: Some(&profile), ..Budget::samples(10_000) };
    let answer = ask(text, &budget).expect("an answer");
    assert_eq!(answer, ask(text, &Budget::samples(10_000)).expect("an answer"), "{text}");
    look(&profile, answer)
}

#[test]
fn operators_in_order() {
    // Of each operator: its text, evaluations, reuses, samples, series, seconds and own seconds.
    type Row = (&'static str, u32, u32, u64, usize, u64, u64);
    let rows: [(&str, &[Row]); 5] = [
        ("x_total", &[("x_total", 1, 0, 15, 3, 1, 1)]),
        (
            "sum(rate(x_total[20s]))",
            &[
                ("sum(rate(x_total[20s]))", 1, 0, 30, 1, 3, 2),
                ("rate(x_total[20s])", 1, 0, 30, 3, 1, 1),
            ],
        ),
        (
            "x_total + x_total",
            &[
                ("x_total + x_total", 1, 0, 30, 3, 5, 3),
                ("x_total", 1, 0, 15, 3, 1, 1),
                ("x_total", 0, 1, 15, 3, 1, 1),
            ],
        ),
        (
            "x_total * scalar(sum(x_total @ 60))",
            &[
                ("x_total * scalar(sum(x_total @ 60))", 1, 0, 18, 3, 7, 3),
                ("x_total", 1, 0, 15, 3, 1, 1),
                ("sum(x_total @ 60)", 1, 0, 3, 1, 3, 2),
                ("x_total @ 60", 1, 0, 3, 3, 1, 1),
            ],
        ),
        ("1 + 1", &[]),
    ];
    for (text, expected) in rows {
        profiled(text, |profile, answer| {
            let row = |own: &OperatorProfile| {
                let place = text[own.span.start..own.span.end].to_owned();
                let (time, own_time) = (own.time.as_secs(), own.own_time.as_secs());
                (place, own.evaluations, own.reuses, own.samples, own.series, time, own_time)
            };
            let found: Vec<_> = profile.operators().iter().map(row).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(a, b, c, d, e, f, g)| ((*a).to_owned(), *b, *c, *d, *e, *f, *g))
                .collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(found.first().map_or(0, |root| root.3), answer.samples, "{text}");
            // Looked at before and after by the phase, and twice by each operator.
            let phases = profile.phases();
            assert_eq!(phases.preparation.as_secs(), 1);
            assert_eq!(phases.evaluation.as_secs(), 2 * found.len() as u64 + 1, "{text}");
        });
    }
}

#[test]
fn the_peak_is_the_least_that_is_enough() {
    let queries = ["x_total", "sum(x_total)", "rate(x_total[30s])", "x_total + x_total offset 10s"];
    for text in queries {
        let peak = profiled(text, |profile, _| profile.peak());
        assert!(ask(text, &Budget::samples(peak)).is_ok(), "{text} needs more than {peak}");
        let less = ask(text, &Budget::samples(peak - 1));
        assert!(matches!(less, Err(EvalError::TooManySamples)), "{text} needs less than {peak}");
    }
}

#[test]
fn samples_of_each_step() {
    let rows = [
        ("x_total", [3, 3, 3, 3, 3]),
        ("rate(x_total[30s])", [9, 9, 9, 9, 9]),
        ("rate(x_total[70s])", [18, 21, 21, 21, 21]),
        ("x_total + x_total", [6, 6, 6, 6, 6]),
        ("x_total @ 60", [3, 3, 3, 3, 3]),
        ("x_total offset -20s", [3, 3, 3, 3, 3]),
        ("1", [0; 5]),
    ];
    for (text, expected) in rows {
        let expr = parse(text, &Features::ALL).expect("a query");
        let (engine, query) = (Engine::default(), Query { text, expr: &expr });
        let each = engine.samples_per_step(query, &store(), STEPS, &engine.budget());
        assert_eq!(each.expect("samples"), expected, "{text}");
    }
}

#[test]
fn what_is_kept_takes_nothing() {
    let text = "sum(x_total)";
    let expr = parse(text, &Features::ALL).expect("a query");
    let (engine, store, cache) = (Engine::default(), store(), QueryCache::new(1 << 20));
    let evaluations = [1, 0].map(|_| {
        let clock = || Duration::ZERO;
        let profile = Profile::new(&clock);
        let budget = Budget { profile: Some(&profile), ..engine.budget() };
        let query = Query { text, expr: &expr };
        engine.range_cached(query, &store, STEPS, &budget, &cache).expect("an answer");
        profile.operators().len()
    });
    assert_eq!(evaluations, [2, 0]);
}
