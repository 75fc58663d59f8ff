//! What targets can do to us: each row ends in the text that `/api/v1/targets` shows, `up` is
//! what it has to be, what was stored before stays, and the next good page is stored.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use scraper::cycle::{Outcome, Parts, Scrape, SystemClock};
use scraper::fetch::{FetchError, Fetcher, Page};
use scraper::job::{Authorization, ClientOptions, Job, Secret};
use scraper::target::{self, Health, Target};
use tsdb::model::Timestamp;

use crate::jobs::job_for;
use crate::recording::Recording;
use crate::server::{Answer, Server};

/// A target, its server and its store.
pub(crate) struct Fixture {
    pub(crate) server: Server,
    pub(crate) target: Arc<Target>,
    pub(crate) store: Recording,
    scrape: Scrape,
    now_ms: i64,
}

impl Fixture {
    pub(crate) async fn new(change: impl FnOnce(&mut Job)) -> Self {
        let server = Server::start(Answer::text("a 1\n")).await;
        let mut job = job_for(&server.address.to_string());
        change(&mut job);
        let target = Arc::new(target::find(&job).targets.remove(0));
        let fetcher = Arc::new(Fetcher::new(&job));
        let clock = Arc::new(SystemClock::new());
        let parts = Parts { target: target.clone(), job: Arc::new(job), fetcher, clock };
        let scrape = Scrape::new(parts);
        Self { server, target, store: Recording::default(), scrape, now_ms: 0 }
    }

    pub(crate) async fn scrape(&mut self, answer: Answer) -> Outcome {
        self.server.say(answer);
        self.now_ms += 5_000;
        self.scrape.once(Timestamp::from_ms(self.now_ms), &self.store).await
    }

    fn url(&self) -> String {
        format!("http://{}/metrics", self.server.address)
    }
}

/// Scrapes a good page, `answer`, and a good one again; checks all that has to hold.
async fn between_good_pages(change: impl FnOnce(&mut Job), answer: Answer, expected: &str) {
    let mut fixture = Fixture::new(change).await;
    let expected = expected.replace("{url}", &fixture.url());
    let expected = expected.replace("{host}", &fixture.server.address.to_string());
    assert!(fixture.scrape(Answer::text("a 1\nb 1\n")).await.up);
    let outcome = fixture.scrape(answer).await;
    assert_eq!(outcome.error.as_deref(), Some(&*expected));
    assert!(!outcome.up);
    let status = fixture.target.status();
    assert_eq!((status.last_error, status.health), (expected, Health::Down));
    assert_eq!(status.last_scrape, Some(Timestamp::from_ms(10_000)));
    assert!(fixture.scrape(Answer::text("a 3\nb 3\n")).await.up);
    let status = fixture.target.status();
    assert_eq!((&*status.last_error, status.health), ("", Health::Up));

    let lines = fixture.store.dump();
    let samples = |name: &str| {
        let line = lines.iter().find(|line| line.contains(&format!("\"{name}\""))).unwrap();
        line.split("} ").nth(1).unwrap().to_owned()
    };
    assert_eq!(samples("a"), "5000:1 10000:stale 15000:3");
    assert_eq!(samples("b"), "5000:1 10000:stale 15000:3");
    assert_eq!(samples("up"), "5000:1 10000:0 15000:1");
    // What was read until the fault is told, as Prometheus does.
    let scraped = format!("5000:2 10000:{} 15000:2", outcome.counts.scraped);
    assert_eq!(samples("scrape_samples_scraped"), scraped);
    assert_eq!(lines.len(), 7, "{lines:?}");
}

fn unchanged(_: &mut Job) {}

fn bytes(head: &str, body: &[u8]) -> Answer {
    Answer::Bytes([head.as_bytes(), b"\r\n\r\n", body].concat())
}

#[tokio::test]
async fn a_page_that_breaks_off_in_a_line() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close";
    let error = "expected value after metric, got the end of the page while parsing: \
        \"vllm:num_req\" (line 2, column 13)";
    between_good_pages(unchanged, bytes(head, b"a 2\nvllm:num_req"), error).await;
}

