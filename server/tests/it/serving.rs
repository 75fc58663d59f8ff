//! What stands between listeners and the API: connections, limits, the prefix, stopping.
//!
//! Most of it is tested with a small router behind the real gate and server.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use server::web::{Access, Connections, Gate, Prefix, Server, WebOptions, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::prometheus::Prometheus;
use crate::running::{self, Running, peer};

/// No test waits longer than that for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small server: `/` answers, `/echo` sends the body back, `/slow` waits for `go`.
struct Small {
    address: String,
    connections: Arc<Connections>,
    /// Told when a request for `/slow` has begun.
    begun: Arc<Notify>,
    go: Arc<Notify>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Small {
    async fn start(connections_max: usize, read_timeout: Duration) -> Self {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (begun.clone(), go.clone());
        let slow = || async move {
            tell.notify_one();
            wait.notified().await;
            "whole"
        };
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/echo", post(|body: Bytes| async { body }))
            .route("/slow", get(slow));
        let access = Arc::new(Access::load(None).unwrap());
        let gate = Gate::new(access, Prefix::default(), router, read_timeout);
        let listener = listen("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Connections::new(connections_max);
        let (stop, stopped) = watch::channel(false);
        let server = Server::new(vec![listener], gate, connections.clone());
        let running = tokio::spawn(server.run(stopped));
        Self { address, connections, begun, go, stop, running }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// The answer to what is sent, on a connection of its own, up to its end.
    async fn ask(&self, sent: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may have answered and closed before it has read all.
        let _ = stream.write_all(sent).await;
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset ends an answer as an end does.
    let _ = read.expect("the server closes the connection");
    String::from_utf8(answer).unwrap()
}

fn get_request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_silent_connections_hold_nobody_up() {
    // Both ends are in this process.
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let count = files.map_or(10_000, |files| (files.saturating_sub(600) / 2).min(10_000)) as usize;
    let server = Small::start(256, PATIENCE).await;
    let mut silent = Vec::new();
    for made in 0..count {
        // Who connects faster than that has to try again: the system's queue is full.
        while server.connections.counts().served as usize + 100 < made {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        silent.push(server.connect().await);
        assert!(server.connections.open() <= 256);
    }
    let answer = tokio::time::timeout(PATIENCE, server.ask(&get_request("/"))).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    let counts = server.connections.counts();
    println!("{count} silent connections: {counts:?}");
    assert_eq!(counts.open_max, 256.min(count + 1));
    // All came before the one that was answered, so all but those that are open were closed for it.
    assert_eq!(counts.served as usize, count + 1);
    assert!(counts.closed_for_others as usize >= (count + 1).saturating_sub(257), "{counts:?}");
}

#[tokio::test]
async fn a_request_in_progress_keeps_its_connection() {
    let server = Small::start(2, PATIENCE).await;
    let mut busy = server.connect().await;
    busy.write_all(&get_request("/slow")).await.unwrap();
    server.begun.notified().await;
    for round in 0..8 {
        let (silent, answer) = (server.connect().await, server.ask(&get_request("/")).await);
        assert!(answer.ends_with("hello"), "{round}: {answer}");
        drop(silent);
    }
    server.go.notify_one();
    assert!(read_all(&mut busy).await.ends_with("whole"));
    assert_eq!(server.connections.counts().open_max, 2);
}

#[tokio::test]
async fn slow_and_oversized_requests_are_cut_off() {
    let server = Small::start(16, Duration::from_millis(200)).await;
    let long = "x".repeat(300 << 10);
    let many = "a: b\r\n".repeat(200);
    let rows: [(&str, String, &str); 8] = [
        ("nothing", String::new(), ""),
        ("half a head", "GET / HTTP/1.1\r\nHost: ".to_owned(), ""),
        (
            "half a body",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".into(),
            "4",
        ),
        ("a long address", format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), "431"),
        ("a long header", format!("GET / HTTP/1.1\r\nHost: a\r\nb: {long}\r\n\r\n"), "431"),
        ("many headers", format!("GET / HTTP/1.1\r\n{many}\r\n"), "431"),
        ("no HTTP", "hello\r\n\r\n".to_owned(), "400"),
        ("unused after one", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "200"),
    ];
    for (what, sent, expected) in rows {
        let answer = server.ask(sent.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with(expected), "{what}: {answer}");
        assert_eq!(status.is_empty(), expected.is_empty(), "{what}: {answer}");
    }
    let whole =
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    assert!(server.ask(whole.as_bytes()).await.ends_with("\r\n\r\nabc"));
}

#[tokio::test]
async fn stopping_waits_for_requests_in_progress_and_for_nothing_else() {
    let server = Small::start(16, PATIENCE).await;
    let (mut silent, mut unused, mut half) =
        (server.connect().await, server.connect().await, server.connect().await);
    unused.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut answered = [0; 1024];
    assert!(unused.read(&mut answered).await.unwrap() > 0);
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.begun.notified().await;
    server.stop.send(true).unwrap();
    for stream in [&mut silent, &mut unused, &mut half] {
        assert_eq!(read_all(stream).await, "");
    }
    assert!(!server.running.is_finished());
    server.go.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(answer.contains("connection: close") && answer.ends_with("whole"), "{answer}");
    tokio::time::timeout(PATIENCE, server.running).await.unwrap().unwrap();
    assert!(TcpStream::connect(&server.address).await.is_err());
    assert_eq!(server.connections.open(), 0);
}

/// Flags, a path, and what both servers answer: status and where it leads.
const PREFIXES: [(&str, &str, &str, &str); 14] = [
    ("http://ex.am/pre/fix/", "", "/", "302 /pre/fix"),
    ("http://ex.am/pre/fix/", "", "/pre/fix", "301 /pre/fix/"),
    ("http://ex.am/pre/fix/", "", "/pre", "404 "),
    ("http://ex.am/pre/fix/", "", "/pre/fixx", "404 "),
    ("http://ex.am/pre/fix/", "", "/-/healthy", "404 "),
    ("http://ex.am/pre/fix/", "", "/pre/fix/-/healthy", "200 "),
    ("http://ex.am/pre/fix/", "", "/pre/fix/-/ready", "200 "),
    ("http://ex.am/pre/fix/", "", "/api/v1/labels", "404 "),
    ("http://ex.am/pre/fix/", "", "/pre/fix/api/v1/labels", "200 "),
    ("http://ex.am/pre/fix/", "", "/pre/fix/metrics", "200 "),
    ("http://ex.am/pre/fix/", "/", "/-/healthy", "200 "),
    ("http://ex.am/pre/fix/", "/", "/pre/fix/-/healthy", "404 "),
    ("http://ex.am/pre/fix/", "other/", "/", "302 /other"),
    ("http://ex.am/pre/fix/", "other/", "/other/-/healthy", "200 "),
];

async fn answered(url: &str, path: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let answer = client.unwrap().get(format!("{url}{path}")).send().await.unwrap();
    let place = answer.headers().get("location").map_or("", |place| place.to_str().unwrap());
    format!("{} {place}", answer.status().as_u16())
}

/// The rows of [`PREFIXES`] that have the same flags, one after the other.
fn by_flags()
-> impl Iterator<Item = &'static [(&'static str, &'static str, &'static str, &'static str)]> {
    PREFIXES.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
}

#[tokio::test]
async fn paths_are_below_the_prefix() {
    for rows in by_flags() {
        let (external, prefix, ..) = rows[0];
        let web = WebOptions {
            external_url: Some(external.to_owned()),
            route_prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
            ..WebOptions::default()
        };
        let directory = tempfile::tempdir().unwrap();
        let options = server::app::AppOptions { web, ..running::options() };
        let server = Running::start_with(directory.path(), Vec::new(), options).await;
        for (_, _, path, expected) in rows {
            assert_eq!(answered(&server.url, path).await, *expected, "{path} ({prefix})");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn prometheus_has_the_same_paths() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    for rows in by_flags() {
        let (external, prefix, ..) = rows[0];
        let external = format!("--web.external-url={external}");
        let prefix = format!("--web.route-prefix={prefix}");
        let flags = [external.as_str(), prefix.as_str()];
        let flags = if prefix.ends_with('=') { &flags[..1] } else { &flags[..] };
        let ready = rows.iter().find(|row| row.2.ends_with("/-/healthy") && row.3 == "200 ");
        let ready = ready.unwrap().2.trim_end_matches("/-/healthy");
        let prometheus =
            Prometheus::start_below(&program, "scrape_configs: []\n", flags, ready).await;
        for (_, _, path, expected) in rows {
            assert_eq!(answered(&prometheus.url, path).await, *expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_page_and_its_parts_are_below_the_prefix() {
    let web = WebOptions { route_prefix: Some("/a/b".to_owned()), ..WebOptions::default() };
    let directory = tempfile::tempdir().unwrap();
    let options = server::app::AppOptions { web, ..running::options() };
    let server = Running::start_with(directory.path(), Vec::new(), options).await;
    let (status, page) = server.get("/a/b/").await;
    assert_eq!(status, 200);
    let base = reqwest::Url::parse(&format!("{}/a/b/", server.url)).unwrap();
    let parts: Vec<&str> = page.split('"').filter(|part| part.starts_with("./")).collect();
    assert_eq!(parts.is_empty(), !ui::is_real(), "{page}");
    for part in parts {
        let url = base.join(part).unwrap();
        assert_eq!(server.get(url.path()).await.0, 200, "{url}");
    }
    // Nobody but this host can reach it, so nothing is said about passwords.
    let (_, notice) = server.get("/a/b/api/v1/status/notice").await;
    assert_eq!(notice, r#"{"status":"success","data":{"notice":null}}"#);
    // Nothing in the page leads outside.
    assert!(!page.contains("=\"/"), "{page}");
    let guide = answered(&server.url, "/a/b/d/llm-performance?a=b").await;
    assert_eq!(guide, "302 ../?a=b");
    server.stop().await;
}
