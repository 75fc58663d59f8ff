//! `/federate`: the same bytes as a real Prometheus gives for the same samples, and a real Prometheus
//! that scrapes us.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use server::app::AppOptions;
use server::ingest::remote_write::message::TimeSeries;
use server::packs::BuiltIn;
use server::reload::ConfigFile;
use tsdb::disk::os::OsDisk;
use tsdb::model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};
use tsdb::model::{Histogram, Labels, STALE_NAN, Timestamp};
use tsdb::{Cell, CellValue, Db, Storage};

use crate::prometheus::Prometheus;
use crate::running::{Running, options, peer, series, write};

const CONFIG: &str = "global: {external_labels: {zone: z, cluster: \"a\\\"\\\\b\", job: x}}\n";

const MINUTE_MS: i64 = 60_000;

/// What is chosen, and the `Accept` header.
const REQUESTS: [(&str, &str); 10] = [
    ("match[]=up", ""),
    ("match[]={__name__!=\"\"}", "text/plain;version=0.0.4"),
    ("match[]={__name__!=\"\"}", "text/plain;version=1.0.0;escaping=allow-utf-8"),
    ("match[]={__name__!=\"\"}", "text/plain;escaping=dots"),
    ("match[]={__name__!=\"\"}", "text/plain;escaping=values"),
    ("match[]={job=\"a\"}&match[]=up&match[]=nothing", "*/*"),
    (
        "match[]={__name__!=\"\"}",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ),
    (
        "match[]={__name__!=\"\"}",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited;escaping=allow-utf-8",
    ),
    ("match[]=nothing", ""),
    ("", ""),
];

/// Labels as they are written.
type Pairs = &'static [(&'static str, &'static str)];

/// Fresh, older, ended and too old series; odd names, values and texts.
fn samples(now: i64) -> Vec<TimeSeries> {
    let rows: [(Pairs, Vec<(i64, f64)>); 9] = [
        (
            &[("__name__", "up"), ("instance", "i:1"), ("job", "a")],
            vec![(now - 9, 0.0), (now, 1.0)],
        ),
        (&[("__name__", "up"), ("job", "b")], vec![(now - 4 * MINUTE_MS, -0.5)]),
        (&[("__name__", "ended"), ("job", "a")], vec![(now - 2, 1.0), (now - 1, STALE_NAN)]),
        (&[("__name__", "old"), ("job", "a")], vec![(now - 7 * MINUTE_MS, 1.0)]),
        (&[("__name__", "a.b/c"), ("__x.y", "é"), ("job", "a")], vec![(now, 1_795_553_472_517.0)]),
        (&[("__name__", "odd"), ("text", "a\"b\\c\nd")], vec![(now, f64::NAN)]),
        (&[("__name__", "odd"), ("zone", "own")], vec![(now, f64::NEG_INFINITY)]),
        (&[("A", "first"), ("__name__", "late")], vec![(now, 1e-7)]),
        (&[("__name__", "z:rate5m")], vec![(now, 123_456.75)]),
    ];
    let written =
        rows.map(|(labels, samples)| series(&Labels::from_pairs(labels.iter().copied()), samples));
    written.into()
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_millis() as i64
}

async fn start(directory: &Path) -> Running {
    let path = directory.join("prometheus.yml");
    fs::write(&path, CONFIG).unwrap();
    let file = Some(ConfigFile::load(&path, None, BuiltIn::default()).unwrap());
    Running::start_with(&directory.join("data"), Vec::new(), AppOptions { file, ..options() }).await
}

async fn answers(client: &reqwest::Client, url: &str) -> Vec<(u16, String, Vec<u8>)> {
    let mut answers = Vec::new();
    for (query, accept) in REQUESTS {
        let request = client.get(format!("{url}/federate?{query}")).header("accept", accept);
        let answer = request.send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        answers.push((answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec()));
    }
    answers
}

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let (directory, client, now) = (tempfile::tempdir().unwrap(), reqwest::Client::new(), now());
    let server = start(directory.path()).await;
    assert_eq!(server.write(samples(now)).await, (204, String::new()));
    let ours = answers(&client, &server.url).await;
    server.stop().await;
    let text = format!("{CONFIG}scrape_configs: []\n");
    let prometheus = Prometheus::start(&program, &text, &[]).await;
    let written = write(&client, &prometheus.url, samples(now)).await;
    assert_eq!(written.0, 204, "{}", written.1);
    let theirs = answers(&client, &prometheus.url).await;
    for ((request, ours), theirs) in REQUESTS.iter().zip(ours).zip(theirs) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!((ours.0, &ours.1), (theirs.0, &theirs.1), "{request:?}");
        assert_eq!(text(&ours.2), text(&theirs.2), "{request:?}");
        assert_eq!(ours.2, theirs.2, "{request:?}");
    }
}

