//! Mechanisms alone: what they send and what they say is in the way, while their files and servers
//! change. Time jumps, as in `lifecycle.rs`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use scraper::discover::file::FileOptions;
use scraper::discover::http::HttpOptions;
use scraper::discover::kubernetes::Clusters;
use scraper::discover::{Mechanism, Problems, TargetGroup};
use scraper::job::{Authorization, ClientOptions, Secret};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::server::{Answer, Server};

/// Longest wait for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A mechanism that runs, and the other end of it.
pub(crate) struct Running {
    received: Receiver<Vec<TargetGroup>>,
    problems: Problems,
    task: JoinHandle<()>,
}

impl Running {
    fn start(mechanism: Mechanism) -> Self {
        let (updates, received) = mpsc::channel(1);
        let problems = Problems::default();
        let task = tokio::spawn(mechanism.run(Clusters::default(), updates, problems.clone()));
        Self { received, problems, task }
    }

    /// What it sends next, as `source=address,address` with the folder left out.
    async fn next(&mut self, folder: &Path) -> Vec<String> {
        let groups = timeout(PATIENCE, self.received.recv()).await.unwrap().unwrap();
        let shown = groups.iter().map(|group| {
            let addresses = group.targets.iter().map(|target| target["__address__"].as_str());
            let source = group.source.replace(&format!("{}/", folder.display()), "");
            format!("{source}={}", addresses.collect::<Vec<_>>().join(","))
        });
        shown.collect()
    }

