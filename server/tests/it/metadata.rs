//! What targets say about their metrics: `/api/v1/metadata` and `/api/v1/targets/metadata`, as a real
//! Prometheus that scrapes the same targets answers.

use std::path::Path;

use axum::Router;
use axum::routing::get;
use serde_json::Value;

use crate::notify::until;
use crate::prometheus::Prometheus;
use crate::running::{Running, peer};

const PAGE: &str = "# HELP a_total Some <a>.\n# TYPE a_total counter\na_total 1\n\
    # TYPE b gauge\nb 2\n# HELP c Seconds.\n# TYPE c summary\nc_sum 3\nc_count 4\n";

/// A job of two targets with that page.
async fn job() -> String {
    let kind = [("content-type", "text/plain; version=0.0.4")];
    let router = Router::new().fallback(get(move || async move { (kind, PAGE) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: j, static_configs: \
         [{{targets: ['{address}'], labels: {{n: one}}}}, {{targets: ['{address}'], \
         labels: {{n: two}}}}]}}]\n"
    )
}

/// What is answered, without the series that scraping adds: they have metadata here.
async fn data(url: &str, path: &str) -> Value {
    let text = reqwest::get(format!("{url}/api/v1/{path}")).await.unwrap().text().await.unwrap();
    let mut data = text.parse::<Value>().unwrap()["data"].take();
    if let Some(families) = data.as_object_mut() {
        families.retain(|name, _| name != "up" && !name.starts_with("scrape_"));
    }
    data
}

/// What is asked, and how many names or entries there are.
const ROWS: [(&str, usize); 15] = [
    ("metadata", 3),
    ("metadata?metric=a_total", 1),
    ("metadata?metric=nothing", 0),
    ("metadata?limit=2", 2),
    ("metadata?limit=-1", 3),
    ("metadata?limit=1&metric=b", 1),
    ("metadata?limit_per_metric=1", 3),
    ("metadata?limit_per_metric=-1&limit=1", 1),
    ("targets/metadata", 6),
    ("targets/metadata?metric=c", 2),
    ("targets/metadata?match_target={n=\"two\"}", 3),
    ("targets/metadata?match_target={n=\"two\"}&metric=b", 1),
    ("targets/metadata?match_target={n=\"no\"}", 0),
    ("targets/metadata?limit=1&metric=a_total", 1),
    ("targets/metadata?limit=2&metric=b", 2),
];

async fn check(url: &str) {
    until("all is scraped", async || {
        let all = data(url, "targets/metadata").await;
        (all.as_array()?.len() == 6).then_some(())
    })
    .await;
    for (path, expected) in ROWS {
        let answer = data(url, path).await;
        let count = answer.as_object().map(|own| own.len());
        let count = count.or(answer.as_array().map(Vec::len));
        assert_eq!(count, Some(expected), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_prometheus_says_it() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let job = job().await;
    let folder = tempfile::tempdir().unwrap();
    let config = server::config::parse(&job, "prometheus.yml", Path::new("")).unwrap();
    let server = Running::start(folder.path(), config.jobs).await;
    check(&server.url).await;
    // What does not depend on the order of targets and names is the same.
    let same = [
        "metadata",
        "metadata?metric=a_total",
        "targets/metadata?match_target={n=\"two\"}&metric=a_total",
    ];
    let mut ours = Vec::new();
    for path in same {
        ours.push(data(&server.url, path).await);
    }
    assert_eq!(ours[1]["a_total"][0]["help"], "Some <a>.");
    server.stop().await;
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, &job, &[]).await;
    check(&prometheus.url).await;
    for (path, own) in same.iter().zip(ours) {
        assert_eq!(data(&prometheus.url, path).await, own, "{path}");
    }
}
