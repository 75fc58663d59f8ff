//! Limits of a query.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::Steps;
use promql::{Budget, Engine, EvalError, Features, MemoryPool, Query, SAMPLE_BYTES, Stop, parse};
use tsdb::model::histogram::Span;
use tsdb::model::{Histogram, Labels, Sample, Timestamp, Value};

fn store() -> MemoryStore {
    let samples = (0..100).map(|row| Sample {
        timestamp: Timestamp::from_ms(row * 5_000),
        value: Value::Float(row as f64),
        start: None,
    });
    let samples: Vec<_> = samples.collect();
    let series = (0..10).map(|pod| LoadedSeries {
        labels: Labels::from_pairs([("__name__", "x_total".into()), ("pod", format!("{pod}"))]),
        samples: samples.clone(),
    });
    let mut store = MemoryStore::new();
    store.insert(&series.collect::<Vec<_>>());
    store
}

fn ask(text: &str, budget: &Budget<'_>) -> Result<u64, EvalError> {
    let expr = parse(text, &Features::default()).expect("a query");
    let time = Timestamp::from_ms;
    let steps = Steps { start: time(0), end: time(450_000), step_ms: 50_000 };
    let engine = Engine::default();
    let answer = engine.range(Query { text, expr: &expr }, &store(), steps, budget)?;
    Ok(answer.samples)
}

#[test]
fn samples_held_at_a_time() {
    let rows = [
        // Ten series with ten steps each.
        ("x_total", 100, true),
        ("x_total", 99, false),
        ("sum(x_total)", 100, true),
        ("sum(x_total) + sum(x_total)", 110, true),
        ("x_total + x_total", 199, false),
        // The window of each step has ten samples; nine steps have two samples at least.
        ("rate(x_total[50s])", 99, true),
        ("rate(x_total[50s])", 90, false),
        // Steps of a subquery are bounded before anything is made for them.
        ("sum_over_time(vector(1)[1y:1ms])", 1000, false),
    ];
    for (query, samples_max, enough) in rows {
        match ask(query, &Budget::samples(samples_max)) {
            Ok(_) => assert!(enough, "{query} needs no more than {samples_max}"),
            Err(EvalError::TooManySamples) => assert!(!enough, "{query} needs {samples_max}"),
            Err(error) => panic!("{query}: {error}"),
        }
    }
    assert_eq!(ask("x_total", &Budget::samples(1000)).unwrap(), 100);
    assert_eq!(ask("rate(x_total[50s])", &Budget::samples(1000)).unwrap(), 910);
}

#[test]
fn bytes_held_by_all_queries_together() {
    let rows = [
        ("x_total", 100, 0, true),
        ("x_total", 100, 1, false),
        ("sum(x_total) + sum(x_total)", 110, 0, true),
        ("x_total + x_total", 200, 1, false),
    ];
    for (query, samples, missing, enough) in rows {
        let pool = MemoryPool::new(samples * SAMPLE_BYTES - missing);
        match ask(query, &Budget { pool: Some(&pool), ..Budget::samples(1000) }) {
            Ok(_) => assert!(enough, "{query} needs no more than {samples} samples"),
            Err(EvalError::TooMuchMemory { bytes_max }) => {
                assert!(!enough && bytes_max == pool.bytes_max(), "{query} needs {samples}");
            }
            Err(error) => panic!("{query}: {error}"),
        }
        assert_eq!(pool.held(), 0, "{query}: everything is given back");
    }
    // Another query, each time this one asks whether to go on: it fits in beside it at first only.
    let pool = MemoryPool::new(150 * SAMPLE_BYTES);
    let beside = Mutex::new(Vec::new());
    let stop = || {
        let other = ask("x_total", &Budget { pool: Some(&pool), ..Budget::samples(1000) });
        beside.lock().unwrap().push(other.is_ok());
        None
    };
    let budget = Budget { pool: Some(&pool), stop: &stop, ..Budget::samples(1000) };
    assert!(ask("rate(x_total[50s])", &budget).is_ok());
    let beside = beside.into_inner().unwrap();
    assert!(beside.first() == Some(&true) && beside.last() == Some(&false), "{beside:?}");
    assert_eq!(pool.held(), 0);
}

/// Ten series of 100 native histograms, each of which counts for some dozen samples.
fn histograms() -> MemoryStore {
    let histogram = |row: i64| Histogram {
        count: row as f64,
        positive_spans: vec![Span { offset: 0, length: 31 }],
        positive_buckets: vec![row as f64; 31],
        ..Histogram::default()
    };
    let samples = (0..100).map(|row| Sample {
        timestamp: Timestamp::from_ms(row * 5_000),
        value: Value::Histogram(Arc::new(histogram(row))),
        start: None,
    });
    let samples: Vec<_> = samples.collect();
    let series = (0..10).map(|pod| LoadedSeries {
        labels: Labels::from_pairs([("__name__", "h".into()), ("pod", format!("{pod}"))]),
        samples: samples.clone(),
    });
    let mut store = MemoryStore::new();
    store.insert(&series.collect::<Vec<_>>());
    store
}

#[test]
fn native_histograms_count_for_what_they_are() {
    let ask = |samples_max: usize| {
        let text = "histogram_count(rate(h[50s]))";
        let expr = parse(text, &Features::default()).expect("a query");
        let time = Timestamp::from_ms(450_000);
        let budget = Budget::samples(samples_max);
        Engine::default().instant(Query { text, expr: &expr }, &histograms(), time, &budget)
    };
    let all = ask(1_000_000).expect("an answer");
    assert!(matches!(&all.value, promql::value::Value::Vector(vector) if vector.len() == 10));
    // Room for a window of one series, but not of all: they are read one after the other.
    assert_eq!(ask(1_000).expect("an answer"), all);
    assert!(matches!(ask(200), Err(EvalError::TooManySamples)));
}

#[test]
fn stopped_from_outside() {
    for (stop, text) in [
        (Stop::Canceled, "query was canceled in expression evaluation"),
        (Stop::Timeout, "query timed out in expression evaluation"),
    ] {
        let asked = AtomicUsize::new(0);
        let after_two = || (asked.fetch_add(1, Ordering::Relaxed) >= 2).then_some(stop);
        let budget = Budget { stop: &after_two, ..Budget::samples(1_000_000) };
        assert_eq!(ask("x_total", &budget).unwrap_err().to_string(), text);
        assert!(asked.into_inner() < 10);
    }
}

#[test]
fn what_cannot_be_asked_over_a_range() {
    let budget = Budget::samples(1000);
    let rows = [
        (
            "x_total[5m]",
            "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector",
        ),
        (
            "\"text\"",
            "invalid expression type \"string\" for range query, must be Scalar or instant Vector",
        ),
        ("x_total offset (5m / (step() - 50s))", "division by zero"),
        ("rate(x_total[step() - 50s])", "duration must be greater than 0"),
    ];
    for (query, expected) in rows {
        match ask(query, &budget) {
            Err(EvalError::Invalid(text)) => assert_eq!(text, expected),
            other => panic!("{query}: {other:?}"),
        }
    }
}
