//! Twins: the same observations as a classic histogram and as a native one with custom buckets, the
//! same counter as a float and as the count of a native histogram. What is asked of both has the
//! same answer.

use std::sync::Arc;

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::{Point, PointValue, Steps, Value as Answered};
use promql::{Engine, Features, Query, parse};
use proptest::prelude::*;
use tsdb::model::histogram::{ClassicHistogram, Span};
use tsdb::model::number::format_open_metrics;
use tsdb::model::{Histogram, Labels, Sample, Timestamp, Value};

/// Bounds, rising, and how many observations each minute adds to each bucket and to the last one.
#[derive(Clone, Debug)]
struct Observed {
    bounds: Vec<f64>,
    added: Vec<Vec<u32>>,
}

fn any_observed() -> impl Strategy<Value = Observed> {
    let bounds = prop::collection::btree_set(-20..60_i32, 1..8);
    (bounds, 2..6_usize).prop_flat_map(|(bounds, minutes)| {
        let bounds: Vec<_> = bounds.into_iter().map(|bound| f64::from(bound) / 4.0).collect();
        let minute = prop::collection::vec(1..50_u32, bounds.len() + 1);
        let added = prop::collection::vec(minute, minutes);
        added.prop_map(move |added| Observed { bounds: bounds.clone(), added })
    })
}

impl Observed {
    /// The bucket series `classic` and the series `native`.
    fn series(&self) -> Vec<LoadedSeries> {
        let bounds: Vec<f64> = self.bounds.iter().copied().chain([f64::INFINITY]).collect();
        let mut totals = vec![0_u32; bounds.len()];
        let mut classics: Vec<Vec<Sample>> = vec![Vec::new(); bounds.len()];
        let mut natives = Vec::new();
        for (minute, added) in self.added.iter().enumerate() {
            let timestamp = Timestamp::from_ms(minute as i64 * 60_000);
            let sample = |value| Sample { timestamp, value, start: None };
            totals.iter_mut().zip(added).for_each(|(total, added)| *total += added);
            let (mut below, mut classic) = (0.0, ClassicHistogram::new());
            for (at, bound) in bounds.iter().enumerate() {
                below += f64::from(totals[at]);
                classics[at].push(sample(Value::Float(below)));
                classic.set_bucket(*bound, below);
            }
            let native = classic.build().expect("a histogram");
            natives.push(sample(Value::Histogram(Arc::new(native))));
        }
        let series = bounds.iter().zip(classics).map(|(bound, samples)| {
            let le = format_open_metrics(*bound);
            let labels = Labels::from_pairs([("__name__", "classic"), ("le", le.as_str())]);
            LoadedSeries { labels, samples }
        });
        let labels = Labels::from_pairs([("__name__", "native")]);
        series.chain([LoadedSeries { labels, samples: natives }]).collect()
    }
}