#[tokio::test]
async fn a_page_shorter_than_announced() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100";
    between_good_pages(unchanged, bytes(head, b"a 2\nb 2\n"), "unexpected EOF").await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked";
    between_good_pages(unchanged, bytes(head, b"4\r\na 2\n\r\n"), "unexpected EOF").await;
}

#[tokio::test]
async fn a_duplicate_series_costs_only_its_repetitions() {
    let mut fixture = Fixture::new(unchanged).await;
    let outcome = fixture.scrape(Answer::text("a 1\na 2\nb 1\n")).await;
    assert_eq!((outcome.up, outcome.error, outcome.counts.repeated), (true, None, 1));
    assert!(fixture.store.dump()[0].ends_with("} 5000:1"));
    assert!(
        fixture.store.dump().iter().any(|line| line.contains("\"up\"") && line.ends_with(":1"))
    );
}

#[tokio::test]
async fn statuses() {
    let rows = [
        ("401 Unauthorized", "server returned HTTP status 401 Unauthorized"),
        ("500 Internal Server Error", "server returned HTTP status 500 Internal Server Error"),
        ("404 Not Found", "server returned HTTP status 404 Not Found"),
        ("204 No Content", "server returned HTTP status 204 No Content"),
    ];
    for (line, error) in rows {
        between_good_pages(unchanged, Answer::status(line), error).await;
    }
}

#[tokio::test]
async fn a_redirect_loop() {
    let round = Answer::status("302 Found\r\nLocation: /metrics");
    let error = "Get \"{url}\": stopped after 10 redirects";
    between_good_pages(unchanged, round.clone(), error).await;
    let stay = |job: &mut Job| job.client.follow_redirects = false;
    between_good_pages(stay, round, "server returned HTTP status 302 Found").await;
}

/// Time jumps from timer to timer here: a byte every millisecond, and the deadline.
#[tokio::test(start_paused = true)]
async fn a_target_that_drips_is_cut_off() {
    let impatient = |job: &mut Job| job.timeout_ms = 1_000;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let dripping = Answer::Drip(head.into());
    between_good_pages(impatient, dripping, "context deadline exceeded").await;
    let error = "Get \"{url}\": context deadline exceeded";
    between_good_pages(impatient, Answer::Silence, error).await;
}

#[tokio::test]
async fn a_web_page() {
    let html = b"<!DOCTYPE html>\n<html>".to_vec();
    let error = "received unsupported Content-Type \"text/html; charset=utf-8\" and no \
        fallback_scrape_protocol specified for target: this is an HTML page, not metrics; check \
        metrics_path and port";
    let page = Answer::Page(html.clone(), "text/html; charset=utf-8");
    between_good_pages(unchanged, page, error).await;
    let error = "expected a valid start token (this looks like HTML, not like metrics), got \"<\" \
        while parsing: \"<\" (line 1, column 1)";
    between_good_pages(unchanged, Answer::text(html), error).await;
}

#[tokio::test]
async fn a_page_without_a_type() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close";
    let error = "non-compliant scrape target sending blank Content-Type and no \
        fallback_scrape_protocol specified for target";
    between_good_pages(unchanged, bytes(head, b"a 2\n"), error).await;
}

#[tokio::test]
async fn invalid_utf8() {
    let error = "invalid UTF-8 label value: \"\u{fffd}\u{fffd}\" (line 2, column 9)";
    between_good_pages(unchanged, Answer::text(*b"a 2\nb{c=\"\xff\xfe\"} 2\n"), error).await;
}

#[tokio::test]
async fn no_http_at_all() {
    let error = "Get \"{url}\": invalid HTTP version parsed";
    between_good_pages(unchanged, Answer::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), error).await;
}

