//! Pages captured from real vLLM servers, served over HTTP at their recorded instants, scraped,
//! stored and queried; the answers are compared with values computed here, straight from the
//! pages' text. The clock is the recording's: nothing sleeps.
//!
//! The second run closes the store in the middle, as `kill -9` would, and opens it again.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use promql::value::{Answer, PointValue, Value};
use promql::{Engine, Features, Query, parse};
use scraper::cycle::{Clock, Parts, Scrape, SystemClock};
use scraper::fetch::Fetcher;
use scraper::target;
use tsdb::disk::os::OsDisk;
use tsdb::model::Timestamp;
use tsdb::{Db, Options};

use crate::running::{job, shared};

/// The window of the rates; the pages are three seconds apart.
const WINDOW_MS: i64 = 60_000;

/// A page: when it was captured, and its text (`None`: the server did not answer).
struct Page {
    at: Timestamp,
    body: Option<String>,
}

/// The recorded sequence of a fixture: its pages, the restart included.
fn pages(folder: &Path) -> Vec<Page> {
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| {
        let seconds: f64 = row[1].parse().unwrap();
        let at = Timestamp::from_ms((seconds * 1000.0).round() as i64);
        let body = (row[0] != "-").then(|| unpack(&folder.join(format!("{}.txt.gz", row[0]))));
        Page { at, body }
    })
    .collect()
}

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// The value of the one line that begins with `series`.
fn value(page: &str, series: &str) -> Option<f64> {
    let line = page
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Upper bounds and counts of a histogram's buckets.
fn buckets(page: &str, name: &str) -> Vec<(f64, f64)> {
    let prefix = format!("{name}_bucket{{");
    let lines = page.lines().filter(|line| line.starts_with(&prefix));
    lines
        .map(|line| {
            let (_, bound) = line.split_once("le=\"").unwrap();
            let bound = bound.split('"').next().unwrap().replace("+Inf", "inf");
            (bound.parse().unwrap(), line.rsplit(' ').next().unwrap().parse().unwrap())
        })
        .collect()
}

/// Prometheus's rate over the window that ends at `end`, from the definition: the increase,
/// resets made up for, extended to the window's ends where the samples come near enough.
fn rate(points: &[(Timestamp, f64)], end: Timestamp) -> Option<f64> {
    let in_window =
        |(at, _): &&(Timestamp, f64)| (1..=WINDOW_MS).contains(&(WINDOW_MS - end.ms_since(*at)));
    let points: Vec<_> = points.iter().filter(in_window).copied().collect();
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 2 {
        return None;
    }
    let mut increase = last.1 - first.1;
    for pair in points.windows(2) {
        if pair[1].1 < pair[0].1 {
            increase += pair[0].1;
        }
    }
    let sampled = last.0.ms_since(first.0) as f64 / 1000.0;
    let between = sampled / (points.len() - 1) as f64;
    let to_start = (WINDOW_MS - end.ms_since(first.0)) as f64 / 1000.0;
    let to_end = end.ms_since(last.0) as f64 / 1000.0;
    let near = |gap: f64| if gap < between * 1.1 { gap } else { between / 2.0 };
    let mut before = near(to_start);
    if increase > 0.0 && first.1 >= 0.0 {
        before = before.min(sampled * first.1 / increase);
    }
    Some(increase * (sampled + before + near(to_end)) / sampled / (WINDOW_MS as f64 / 1000.0))
}

/// The quantile of rates by upper bound, linear within its bucket.
fn quantile(share: f64, buckets: &[(f64, f64)]) -> f64 {
    let total = buckets.last().unwrap().1;
    if total == 0.0 {
        return f64::NAN;
    }
    let rank = share * total;
    let at = buckets.iter().position(|(_, count)| *count >= rank).unwrap();
    if at == buckets.len() - 1 {
        return buckets[at - 1].0;
    }
    let (below, below_count) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    let (bound, count) = buckets[at];
    below + (bound - below) * (rank - below_count) / (count - below_count)
}

/// What the text says at `end` about each query of [`QUERIES`].
fn expected(pages: &[&Page], end: Timestamp) -> [Option<f64>; 3] {
    let series = |name: &str| -> Vec<(Timestamp, f64)> {
        let bodies = pages.iter().filter_map(|page| Some((page.at, page.body.as_deref()?)));
        bodies.filter_map(|(at, body)| Some((at, value(body, name)?))).collect()
    };
    let tokens = rate(&series("vllm:generation_tokens_total"), end);
    let mut by_bound: BTreeMap<u64, Vec<(Timestamp, f64)>> = BTreeMap::new();
    for page in pages {
        for (bound, count) in buckets(page.body.as_deref().unwrap_or(""), TTFT) {
            by_bound.entry(bound.to_bits()).or_default().push((page.at, count));
        }
    }
    let rates = by_bound.iter().map(|(bound, points)| (f64::from_bits(*bound), rate(points, end)));
    let rates: Option<Vec<(f64, f64)>> = rates.map(|(bound, rate)| Some((bound, rate?))).collect();
    let hits = rate(&series("vllm:prefix_cache_hits_total"), end);
    let queries = rate(&series("vllm:prefix_cache_queries_total"), end);
    let ratio = hits.zip(queries).map(|(hits, queries)| hits / queries);
    [tokens, rates.map(|rates| quantile(0.95, &rates)), ratio]
}

const TTFT: &str = "vllm:time_to_first_token_seconds";

const QUERIES: [&str; 3] = [
    "rate(vllm:generation_tokens_total[1m])",
    "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[1m])))",
    "rate(vllm:prefix_cache_hits_total[1m]) / rate(vllm:prefix_cache_queries_total[1m])",
];

fn ask(db: &Db, text: &str, at: Timestamp) -> Option<f64> {
    let expr = parse(text, &Features::default()).unwrap();
    let engine = Engine::default();
    let answer = engine.instant(Query { text, expr: &expr }, db, at, &engine.budget()).unwrap();
    let Answer { value: Value::Vector(samples), .. } = answer else { panic!("no vector: {text}") };
    assert!(samples.len() <= 1, "{text}: {samples:?}");
    samples.first().map(|sample| match &sample.point.value {
        PointValue::Float(value) => *value,
        PointValue::Histogram(_) => panic!("{text}: a native histogram"),
    })
}

fn open(directory: &Path) -> Db {
    Db::open(Arc::new(OsDisk), directory, Options::default()).unwrap().0
}

/// Serves what `current` holds: a page, or 503 while the server is down.
async fn serve(current: Arc<Mutex<Option<String>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let page = move || {
        let body = current.lock().unwrap().clone();
        async move {
            let content_type = [("content-type", "text/plain; version=1.0.0; charset=utf-8")];
            body.map(|body| (content_type, body)).ok_or(axum::http::StatusCode::SERVICE_UNAVAILABLE)
        }
    };
    tokio::spawn(async { axum::serve(listener, Router::new().route("/metrics", get(page))).await });
    address
}

struct Recorded(Mutex<Timestamp>, SystemClock);

impl Clock for Recorded {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.1.monotonic()
    }
}

