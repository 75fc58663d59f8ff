//! The API's answers, byte for byte: `testdata/api/cases.txt` on our server, and the same cases
//! on a real Prometheus with the same samples.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use server::ingest::remote_write::message::TimeSeries;

use crate::running::{self, Running, peer, series, testdata};

struct Case {
    line: usize,
    request: String,
    answer: String,
    /// Whether Prometheus is known to answer differently.
    ours_only: bool,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(testdata("api/cases.txt")).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(request) = line.strip_prefix("> ") {
            let (line, request) = (index + 1, request.to_owned());
            cases.push(Case { line, request, answer: String::new(), ours_only: false });
        } else if let Some(answer) = line.strip_prefix("< ").or(line.strip_prefix("! ")) {
            let case = cases.last_mut().expect("a request before its answer");
            case.answer = answer.to_owned();
            case.ours_only = line.starts_with('!');
        }
    }
    cases
}

fn samples() -> Vec<TimeSeries> {
    let text = fs::read_to_string(testdata("api/series.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (metric, numbers) = line.rsplit_once("} ").unwrap();
            let (first, step) = numbers.split_once(' ').unwrap();
            let (first, step): (f64, f64) = (first.parse().unwrap(), step.parse().unwrap());
            let labels = promql::parse::parse_metric(&format!("{metric}}}")).unwrap();
            series(&labels, (0..21).map(|i| (999_800_000 + 10_000 * i, first + step * i as f64)))
        })
        .collect()
}

async fn ask(client: &reqwest::Client, url: &str, request: &str) -> String {
    let (method, rest) = request.split_once(' ').unwrap();
    let answer = match (method, rest.split_once('|')) {
        ("POST", Some((path, form))) => client
            .post(format!("{url}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned()),
        _ => client.get(format!("{url}{rest}")),
    };
    let answer = answer.send().await.unwrap();
    format!("{} {}", answer.status().as_u16(), answer.text().await.unwrap())
}

async fn differences(url: &str, cases: &[Case]) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut differences = Vec::new();
    for case in cases {
        let answer = ask(&client, url, &case.request).await;
        if answer != case.answer {
            differences.push(format!(
                "line {}: {}\n  expected {}\n  got      {answer}",
                case.line, case.request, case.answer
            ));
        }
    }
    differences
}

#[tokio::test]
async fn answers_are_exact() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    assert_eq!(server.write(samples()).await, (204, String::new()));
    let cases = cases();
    let differences = differences(&server.url, &cases).await;
    server.stop().await;
    assert!(
        differences.is_empty(),
        "{} of {}\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
}

/// A real Prometheus with an empty store, killed when dropped.
struct Prometheus {
    process: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    async fn start(program: &std::path::Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, "scrape_configs: []\n").unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .arg("--web.enable-remote-write-receiver")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self { process, url: format!("http://{free}"), _directory: directory };
        let client = reqwest::Client::new();
        for _ in 0..200 {
            let ready = client.get(format!("{}/-/ready", prometheus.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return prometheus;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Prometheus did not get ready");
    }
}

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program).await;
    let client = reqwest::Client::new();
    let written = running::write(&client, &prometheus.url, samples()).await;
    assert_eq!(written.0, 204, "{}", written.1);
    let shared: Vec<Case> = cases().into_iter().filter(|case| !case.ours_only).collect();
    let differences = differences(&prometheus.url, &shared).await;
    assert!(
        differences.is_empty(),
        "{} of {}\n{}",
        differences.len(),
        shared.len(),
        differences.join("\n")
    );
    println!("{} cases answered alike", shared.len());
}
