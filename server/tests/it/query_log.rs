//! `query_log_file`: a line for each query, as a real Prometheus writes it, in a file that is opened
//! anew at each reload; and what is told when a reload fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use server::app::AppOptions;
use server::packs::BuiltIn;
use server::reload::ConfigFile;

use crate::notify::{options_of, until};
use crate::prometheus::Prometheus;
use crate::running::{Running, options, peer};

fn config(log: &Path) -> String {
    format!("global: {{query_log_file: {}}}\nscrape_configs: []\n", log.display())
}

async fn start(directory: &Path, text: &str) -> Running {
    let path = directory.join("prometheus.yml");
    fs::write(&path, text).unwrap();
    let file = Some(ConfigFile::load(&path, None, BuiltIn::default()).unwrap());
    let options = AppOptions { file, lifecycle: true, ..options() };
    Running::start_with(&directory.join("data"), Vec::new(), options).await
}

/// The lines, without what is different each time and what we do not write.
fn lines(log: &PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap();
    let lines = text.lines().map(|line| line.parse::<Value>().unwrap());
    lines
        .map(|mut line| {
            let fields = line.as_object_mut().unwrap();
            assert!(fields.remove("time").is_some());
            fields.remove("source");
            fields.remove("spanID");
            let timings = line["stats"]["timings"].as_object_mut().unwrap();
            timings.values_mut().for_each(|time| *time = Value::from(time.is_number()));
            line["stats"]["samples"]["peakSamples"] = Value::Null;
            line
        })
        .collect()
}

async fn ask(url: &str) {
    let client = reqwest::Client::new();
    let form = ("content-type", "application/x-www-form-urlencoded");
    for path in ["query?query=1%2B1&time=1000.5", "query?query=sum(", "labels"] {
        client.get(format!("{url}/api/v1/{path}")).send().await.unwrap();
    }
    for (path, body) in [
        ("query_range", "query=up&start=0&end=10&step=5"),
        ("query", "query=label_replace(vector(1),\"a\",\"<\",\"b\",\"(\")&time=0"),
    ] {
        let request = client.post(format!("{url}/api/v1/{path}")).header(form.0, form.1);
        request.body(body).send().await.unwrap();
    }
}

#[tokio::test]
async fn queries_are_written_as_prometheus_writes_them() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.log", "theirs.log"].map(|name| directory.path().join(name));
    let server = start(directory.path(), &config(&ours)).await;
    ask(&server.url).await;
    let written = lines(&ours);
    assert_eq!(written.len(), 3, "{written:?}");
    assert_eq!(written[0]["httpRequest"]["clientIP"], "127.0.0.1");
    assert_eq!(written[1]["params"]["step"], 5);
    // Renamed and loaded again, it is there anew.
    fs::rename(&ours, directory.path().join("old.log")).unwrap();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", server.url));
    assert_eq!(reload.send().await.unwrap().status(), 200);
    server.get("/api/v1/query?query=1").await;
    assert_eq!(lines(&ours).len(), 1);
    server.stop().await;
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, &config(&theirs), &[]).await;
    ask(&prometheus.url).await;
    assert_eq!(lines(&theirs), written);
}

/// Of each line of a rule: its query, the rest of its parameters with all times made alike, and who
/// asked; sorted, each once.
fn rule_lines(log: &PathBuf) -> Vec<String> {
    let asked = lines(log).into_iter().map(|mut line| {
        let params = line["params"].as_object_mut().unwrap();
        assert_eq!(params["start"], params["end"], "{params:?}");
        params.insert("start".to_owned(), Value::Null);
        params.insert("end".to_owned(), Value::Null);
        line.as_object_mut().unwrap().remove("stats");
        line.to_string()
    });
    let mut asked: Vec<String> = asked.collect();
    asked.sort();
    asked.dedup();
    asked
}

async fn four_rule_lines(log: &PathBuf) -> Vec<String> {
    until("all are written", async || {
        let written = if log.exists() { rule_lines(log) } else { Vec::new() };
        (written.len() >= 4).then_some(written)
    })
    .await
}

#[tokio::test]
async fn queries_of_rules_are_written_with_their_group() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let rules = "groups: [{name: 'a <b>', interval: 1s, rules: [{record: r, expr: 'vector(1) + 1'}, \
        {record: bad, expr: 'label_replace(vector(1), \"a\", \"<\", \"b\", \"(\")'}, \
        {alert: A, expr: 'r > 0', annotations: {x: '{{ query \"r * 2\" }}'}}]}]\n";
    let [ours, theirs] = ["ours.log", "theirs.log"].map(|name| folder.path().join(name));
    let path = folder.path().join("rules.yml");
    let rules_line = format!("rule_files: ['{}']\n", path.display());
    let config_of = |log: &Path| config(log) + &rules_line;
    let options = options_of(folder.path(), &config(&ours), rules, 60_000);
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    let written = four_rule_lines(&ours).await;
    server.stop().await;
    let group = format!(r#""ruleGroup":{{"file":"{}","name":"a <b>"}}"#, path.display());
    let has_group = |line: &String| line.contains(&group) && !line.contains("httpRequest");
    assert!(written.len() == 4 && written.iter().all(has_group), "{written:?}");
    let Some(program) = peer("prometheus") else { return };
    let _prometheus = Prometheus::start(&program, &config_of(&theirs), &[]).await;
    assert_eq!(four_rule_lines(&theirs).await, written);
}

#[tokio::test]
async fn a_failed_reload_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(directory.path(), "scrape_configs: []\n").await;
    let client = reqwest::Client::new();
    let events = client.get(format!("{}/api/v1/notifications/live", server.url)).send();
    let events = tokio::time::timeout(Duration::from_secs(20), events).await;
    let mut events = events.unwrap().unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let file = directory.path().join("prometheus.yml");
    for (text, status, is_active) in [("x: [", 500, true), ("scrape_configs: []\n", 200, false)] {
        fs::write(&file, text).unwrap();
        let reload = client.post(format!("{}/-/reload", server.url)).send().await.unwrap();
        assert_eq!(reload.status().as_u16(), status);
        let event = tokio::time::timeout(Duration::from_secs(20), events.chunk());
        let event = String::from_utf8(event.await.unwrap().unwrap().unwrap().to_vec()).unwrap();
        assert!(
            event.starts_with(r#"data: {"text":"Configuration reload has failed.","date":"20"#)
        );
        assert!(event.ends_with(&format!("\"active\":{is_active}}}\n\n")), "{event}");
        let (_, list) = server.get("/api/v1/notifications").await;
        assert_eq!(list.contains("reload has failed"), is_active, "{list}");
        let (_, info) = server.get("/api/v1/status/runtimeinfo").await;
        assert!(info.contains(&format!("\"reloadConfigSuccess\":{}", !is_active)), "{info}");
    }
    server.stop().await;
    // The server has ended, and so has what it told.
    assert_eq!(events.chunk().await.unwrap(), None);
}
