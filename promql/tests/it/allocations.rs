//! What a query takes from the allocator: how many blocks, and how many bytes at a time.
//!
//! The allocator of this test binary counts for each thread. Rows say what a query may take; the
//! bounds grow with the series and, where a step has a result of its own, with the steps, but never
//! with the samples of a window.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use promql::promqltest::{LoadedSeries, MemoryStore};
use promql::value::Steps;
use promql::{Budget, Engine, EvalError, Features, Query, parse};
use tsdb::model::{Labels, Sample, Timestamp, Value};

/// The system's allocator, which counts.
struct Counting;

thread_local! {
    static BLOCKS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
    static BYTES_MAX: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // The thread may be about to end, then nobody asks any more.
    let _ = BYTES.try_with(|own| {
        own.set(own.get() + bytes);
        let _ = BYTES_MAX.try_with(|max| max.set(max.get().max(own.get())));
    });
    if bytes > 0 {
        let _ = BLOCKS.try_with(|own| own.set(own.get() + 1));
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What was taken while something was done.
#[derive(Clone, Copy, Debug)]
struct Taken {
    blocks: usize,
    /// At most at a time, more than before.
    bytes: usize,
}

fn taken<T>(work: impl FnOnce() -> T) -> (T, Taken) {
    let (blocks, bytes) = (BLOCKS.get(), BYTES.get());
    BYTES_MAX.set(bytes);
    let result = work();
    (result, Taken { blocks: BLOCKS.get() - blocks, bytes: (BYTES_MAX.get() - bytes) as usize })
}

/// Seconds between two samples, and their number.
const INTERVAL_S: i64 = 5;
const SAMPLES: i64 = 1_440;

/// Counters of as many pods, and a histogram of four buckets for each of them.
fn store(pods: usize) -> MemoryStore {
    let series = |name: &str, pod: usize, le: &str, factor: i64| {
        let pod = format!("{pod}");
        let labels = Labels::from_pairs([("__name__", name), ("le", le), ("pod", pod.as_str())]);
        let sample = |at: i64| Sample {
            timestamp: Timestamp::from_ms(at * INTERVAL_S * 1000),
            value: Value::Float((at * factor) as f64),
            start: None,
        };
        LoadedSeries { labels, samples: (0..SAMPLES).map(sample).collect() }
    };
    let of_pod = |pod| {
        let buckets = ["0.5", "1", "2.5", "+Inf"].into_iter().zip(1..);
        let buckets = buckets.map(move |(le, factor)| series("x_bucket", pod, le, factor));
        [series("x_total", pod, "", 1 + pod as i64)].into_iter().chain(buckets)
    };
    let mut store = MemoryStore::new();
    store.insert(&(0..pods).flat_map(of_pod).collect::<Vec<_>>());
    store
}

fn ask(store: &MemoryStore, text: &str, steps: i64) -> Taken {
    let expr = parse(text, &Features::ALL).expect("a query");
    let (end, step_ms) = (SAMPLES * INTERVAL_S * 1000, 1_000);
    let start = Timestamp::from_ms(end - (steps - 1) * step_ms);
    let steps = Steps { start, end: Timestamp::from_ms(end), step_ms };
    let engine = Engine::default();
    let (answer, taken) =
        taken(|| engine.range(Query { text, expr: &expr }, store, steps, &engine.budget()));
    answer.expect("an answer");
    taken
}

/// A query of a window `RANGE`, and how many blocks it may take for each pod, and for each step.
type Row = (&'static str, usize, usize);

const ROWS: [Row; 16] = [
    ("x_total", 15, 0),
    ("rate(x_total[RANGE])", 20, 0),
    ("increase(x_bucket[RANGE])", 90, 0),
    ("max_over_time(x_total[RANGE])", 20, 0),
    ("avg_over_time(x_total[RANGE])", 20, 0),
    ("quantile_over_time(0.9, x_total[RANGE])", 20, 0),
    ("deriv(x_total[RANGE])", 20, 0),
    ("sum(rate(x_total[RANGE]))", 15, 0),
    ("sum by (pod) (rate(x_bucket[RANGE]))", 95, 0),
    ("rate(x_total[RANGE]) / on (pod) x_total", 50, 0),
    ("x_total > 3 and on (pod) rate(x_total[RANGE])", 40, 0),
    ("label_replace(rate(x_total[RANGE]), \"p\", \"$1\", \"pod\", \"(.*)\")", 40, 0),
    ("topk(3, rate(x_total[RANGE]))", 15, 2),
    ("histogram_quantile(0.9, rate(x_bucket[RANGE]))", 95, 0),
    ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[RANGE])))", 80, 0),
    ("max_over_time(rate(x_total[RANGE])[RANGE:15s])", 30, 0),
];

