//! Bad input, where the user looks: `lastError` in `/api/v1/targets`, the exit message, the API's
//! error. (Each case's details are tested in the scraper and the configuration.)

use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;

use crate::running::{Running, job};

/// Path of a target, and what its `lastError` has to contain.
const TARGETS: [(&str, &str); 8] = [
    ("/good", ""),
    ("/unauthorized", "server returned HTTP status 401 Unauthorized"),
    ("/failing", "server returned HTTP status 500 Internal Server Error"),
    ("/loop", "redirect"),
    ("/html", "text/html"),
    ("/broken", "(line 1, column "),
    ("/invalid", "UTF-8"),
    ("/slow", "deadline exceeded"),
];

/// The one page that is as it should be.
const GOOD: &str = "# HELP good_total Good <things>.\n# TYPE good_total counter\ngood_total 1\n";

const TEXT: [(&str, &str); 1] = [("content-type", "text/plain; version=0.0.4")];

async fn serve_bad_pages() -> String {
    let router = Router::new()
        .route("/good", get(|| async { (TEXT, GOOD) }))
        .route("/unauthorized", get(|| async { StatusCode::UNAUTHORIZED }))
        .route("/failing", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route("/html", get(|| async { ([("content-type", "text/html")], "<html></html>") }))
        .route("/broken", get(|| async { (TEXT, "broken_total{a=\"b") }))
        .route("/invalid", get(|| async { (TEXT, b"invalid{a=\"\xff\"} 1\n".to_vec()) }))
        .route("/slow", get(|| async { std::future::pending::<()>().await }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_say_what_is_wrong_and_the_rest_goes_on() {
    let address = serve_bad_pages().await;
    let jobs = TARGETS.map(|(path, _)| {
        let mut job = job(path, address.clone());
        job.metrics_path = path.to_owned();
        // Long enough on a busy machine for all but the one that never answers.
        let (interval_ms, timeout_ms) = if path == "/slow" { (500, 400) } else { (5_000, 5_000) };
        (job.interval_ms, job.timeout_ms) = (interval_ms, timeout_ms);
        job
    });
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), jobs.into()).await;
    let mut targets = serde_json::Value::Null;
    for _ in 0..600 {
        targets = server.get("/api/v1/targets").await.1.parse().unwrap();
        let all = targets["data"]["activeTargets"].as_array().unwrap();
        if all.iter().all(|target| target["health"] != "unknown") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (path, error) in TARGETS {
        let all = targets["data"]["activeTargets"].as_array().unwrap();
        let target = all.iter().find(|target| target["scrapePool"] == path).unwrap();
        let (said, health) = (target["lastError"].as_str().unwrap(), &target["health"]);
        assert!(said.contains(error), "{path}: {said}");
        assert_eq!(health == "up", error.is_empty(), "{path}: {health}, {said}");
        println!("{path}: {said}");
    }
    // The process goes on: the good target's samples are there, the others' `up` is 0.
    let (_, answer) = server.get("/api/v1/query?query=good_total%20and%20up==1").await;
    assert!(answer.contains("\"good_total\""), "{answer}");
    let (_, answer) = server.get("/api/v1/metadata?metric=good_total").await;
    let metadata =
        r#"{"good_total":[{"type":"counter","help":"Good \u003cthings\u003e.","unit":""}]}"#;
    assert_eq!(answer, format!(r#"{{"status":"success","data":{metadata}}}"#));
    let (_, answer) = server.get("/api/v1/query?query=count(up==0)").await;
    assert!(answer.contains("\"7\""), "{answer}");
    let (status, answer) = server.get("/api/v1/query?query=rate(good_total[5x])").await;
    assert_eq!((status, answer.contains("1:17: parse error:")), (400, true), "{answer}");
    server.stop().await;
}

#[test]
fn an_error_in_one_group_of_a_rule_file_ends_the_start_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("prometheus.yml", "rule_files: [rules.yml]\n");
    write(
        "rules.yml",
        "groups:\n- name: good\n  rules: [{record: a, expr: '1'}]\n- name: bad\n  rules:\n  \
         - record: b\n    expr: sum(\n",
    );
    let run = Command::new(env!("CARGO_BIN_EXE_inferometer"))
        .args(["serve", "--web.listen-address=127.0.0.1:0"])
        .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{message}");
    for part in ["rules.yml", "7:", "group \"bad\", rule 1", "parse error"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn a_typo_in_the_configuration_ends_the_start_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("prometheus.yml");
    std::fs::write(&config, "scrape_configs:\n  - job_name: a\n    scrape_intervall: 5s\n")
        .unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_inferometer"))
        .args(["serve", "--web.listen-address=127.0.0.1:0"])
        .arg(format!("--config.file={}", config.display()))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{message}");
    for part in ["prometheus.yml:3:5", "scrape_intervall", "scrape_interval"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}