/// The only float that a query gives.
fn ask(store: &MemoryStore, query: &str, minutes: usize) -> f64 {
    let expr = parse(query, &Features::ALL).expect("a query");
    let engine = Engine::default();
    let time = Timestamp::from_ms((minutes as i64 - 1) * 60_000);
    let query = Query { text: query, expr: &expr };
    let answer = engine.instant(query, store, time, &engine.budget()).expect("an answer");
    match answer.value {
        Answered::Vector(vector) => match vector.as_slice() {
            [sample] => match sample.point.value {
                PointValue::Float(value) => value,
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn classic_and_native_agree(
        observed in any_observed(),
        q in 0.0..=1.0_f64,
        lower in -6.0..16.0_f64,
        width in 0.0..9.0_f64,
    ) {
        let mut store = MemoryStore::new();
        store.insert(&observed.series());
        let minutes = observed.added.len();
        let upper = lower + width;
        // Not `increase`: it draws each bucket back to its own zero.
        let mut queries = vec![
            format!("histogram_quantile({q}, NAME)"),
            format!("histogram_quantile({q}, sum by (le) (delta(NAME[10m])))"),
        ];
        // As in Prometheus, the fraction of a native one takes any bucket around zero for the zero
        // bucket.
        if observed.bounds[0] > 0.0 {
            queries.extend([
                format!("histogram_fraction({lower}, {upper}, NAME)"),
                format!("histogram_fraction({lower}, {upper}, sum_over_time(NAME[10m]))"),
            ]);
        }
        for query in queries {
            let [classic, native] =
                ["classic", "native"].map(|name| ask(&store, &query.replace("NAME", name), minutes));
            let close = (classic - native).abs() <= 1e-9 * classic.abs().max(1.0);
            prop_assert!(close, "{query}: {classic} and {native}");
        }
    }
}

/// A counter in whole numbers, as a float and as the count of a histogram; gaps are `None`.
fn counters(values: &[Option<u32>], pod: &str) -> [LoadedSeries; 2] {
    let sample = |value: &dyn Fn(f64) -> Value| -> Vec<Sample> {
        let there = values.iter().enumerate().filter_map(|(at, own)| Some((at, (*own)?)));
        let sample = |(minute, own): (usize, u32)| {
            let timestamp = Timestamp::from_ms(minute as i64 * 60_000);
            Sample { timestamp, value: value(f64::from(own)), start: None }
        };
        there.map(sample).collect()
    };
    let histogram = |count: f64| {
        Value::Histogram(Arc::new(Histogram {
            count,
            sum: 2.0 * count,
            positive_spans: vec![Span { offset: 1, length: 1 }],
            positive_buckets: vec![count],
            ..Histogram::default()
        }))
    };
    let labels = |name| Labels::from_pairs([("__name__", name), ("pod", pod)]);
    [
        LoadedSeries { labels: labels("float_total"), samples: sample(&Value::Float) },
        LoadedSeries { labels: labels("native"), samples: sample(&histogram) },
    ]
}

/// Labels and points (milliseconds and float) of each series that a range query gives.
type Points = Vec<(Labels, Vec<(i64, f64)>)>;

fn ask_range(store: &MemoryStore, query: &str, minutes: usize) -> Points {
    let expr = parse(query, &Features::ALL).expect("a query");
    let engine = Engine::default();
    let end = Timestamp::from_ms(minutes as i64 * 60_000);
    let steps = Steps { start: Timestamp::from_ms(0), end, step_ms: 25_000 };
    let query = Query { text: query, expr: &expr };
    let answer = engine.range(query, store, steps, &engine.budget()).expect("an answer");
    let Answered::Matrix(matrix) = answer.value else { panic!("no matrix") };
    let point = |point: &Point| match &point.value {
        PointValue::Float(value) => (point.timestamp.ms(), *value),
        other => panic!("{other:?}"),
    };
    let series = matrix
        .iter()
        .map(|own| (own.labels.clone(), own.points.iter().map(point).collect::<Vec<_>>()));
    series.collect()
}

proptest! {
    #[test]
    fn a_count_behaves_like_a_float(
        a in prop::collection::vec(prop::option::weighted(0.9, 0..100_u32), 1..20),
        b in prop::collection::vec(prop::option::weighted(0.9, 0..100_u32), 1..20),
    ) {
        let mut store = MemoryStore::new();
        store.insert(&counters(&a, "a"));
        store.insert(&counters(&b, "b"));
        let minutes = a.len().max(b.len());
        let of_ranges = ["rate", "increase", "delta"].into_iter().flat_map(|function| {
            ["", " anchored", " smoothed"].map(|how| format!("{function}(NAME[3m]{how})"))
        });
        // Not `NAME smoothed`: of floats, nobody knows there whether they count.
        let others = [
            "irate(NAME[3m])", "idelta(NAME[3m])", "sum_over_time(NAME[3m])",
            "avg_over_time(NAME[3m])", "last_over_time(NAME[3m])", "increase(NAME[4m:1m])",
            "sum(NAME)", "avg(NAME)", "sum(rate(NAME[3m]))", "-NAME", "NAME * 3", "NAME / 3",
            "NAME - on(pod) NAME offset 1m", "NAME + on(pod) NAME offset 1m",
        ];
        for query in of_ranges.chain(others.map(str::to_owned)) {
            let float = ask_range(&store, &query.replace("NAME", "float_total"), minutes);
            let query = query.replace("NAME", "native");
            for (part, factor) in [("histogram_count", 1.0), ("histogram_sum", 2.0)] {
                let native = ask_range(&store, &format!("{part}({query})"), minutes);
                prop_assert_eq!(native.len(), float.len(), "{}", query);
                for ((labels, native), (own, float)) in native.iter().zip(&float) {
                    prop_assert_eq!(labels.get("pod"), own.get("pod"));
                    let same = |(a, b): (&(i64, f64), &(i64, f64))| {
                        let b = (b.0, b.1 * factor);
                        a.0 == b.0 && (a.1 - b.1).abs() <= 1e-9 * b.1.abs().max(1.0)
                    };
                    let all = native.len() == float.len() && native.iter().zip(float).all(same);
                    prop_assert!(all, "{query}: {native:?} and {float:?}");
                }
            }
        }
        for function in ["resets", "changes", "count_over_time"] {
            let of = |name| ask_range(&store, &format!("{function}({name}[3m])"), minutes);
            prop_assert_eq!(of("native"), of("float_total"), "{}", function);
        }
    }
}