/// A store that has native histograms of each kind, `now`.
fn write_histograms(directory: &Path, now: i64) {
    let disk = Arc::new(OsDisk);
    let (db, _) = Db::open(disk, directory, tsdb::Options::default()).unwrap();
    let spans = vec![Span { offset: -1, length: 2 }];
    let exponential = Histogram {
        schema: 2,
        zero_threshold: 0.001,
        zero_count: 1.0,
        count: 10.5,
        sum: 7.25,
        positive_spans: spans.clone(),
        positive_buckets: vec![2.0, 3.5],
        negative_spans: spans.clone(),
        negative_buckets: vec![1.0, 3.0],
        ..Histogram::default()
    };
    let custom = Histogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: 6.0,
        sum: 5.0,
        positive_spans: vec![Span { offset: 0, length: 3 }],
        positive_buckets: vec![1.0, 2.0, 3.0],
        custom_values: vec![0.5, 1.0],
        ..Histogram::default()
    };
    let mut append = db.appender();
    for (name, histogram) in [("exponential", &exponential), ("custom", &custom)] {
        let labels = Labels::from_pairs([("__name__", name), ("job", "h")]);
        let cell = Cell { value: CellValue::Histogram(histogram), start: None };
        append.sample(&labels, Timestamp::from_ms(now), cell).unwrap();
    }
    append.commit().unwrap();
    db.sync().unwrap();
}

/// Native ones come as they are, ones with bounds of their own as classic ones.
#[tokio::test]
async fn prometheus_scrapes_native_histograms() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let directory = tempfile::tempdir().unwrap();
    write_histograms(&directory.path().join("data"), now());
    let server = start(directory.path()).await;
    let flags = ["--enable-feature=native-histograms"];
    let prometheus = scraping(&program, &server, &flags).await;
    let rows = [
        ("histogram_count(exponential)", vec!["10.5"]),
        ("histogram_sum(exponential)", vec!["7.25"]),
        ("histogram_fraction(0,+Inf,exponential)*10.5", vec!["6"]),
        ("sort(custom_bucket)", vec!["1", "3", "6"]),
        ("custom_count", vec!["6"]),
    ];
    for (query, expected) in rows {
        assert_eq!(until(&prometheus, query, expected.len()).await, expected, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn prometheus_scrapes_it() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let directory = tempfile::tempdir().unwrap();
    let server = start(directory.path()).await;
    assert_eq!(server.write(samples(now())).await, (204, String::new()));
    let prometheus = scraping(&program, &server, &[]).await;
    let query = "sort_desc({__name__=~\"a.b/c|z:rate5m|late|up\",job!=\"federate\"})";
    let values = until(&prometheus, query, 5).await;
    assert_eq!(values, ["1795553472517", "123456.75", "1", "1e-07", "-0.5"]);
    server.stop().await;
}

/// A Prometheus that scrapes everything of `server`.
async fn scraping(program: &Path, server: &Running, flags: &[&str]) -> Prometheus {
    let address = server.url.trim_start_matches("http://");
    let config = format!(
        "scrape_configs:\n- job_name: federate\n  scrape_interval: 1s\n  honor_labels: true\n  \
         metrics_path: /federate\n  params: {{'match[]': ['{{__name__!=\"\"}}']}}\n  \
         static_configs: [{{targets: ['{address}']}}]\n"
    );
    Prometheus::start(program, &config, flags).await
}

/// The values of `query` when there are as many as expected, or what there is in the end.
async fn until(prometheus: &Prometheus, query: &str, count: usize) -> Vec<String> {
    let mut address = reqwest::Url::parse(&format!("{}/api/v1/query", prometheus.url)).unwrap();
    address.query_pairs_mut().append_pair("query", query);
    let mut values = Vec::new();
    for _ in 0..300 {
        let answer: serde_json::Value =
            reqwest::get(address.clone()).await.unwrap().json().await.unwrap();
        let result = answer["data"]["result"].as_array().unwrap();
        values = result.iter().map(|row| row["value"][1].as_str().unwrap().to_owned()).collect();
        if values.len() == count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    values
}
