//! Requests that are not what the API expects: other bodies and types, pages of other origins. As
//! a real Prometheus answers where it has an answer.

use prost::Message;
use server::app::AppOptions;
use server::flags::{Command, Flags};
use server::ingest::remote_write::message::{FloatSample, LabelPair, TimeSeries, WriteRequest};

use crate::prometheus::Prometheus;
use crate::running::{Running, options, peer};

/// Method, path, type of the body, the body, the status, and a part of the answer.
const ROWS: [(&str, &str, &str, &str, u16, &str); 9] = [
    ("POST", "query", "application/x-www-form-urlencoded", "query=1", 200, "scalar"),
    ("POST", "query", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "query=1", 200, "scalar"),
    ("POST", "query", "application/json", "{\"query\":\"1\"}", 400, "no expression found in input"),
    ("POST", "query?query=2", "application/json", "query=1", 200, "\"2\""),
    ("POST", "query", "", "query=1", 400, "no expression found in input"),
    ("POST", "series", "text/plain", "match[]=up", 400, "no match[] parameter provided"),
    ("GET", "series?match[]=%7B%22a%20b%22%3D~%22(%22%7D", "", "", 400, "parse error"),
    ("GET", "label/%ff/values", "", "", 400, ""),
    ("DELETE", "query?query=1", "", "", 405, "Method Not Allowed"),
];

async fn answer(url: &str, row: (&str, &str, &str, &str, u16, &str)) -> (u16, bool) {
    let (method, path, kind, body, _, part) = row;
    let request =
        reqwest::Client::new().request(method.parse().unwrap(), format!("{url}/api/v1/{path}"));
    let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, text.contains(part))
}

#[tokio::test]
async fn odd_requests_have_an_answer() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    for row in ROWS {
        assert_eq!(answer(&server.url, row).await, (row.4, true), "{row:?}");
    }
    let large = format!("query=1{}", " ".repeat(server::http::FORM_BYTES_MAX));
    let request = reqwest::Client::new().post(format!("{}/api/v1/query", server.url));
    let form = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body(large).send().await.unwrap().status().as_u16(), 413);
    server.stop().await;
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &[]).await;
    for row in ROWS {
        assert_eq!(answer(&prometheus.url, row).await, (row.4, true), "{row:?}");
    }
}

/// A series with these labels and one sample, as remote write packs it.
fn packed(labels: &[(&str, &str)]) -> Vec<u8> {
    let pair =
        |(name, value): &(&str, &str)| LabelPair { name: (*name).into(), value: (*value).into() };
    let samples = vec![FloatSample { value: 1.0, timestamp: 1_000 }];
    let labels = labels.iter().map(pair).collect();
    let series = TimeSeries { labels, samples, ..TimeSeries::default() };
    let request = WriteRequest { timeseries: vec![series], metadata: Vec::new() };
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).unwrap()
}