    /// Waits until it says this of what is in the way; empty: nothing.
    async fn until_problem(&self, part: &str) {
        let wait = async {
            loop {
                let problems = self.problems.list();
                match part.is_empty() {
                    true if problems.is_empty() => return,
                    false if problems.iter().any(|(_, why)| why.contains(part)) => return,
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("{part:?} is not in {:?}", self.problems.list()));
    }

    async fn stop(self) {
        drop(self.received);
        self.task.await.unwrap();
    }
}

fn files(folder: &Path, patterns: &[&str]) -> Mechanism {
    let paths = patterns.iter().map(|pattern| folder.join(pattern)).collect();
    Mechanism::File(FileOptions { paths, refresh_ms: 300_000 })
}

#[tokio::test(start_paused = true)]
async fn files_come_change_break_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    write("a.json", r#"[{"targets":["a:1"]},{"targets":["a:2"],"labels":{"x":"y"}}]"#);
    let mut running = Running::start(files(path, &["*.json", "b.yml"]));
    assert_eq!(running.next(path).await, ["a.json:0=a:1", "a.json:1=a:2"]);
    running.until_problem("there is no such file").await;

    // Another file; the first is not sent again.
    write("b.yml", "- targets: [b:1]\n");
    assert_eq!(running.next(path).await, ["b.yml:0=b:1"]);
    running.until_problem("").await;

    // Broken: nothing is sent, and it is said why; the next good one counts.
    for (text, part) in [
        ("[{\"targets\":", "EOF while parsing"),
        ("[{\"targets\":[1]}]", "invalid type: integer"),
        ("[null]", "nil target group item found"),
    ] {
        write("a.json", text);
        running.until_problem(part).await;
    }
    write("a.json", r#"[{"targets":["a:1","a:3"]}]"#);
    assert_eq!(running.next(path).await, ["a.json:0=a:1,a:3", "a.json:1="]);
    running.until_problem("").await;

    // A pipe is not waited for, a link to nowhere is a problem.
    let made = std::process::Command::new("mkfifo").arg(path.join("p.json")).status().unwrap();
    assert!(made.success());
    running.until_problem("this is no file").await;
    fs::remove_file(path.join("p.json")).unwrap();
    symlink("nowhere", path.join("l.json")).unwrap();
    running.until_problem("No such file").await;
    fs::remove_file(path.join("l.json")).unwrap();
    running.until_problem("").await;

    // Gone.
    fs::remove_file(path.join("a.json")).unwrap();
    assert_eq!(running.next(path).await, ["a.json:0="]);
    running.until_problem("there is no such file").await;
    running.stop().await;
}

/// A ConfigMap: the file is a link through a folder that is swapped at once.
#[tokio::test(start_paused = true)]
async fn swapped_links_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (version, target) in [("1", "a:1"), ("2", "b:1")] {
        fs::create_dir(path.join(version)).unwrap();
        let text = format!("- targets: ['{target}']\n  labels: {{zone: z}}\n");
        fs::write(path.join(version).join("t.yml"), text).unwrap();
    }
    symlink("1", path.join("..data")).unwrap();
    symlink("..data/t.yml", path.join("t.yml")).unwrap();
    let mut running = Running::start(files(path, &["t.yml"]));
    let groups = timeout(PATIENCE, running.received.recv()).await.unwrap().unwrap();
    assert_eq!(groups[0].labels["zone"], "z");
    assert_eq!(groups[0].labels["__meta_filepath"], path.join("t.yml").display().to_string());
    symlink("2", path.join("new")).unwrap();
    fs::rename(path.join("new"), path.join("..data")).unwrap();
    assert_eq!(running.next(path).await, ["t.yml:0=b:1"]);
    assert_eq!(running.problems.list(), []);
    running.stop().await;
}

/// A file that is written in place, with the time and the size that it had, is seen when all files
/// are read again.
#[tokio::test(start_paused = true)]
async fn what_no_stamp_shows_is_seen_later() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path(), folder.path().join("a.json"));
    fs::write(&file, r#"[{"targets":["a:1"]}]"#).unwrap();
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let mut running = Running::start(files(path, &["a.json"]));
    assert_eq!(running.next(path).await, ["a.json:0=a:1"]);
    fs::write(&file, r#"[{"targets":["a:2"]}]"#).unwrap();
    fs::File::options().append(true).open(&file).unwrap().set_modified(modified).unwrap();
    assert_eq!(running.next(path).await, ["a.json:0=a:2"]);
    running.stop().await;
}

fn url(server: &Server, client: ClientOptions) -> Mechanism {
    let url = format!("http://{}/targets", server.address);
    Mechanism::Http(Box::new(HttpOptions { url, refresh_ms: 60_000, client }))
}

fn json(text: &str) -> Answer {
    Answer::Page(text.into(), "application/json; charset=utf-8")
}

#[tokio::test(start_paused = true)]
async fn a_url_is_asked_and_what_it_says_wrong_changes_nothing() {
    let server = Server::start(json(r#"[{"targets":["a:1"]},{"targets":["b:1"]}]"#)).await;
    let credentials = Secret::Inline("token".into());
    let authorization = Authorization::Credentials { scheme: "Bearer".into(), credentials };
    let client = ClientOptions { authorization: Some(authorization), ..ClientOptions::default() };
    let mut running = Running::start(url(&server, client));
    let folder = format!("http://{}", server.address);
    let folder = Path::new(&folder);
    assert_eq!(running.next(folder).await, ["targets:0=a:1", "targets:1=b:1"]);
    let request = server.requests()[0].to_lowercase();
    for header in [
        "get /targets http/1.1",
        "accept: application/json",
        "authorization: bearer token",
        "x-prometheus-refresh-interval-seconds: 60",
    ] {
        assert!(request.contains(&format!("{header}\r\n")), "{request}");
    }

    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let endless = format!("{head}\r\n").into_bytes();
    for (answer, part) in [
        (Answer::status("500 Internal Server Error"), "HTTP status 500 Internal Server Error"),
        (Answer::status("404 Not Found"), "HTTP status 404 Not Found"),
        (Answer::Page(b"[]".to_vec(), "text/plain"), "unsupported content type \"text/plain\""),
        (json("<html>"), "expected value at line 1"),
        (json(r#"[{"targets":["a:1"],"other":1}]"#), "unknown field `other`"),
        (json(r#"[{"targets":["a:1"],"labels":{"":"x"}}]"#), "not a valid label name"),
        (Answer::Bytes(format!("{head}Content-Length: 100\r\n\r\n[").into()), "unexpected EOF"),
        (Answer::Endless(endless.clone()), "larger than 67108864 bytes"),
        (Answer::Silence, "context deadline exceeded"),
        (Answer::Drip(endless), "context deadline exceeded"),
    ] {
        server.say(answer);
        running.until_problem(part).await;
        assert!(running.received.is_empty(), "{part}");
    }
    assert!(server.written() < 100_000_000, "{}", server.written());

    // Good again; what it does not say any more is gone.
    server.say(json(r#"[{"targets":["c:1"]}]"#));
    assert_eq!(running.next(folder).await, ["targets:0=c:1", "targets:1="]);
    assert_eq!(running.problems.list(), []);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_url_that_nobody_serves() {
    let server = Server::start(Answer::Silence).await;
    let mechanism = url(&server, ClientOptions::default());
    let address = server.address;
    server.stop().await;
    let running = Running::start(mechanism);
    running.until_problem("connection refused").await;
    let tried = format!("get http://{address}/targets");
    assert_eq!(running.problems.list()[0].0, tried);
    running.task.abort();
}