/// The size of a page is limited; what was read until then is bounded, too.
#[tokio::test]
async fn a_page_of_200_mb() {
    const LIMIT: u64 = 1 << 20;
    let limited = |job: &mut Job| job.limits.body_bytes = Some(LIMIT);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";
    let endless = Answer::Endless(head.into());
    between_good_pages(limited, endless.clone(), "body size limit exceeded").await;

    let server = Server::start(endless).await;
    let mut job = job_for(&server.address.to_string());
    limited(&mut job);
    let (fetcher, mut page) = (Fetcher::new(&job), Page::default());
    let url = format!("http://{}/metrics", server.address);
    let fetched = fetcher.fetch(&url, Duration::from_secs(5), &mut page).await;
    assert_eq!(fetched, Err(FetchError::TooLarge));
    assert!(page.body.capacity() as u64 <= 2 * LIMIT, "{}", page.body.capacity());
    // The rest stays in the sockets' buffers.
    assert!(server.written() < 50_000_000, "{}", server.written());
}

#[tokio::test]
async fn a_small_page_that_unpacks_to_200_mb() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let lines = b"metric{label=\"value\"} 1\n".repeat(10_000);
    for _ in 0..1 + 200_000_000 / lines.len() {
        gzip.write_all(&lines).unwrap();
    }
    let packed = gzip.finish().unwrap();
    assert!(packed.len() < 1 << 20, "{}", packed.len());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\
        Connection: close";
    let limited = |job: &mut Job| job.limits.body_bytes = Some(1 << 20);
    between_good_pages(limited, bytes(head, &packed), "body size limit exceeded").await;
}

#[tokio::test]
async fn a_packed_page_is_unpacked() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"a 1\nb 2\n").unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\
        Connection: close";
    let mut fixture = Fixture::new(unchanged).await;
    let outcome = fixture.scrape(bytes(head, &gzip.finish().unwrap())).await;
    assert_eq!((outcome.error, outcome.counts.scraped), (None, 2));
}

#[tokio::test]
async fn nobody_listens() {
    let mut fixture = Fixture::new(unchanged).await;
    let (url, host) = (fixture.url(), fixture.server.address);
    fixture.scrape(Answer::text("a 1\n")).await;
    let Fixture { server, target, store, mut scrape, .. } = fixture;
    server.stop().await;
    let outcome = scrape.once(Timestamp::from_ms(10_000), &store).await;
    let error = format!("Get \"{url}\": dial tcp {host}: connect: connection refused");
    assert_eq!(outcome.error.as_deref(), Some(&*error));
    assert_eq!(target.status().last_error, error);
    assert!(store.dump()[0].ends_with("} 5000:1 10000:stale"));
}

/// What every request says, and that one connection serves many scrapes.
#[tokio::test]
async fn requests() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "first\n").unwrap();
    let authorization = Authorization::Credentials {
        scheme: "Bearer".into(),
        credentials: Secret::File(token.path().into()),
    };
    let client = ClientOptions { authorization: Some(authorization), ..ClientOptions::default() };
    let mut fixture = Fixture::new(|job| job.client = client).await;
    fixture.scrape(Answer::text("a 1\n")).await;
    std::fs::write(token.path(), "second\n").unwrap();
    fixture.scrape(Answer::text("a 1\n")).await;
    let requests: Vec<String> =
        fixture.server.requests().iter().map(|request| request.to_lowercase()).collect();
    let [first, second] = &requests[..] else { panic!("{requests:?}") };
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        "get /metrics http/1.1",
        &format!("host: {}", fixture.server.address),
        "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        &format!("user-agent: inferometer/{version}"),
        "x-prometheus-scrape-timeout-seconds: 5",
        "authorization: bearer first",
    ] {
        assert!(first.lines().any(|own| own == line), "{line} in {first}");
    }
    assert!(first.contains("accept-encoding: ") && first.contains("gzip"), "{first}");
    assert!(second.contains("authorization: bearer second"), "{second}");
    assert_eq!(fixture.server.connections(), 1);

    std::fs::remove_file(token.path()).unwrap();
    let outcome = fixture.scrape(Answer::text("a 1\n")).await;
    let error = outcome.error.unwrap();
    let expected = "unable to read authorization credentials: unable to read file ";
    assert!(error.contains(expected), "{error}");
    assert_eq!(fixture.server.requests().len(), 2);
}
