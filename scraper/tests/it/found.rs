//! What mechanisms find while the manager runs: targets come, stay and go by themselves, and what
//! is not scraped is explained.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scraper::discover::Mechanism;
use scraper::discover::file::FileOptions;
use scraper::discover::http::HttpOptions;
use scraper::job::{ClientOptions, FixedTargets, Job, Limits};
use scraper::manager::Manager;
use scraper::relabel::Action;
use scraper::target::Health;
use tokio::time::{Instant, sleep};

use crate::jobs::{job, rule};
use crate::lifecycle::{manager, until};
use crate::recording::Recording;
use crate::server::{Answer, Server};

fn file_job(path: &Path) -> Job {
    let options = FileOptions { paths: vec![path.to_owned()], refresh_ms: 300_000 };
    Job { discover: vec![Mechanism::File(options)], ..job() }
}

fn fixed(addresses: &[&str]) -> Mechanism {
    let addresses = addresses.iter().map(|address| address.to_string()).collect();
    Mechanism::Fixed(vec![FixedTargets { addresses, labels: Default::default() }])
}

fn urls(manager: &Manager) -> Vec<String> {
    manager.targets().into_iter().map(|target| target.scrape_url).collect()
}

#[tokio::test(start_paused = true)]
async fn targets_of_a_file_come_stay_and_go() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    let list = |zone: &str, more: &str| {
        let text =
            r#"[{"targets":["ADDRESS"],"labels":{"__meta_zone":"ZONE"}},{"targets":[MORE]}]"#;
        let text = text.replace("ADDRESS", &server.address.to_string());
        fs::write(&path, text.replace("ZONE", zone).replace("MORE", more)).unwrap();
    };
    list("a", "");
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    assert_eq!(manager.apply(vec![file_job(&path)]), []);
    until("the target is up", || {
        manager.targets().first().is_some_and(|target| target.health == Health::Up)
    })
    .await;

    // More targets, other meta labels: the first one goes on and knows its last scrape.
    list("b", "\"127.0.0.1:1\"");
    until("there are two", || manager.targets().len() == 2).await;
    let [_, first] = &manager.targets()[..] else { panic!() };
    assert_eq!(first.discovered_labels.get("__meta_zone"), Some("b"));
    assert!(first.last_scrape.is_some());
    assert_eq!(server.connections(), 1);

    // The same job again: nothing is lost, not even for a moment.
    manager.apply(vec![file_job(&path)]);
    assert_eq!(manager.targets().len(), 2);
    assert!(manager.targets()[1].last_scrape.is_some());

    // Broken: everything goes on, and it is said.
    fs::write(&path, "[").unwrap();
    until("it is said", || !manager.discovery(None)[0].mechanisms[0].problems.is_empty()).await;
    assert_eq!(manager.targets().len(), 2);

    // Gone: series end.
    fs::remove_file(&path).unwrap();
    until("no target is left", || manager.targets().is_empty()).await;
    until("all series ended", || {
        let dump = store.dump();
        dump.len() >= 6 && dump.iter().all(|line| line.ends_with(":stale"))
    })
    .await;
    manager.stop().await;
}

/// Changes are taken over at most every five seconds, the first word of a mechanism at once.
#[tokio::test(start_paused = true)]
async fn changes_are_collected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.yml");
    fs::write(&path, "- targets: [a:1]").unwrap();
    let manager = manager(&Arc::new(Recording::default()));
    let start = Instant::now();
    manager.apply(vec![file_job(&path)]);
    until("the first is there", || urls(&manager) == ["http://a:1/metrics"]).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    // Two changes within the five seconds: the one in between is never seen.
    let mut seen = Vec::new();
    fs::write(&path, "- targets: [b:1]").unwrap();
    while start.elapsed() < Duration::from_secs(2) {
        sleep(Duration::from_millis(50)).await;
        seen.extend(urls(&manager));
    }
    fs::write(&path, "- targets: [c:1, d:1]").unwrap();
    until("the last is there", || {
        seen.extend(urls(&manager));
        urls(&manager).len() == 2
    })
    .await;
    assert!(start.elapsed() >= Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(!seen.iter().any(|url| url.contains("b:1")));
    manager.stop().await;
}

