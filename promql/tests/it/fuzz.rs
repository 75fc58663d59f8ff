//! `promql::fuzz` over real queries and seeded changes of them, on stable Rust, and texts that are
//! deep or long.
//!
//! A case is a seed: a failure prints it and the text.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use promql::fuzz;
use promql::parse::{HEIGHT_MAX, NESTING_MAX, TEXT_BYTES_MAX};

use crate::differential::grammar::expression;
use crate::random::Random;

/// Changed texts of an ordinary run.
const SHORT: u64 = 2_000;
/// How long a long run takes.
const LONG: Duration = Duration::from_secs(300);
/// Stack of a thread that answers queries: what Rust and tokio give to a thread.
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// Queries of every construct of the language.
const SEEDS: [&str; 16] = [
    "sum by (job, le) (rate(x_bucket{job=~\"a|b\", pod!=\"\"}[5m] offset -1m @ 1.5))",
    "histogram_quantile(0.9, sum without (pod) (increase(x_bucket[1m:5s] @ end())))",
    "a * on (job) group_left (pod, zone) b{x!~\"y.+\"} >= bool ignoring () c or vector(time())",
    "topk(3, -a ^ 2 ^ -1) unless (quantile(0.5, b) % 1e3 atan2 0x1F)",
    "label_replace(label_join(a, \"d\", \"-\", \"e\", \"f\"), \"g\", \"$1-${2}\", \"h\", \"(.*)(x)?\")",
    "count_values without (le) (\"v\", {\"a.b\", \"c d\"=\"\\u00e9\\n\"}) + fill (0) b",
    "a[step() * 2 + range() - min_of(5m, 1h30m)] smoothed offset (step() / 2)",
    "delta(a[1h] anchored) + info(b, {__name__=~\".+_info\", k=\"v\"})",
    "double_exponential_smoothing(a[1d:1h30m], 0.5, Inf) == NaN",
    "limit_ratio(-0.5, a) and limitk(1, b) </ 2",
    "max_over_time(deriv(rate(a[30s])[5m:30s])[10m:])",
    "absent_over_time(a{b='c'}[1m]) # a comment\n + `raw` == \"text\"",
    "histogram_quantiles(a, \"q\", 0.1, 0.5, scalar(b))",
    "sort_by_label_desc(clamp(a, -1, .5), \"job\") * pi() / 1_000",
    "group_left + by + offset + start + bool + on",
    "predict_linear(a[20m], 3600) < 1 > bool 2 != 3",
];

/// The queries above, and published ones if they are there.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    let texts: Vec<String> =
        files.iter().map(|path| fs::read_to_string(path).expect("a text")).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let published = lines.filter_map(|line| crate::parse_corpus::json_text(line, "expr"));
    SEEDS.iter().map(|&text| text.to_owned()).chain(published).collect()
}

/// A text with up to four changes: cut, doubled, spliced with another, or with a piece put in.
fn mutated(random: &mut Random, corpus: &[String]) -> String {
    let pieces = [
        "(",
        ")",
        "[5m]",
        "[1m:]",
        "{",
        "}",
        ",",
        " by (a) ",
        " offset 1m",
        " @ start()",
        "-",
        "^",
        " and ",
        " == bool ",
        "9e999",
        "NaN",
        "\"",
        "\\",
        "rate(",
        "sum(",
        "é",
        "\0",
        "=~\"(\"",
        ":",
        "step()",
        " group_left ",
        "abs(",
        "a",
        "1ms",
        "[9999999d:1ms]",
        "without",
    ];
    let mut text: Vec<char> = corpus[random.below(corpus.len())].chars().collect();
    for _ in 0..random.below(5) {
        let (at, length) = (random.below(text.len()), 1 + random.below(12));
        let end = text.len().min(at + length);
        match random.below(6) {
            0 => drop(text.drain(at..end)),
            1 => text.extend_from_within(at..end),
            2 => drop(text.splice(at..at, random.of(&pieces).chars())),
            3 => drop(text.splice(at..end, random.of(&pieces).chars())),
            4 if at < text.len() => text.swap(at, end - 1),
            _ => {
                let other: Vec<char> = corpus[random.below(corpus.len())].chars().collect();
                text.truncate(at);
                text.extend(&other[random.below(other.len())..]);
            }
        }
    }
    text.into_iter().collect()
}

fn run(seeds: impl Iterator<Item = u64>) {
    let corpus = corpus();
    let mut failed = Vec::new();
    for seed in seeds {
        let text = mutated(&mut Random::new(seed), &corpus);
        if catch_unwind(AssertUnwindSafe(|| fuzz::query(&text))).is_err() {
            failed.push(format!("seed {seed}: {text:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn changed_queries_are_answered_or_refused() {
    corpus().iter().for_each(|text| fuzz::query(text));
    run(0..SHORT);
}

#[test]
#[ignore = "the long form of the test above: five minutes of seeds, for `--release -- --ignored`"]
fn changed_queries_are_answered_or_refused_for_long() {
    let began = Instant::now();
    run((SHORT..).take_while(|_| began.elapsed() < LONG));
}

#[test]
fn generated_queries_print_and_parse_back() {
    for seed in 0..SHORT {
        let text = expression(&mut Random::new(seed), 0);
        assert!(fuzz::text(&text).is_some(), "seed {seed}: {text}");
    }
}

/// Shapes of texts that are as deep as asked for.
fn deep(depth: usize) -> Vec<String> {
    let nested = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    vec![
        nested("(", "a", ")"),
        "(".repeat(depth),
        nested("abs(", "a", ")"),
        nested("sum by (x) (", "a", ")"),
        nested("scalar(vector(", "1", "))"),
        nested("-", "a", ""),
        nested("- + ", "1", ""),
        nested("", "a", " + a"),
        nested("a and (", "a", ")"),
        nested("1 ^ ", "a", ""),
        nested("(1 + ", "a", ")"),
        nested("max_over_time((", "a", ")[1m:30s])"),
        nested("label_join(", "a", ", \"x\", \"\", \"le\")"),
        nested("topk(scalar(", "a", "), a)"),
        format!("a[{}]", nested("-(", "1m", ")")),
        format!("a[1m{}]", "+1m".repeat(depth)),
        format!("{{a=~\"{}\"}}", nested("(", "x", ")")),
        format!("{{a=~\"{}\"}}", nested("(x{2}", "y", "){2}")),
        format!("sum by ({}) (a)", "a,".repeat(depth)),
        format!("a{{{}}}", "a=\"b\",".repeat(depth)),
        format!("label_join(a, \"x\", \"-\"{})", ", \"le\"".repeat(depth)),
        format!("\"{}\"", "\\u00e9".repeat(depth)),
    ]
}

#[test]
fn depth_does_not_overflow_the_stack() {
    let depths = [NESTING_MAX / 4, NESTING_MAX - 2, NESTING_MAX, HEIGHT_MAX - 2, HEIGHT_MAX, 5_000];
    let all = move || {
        for depth in depths {
            deep(depth).iter().for_each(|text| fuzz::query(text));
        }
        deep(TEXT_BYTES_MAX).iter().for_each(|text| assert!(fuzz::text(text).is_none()));
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(all);
    thread.expect("a thread").join().expect("no panic");
}
