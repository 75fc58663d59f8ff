//! The API's answers, byte for byte: `testdata/api/cases.txt` on our server, and the same cases
//! on a real Prometheus with the same samples.

use std::fs;

use server::ingest::remote_write::message::TimeSeries;

use crate::prometheus::Prometheus;
use crate::running::{self, Running, peer, series, testdata};

pub(crate) struct Case {
    line: usize,
    request: String,
    answer: String,
    /// Whether Prometheus is known to answer differently.
    pub(crate) ours_only: bool,
}

/// The cases of a file of `testdata/api`.
pub(crate) fn cases(file: &str) -> Vec<Case> {
    let text = fs::read_to_string(testdata("api").join(file)).unwrap();
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

/// The series of `series.txt`.
pub(crate) fn samples() -> Vec<TimeSeries> {
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
    let method: reqwest::Method = method.parse().unwrap();
    let answer = match rest.split_once('|') {
        Some((path, form)) => client
            .request(method, format!("{url}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned()),
        None => client.request(method, format!("{url}{rest}")),
    };
    let answer = answer.send().await.unwrap();
    let status = answer.status().as_u16();
    // Answers that are no JSON end with a newline.
    format!("{status} {}", answer.text().await.unwrap().trim_end_matches('\n'))
}

/// An answer with a snapshot's name has `TIME-NUMBER` in its place, if that is what it is.
fn without_number(answer: &str) -> String {
    let Some((before, rest)) = answer.split_once(r#""name":"2"#) else { return answer.to_owned() };
    let Some((name, after)) = rest.split_once('"') else { return answer.to_owned() };
    let Some((time, number)) = name.split_once("Z-") else { return answer.to_owned() };
    let is_time = time.len() == 14 && time.chars().all(|c| c.is_ascii_digit() || c == 'T');
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_name = is_time && number.len() == 16 && number.chars().all(is_hex);
    if is_name { format!(r#"{before}"name":"TIME-NUMBER"{after}"#) } else { answer.to_owned() }
}

/// What a server answers otherwise than the cases say.
pub(crate) async fn differences(url: &str, cases: &[Case]) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut differences = Vec::new();
    for case in cases {
        let answer = without_number(&ask(&client, url, &case.request).await);
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
    let cases = cases("cases.txt");
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

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &[]).await;
    let client = reqwest::Client::new();
    let written = running::write(&client, &prometheus.url, samples()).await;
    assert_eq!(written.0, 204, "{}", written.1);
    let shared: Vec<Case> = cases("cases.txt").into_iter().filter(|case| !case.ours_only).collect();
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
