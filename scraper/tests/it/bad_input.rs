//! What targets can do to us: each row ends in the text that `/api/v1/targets` shows, `up` is
//! what it has to be, what was stored before stays, and the next good page is stored.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use scraper::cycle::{Outcome, Parts, Scrape, SystemClock};
use scraper::fetch::{FetchError, Fetcher, Page};
use scraper::ingest::Ingest;
use scraper::job::{Authorization, ClientOptions, Job, PAGE_BYTES_MAX, Secret};
use scraper::target::{self, Health, Target};
use tsdb::append::Storage;
use tsdb::disk::os::OsDisk;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Db, Options};

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
        let (target, scrape) = scrape_of(&server, change);
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

/// A target that a server is, and what scrapes it.
fn scrape_of(server: &Server, change: impl FnOnce(&mut Job)) -> (Arc<Target>, Scrape) {
    let mut job = job_for(&server.address.to_string());
    change(&mut job);
    let target = Arc::new(target::find(&job).targets.remove(0));
    let fetcher = Arc::new(Fetcher::new(&job));
    let clock = Arc::new(SystemClock::new());
    let parts = Parts { target: target.clone(), job: Arc::new(job), fetcher, clock };
    (target, Scrape::new(parts))
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
        ("403 Forbidden", "server returned HTTP status 403 Forbidden"),
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
    let error = "Get \"{url}\": net/http: HTTP/1.x transport connection broken: malformed HTTP \
        response \"SSH-2.0-OpenSSH_9.9\"";
    between_good_pages(unchanged, Answer::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), error).await;
}

/// The size of a page is limited, also where the job does not say how; what was read until then is
/// bounded, too.
#[tokio::test]
async fn a_page_of_1_gb() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";
    let endless = Answer::Endless(head.into());
    for limit in [Some(1 << 20), None] {
        let limited = |job: &mut Job| job.limits.body_bytes = limit;
        between_good_pages(limited, endless.clone(), "body size limit exceeded").await;

        let server = Server::start(endless.clone()).await;
        let mut job = job_for(&server.address.to_string());
        limited(&mut job);
        let (fetcher, mut page) = (Fetcher::new(&job), Page::default());
        let url = format!("http://{}/metrics", server.address);
        let fetched = fetcher.fetch(&url, Duration::from_secs(60), &mut page).await;
        assert_eq!(fetched, Err(FetchError::TooLarge));
        let most = limit.unwrap_or(PAGE_BYTES_MAX);
        assert!(page.body.capacity() as u64 <= 2 * most, "{}", page.body.capacity());
        // The rest stays in the sockets' buffers.
        assert!((server.written() as u64) < most + 50_000_000, "{}", server.written());
    }
}

#[tokio::test]
async fn a_small_page_that_unpacks_to_1_gb() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // A file of many members.
    let lines = b"metric{label=\"value\"} 1\n".repeat(1_000_000);
    gzip.write_all(&lines).unwrap();
    let packed = gzip.finish().unwrap().repeat(1 + 1_000_000_000 / lines.len());
    assert!(packed.len() < 4 << 20, "{}", packed.len());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\
        Connection: close";
    for limit in [1 << 20, 16 << 20] {
        let limited = |job: &mut Job| job.limits.body_bytes = Some(limit);
        between_good_pages(limited, bytes(head, &packed), "body size limit exceeded").await;
    }
}

#[tokio::test]
async fn a_packed_page_is_unpacked() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\
        Connection: close";
    let mut fixture = Fixture::new(unchanged).await;
    // The second one is large enough for another thread.
    for lines in [2, 200] {
        let long = "x".repeat(10_000);
        let line = |line| format!("a{{line=\"{line}\",long=\"{long}\"}} 1\n");
        let page: String = (0..lines).map(line).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(page.as_bytes()).unwrap();
        let outcome = fixture.scrape(bytes(head, &gzip.finish().unwrap())).await;
        assert_eq!((outcome.error, outcome.counts.scraped), (None, lines));
    }
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

