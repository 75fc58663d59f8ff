//! What a query would do, as text and as data.

use promql::explain::{Explanation, Operator, Shared};
use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::Steps;
use promql::{Budget, Engine, EvalError, Features, Query, Stop, parse};
use tsdb::model::{Labels, Sample, Timestamp, Value};

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

fn explain(text: &str) -> Explanation {
    let expr = parse(text, &Features::ALL).expect("a query");
    let (engine, query) = (Engine::default(), Query { text, expr: &expr });
    let time = Timestamp::from_ms;
    let steps = Steps { start: time(600_000), end: time(660_500), step_ms: 15_000 };
    engine.explain_range(query, &store(), steps, &engine.budget()).expect("an explanation")
}

#[test]
fn the_whole_text() {
    let text =
        "sum by (pod) (rate(x_total[5m] offset 1m))\n / on (pod) sum by (pod) (x_total @ 60)";
    let expected = "\
5 steps, every 15s from 1970-01-01T00:10:00Z to 1970-01-01T00:11:00Z
left / right, matched by pod (1:1)
  sum over the series with the same pod (1:1)
    rate of each series' window (1:15)
      samples in the 5m up to 1m before each step (1:20)
          {__name__=\"x_total\"}: 0 series from 1970-01-01T00:04:00.001Z to 1970-01-01T00:10:00Z
  sum over the series with the same pod (2:13); the same at each step, evaluated once
    each series' newest sample in the 5m up to 1970-01-01T00:01:00Z (2:27)
        {__name__=\"x_total\"}: 3 series from 1969-12-31T23:56:00.001Z to 1970-01-01T00:01:00Z
kept for the next time: its steps, until a sample changes that they look at: 6m before it to 1m \
before it; all look at samples from 1969-12-31T23:56:00Z to 1970-01-01T00:01:00Z
";
    assert_eq!(explain(text).to_string(), expected);
}

#[test]
fn words() {
    // A query, and lines that its explanation has.
    let rows: [(&str, &[&str]); 17] = [
        ("1", &["the number 1 (1:1)", "kept for the next time: nothing: it looks at no samples"]),
        ("time()", &["time, a number for each step (1:1)"]),
        ("vector(time())", &["vector, for each step (1:1)"]),
        ("-x_total", &["each value with the other sign (1:1)"]),
        ("abs(x_total)", &["abs of each step's vector (1:1)"]),
        ("sum(x_total)", &["sum over all series (1:1)"]),
        (
            "topk without (pod) (2, x_total)",
            &["topk of the series with the same labels but pod (1:1)", "  the number 2 (1:21)"],
        ),
        ("x_total >= bool 5", &["1 where left >= right, else 0 (1:1)"]),
        ("x_total > 5", &["values where left > right (1:1)"]),
        ("x_total unless y", &["series of left unless right, matched by all labels (1:1)"]),
        (
            "x_total * on () group_left y",
            &["left * right, whatever their labels, many on the left to one (1:1)"],
        ),
        ("x_total / ignoring (a, b) y", &["left / right, matched by all labels but a, b (1:1)"]),
        (
            "x_total smoothed offset -1m",
            &["each series' value on the line between its samples around 1m after each step (1:1)"],
        ),
        (
            "rate(x_total[1m] anchored)",
            &["  samples in the 1m up to each step, and the one before them (1:6)"],
        ),
        (
            "max_over_time(x_total[2m:10s])",
            &[
                "  values in the 2m up to each step, evaluated every 10s (1:15)",
                "    each series' newest sample in the 5m up to each step (1:15)",
                "        {__name__=\"x_total\"}: 0 series from 1970-01-01T00:03:10.001Z to 1970-01-01T00:11:00Z",
            ],
        ),
        (
            "x_total + (x_total)",
            &[
                "  each series' newest sample in the 5m up to each step (1:1); evaluated once for 2 places",
                "  each series' newest sample in the 5m up to each step (1:12); evaluated already at 1:1",
            ],
        ),
        (
            "x_total @ end()",
            &["kept for the next time: nothing: it depends on when the query starts or ends"],
        ),
    ];
    for (text, lines) in rows {
        let said = explain(text).to_string();
        for line in lines {
            assert!(said.lines().any(|own| own == *line), "{text}: no {line:?} in\n{said}");
        }
    }
}

#[test]
fn as_data() {
    let text = "x_total + on (pod) sum by (pod) (x_total)";
    let root = explain(text).root;
    let shared = |own: &Operator| (own.text.clone(), own.shared, own.inputs.len());
    let [left, right] = root.inputs.as_slice() else { panic!("{root:?}") };
    assert_eq!(shared(left), ("x_total".to_owned(), Some(Shared::First(2)), 0));
    assert_eq!(shared(right), ("sum by (pod) (x_total)".to_owned(), None, 1));
    assert_eq!(right.inputs[0].shared, Some(Shared::As(1, 1)));
    let range = left.selects.as_ref().expect("it selects").range;
    assert_eq!((range.start.ms(), range.end.ms()), (300_001, 660_000));
}

#[test]
fn at_one_time() {
    let text = "x_total";
    let expr = parse(text, &Features::ALL).expect("a query");
    let (engine, query) = (Engine::default(), Query { text, expr: &expr });
    let ask = |budget: &Budget<'_>| {
        engine.explain_instant(query, &store(), Timestamp::from_ms(60_000), budget)
    };
    let said = ask(&engine.budget()).expect("an explanation").to_string();
    assert!(said.starts_with("one step, 1970-01-01T00:01:00Z\n"), "{said}");
    assert!(
        said.contains(": 3 series from") && said.ends_with("nothing: it is an instant query\n")
    );
    let stop = || Some(Stop::Timeout);
    let stopped = ask(&Budget { stop: &stop, ..engine.budget() });
    assert!(matches!(stopped, Err(EvalError::Timeout)), "{stopped:?}");
}
