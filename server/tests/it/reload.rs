//! The real binary reads its configuration again: on request, on SIGHUP, when the file changes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for something that has to happen.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Binary {
    process: Child,
    url: String,
    client: reqwest::Client,
    /// What it has logged since it listens.
    log: Arc<Mutex<Vec<String>>>,
}

impl Binary {
    pub(crate) fn start(directory: &Path, args: &[&str]) -> Self {
        let _done = rustls::crypto::ring::default_provider().install_default();
        let config = directory.join("prometheus.yml");
        let mut process = Command::new(env!("CARGO_BIN_EXE_inferometer"))
            .arg("serve")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("listening on http://").map(|(_, address)| address.trim().to_owned())
        });
        // The rest of the log is read all the time, so that the pipe never fills.
        let log = Arc::new(Mutex::new(Vec::new()));
        let known = log.clone();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| known.lock().unwrap().push(line));
        });
        let url = format!("http://{}", address.expect("the address is logged"));
        Self { process, url, client: reqwest::Client::new(), log }
    }

    /// The lines of the log with `part` in them.
    pub(crate) fn logged(&self, part: &str) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| line.contains(part)).cloned().collect()
    }

    /// Waits until so many lines of the log have `part` in them.
    pub(crate) async fn until_logged(&self, part: &str, count: usize) {
        let started = Instant::now();
        while self.logged(part).len() < count {
            assert!(started.elapsed() < WAIT_MAX, "{part} is not in {:#?}", self.logged(""));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str) -> (u16, String) {
        let answer = self.client.post(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn put(&self, path: &str) -> u16 {
        let answer = self.client.put(format!("{}{path}", self.url)).send().await.unwrap();
        answer.status().as_u16()
    }

    /// The jobs of the targets that are scraped.
    async fn jobs(&self) -> Vec<String> {
        let (_, text) = self.get("/api/v1/targets?state=active").await;
        let answer: serde_json::Value = text.parse().unwrap();
        let targets = answer["data"]["activeTargets"].as_array().unwrap().iter();
        let mut jobs: Vec<String> =
            targets.map(|target| target["scrapePool"].as_str().unwrap().to_owned()).collect();
        jobs.sort();
        jobs
    }

    async fn until_jobs(&self, expected: &[&str]) {
        let started = Instant::now();
        while self.jobs().await != expected {
            assert!(started.elapsed() < WAIT_MAX, "{:?}, not {expected:?}", self.jobs().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_metric(&self, line: &str) {
        let started = Instant::now();
        while !self.get("/metrics").await.1.lines().any(|own| own == line) {
            assert!(started.elapsed() < WAIT_MAX, "{line}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn end(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < WAIT_MAX, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// A target that counts connections and requests.
struct Target {
    address: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Target {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (connections, requests) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let target = Self { address, connections: connections.clone(), requests: requests.clone() };
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (mut socket, requests) = (socket.unwrap(), requests.clone());
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while socket.read_exact(&mut byte).is_ok() {
                        head.push(byte[0]);
                        if head.ends_with(b"\r\n\r\n") {
                            head.clear();
                            requests.fetch_add(1, Ordering::SeqCst);
                            let page = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
                                        Content-Length: 4\r\n\r\na 1\n";
                            let _gone = socket.write_all(page.as_bytes());
                        }
                    }
                });
            }
        });
        target
    }

    async fn until_requests(&self, more: usize) {
        let (started, before) = (Instant::now(), self.requests.load(Ordering::SeqCst));
        while self.requests.load(Ordering::SeqCst) < before + more {
            assert!(started.elapsed() < WAIT_MAX, "it is not scraped");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A file with these jobs, each with the same target.
fn config(jobs: &[&str], target: &Target) -> String {
    let jobs = jobs.iter().map(|job| {
        let address = &target.address;
        format!("  - {{job_name: {job}, static_configs: [{{targets: ['{address}']}}]}}\n")
    });
    format!("global: {{scrape_interval: 100ms}}\nscrape_configs:\n{}", jobs.collect::<String>())
}

#[tokio::test]
async fn on_request_and_on_signal() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prometheus.yml");
    let target = Target::start();
    fs::write(&file, config(&["a"], &target) + "# {bearer_token: not one}\n").unwrap();
    let flags = ["--web.enable-lifecycle", "--config.auto-reload-interval=0s"];
    let mut server = Binary::start(directory.path(), &flags);
    server.until_jobs(&["a"]).await;
    server.until_metric("prometheus_config_last_reload_successful 1").await;
    target.until_requests(2).await;
    assert_eq!(target.connections.load(Ordering::SeqCst), 1);

    fs::write(&file, config(&["a", "b"], &target)).unwrap();
    assert_eq!(server.post("/-/reload").await, (200, String::new()));
    assert_eq!(server.jobs().await, ["a", "b"]);
    target.until_requests(8).await;
    // The old target goes on with the connection it has.
    assert_eq!(target.connections.load(Ordering::SeqCst), 2);

    let bad =
        "scrape_configs:\n  - {job_name: c, authorization: {credentials: hunter2}, tls: {}}\n";
    fs::write(&file, bad).unwrap();
    let (status, text) = server.post("/-/reload").await;
    let words = format!(
        "failed to reload config: couldn't load configuration (--config.file={file:?}): {}:2:58: \
         `tls` is not a setting of `scrape_configs`; ",
        file.display()
    );
    assert_eq!(status, 500);
    assert!(text.starts_with(&words) && !text.contains("hunter2"), "{text}");
    assert_eq!(server.jobs().await, ["a", "b"]);
    server.until_metric("prometheus_config_last_reload_successful 0").await;
    target.until_requests(8).await;
    assert_eq!(target.connections.load(Ordering::SeqCst), 2);

    let token = "    authorization: {credentials: hunter2}\n";
    let written = config(&["a"], &target) + "  - job_name: d\n" + token;
    fs::write(&file, &written).unwrap();
    server.signal("HUP");
    server.until_jobs(&["a"]).await;
    server.until_metric("prometheus_config_last_reload_successful 1").await;
    let (_, answer) = server.get("/api/v1/status/config").await;
    let answer: serde_json::Value = answer.parse().unwrap();
    assert_eq!(answer["data"]["yaml"], written.replace("hunter2", "<secret>"));
    let (_, answer) = server.get("/api/v1/scrape_pools/config?scrapePool=a").await;
    let answer: serde_json::Value = answer.parse().unwrap();
    let yaml = answer["data"]["yaml"].as_str().unwrap();
    assert!(yaml.starts_with("job_name: a\n") || yaml.contains("\njob_name: a\n"), "{yaml}");

    // One line each: what was read, or the place of what is wrong.
    let name = file.display();
    for said in [
        format!("{name} loaded ("),
        format!("{name} not loaded ("),
        format!("{name}:2:58: `tls` is not a setting of `scrape_configs`"),
    ] {
        server.until_logged(&said, 1).await;
    }
    assert_eq!(server.logged(&format!("{name} loaded (")).len(), 2);
    assert_eq!(server.logged(&format!("{name} not loaded (")).len(), 1);
    assert_eq!(server.logged("hunter2"), [""; 0]);

    assert_eq!(server.get("/-/reload").await.0, 405);
    assert_eq!(server.put("/-/reload").await, 200);
    let goodbye = "Requesting termination... Goodbye!".to_owned();
    assert_eq!(server.post("/-/quit").await, (200, goodbye));
    assert!(server.end().success());
}

#[tokio::test]
async fn not_unless_it_is_switched_on() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("prometheus.yml"), "").unwrap();
    let server = Binary::start(directory.path(), &[]);
    for path in ["/-/reload", "/-/quit"] {
        let disabled = "Lifecycle API is not enabled.".to_owned();
        assert_eq!(server.post(path).await, (403, disabled));
        let wrong = "Only POST or PUT requests allowed".to_owned();
        assert_eq!(server.get(path).await, (405, wrong));
    }
}

/// As the kubelet does it: the file is a link into a folder that is a link, which is exchanged.
#[tokio::test]
async fn an_exchanged_config_map() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let target = Target::start();
    for (version, jobs) in [("v1", vec!["a"]), ("v2", vec!["a", "b"])] {
        fs::create_dir(base.join(version)).unwrap();
        let text = config(&jobs, &target) + "scrape_config_files: [more/*.yml]\n";
        fs::write(base.join(version).join("prometheus.yml"), text).unwrap();
    }
    fs::create_dir(base.join("more")).unwrap();
    symlink("v1", base.join("..data")).unwrap();
    symlink("..data/prometheus.yml", base.join("prometheus.yml")).unwrap();
    let server = Binary::start(base, &["--config.auto-reload-interval=50ms"]);
    server.until_jobs(&["a"]).await;
    target.until_requests(2).await;

    symlink("v2", base.join("new")).unwrap();
    fs::rename(base.join("new"), base.join("..data")).unwrap();
    server.until_jobs(&["a", "b"]).await;

    // A file that was not there counts too, and a wrong one changes nothing.
    let jobs = config(&["c"], &target);
    let jobs = jobs.split_once('\n').unwrap().1;
    fs::write(base.join("more/c.yml"), jobs).unwrap();
    server.until_jobs(&["a", "b", "c"]).await;
    fs::write(base.join("more/d.yml"), "scrape_configs: [{job_name: a}]\n").unwrap();
    server.until_metric("prometheus_config_last_reload_successful 0").await;
    assert_eq!(server.jobs().await, ["a", "b", "c"]);
    fs::remove_file(base.join("more/d.yml")).unwrap();
    fs::remove_file(base.join("more/c.yml")).unwrap();
    server.until_jobs(&["a", "b"]).await;
    server.until_metric("prometheus_config_last_reload_successful 1").await;
    target.until_requests(4).await;
}

/// A subquery without a step takes one at each evaluation interval, also after a reload.
#[tokio::test]
async fn the_step_of_subqueries() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("prometheus.yml");
    let write = |interval: &str| {
        fs::write(&config, format!("global: {{evaluation_interval: {interval}}}\n")).unwrap();
    };
    write("30s");
    let binary = Binary::start(directory.path(), &["--web.enable-lifecycle"]);
    let query = "/api/v1/query?query=count_over_time(vector(1)[10m:])";
    let (_, answer) = binary.get(query).await;
    assert!(answer.contains(",\"20\"]"), "{answer}");
    write("2m");
    assert_eq!(binary.post("/-/reload").await.0, 200);
    let (_, answer) = binary.get(query).await;
    assert!(answer.contains(",\"5\"]"), "{answer}");
}

#[tokio::test]
async fn what_is_built_in_stays() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prometheus.yml");
    let target = Target::start();
    let own = |jobs: &[&str]| config(jobs, &target) + "rule_files: [rules.yml]\n";
    fs::write(&file, own(&["a", "llm-d/dcgm"])).unwrap();
    let rules = "groups: [{name: own, rules: [{record: one, expr: '1'}]}]";
    fs::write(directory.path().join("rules.yml"), rules).unwrap();
    let flags = ["--preset=llm-d", "--packs=-llm-d-energy", "--web.enable-lifecycle"];
    let server = Binary::start(directory.path(), &flags);
    // Of the built-in jobs only the one whose place is taken has a target here.
    server.until_jobs(&["a", "llm-d/dcgm"]).await;
    let (_, pools) = server.get("/api/v1/scrape_pools").await;
    assert_eq!(pools.matches("llm-d/").count(), 7, "{pools}");
    let files = async || {
        let (_, text) = server.get("/api/v1/rules").await;
        let answer: serde_json::Value = text.parse().unwrap();
        let groups = answer["data"]["groups"].as_array().unwrap().iter();
        let mut files: Vec<String> =
            groups.map(|group| group["file"].as_str().unwrap().to_owned()).collect();
        files.dedup();
        files
    };
    let packs = ["alerts", "capacity", "goodput", "normalise", "slo"];
    let packs = packs.map(|name| format!("pack:llm-d-{name}"));
    let own_file = directory.path().join("rules.yml").display().to_string();
    let expected: Vec<String> = std::iter::once(own_file).chain(packs).collect();
    assert_eq!(files().await, expected);

    fs::write(&file, own(&["b"])).unwrap();
    assert_eq!(server.post("/-/reload").await, (200, String::new()));
    server.until_jobs(&["b"]).await;
    let (_, pools) = server.get("/api/v1/scrape_pools").await;
    assert_eq!(pools.matches("llm-d/").count(), 7, "{pools}");
    assert_eq!(files().await, expected);
}

/// A rule file, and the built-in sender's, that changes is noticed like the configuration.
#[tokio::test]
async fn files_of_rules_and_receivers() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let write = |name: &str, text: &str| fs::write(base.join(name), text).unwrap();
    let rules = "groups: [{name: a, rules: [{record: x, expr: '1'}]}]\n";
    write("prometheus.yml", "rule_files: ['rules/*.yml']\n");
    fs::create_dir(base.join("rules")).unwrap();
    write("rules/a.yml", rules);
    write("notify.yml", "receivers: [{name: first, url: 'http://127.0.0.1:1'}]\n");
    let notify = format!("--notify.file={}", base.join("notify.yml").display());
    let server = Binary::start(base, &["--config.auto-reload-interval=50ms", &notify]);
    server.until_metric("inferometer_receiver_sent_total{receiver=\"first\"} 0").await;
    let until_rules = async |expected: &str| {
        let started = Instant::now();
        while server.get("/api/v1/rules").await.1.matches(expected).count() != 1 {
            assert!(started.elapsed() < WAIT_MAX, "{expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until_rules(r#""query":"1""#).await;
    write("rules/a.yml", &rules.replace("'1'", "'2'"));
    until_rules(r#""query":"2""#).await;
    write("rules/b.yml", &rules.replace("'1'", "'3'"));
    until_rules(r#""query":"3""#).await;
    // An error in one group of a file changes none, nor anything else.
    let half = "groups: [{name: a, rules: [{record: x, expr: '4'}]}, \
        {name: b, rules: [{record: x, expr: 'sum('}]}]\n";
    write("rules/a.yml", half);
    server.until_metric("prometheus_config_last_reload_successful 0").await;
    for query in ["2", "3"] {
        until_rules(&format!(r#""query":"{query}""#)).await;
    }
    write("rules/a.yml", &half.replace("sum(", "5"));
    for query in ["3", "4", "5"] {
        until_rules(&format!(r#""query":"{query}""#)).await;
    }
    server.until_metric("prometheus_config_last_reload_successful 1").await;
    write("notify.yml", "receivers: [{name: second, url: 'http://127.0.0.1:1'}]\n");
    server.until_metric("inferometer_receiver_sent_total{receiver=\"second\"} 0").await;
    write("notify.yml", "receivers: [{name: third}]\n");
    server.until_metric("prometheus_config_last_reload_successful 0").await;
    server.until_metric("inferometer_receiver_sent_total{receiver=\"second\"} 0").await;
}