/// Two jobs that ask the same URL ask it once; a job that comes later has the answer at once.
#[tokio::test(start_paused = true)]
async fn equal_mechanisms_run_once() {
    let text = br#"[{"targets":["127.0.0.1:1"]}]"#;
    let server = Server::start(Answer::Page(text.to_vec(), "application/json")).await;
    let url = format!("http://{}/", server.address);
    let client = ClientOptions::default();
    let options = HttpOptions { url, refresh_ms: 60_000, client };
    let with = |name: &str, options: &HttpOptions| Job {
        discover: vec![Mechanism::Http(Box::new(options.clone())); 2],
        ..Job::new(name)
    };
    let manager = manager(&Arc::new(Recording::default()));
    manager.apply(vec![with("a", &options), with("b", &options)]);
    until("both have a target", || manager.targets().len() == 2).await;
    assert_eq!(server.requests().len(), 1);
    manager.apply(vec![with("b", &options), with("c", &options)]);
    assert_eq!(manager.targets().len(), 2);
    server.requested(2).await;
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
    // Another interval is another mechanism; the old one ends.
    manager.apply(vec![with("b", &HttpOptions { refresh_ms: 30_000, ..options.clone() })]);
    until("it has answered", || manager.targets().len() == 1).await;
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    manager.stop().await;
}

#[tokio::test(start_paused = true)]
async fn too_many_targets_all_fail() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let own = server.address.to_string();
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    let limited = |limit: u64| Job {
        discover: vec![fixed(&[&own, "127.0.0.1:1", "127.0.0.1:2"])],
        limits: Limits { targets: Some(limit), ..Limits::default() },
        ..job()
    };
    manager.apply(vec![limited(2)]);
    let why = "target_limit exceeded (number of targets: 3, limit: 2)";
    until("all have failed", || manager.targets().iter().all(|t| t.last_error == why)).await;
    assert!(manager.targets().iter().all(|target| target.health == Health::Down));
    assert_eq!(server.requests().len(), 0);
    assert!(store.dump().iter().any(|line| line.contains("\"up\"") && line.ends_with(":0")));
    for limit in [3, 0] {
        manager.apply(vec![limited(limit)]);
        let up = |manager: &Manager| {
            let targets = manager.targets();
            targets.iter().filter(|target| target.health == Health::Up).count()
        };
        until("one is up", || up(&manager) == 1).await;
    }
    manager.stop().await;
}

/// A hundred thousand targets in a file: all are looked at, those that are dropped are counted, and
/// of these only some are remembered.
#[tokio::test(start_paused = true)]
async fn a_very_long_list() {
    const COUNT: usize = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    let addresses = (0..COUNT).map(|n| format!("\"h{n}:1\"")).collect::<Vec<_>>().join(",");
    fs::write(&path, format!("[{{\"targets\":[{addresses}]}}]")).unwrap();
    let manager = manager(&Arc::new(Recording::default()));
    let mut job = file_job(&path);
    job.relabel = vec![rule(Action::Keep, "__address__", "h[0-9]:1", "", "")];
    job.limits.dropped_kept = Some(7);
    manager.apply(vec![job]);
    until("it is read", || manager.targets().len() == 10).await;
    let [dropped] = &manager.dropped()[..] else { panic!() };
    assert_eq!((dropped.count, dropped.discovered_labels.len()), (COUNT - 10, 7));
    manager.stop().await;
}

