//! Exemplars of the series that a query selects: the same answers as a real Prometheus's.

use server::ingest::remote_write::message::{LabelPair, TimeSeries, WireExemplar};
use tsdb::model::Labels;

use crate::prometheus::Prometheus;
use crate::running::{Running, peer, series, write};

const QUERIES: [&str; 7] = [
    "query=rate(b_bucket[5m])",
    "query=b_bucket{le=\"1\"}+%2B+on(le)+b_bucket",
    "query=b_bucket&start=1000000.1&end=1000010",
    "query=b_bucket&start=1000010",
    "query={job=\"a\"}+or+other",
    "query=nothing",
    "query=1",
];

fn samples() -> Vec<TimeSeries> {
    let pair = |name: &str, value: &str| LabelPair { name: name.into(), value: value.into() };
    let exemplar = |timestamp, value: f64, id: &str| WireExemplar {
        labels: vec![pair("trace_id", id), pair("x", "<&>")],
        value,
        timestamp,
    };
    let rows = [
        (
            "b_bucket",
            "1",
            vec![exemplar(1_000_000_000, 0.5, "a"), exemplar(1_000_010_000, 1e-7, "b")],
        ),
        ("b_bucket", "2", vec![exemplar(1_000_000_125, 1.5, "c")]),
        ("other", "1", vec![exemplar(1_000_005_000, 7.0, "d")]),
    ];
    let written = rows.map(|(name, le, exemplars)| {
        let labels = Labels::from_pairs([("__name__", name), ("job", "a"), ("le", le)]);
        TimeSeries { exemplars, ..series(&labels, [(1_000_000_000, 1.0), (1_000_010_000, 2.0)]) }
    });
    written.into()
}

async fn answers(client: &reqwest::Client, url: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for query in QUERIES {
        let url = format!("{url}/api/v1/query_exemplars?{query}");
        answers.push(client.get(url).send().await.unwrap().text().await.unwrap());
    }
    answers
}

#[tokio::test]
async fn prometheus_answers_the_same() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let (directory, client) = (tempfile::tempdir().unwrap(), reqwest::Client::new());
    let server = Running::start(directory.path(), Vec::new()).await;
    assert_eq!(server.write(samples()).await, (204, String::new()));
    let ours = answers(&client, &server.url).await;
    server.stop().await;
    let counts: Vec<_> = ours.iter().map(|text| text.matches("trace_id").count()).collect();
    assert_eq!(counts, [3, 3, 2, 1, 4, 0, 0], "{ours:?}");
    let Some(program) = peer("prometheus") else { return };
    let flags = ["--enable-feature=exemplar-storage"];
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &flags).await;
    let written = write(&client, &prometheus.url, samples()).await;
    assert_eq!(written.0, 204, "{}", written.1);
    assert_eq!(answers(&client, &prometheus.url).await, ours);
}
