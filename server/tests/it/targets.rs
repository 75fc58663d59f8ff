//! The API's answers about targets, byte for byte: `testdata/api/targets.txt` on our server, and the
//! same cases on a real Prometheus with the same jobs. And targets of a file, through all of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::api::{Case, cases, differences};
use crate::prometheus::Prometheus;
use crate::running::{Running, peer, testdata};

fn jobs_text() -> String {
    fs::read_to_string(testdata("api/targets.yml")).unwrap()
}

#[tokio::test]
async fn answers_are_exact() {
    let directory = tempfile::tempdir().unwrap();
    let config = server::config::parse(&jobs_text(), "targets.yml", Path::new("")).unwrap();
    let server = Running::start(directory.path(), config.jobs).await;
    let differences = differences(&server.url, &cases("targets.txt")).await;
    server.stop().await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, &jobs_text(), &[]).await;
    let url = format!("{}/api/v1/targets?scrapePool=vllm&state=active", prometheus.url);
    let mut answer = String::new();
    for _ in 0..300 {
        answer = reqwest::get(&url).await.unwrap().text().await.unwrap();
        if answer.contains("scrapeUrl") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answer.contains("scrapeUrl"), "{answer}");
    let all = cases("targets.txt");
    let shared: Vec<Case> = all.into_iter().filter(|case| !case.ours_only).collect();
    let differences = differences(&prometheus.url, &shared).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{} cases answered alike", shared.len());
}

/// A file is written, and what it says is scraped, without a reload.
#[tokio::test]
async fn a_file_is_followed() {
    let (directory, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = "scrape_configs:\n- job_name: f\n  file_sd_configs:\n  - files: ['*.json']\n";
    let config = server::config::parse(text, "f.yml", folder.path()).unwrap();
    let server = Running::start(directory.path(), config.jobs).await;
    let discovery = "/api/v1/status/discovery";
    wait_for(&server, discovery, "cannot find").await;
    fs::write(folder.path().join("a.json"), r#"[{"targets":["127.0.0.1:1"]}]"#).unwrap();
    let targets = wait_for(&server, "/api/v1/targets", "http://127.0.0.1:1/metrics").await;
    assert!(targets.contains("__meta_filepath"), "{targets}");
    fs::write(folder.path().join("a.json"), "[").unwrap();
    let said = wait_for(&server, discovery, "EOF while parsing").await;
    assert!(said.contains(r#""active":1"#), "{said}");
    server.stop().await;
}

async fn wait_for(server: &Running, path: &str, part: &str) -> String {
    let mut answer = String::new();
    for _ in 0..600 {
        answer = server.get(path).await.1;
        if answer.contains(part) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{part} is not in {answer}");
}