async fn written(url: &str, kind: &str, encoding: &str, body: Vec<u8>) -> u16 {
    let request = reqwest::Client::new().post(format!("{url}/api/v1/write"));
    let request = request.header("content-type", kind).header("content-encoding", encoding);
    request.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn odd_remote_writes_have_an_answer() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    const PROTOBUF: &str = "application/x-protobuf";
    let up = ("__name__", "up");
    let not_utf8 = {
        let mut message = WriteRequest {
            timeseries: vec![TimeSeries {
                labels: vec![LabelPair { name: "__name__".into(), value: "up".into() }],
                ..TimeSeries::default()
            }],
            metadata: Vec::new(),
        }
        .encode_to_vec();
        let at = message.windows(2).position(|own| own == b"up").unwrap();
        message[at] = 0xff;
        snap::raw::Encoder::new().compress_vec(&message).unwrap()
    };
    // What we answer and what Prometheus does: it leaves out the series whose labels are none.
    let rows = [
        ("all is well", PROTOBUF, "snappy", packed(&[up, ("a", "b")]), 204, 204),
        ("names of all kinds", PROTOBUF, "snappy", packed(&[up, ("a b", "c")]), 204, 204),
        ("no protobuf", "application/json", "snappy", packed(&[up]), 415, 415),
        ("another packing", PROTOBUF, "gzip", packed(&[up]), 415, 415),
        ("not packed", PROTOBUF, "snappy", b"hello".to_vec(), 400, 400),
        ("no message", PROTOBUF, "snappy", packed(&[up])[..9].to_vec(), 400, 400),
        ("no metric name", PROTOBUF, "snappy", packed(&[("a", "b")]), 400, 204),
        ("a label without a name", PROTOBUF, "snappy", packed(&[("", "b"), up]), 400, 204),
        ("a label twice", PROTOBUF, "snappy", packed(&[up, ("a", "b"), ("a", "c")]), 400, 204),
        ("bytes that are no text", PROTOBUF, "snappy", not_utf8, 400, 204),
    ];
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    for (what, kind, encoding, body, expected, _) in rows.clone() {
        assert_eq!(written(&server.url, kind, encoding, body).await, expected, "{what}");
    }
    let large = vec![0; server::http::FORM_BYTES_MAX + 1];
    assert_eq!(written(&server.url, PROTOBUF, "snappy", large).await, 413);
    // It says to unpack to more than is taken.
    let bomb = vec![0xff, 0xff, 0xff, 0x7f, 0x00, 0x61];
    assert_eq!(written(&server.url, PROTOBUF, "snappy", bomb).await, 400);
    let (_, answer) = server.get("/api/v1/query?query=count(up)&time=1").await;
    assert!(answer.contains(r#""2""#), "{answer}");
    server.stop().await;
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &[]).await;
    for (what, kind, encoding, body, _, expected) in rows {
        assert_eq!(written(&prometheus.url, kind, encoding, body).await, expected, "{what}");
    }
}

#[tokio::test]
async fn answers_are_packed_as_the_client_wants() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::start(directory.path(), Vec::new()).await;
    // One that unpacks nothing itself.
    let client = reqwest::Client::builder().no_gzip().no_deflate().no_zstd().no_brotli();
    let client = client.build().unwrap();
    let rows = [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("zstd", "zstd"),
        ("br", ""),
        ("gzip;q=0", ""),
        ("identity", ""),
        ("*;q=0.1, gzip;q=0.5", "gzip"),
    ];
    for (wanted, expected) in rows {
        let request = client.get(format!("{}/api/v1/status/flags", server.url));
        let answer = request.header("accept-encoding", wanted).send().await.unwrap();
        let packed = answer.headers().get("content-encoding");
        let packed = packed.map_or("", |own| own.to_str().unwrap()).to_owned();
        assert_eq!((answer.status().as_u16(), &*packed), (200, expected), "{wanted}");
    }
    server.stop().await;
}

/// What a page of each origin is told.
async fn told(url: &str) -> Vec<String> {
    let names = ["access-control-allow-origin", "access-control-allow-methods", "vary"];
    let mut told = Vec::new();
    for (method, path, origin) in [
        ("GET", "/api/v1/query?query=1", "https://a.example"),
        ("OPTIONS", "/api/v1/query", "https://a.example"),
        ("GET", "/api/v1/query?query=sum(", "https://b.example"),
        ("GET", "/api/v1/query?query=1", ""),
        ("GET", "/-/healthy", "https://a.example"),
    ] {
        let request =
            reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
        let request = if origin.is_empty() { request } else { request.header("origin", origin) };
        let answer = request.send().await.unwrap();
        let value = |name: &str| {
            let values = answer.headers().get_all(name).into_iter();
            let values = values.map(|value| value.to_str().unwrap().to_lowercase());
            values.filter(|value| value != "accept-encoding").collect::<Vec<_>>().join(",")
        };
        told.push(names.map(value).join("|"));
    }
    told
}

#[tokio::test]
async fn only_chosen_origins_may_read() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let flag = "--web.cors.origin=https?://a\\.example";
    let args = ["inferometer", "serve", flag, "--web.console.templates=/c"].map(str::to_owned);
    let Command::Serve(flags) = Flags::parse_from_args(args).unwrap().command else {
        unreachable!("the second word says serve")
    };
    let directory = tempfile::tempdir().unwrap();
    let options = AppOptions { shared: flags.shared, ..options() };
    let server = Running::start_with(directory.path(), Vec::new(), options).await;
    let ours = told(&server.url).await;
    let (_, listed) = server.get("/api/v1/status/flags").await;
    server.stop().await;
    for part in [
        r#""web.console.templates":"/c""#,
        r#""web.console.libraries":"console_libraries""#,
        r#""query.lookback-delta":"5m""#,
        r#""web.enable-admin-api":"false""#,
        r#""storage.tsdb.path":"data/""#,
    ] {
        assert!(listed.contains(part), "{part} is not in {listed}");
    }
    assert!(ours[0].starts_with("https://a.example|"), "{ours:?}");
    assert!(ours[2].starts_with('|'), "{ours:?}");
    let Some(program) = peer("prometheus") else { return };
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", &[flag]).await;
    assert_eq!(told(&prometheus.url).await, ours);
}
