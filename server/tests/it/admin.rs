//! Deleting, snapshots, statistics, and late samples: on our server and on a real Prometheus, with
//! the same answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use server::app::AppOptions;
use server::ingest::remote_write::message::TimeSeries;
use tsdb::Db;
use tsdb::disk::os::OsDisk;
use tsdb::model::Labels;

use crate::api::{Case, cases, differences, samples};
use crate::prometheus::Prometheus;
use crate::running::{Running, options, peer, series, write};

/// Room for late samples, in a configuration of Prometheus.
const LATE: &str = "scrape_configs: []\nstorage: {tsdb: {out_of_order_time_window: 10m}}\n";

/// The series of the other cases and one more, so that the largest of each kind is one.
fn more_samples() -> Vec<TimeSeries> {
    let labels = Labels::from_pairs([("__name__", "extra"), ("job", "two"), ("instance", "c:1")]);
    let mut samples = samples();
    samples.push(series(&labels, (0..21).map(|i| (999_800_000 + 10_000 * i, 1.0))));
    samples
}

fn assert_none(differences: &[String]) {
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

#[tokio::test]
async fn answers_are_exact() {
    let directory = tempfile::tempdir().unwrap();
    let admin = AppOptions { admin: true, ..options() };
    let server = Running::start_with(directory.path(), Vec::new(), admin).await;
    assert_eq!(server.write(more_samples()).await, (204, String::new()));
    assert_none(&differences(&server.url, &cases("admin.txt")).await);
    server.stop().await;
    snapshots_are_stores(directory.path());
}

/// Each snapshot opens as a store: three with all samples, the last one without what was deleted.
fn snapshots_are_stores(directory: &Path) {
    let taken = std::fs::read_dir(directory.join("snapshots")).unwrap();
    let samples = |path: PathBuf| {
        let (db, recovery) = Db::open(Arc::new(OsDisk), &path, tsdb::Options::default()).unwrap();
        assert!(!recovery.is_damaged(), "{recovery:?}");
        db.stats().samples
    };
    let mut counts: Vec<u64> = taken.map(|entry| samples(entry.unwrap().path())).collect();
    counts.sort_unstable();
    assert_eq!(counts, [8 * 21 - 21 - 6 - 6, 8 * 21, 8 * 21, 8 * 21]);
}

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let flags = ["--web.enable-admin-api"];
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &flags).await;
    let client = reqwest::Client::new();
    assert_eq!(write(&client, &prometheus.url, more_samples()).await.0, 204);
    let shared: Vec<Case> = cases("admin.txt").into_iter().filter(|c| !c.ours_only).collect();
    assert_none(&differences(&prometheus.url, &shared).await);
    println!("{} cases answered alike", shared.len());
}

/// Seconds, value, and the answer with room for ten minutes and with none.
const LATE_SAMPLES: [(i64, f64, &str, &str); 7] = [
    (10_000, 1.0, "204 ", "204 "),
    (10_600, 2.0, "204 ", "204 "),
    (10_600, 2.0, "204 ", "204 "),
    (10_300, 3.0, "204 ", "400 out of order sample\n"),
    (10_001, 4.0, "204 ", "400 out of order sample\n"),
    (9_999, 5.0, "400 too old sample\n", "400 out of order sample\n"),
    (10_610, 6.0, "204 ", "204 "),
];

/// What the samples are answered, one after the other, then their number.
async fn late_answers(url: &str) -> Vec<String> {
    let client = reqwest::Client::new();
    let labels = Labels::from_pairs([("__name__", "late"), ("job", "a"), ("instance", "b")]);
    let mut answers = Vec::new();
    for (second, value, ..) in LATE_SAMPLES {
        let sent = vec![series(&labels, [(1_000 * second, value)])];
        let (status, body) = write(&client, url, sent).await;
        answers.push(format!("{status} {body}"));
    }
    let count = format!("{url}/api/v1/query?query=count_over_time(late[20m])&time=10610");
    answers.push(client.get(count).send().await.unwrap().text().await.unwrap());
    answers
}

/// What [`late_answers`] has to be.
fn late_expected(has_room: bool) -> Vec<String> {
    let answer = |(_, _, with, without): (i64, f64, &str, &str)| {
        (if has_room { with } else { without }).to_owned()
    };
    let count = if has_room { 5 } else { 3 };
    let count = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"instance":"b","job":"a"}},"value":[10610,"{count}"]}}]}}}}"#
    );
    LATE_SAMPLES.into_iter().map(answer).chain([count]).collect()
}

#[tokio::test]
async fn late_samples_are_taken_if_there_is_room() {
    for (out_of_order_ms, has_room) in [(600_000, true), (0, false)] {
        let directory = tempfile::tempdir().unwrap();
        let late = AppOptions { out_of_order_ms, ..options() };
        let server = Running::start_with(directory.path(), Vec::new(), late).await;
        assert_eq!(late_answers(&server.url).await, late_expected(has_room));
        server.stop().await;
    }
}

#[tokio::test]
async fn prometheus_takes_the_same_late_samples() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    for (config, has_room) in [(LATE, true), ("scrape_configs: []\n", false)] {
        let prometheus = Prometheus::start(&program, config, &[]).await;
        assert_eq!(late_answers(&prometheus.url).await, late_expected(has_room));
    }
}
