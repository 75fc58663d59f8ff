//! Queries of the dashboard over an hour of the simulated fleet.

use benches::{INTERVAL_MS, Ingests, START, pages, store};
use criterion::{Criterion, criterion_group, criterion_main};
use promql::value::Steps;
use promql::{Engine, Features, Query, parse};

/// An hour of pages.
const ROUNDS: i64 = 720;

/// Names of benches and their expressions.
const QUERIES: [(&str, &str); 4] = [
    ("selector", "vllm:num_requests_running"),
    ("rate", "rate(vllm:request_success_total[5m])"),
    (
        "quantile",
        "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m])))",
    ),
    ("ratio", "rate(vllm:prefix_cache_hits_total[5m]) / rate(vllm:prefix_cache_queries_total[5m])"),
];

fn query(criterion: &mut Criterion) {
    let (db, mut ingests) = (store(), Ingests::default());
    for page in pages(ROUNDS) {
        ingests.scrape(&page, &db);
    }
    let end = START.plus_ms(ROUNDS * INTERVAL_MS);
    let steps = Steps { start: START, end, step_ms: 15_000 };
    let engine = Engine::default();
    for (name, text) in QUERIES {
        let expr = parse(text, &Features::default()).expect("BUG: the query parses");
        let query = Query { text, expr: &expr };
        criterion.bench_function(&format!("{name}, instant"), |bencher| {
            bencher.iter(|| engine.instant(query, &db, end, &engine.budget()));
        });
        criterion.bench_function(&format!("{name}, 1 h by 15 s"), |bencher| {
            bencher.iter(|| engine.range(query, &db, steps, &engine.budget()));
        });
    }
}

criterion_group!(benches, query);
criterion_main!(benches);
