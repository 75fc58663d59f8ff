//! Queries over an hour of the simulated fleet: the dashboard's panels, and each operator.

use benches::{INTERVAL_MS, Ingests, START, pages, store};
use criterion::{Criterion, criterion_group, criterion_main};
use promql::value::Steps;
use promql::{Engine, Features, Query, parse};
use tsdb::Db;

/// An hour of pages.
const ROUNDS: i64 = 720;

/// The eight panels of the guide's dashboard.
const PANELS: [(&str, &str); 8] = [
    (
        "ttft_p95",
        "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m])))",
    ),
    (
        "itl_p95",
        "histogram_quantile(0.95, sum by (le) (rate(vllm:inter_token_latency_seconds_bucket[5m])))",
    ),
    ("kv_cache", "vllm:kv_cache_usage_perc"),
    (
        "prefix_hits",
        "rate(vllm:prefix_cache_hits_total[5m]) / rate(vllm:prefix_cache_queries_total[5m])",
    ),
    ("requests", "vllm:num_requests_running"),
    ("success", "rate(vllm:request_success_total[5m])"),
    ("tokens", "rate(vllm:generation_tokens_total[5m])"),
    (
        "e2e_p95",
        "histogram_quantile(0.95, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))",
    ),
];

/// One operator each, as far as that is possible.
const OPERATORS: [(&str, &str); 12] = [
    ("rate of floats", "rate(vllm:e2e_request_latency_seconds_bucket[5m])"),
    ("irate", "irate(vllm:e2e_request_latency_seconds_bucket[5m])"),
    ("max_over_time", "max_over_time(vllm:num_requests_running[10m])"),
    ("avg_over_time", "avg_over_time(vllm:num_requests_running[10m])"),
    ("quantile_over_time", "quantile_over_time(0.9, vllm:num_requests_running[10m])"),
    ("sum by", "sum by (le) (vllm:e2e_request_latency_seconds_bucket)"),
    ("topk", "topk(3, vllm:e2e_request_latency_seconds_bucket)"),
    ("quantile of a vector", "quantile(0.9, vllm:e2e_request_latency_seconds_bucket)"),
    (
        "quantiles of each target",
        "histogram_quantile(0.95, vllm:e2e_request_latency_seconds_bucket)",
    ),
    ("binary", "vllm:e2e_request_latency_seconds_bucket * 2"),
    (
        "matching",
        "vllm:e2e_request_latency_seconds_bucket / ignoring (le) group_left \
         vllm:e2e_request_latency_seconds_count",
    ),
    ("subquery", "max_over_time(sum(rate(vllm:generation_tokens_total[1m]))[30m:30s])"),
];

fn query(criterion: &mut Criterion) {
    let (db, mut ingests) = (store(), Ingests::default());
    for page in pages(ROUNDS) {
        ingests.scrape(&page, &db);
    }
    of_store(criterion, "head", &db);
    db.flush_all().expect("BUG: the simulated disk fails");
    of_store(criterion, "block", &db);
}

/// All queries over what is in memory, or in a block.
fn of_store(criterion: &mut Criterion, place: &str, db: &Db) {
    let end = START.plus_ms(ROUNDS * INTERVAL_MS);
    let steps = Steps { start: START, end, step_ms: 15_000 };
    let engine = Engine::default();
    for (name, text) in PANELS.into_iter().chain(OPERATORS) {
        let expr = parse(text, &Features::default()).expect("BUG: the query parses");
        let query = Query { text, expr: &expr };
        let answer = engine.range(query, db, steps, &engine.budget()).expect("BUG: a query fails");
        assert!(answer.samples > 0, "{name} finds nothing");
        criterion.bench_function(&format!("{name}, {place}, instant"), |bencher| {
            bencher.iter(|| engine.instant(query, db, end, &engine.budget()));
        });
        criterion.bench_function(&format!("{name}, {place}, 1 h by 15 s"), |bencher| {
            bencher.iter(|| engine.range(query, db, steps, &engine.budget()));
        });
    }
}

criterion_group!(benches, query);
criterion_main!(benches);
