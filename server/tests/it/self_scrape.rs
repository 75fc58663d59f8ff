//! Prometheus's own dashboard on what the server says about itself, scraped by itself.

use std::time::Duration;

use serde_json::Value;

use crate::running::{Running, job, shared};

/// All queries of a dashboard, with values for its variables.
fn queries(dashboard: &Value, found: &mut Vec<String>) {
    match dashboard {
        Value::Object(fields) => {
            let expr = fields.get("expr").and_then(Value::as_str);
            found.extend(expr.map(|expr| {
                let text = expr.replace("=~\"$cluster\"", "=~\".*\"");
                let text = text.replace("=~\"$job\"", "=~\".+\"");
                text.replace("=~\"$instance\"", "=~\".+\"")
            }));
            fields.values().for_each(|field| queries(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_of_the_overview_has_data() {
    let Some(path) = shared("corpus/dashboards/prometheus-overview.json") else { return };
    let dashboard: Value = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let mut wanted = Vec::new();
    queries(&dashboard, &mut wanted);
    assert!(wanted.len() > 10, "{}", wanted.len());
    let directory = tempfile::tempdir().unwrap();
    // A port that is free now; the server takes it next.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let jobs = vec![job("prometheus", free.to_string())];
    let server = Running::start_at(&free.to_string(), directory.path(), jobs).await;
    let mut empty = wanted.clone();
    for _ in 0..150 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut still = Vec::new();
        for query in empty {
            let mut path = reqwest::Url::parse("http://x/api/v1/query").unwrap();
            path.query_pairs_mut().append_pair("query", &query);
            let (status, text) = server.get(&path.as_str()["http://x".len()..]).await;
            assert_eq!(status, 200, "{query}: {text}");
            let answer: Value = text.parse().unwrap();
            if answer["data"]["result"].as_array().unwrap().is_empty() {
                still.push(query);
            }
        }
        empty = still;
        if empty.is_empty() {
            break;
        }
    }
    let (_, text) = server.get("/api/v1/status/self_metrics").await;
    let families: Value = text.parse().unwrap();
    let families = families["data"].as_array().unwrap();
    let kind =
        |name: &str| families.iter().find(|own| own["name"] == name).unwrap()["type"].clone();
    assert_eq!(kind("prometheus_engine_query_duration_seconds"), "SUMMARY");
    assert_eq!(kind("prometheus_http_requests_total"), "COUNTER");
    assert_eq!(kind("prometheus_http_request_duration_seconds"), "HISTOGRAM");
    let path = "/api/v1/status/self_metrics?metric_name_pattern=prometheus_(ready|tsdb_head_s.*s)";
    let (_, text) = server.get(path).await;
    let chosen: Value = text.parse().unwrap();
    let names = chosen["data"].as_array().unwrap().iter().map(|own| own["name"].as_str().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    assert_eq!(names, ["prometheus_ready", "prometheus_tsdb_head_series"]);
    server.stop().await;
    assert!(empty.is_empty(), "without data: {}", empty.join("\n"));
}