/// The name of a target that no DNS server knows, or that none answers for.
#[tokio::test]
async fn a_host_that_nobody_knows() {
    let server = Server::start(Answer::Silence).await;
    let unknown = |job: &mut Job| *job = Job { interval_ms: 5_000, ..job_for("vllm.invalid:8000") };
    let (target, mut scrape) = scrape_of(&server, unknown);
    let outcome = scrape.once(Timestamp::from_ms(5_000), &Recording::default()).await;
    let error = outcome.error.unwrap_or_default();
    assert_eq!(target.status().last_error, error);
    let start = "Get \"http://vllm.invalid:8000/metrics\": dial tcp: lookup vllm.invalid: ";
    let why = ["no such host", "Temporary failure in name resolution"];
    assert!(why.map(|why| format!("{start}{why}")).contains(&error), "{error}");
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

/// What a head may say wrong.
#[tokio::test]
async fn wrong_heads() {
    let rows = [
        ("Content-Length: x", "Get \"{url}\": bad Content-Length \"x\""),
        ("Content-Length: -1", "Get \"{url}\": bad Content-Length \"-1\""),
        (
            "Content-Length: 4\r\nContent-Length: 5",
            "Get \"{url}\": http: message cannot contain multiple Content-Length headers; got \"5\"",
        ),
        ("Transfer-Encoding: odd", "Get \"{url}\": unsupported transfer encoding: \"odd\""),
        ("Transfer-Encoding: chunked", "invalid byte in chunk length"),
        ("Content-Encoding: gzip\r\nContent-Length: 15", "gzip: invalid header"),
    ];
    for (header, error) in rows {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{header}");
        between_good_pages(unchanged, bytes(&head, b"aaaaaaaaaaaa 2\n"), error).await;
    }
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(300 << 10));
    let error = "Get \"{url}\": net/http: server response headers exceeded 262144 bytes; aborted";
    between_good_pages(unchanged, bytes(&endless, b""), error).await;
}

/// A page that is longer than announced ends where it was to end, and the rest is nobody's answer.
#[tokio::test]
async fn a_page_longer_than_announced() {
    let mut fixture = Fixture::new(unchanged).await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4";
    let outcome = fixture.scrape(bytes(head, b"a 2\nb 2\n")).await;
    assert_eq!((outcome.error, outcome.counts.scraped), (None, 1));
    let outcome = fixture.scrape(Answer::text("a 3\n")).await;
    assert_eq!((outcome.error, outcome.counts.scraped), (None, 1));
}

