//! The engine against a plain reference that looks at one series and one step at a time: the same
//! bits, on two stores, whatever the data.

use promql::promqltest::MemoryStore;
use promql::value::{PointValue, Steps, Value};
use promql::{Budget, Engine, Features, Query, parse};
use proptest::prelude::*;
use tsdb::Select;
use tsdb::model::{Labels, Timestamp};

use crate::rows::{Cell, RowStore, ends, pairs};

const LOOKBACK_MS: i64 = 300_000;

/// Samples of the window `(end − range, end]` without stale markers.
fn window(samples: &[(i64, f64)], end: i64, range: i64) -> Vec<(i64, f64)> {
    let inside =
        samples.iter().filter(|(time, value)| *time > end - range && *time <= end && !ends(*value));
    inside.copied().collect()
}

fn instant(samples: &[(i64, f64)], time: i64) -> Option<f64> {
    let (_, value) = samples.iter().rfind(|(own, _)| *own <= time && *own > time - LOOKBACK_MS)?;
    (!ends(*value)).then_some(*value)
}

fn extrapolated(
    samples: &[(i64, f64)],
    end: i64,
    range: i64,
    is_counter: bool,
    is_rate: bool,
) -> Option<f64> {
    let inside = window(samples, end, range);
    if inside.len() < 2 {
        return None;
    }
    let ((first_time, first), (last_time, last)) = (inside[0], inside[inside.len() - 1]);
    let mut result = last - first;
    if is_counter {
        for pair in inside.windows(2) {
            if pair[1].1 < pair[0].1 {
                result += pair[0].1;
            }
        }
    }
    let mut to_start = (first_time - (end - range)) as f64 / 1000.0;
    let mut to_end = (end - last_time) as f64 / 1000.0;
    let sampled = (last_time - first_time) as f64 / 1000.0;
    let average = sampled / (inside.len() - 1) as f64;
    if to_start >= average * 1.1 {
        to_start = average / 2.0;
    }
    if is_counter && result > 0.0 && first >= 0.0 {
        let to_zero = sampled * (first / result);
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= average * 1.1 {
        to_end = average / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if is_rate {
        // Whole seconds and the rest apart, as Go's `Duration.Seconds` does.
        factor /= (range / 1000) as f64 + (range % 1000 * 1_000_000) as f64 / 1e9;
    }
    Some(result * factor)
}

fn last_two(samples: &[(i64, f64)], end: i64, range: i64, is_rate: bool) -> Option<f64> {
    let inside = window(samples, end, range);
    let [.., (before_time, before), (time, value)] = inside.as_slice() else { return None };
    if !is_rate {
        return Some(value - before);
    }
    let change = if value < before { *value } else { value - before };
    Some(change / ((time - before_time) as f64 / 1000.0))
}

/// What each query has to give for a series at a time.
type Reference = fn(&[(i64, f64)], i64, i64) -> Option<f64>;

/// Queries, with `RANGE` in milliseconds for the range.
const QUERIES: [(&str, Reference); 10] = [
    ("{job=\"x\"}", |samples, time, _| instant(samples, time)),
    ("rate({job=\"x\"}[RANGE])", |s, t, r| extrapolated(s, t, r, true, true)),
    ("increase({job=\"x\"}[RANGE])", |s, t, r| extrapolated(s, t, r, true, false)),
    ("delta({job=\"x\"}[RANGE])", |s, t, r| extrapolated(s, t, r, false, false)),
    ("irate({job=\"x\"}[RANGE])", |s, t, r| last_two(s, t, r, true)),
    ("idelta({job=\"x\"}[RANGE])", |s, t, r| last_two(s, t, r, false)),
    ("count_over_time({job=\"x\"}[RANGE])", |s, t, r| {
        let count = window(s, t, r).len();
        (count > 0).then_some(count as f64)
    }),
    ("last_over_time({job=\"x\"}[RANGE])", |s, t, r| {
        window(s, t, r).last().map(|(_, value)| *value)
    }),
    ("resets({job=\"x\"}[RANGE])", |s, t, r| {
        let inside = window(s, t, r);
        let resets = inside.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
        (!inside.is_empty()).then_some(resets as f64)
    }),
    ("rate({job=\"x\"}[RANGE] offset 37s)", |s, t, r| extrapolated(s, t - 37_000, r, true, true)),
];

/// The matrix that a query gives, as bits by pod and time.
fn ask(store: &dyn Select, query: &str, steps: Steps) -> Vec<(String, i64, u64)> {
    let expr = parse(query, &Features::default()).expect("a query");
    let query = Query { text: query, expr: &expr };
    let budget = Budget::samples(1_000_000);
    let answer = Engine::default().range(query, store, steps, &budget).expect("an answer");
    let Value::Matrix(matrix) = answer.value else { panic!("no matrix") };
    let points = matrix.iter().flat_map(|series| {
        let pod = series.labels.get("pod").unwrap_or("").to_owned();
        series.points.iter().map(move |point| match point.value {
            PointValue::Float(value) => (pod.clone(), point.timestamp.ms(), value.to_bits()),
            PointValue::Histogram(_) => panic!("a histogram"),
        })
    });
    points.collect()
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        1 => Just(Cell::Absent),
        1 => Just(Cell::Stale),
        1 => Just(Cell::Float(f64::NAN)),
        // Small numbers reset often.
        12 => (0_u32..400).prop_map(|value| Cell::Float(f64::from(value) * 0.37)),
    ]
}

/// A column: mostly a counter with a few odd cells, sometimes anything.
fn column(rows: usize) -> impl Strategy<Value = Vec<Cell>> {
    let odd = proptest::collection::vec(cell(), rows);
    let steps =
        proptest::collection::vec((0_u32..30, proptest::option::weighted(0.1, cell())), rows);
    let counter = steps.prop_map(|steps| {
        let mut total = 0.0;
        let cells = steps.into_iter().map(|(step, odd)| {
            total += f64::from(step) / 3.0;
            odd.unwrap_or(Cell::Float(total))
        });
        cells.collect()
    });
    prop_oneof![1 => odd, 3 => counter]
}

/// Makes some columns repeat the one before them, for all rows or for some.
fn repeat(columns: &mut [Vec<Cell>], repeats: &[(usize, usize)]) {
    for (at, (from, to)) in (1..columns.len()).zip(repeats) {
        let (before, own) = columns.split_at_mut(at);
        let end = (*to).min(own[0].len());
        let start = (*from).min(end);
        own[0][start..end].copy_from_slice(&before[at - 1][start..end]);
    }
}

prop_compose! {
    fn store()(gaps in proptest::collection::vec(prop_oneof![5 => 4_900_i64..5_100, 1 => 1_i64..400_000], 1..90))(
        columns in proptest::collection::vec(column(gaps.len()), 1..6),
        timestamps in Just(gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) }).collect::<Vec<i64>>()),
        batch_rows in 1_usize..100,
        batch_columns in 1_usize..5,
        repeats in proptest::collection::vec(
            prop_oneof![2 => Just((0, 90)), 1 => Just((0, 0)), 2 => (0_usize..40, 0_usize..90)],
            5,
        ),
    ) -> RowStore {
        let mut columns = columns;
        repeat(&mut columns, &repeats);
        let columns = columns.into_iter().enumerate().map(|(pod, cells)| {
            let pod = pod.to_string();
            let labels = [("__name__", "x_total"), ("job", "x"), ("pod", pod.as_str())];
            (Labels::from_pairs(labels), cells)
        });
        RowStore { timestamps, columns: columns.collect(), batch_rows, batch_columns }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_same_bits_as_step_by_step(
        rows in store(),
        query in 0..QUERIES.len(),
        start in -10_000_i64..400_000,
        step_ms in prop_oneof![Just(5_000_i64), 1_i64..60_000],
        count in 1_i64..80,
        range_ms in 1_i64..400_000,
    ) {
        let (template, reference) = QUERIES[query];
        let text = template.replace("RANGE", &format!("{range_ms}ms"));
        let time = Timestamp::from_ms;
        let steps = Steps { start: time(start), end: time(start + step_ms * (count - 1)), step_ms };
        let series = rows.series();
        let mut expected = Vec::new();
        for own in &series {
            let pod = own.labels.get("pod").unwrap_or("").to_owned();
            let samples = pairs(own);
            for time in steps.times() {
                if let Some(value) = reference(&samples, time.ms(), range_ms) {
                    expected.push((pod.clone(), time.ms(), value.to_bits()));
                }
            }
        }
        let mut memory = MemoryStore::new();
        memory.insert(&series);
        prop_assert_eq!(&ask(&rows, &text, steps), &expected, "rows: {}", text);
        prop_assert_eq!(&ask(&memory, &text, steps), &expected, "memory: {}", text);
    }
}
