//! Pages that several jobs find: jobs that yield leave them to the others, and the rest is told.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use scraper::discover::Mechanism;
use scraper::discover::file::FileOptions;
use scraper::job::{FixedTargets, Job};
use scraper::manager::{Manager, SharedUrl};

use crate::jobs::job;
use crate::lifecycle::{manager, until};
use crate::recording::Recording;

fn named(name: &str, yields: bool, discover: Mechanism) -> Job {
    Job { name: name.to_owned(), yields, discover: vec![discover], ..job() }
}

fn fixed(name: &str, yields: bool, addresses: &[&str]) -> Job {
    let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    let targets = FixedTargets { addresses, labels: Default::default() };
    named(name, yields, Mechanism::Fixed(vec![targets]))
}

/// Each target as `job host`, sorted.
fn scraped(manager: &Manager) -> Vec<String> {
    let mut all: Vec<String> = manager
        .targets()
        .into_iter()
        .map(|target| format!("{} {}", target.scrape_pool, host(&target.scrape_url)))
        .collect();
    all.sort();
    all
}

fn host(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches("/metrics")
}

#[tokio::test(start_paused = true)]
async fn who_yields_scrapes_what_nobody_before_it_does() {
    type Jobs = &'static [(&'static str, bool, &'static [&'static str])];
    let rows: [(Jobs, &[&str], &[&str]); 6] = [
        // jobs, what is scraped, what several jobs scrape
        (
            &[("a", false, &["x:1", "y:1"]), ("b", false, &["y:1", "z:1"])],
            &["a x:1", "a y:1", "b y:1", "b z:1"],
            &["y:1 a b"],
        ),
        (
            &[("a", false, &["x:1", "y:1"]), ("b", true, &["y:1", "z:1"])],
            &["a x:1", "a y:1", "b z:1"],
            &[],
        ),
        // Before the others in the list, and by name.
        (
            &[("a", true, &["x:1", "y:1"]), ("b", false, &["y:1", "z:1"])],
            &["a x:1", "b y:1", "b z:1"],
            &[],
        ),
        // Of those that yield, the first in the list.
        (
            &[("b", true, &["x:1", "y:1"]), ("a", true, &["y:1", "x:1"]), ("c", false, &["y:1"])],
            &["b x:1", "c y:1"],
            &[],
        ),
        (
            &[("c", false, &["y:1"]), ("b", false, &["y:1"]), ("a", true, &["y:1"])],
            &["b y:1", "c y:1"],
            &["y:1 b c"],
        ),
        // Another port is another page.
        (&[("a", false, &["x:1"]), ("b", true, &["x:2"])], &["a x:1", "b x:2"], &[]),
    ];
    let manager = manager(&Arc::new(Recording::default()));
    for (index, (jobs, expected, several)) in rows.into_iter().enumerate() {
        let jobs = jobs.iter().map(|(name, yields, addresses)| fixed(name, *yields, addresses));
        manager.apply(jobs.collect());
        assert_eq!(scraped(&manager), expected, "row {index}");
        let shown = manager
            .shared()
            .into_iter()
            .map(|SharedUrl { url, jobs }| format!("{} {}", host(&url), jobs.join(" ")));
        assert_eq!(shown.collect::<Vec<_>>(), several, "row {index}");
    }
    manager.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_left_to_others_and_what_they_scrape_too_is_told() {
    let manager = manager(&Arc::new(Recording::default()));
    manager.apply(vec![
        fixed("a", false, &["x:1", "y:1"]),
        fixed("b", false, &["x:1"]),
        fixed("c", true, &["y:1"]),
    ]);
    let [a, b, c] = &manager.discovery(None)[..] else { panic!() };
    let with =
        |job: &str| vec![SharedUrl { url: "http://x:1/metrics".into(), jobs: vec![job.into()] }];
    assert_eq!((&a.also_scraped, a.also_scraped_count), (&with("b"), 1));
    assert_eq!((&b.also_scraped, b.also_scraped_count), (&with("a"), 1));
    assert_eq!((&c.also_scraped, c.also_scraped_count, c.active), (&vec![], 0, 0));
    let left = ("http://y:1/metrics".to_owned(), "a".to_owned());
    assert_eq!((&c.yielded, c.yielded_count), (&vec![left], 1));
    let reason = "other jobs scrape its 1 targets: a scrapes http://y:1/metrics";
    assert_eq!(c.reason.as_deref(), Some(reason));
    manager.stop().await;
}

/// Whoever finds a page first: it goes over to the job that does not yield, and comes back.
#[tokio::test(start_paused = true)]
async fn targets_go_over_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    let list = |path: &Path, addresses: &str| {
        fs::write(path, format!(r#"[{{"targets":[{addresses}]}}]"#)).unwrap();
    };
    list(&path, "");
    let options = FileOptions { paths: vec![path.clone()], refresh_ms: 300_000 };
    let own = named("own", false, Mechanism::File(options));
    let manager = manager(&Arc::new(Recording::default()));
    manager.apply(vec![fixed("built-in", true, &["x:1", "y:1"]), own.clone()]);
    assert_eq!(scraped(&manager), ["built-in x:1", "built-in y:1"]);
    list(&path, r#""x:1","z:1""#);
    let now = ["built-in y:1", "own x:1", "own z:1"];
    until("x has gone over", || scraped(&manager) == now).await;
    list(&path, r#""z:1""#);
    let now = ["built-in x:1", "built-in y:1", "own z:1"];
    until("x is back", || scraped(&manager) == now).await;
    // The job that had it is gone: all of it.
    list(&path, r#""y:1""#);
    until("y has gone over", || scraped(&manager) == ["built-in x:1", "own y:1"]).await;
    manager.apply(vec![fixed("built-in", true, &["x:1", "y:1"])]);
    assert_eq!(scraped(&manager), ["built-in x:1", "built-in y:1"]);
    manager.stop().await;
}