/// Scrapes the whole sequence and compares after every page; with `reopen`, the store is closed
/// and opened again before that page.
async fn replay(folder: PathBuf, reopen: Option<usize>) -> usize {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pages = pages(&folder);
    let current = Arc::new(Mutex::new(None));
    let job = Arc::new(job("vllm", serve(current.clone()).await));
    let target = Arc::new(target::find(&job).targets.remove(0));
    let clock = Arc::new(Recorded(Mutex::new(pages[0].at), SystemClock::new()));
    let fetcher = Arc::new(Fetcher::new(&job));
    let mut scrape = Scrape::new(Parts { target, job, fetcher, clock: clock.clone() });
    let directory = tempfile::tempdir().unwrap();
    let mut db = open(directory.path());
    let mut compared = 0;
    for (index, page) in pages.iter().enumerate() {
        if reopen == Some(index) {
            // Nothing is synced or closed in order: what the log has is all there is.
            drop(db);
            db = open(directory.path());
        }
        *current.lock().unwrap() = page.body.clone();
        *clock.0.lock().unwrap() = page.at;
        let outcome = scrape.once(page.at, &db).await;
        assert_eq!(outcome.up, page.body.is_some(), "page {index}: {:?}", outcome.error);
        assert_eq!(ask(&db, "up", page.at), Some(if outcome.up { 1.0 } else { 0.0 }));
        let seen: Vec<&Page> = pages[..=index].iter().collect();
        for (query, expected) in QUERIES.iter().zip(expected(&seen, page.at)) {
            assert_alike(ask(&db, query, page.at), expected, &format!("page {index}: {query}"));
            compared += usize::from(expected.is_some_and(f64::is_finite));
        }
        let running = "vllm:num_requests_running";
        let stated = page.body.as_deref().and_then(|body| value(body, running));
        assert_alike(ask(&db, running, page.at), stated, &format!("page {index}: {running}"));
    }
    compared
}

fn assert_alike(got: Option<f64>, expected: Option<f64>, what: &str) {
    let alike = match (got, expected) {
        (Some(got), Some(expected)) if expected.is_nan() => got.is_nan(),
        (Some(got), Some(expected)) => (got - expected).abs() <= 1e-12 * expected.abs(),
        (None, None) => true,
        _ => false,
    };
    assert!(alike, "{what}: got {got:?}, the pages say {expected:?}");
}

#[tokio::test]
async fn answers_follow_from_the_pages() {
    for (fixture, least) in [("vllm-0.32.0", 180), ("vllm-0.10.2", 30)] {
        let Some(folder) = shared(&format!("fixtures/{fixture}")) else { return };
        let compared = replay(folder, None).await;
        println!("{fixture}: {compared} values compared");
        assert!(compared >= least, "{fixture}: only {compared} finite values");
    }
}

#[tokio::test]
async fn a_restart_of_the_store_in_the_middle_changes_nothing() {
    let Some(folder) = shared("fixtures/vllm-0.32.0") else { return };
    assert!(replay(folder, Some(30)).await >= 180);
}