#[tokio::test]
async fn zstd_and_chunks() {
    let packed = zstd::encode_all(&b"a 1\nb 2\n"[..], 0).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: zstd\r\n\
        Transfer-Encoding: chunked";
    let mut chunked = Vec::new();
    for piece in packed.chunks(5) {
        chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
        chunked.extend(piece);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let mut fixture = Fixture::new(unchanged).await;
    let outcome = fixture.scrape(bytes(head, &chunked)).await;
    assert_eq!((outcome.error, outcome.counts.scraped), (None, 2));
    between_good_pages(unchanged, bytes(head, &chunked[..chunked.len() - 5]), "unexpected EOF")
        .await;
}

#[tokio::test]
async fn timestamps_that_are_no_numbers() {
    let error = "expected timestamp or new record, got \"N\" while parsing: \"a 1 N\" (line 1, \
        column 5)";
    between_good_pages(unchanged, Answer::text("a 1 NaN\n"), error).await;
    let page = Answer::Page(b"a 1 NaN\n# EOF\n".into(), "application/openmetrics-text");
    let error = "invalid timestamp while parsing: \"a 1 NaN\" (line 1, column 5)";
    between_good_pages(unchanged, page, error).await;
}

/// Another page each time, of a target whose series never come back; and a very large one.
#[tokio::test]
async fn pages_that_have_nothing_in_common() {
    let mut fixture = Fixture::new(unchanged).await;
    for round in 0..20 {
        let lines = (0..200).map(|line| format!("m{{round=\"{round}\",line=\"{line}\"}} 1\n"));
        let counts = fixture.scrape(Answer::text(lines.collect::<String>())).await.counts;
        let ended = if round == 0 { 0 } else { 200 };
        assert_eq!((counts.scraped, counts.added, counts.ended), (200, 200, ended));
    }
}

/// A hundred thousand series, in a real store.
#[tokio::test]
async fn a_hundred_thousand_series() {
    const SERIES: usize = 100_000;
    let large: String = (0..SERIES).map(|line| format!("m{{line=\"{line}\"}} 1\n")).collect();
    let server = Server::start(Answer::text(large)).await;
    let (_, mut scrape) = scrape_of(&server, unchanged);
    let folder = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(Arc::new(OsDisk), folder.path(), Options::default()).unwrap();
    for round in 0..2 {
        let counts = scrape.once(Timestamp::from_ms(5_000 * (round + 1)), &db).await.counts;
        let added = if round == 0 { SERIES } else { 0 };
        assert_eq!((counts.scraped, counts.added), (SERIES, added));
    }
}

/// Samples that are older than what their series have are refused one by one, in a real store, and
/// the rest of their page is stored.
#[tokio::test]
async fn samples_out_of_order_cost_only_themselves() {
    let server = Server::start(Answer::Silence).await;
    let (target, mut scrape) = scrape_of(&server, unchanged);
    let folder = tempfile::tempdir().unwrap();
    let (db, _) = Db::open(Arc::new(OsDisk), folder.path(), Options::default()).unwrap();
    let rows = [
        ("a 1 20000\nb 1\n", 0),
        // Older, and older than that.
        ("a 2 15000\nb 2\n", 1),
        ("a 2 1\nc 2 19999\nb 3\n", 1),
        ("a 3 20001\nb 4\n", 0),
    ];
    for (round, (page, refused)) in (1..).zip(rows) {
        server.say(Answer::text(page));
        let outcome = scrape.once(Timestamp::from_ms(30_000 + 5_000 * round), &db).await;
        assert_eq!((outcome.up, outcome.error, outcome.counts.refused), (true, None, refused));
        assert_eq!(target.status().health, Health::Up);
    }
}

/// A target whose series all change: the store replaces its group again and again, and each series
/// is told to end exactly once, where it ended.
#[tokio::test]
async fn series_that_change_in_a_real_store() {
    const SERIES: usize = 300;
    let mut ingest =
        Ingest::new(Labels::from_pairs([("instance", "h:1")]), Arc::new(Job::new("j")));
    let folder = tempfile::tempdir().unwrap();
    let always = Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, ..Options::default() };
    let (db, _) = Db::open(Arc::new(OsDisk), folder.path(), always).unwrap();
    for page in 0..30 {
        let line = |line: usize| format!("m{{page=\"{page}\",line=\"{line}\"}} 1\n");
        let body: String = (0..SERIES).map(line).collect();
        let mut append = db.appender();
        let at = Timestamp::from_ms(5_000 * (page + 1));
        let counts = ingest.page(body.as_bytes(), Some("text/plain"), at, &mut *append).unwrap();
        append.commit().unwrap();
        let ended = if page == 0 { 0 } else { SERIES };
        assert_eq!((counts.added, counts.ended, counts.refused), (SERIES, ended, 0), "{page}");
        db.flush_if_due().unwrap();
    }
    // Of 9 000 series: groups were replaced.
    assert!(db.stats().definitions < 3_000, "{}", db.stats().definitions);
}

/// One that keeps us waiting keeps nobody else waiting.
#[tokio::test(start_paused = true)]
async fn a_slow_target_beside_a_good_one() {
    let (mut slow, mut good) = (Fixture::new(unchanged).await, Fixture::new(unchanged).await);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let dripping = slow.scrape(Answer::Drip(head.into()));
    let many = async {
        for _ in 0..3 {
            assert!(good.scrape(Answer::text("a 1\n")).await.up);
        }
    };
    tokio::select! {
        biased;
        _outcome = dripping => panic!("the slow one was first"),
        () = many => {}
    }
}

/// A scrape without a page is a line in the job's file; a page that cannot be read is none.
#[tokio::test]
async fn the_file_of_failures() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_owned();
    let mut fixture = Fixture::new(|job| job.failure_log = Some(path.clone())).await;
    fixture.scrape(Answer::status("401 Unauthorized")).await;
    fixture.scrape(Answer::text("<")).await;
    fixture.scrape(Answer::text("a 1\n")).await;
    let written = std::fs::read_to_string(&path).unwrap();
    let [line] = &written.lines().collect::<Vec<_>>()[..] else { panic!("{written}") };
    for part in [
        "\"level\":\"ERROR\"",
        "\"msg\":\"server returned HTTP status 401 Unauthorized\"",
        "\"job_name\":\"vllm\"",
        &format!("\"target\":\"{}\"", fixture.url()),
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}