/// Why a job has no targets.
#[tokio::test(start_paused = true)]
async fn reasons() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.yml"), folder.path().join("bad.yml"));
    let services = "- targets: [10.0.0.1:443]\n  labels: {service: kubernetes, port: https}\n\
                    - targets: [10.0.0.2:9090]\n  labels: {service: llm-d-gaie-epp, port: http-metrics}\n\
                    - targets: [10.0.0.3:8000]\n  labels: {service: vllm, port: vllm}\n";
    fs::write(&good, services).unwrap();
    fs::write(&bad, "- 1").unwrap();
    let keep = |label: &str, pattern: &str| rule(Action::Keep, label, pattern, "", "");
    let with = |discover: Vec<Mechanism>, relabel| Job { discover, relabel, ..job() };
    let file = |path: &Path| file_job(path).discover.remove(0);
    let gone = folder.path().join("gone.json");
    let rows = [
        (with(vec![], vec![]), "the job says neither targets nor where to find some"),
        (with(vec![fixed(&[])], vec![]), "static (0 written down) found nothing"),
        (
            with(vec![file(&gone)], vec![]),
            "file (gone.json) cannot find gone.json: there is no such file",
        ),
        (with(vec![file(&bad)], vec![]), "file (bad.yml) cannot read bad.yml: "),
        (
            with(vec![fixed(&["a/b"])], vec![]),
            "1 found, none of them is a target; \"a/b\": \"a/b\" is not a valid hostname",
        ),
        (
            with(vec![file(&good)], vec![keep("service", ".*-epp-service")]),
            "3 found, 3 of them dropped by relabelling; the nearest, 10.0.0.2:9090, by rule 1 \
             (keep): service is \"llm-d-gaie-epp\", which does not match \".*-epp-service\"",
        ),
        (
            with(vec![file(&good)], vec![keep("service", ".*-epp"), keep("port", "metrics")]),
            "3 found, 3 of them dropped by relabelling; the nearest, 10.0.0.2:9090, by rule 2 \
             (keep): port is \"http-metrics\", which does not match \"metrics\"",
        ),
        (
            with(vec![file(&good)], vec![rule(Action::Drop, "job", "v.*", "", "")]),
            "3 found, 3 of them dropped by relabelling; the nearest, 10.0.0.1:443, by rule 1 \
             (drop): job is \"vllm\", which matches \"v.*\"",
        ),
        (with(vec![file(&good)], vec![rule(Action::KeepEqual, "service", "", "port", "")]), ""),
    ];
    let manager = manager(&Arc::new(Recording::default()));
    for (job, expected) in rows {
        manager.apply(vec![job]);
        let mut reason = String::new();
        until("the mechanisms have said something", || {
            let [job] = &manager.discovery(Some("vllm"))[..] else { panic!() };
            let told = |own: &scraper::manager::MechanismStatus| {
                (own.has_answered && own.targets == job.discovered) || !own.problems.is_empty()
            };
            reason = job.reason.clone().unwrap_or_default();
            job.mechanisms.iter().all(told) && (job.discovered > 0 || !reason.contains("good.yml"))
        })
        .await;
        let reason = reason.replace(&format!("{}/", folder.path().display()), "");
        assert!(reason.starts_with(expected), "{reason}\ninstead of\n{expected}");
        assert_eq!(reason.is_empty(), expected.is_empty(), "{reason}");
    }
    assert_eq!(manager.discovery(Some("other")).len(), 0);
    manager.stop().await;
}

/// Labels of a target say how its histograms are read, and with that what it is asked for.
#[tokio::test(start_paused = true)]
async fn histograms_of_one_target() {
    let page =
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n";
    let servers = [
        Server::start(Answer::text(page)).await,
        Server::start(Answer::text(page)).await,
        Server::start(Answer::text(page)).await,
    ];
    let [plain, native, converted] = &servers;
    let target = |server: &Server, label: &str| FixedTargets {
        addresses: vec![server.address.to_string()],
        labels: [(label.to_owned(), "true".to_owned())].into(),
    };
    let targets = vec![
        target(plain, "own"),
        target(native, "__scrape_native_histograms__"),
        target(converted, "__convert_classic_histograms_to_nhcb__"),
    ];
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    manager.apply(vec![Job { discover: vec![Mechanism::Fixed(targets)], ..job() }]);
    until("all are up", || {
        manager.targets().iter().filter(|target| target.health == Health::Up).count() == 3
    })
    .await;
    let asks_for_protobuf =
        servers.each_ref().map(|server| server.requests()[0].contains("google.protobuf"));
    assert_eq!(asks_for_protobuf, [false, true, false]);
    let series = |server: &Server| {
        let address = server.address.to_string();
        let own = store.dump().into_iter().filter(|line| line.contains(&address));
        own.filter(|line| line.contains("__name__=\"h")).count()
    };
    assert_eq!(servers.each_ref().map(series), [4, 4, 1]);
    manager.stop().await;
}