/// What any query takes: to compile a regular expression for one, whose buffers are more if other
/// tests have used the allocator of this thread's patterns before.
const BLOCKS_ALWAYS: usize = 640;

#[test]
fn blocks_grow_with_series_but_not_with_windows() {
    let mut failed = Vec::new();
    for pods in [5, 40] {
        let store = store(pods);
        for (query, for_pod, for_step) in ROWS {
            for (steps, range) in [(10, "1m"), (10, "1h"), (500, "1m"), (500, "1h")] {
                let text = query.replace("RANGE", range);
                let max = BLOCKS_ALWAYS + pods * for_pod + steps as usize * for_step;
                let taken = ask(&store, &text, steps).blocks;
                println!("{taken:>6} of {max:>6}: {pods} pods, {steps} steps: {text}");
                if taken > max {
                    failed.push(format!("{text}: {pods} pods, {steps} steps: {taken} > {max}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Texts that are small and want much.
fn greedy() -> Vec<String> {
    let nested = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(40), close.repeat(40))
    };
    let within = |inner: &str| format!("sum_over_time((vector({inner}))[9s:1ms])");
    vec![
        "sum_over_time(vector(1)[1y:1ms])".into(),
        "max_over_time((x_total + on () group_left () vector(1))[1h:1s])".into(),
        within(&nested("time() ^ (", "time()", ")")),
        within(&nested("scalar(vector(", "time()", "))")),
        within(&nested("scalar(quantile(time(), vector(", "time()", ")))")),
        nested("quantile(time(), ", "vector(1)", ")"),
        format!("sum_over_time(({})[9s:1ms])", nested("quantile(time(), ", "vector(1)", ")")),
        format!("sum_over_time(({})[9s:1ms])", nested("(time() + ", "vector(1)", ")")),
        format!("sum_over_time(({})[9s:1ms])", nested("(vector(1) + ", "vector(1)", ")")),
        nested("label_join(", "x_total", ", \"pod\", \"\", \"pod\", \"pod\")"),
        nested("label_replace(", "x_total", ", \"pod\", \"$1$1$1\", \"pod\", \"(.*)\")"),
        format!(
            "label_join(x_total, \"a\", \"{}\"{})",
            "-".repeat(9_000),
            ", \"pod\"".repeat(9_000)
        ),
        format!("label_replace(x_total, \"a\", \"{}\", \"pod\", \"(.*)\")", "$0".repeat(60_000)),
        nested("(x_total and ", "x_total", ")"),
    ]
}

#[test]
fn bytes_stay_within_the_budget() {
    let store = store(20);
    let samples_max = 10_000;
    // Twice the budget of 16 bytes for a sample, labels, compiled expressions, and the plan.
    let bytes_max = |text: &str| 2 * 16 * samples_max + 500_000 + 100 * text.len();
    let (engine, budget) = (Engine::default(), Budget::samples(samples_max));
    let mut failed = Vec::new();
    for text in greedy() {
        let Ok(expr) = parse(&text, &Features::ALL) else { panic!("{text}") };
        let time = Timestamp::from_ms(SAMPLES * INTERVAL_S * 1000);
        let query = Query { text: &text, expr: &expr };
        let (answer, taken) = taken(|| engine.instant(query, &store, time, &budget));
        let outcome = match answer {
            Ok(answer) => format!("{} samples", answer.samples),
            Err(EvalError::TooManySamples) => "too many samples".into(),
            Err(error) => error.to_string(),
        };
        println!("{:>9} bytes: {outcome}: {text:.70}", taken.bytes);
        if taken.bytes > bytes_max(&text) {
            failed.push(format!("{} bytes: {text:.100}", taken.bytes));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
