//! Targets that come, stay and go, scraped by the clock. Time jumps from timer to timer as soon
//! as there is nothing else to do, so that hours cost nothing and no machine is too slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scraper::cycle::Clock;
use scraper::discover::Mechanism;
use scraper::job::{FixedTargets, Job};
use scraper::manager::Manager;
use scraper::relabel::Action;
use scraper::target::{Health, TargetStatus};
use tokio::time::{Instant, sleep};
use tsdb::Append;
use tsdb::append::Storage;
use tsdb::model::Timestamp;

use crate::jobs::{job, rule};
use crate::recording::Recording;
use crate::server::{Answer, Server};

/// Longest wait for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(600);

/// The time that jumps.
struct JumpingClock(Instant);

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_795_494_108_682).plus_ms(self.monotonic().as_millis() as i64)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

fn job_of(servers: &[&Server]) -> Job {
    let addresses = servers.iter().map(|server| server.address.to_string()).collect();
    let fixed = FixedTargets { addresses, labels: Default::default() };
    Job { discover: vec![Mechanism::Fixed(vec![fixed])], ..job() }
}

pub(crate) fn manager<S: Storage + 'static>(store: &Arc<S>) -> Manager {
    Manager::new(store.clone(), Arc::new(JumpingClock(Instant::now())))
}

pub(crate) async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the only target's last scrape satisfies `wanted`.
async fn until_status(manager: &Manager, wanted: impl Fn(&TargetStatus) -> bool) {
    until("the status is as wanted", || manager.targets().first().is_some_and(&wanted)).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_comes_stays_and_goes() {
    let server = Server::start(Answer::text("# TYPE a gauge\na 1\n")).await;
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    // The same target twice is scraped once.
    let same = job_of(&[&server, &server]);
    assert_eq!(manager.apply(vec![same.clone()]), []);
    let [status] = &manager.targets()[..] else { panic!() };
    assert_eq!((status.health, status.last_scrape), (Health::Unknown, None));
    server.requested(2).await;
    until_status(&manager, |status| status.health == Health::Up).await;
    let [metadata] = &manager.metadata()[..] else { panic!() };
    assert_eq!(metadata.families[0].0, "a");
    // Applied again, it goes on undisturbed: it still knows its last scrape.
    let last = manager.targets()[0].last_scrape;
    manager.apply(vec![same.clone()]);
    assert!(last.is_some() && manager.targets()[0].last_scrape == last);
    server.requested(4).await;
    assert_eq!(server.connections(), 1);
    // Its timestamps are evenly spaced.
    let up = store.dump().into_iter().find(|line| line.contains("\"up\"")).unwrap();
    let times = up.split("} ").nth(1).unwrap().split(' ').map(|sample| sample.split(':').next());
    let times: Vec<i64> = times.map(|time| time.unwrap().parse().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 5_000), "{times:?}");
    // Gone: its series end.
    manager.apply(vec![]);
    assert_eq!(manager.targets(), []);
    until("all series ended", || {
        let dump = store.dump();
        dump.len() == 6 && dump.iter().all(|line| line.ends_with(":stale"))
    })
    .await;
    manager.stop().await;
}

/// A changed job starts its targets anew, without markers in between.
#[tokio::test(start_paused = true)]
async fn a_changed_job_goes_on_with_its_series() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    manager.apply(vec![job_of(&[&server])]);
    server.requested(2).await;
    let page = rule(Action::Drop, "__name__", "b", "", "");
    manager.apply(vec![Job { metric_relabel: vec![page], ..job_of(&[&server]) }]);
    let seen = server.requests().len();
    // Long enough for the old cycle's markers, had they been taken.
    server.requested(seen + 6).await;
    until_status(&manager, |status| status.health == Health::Up).await;
    manager.stop().await;
    let dump = store.dump();
    assert_eq!(dump.len(), 6);
    assert!(dump.iter().all(|line| !line.contains("stale")), "{dump:?}");
}

#[tokio::test(start_paused = true)]
async fn dropped_targets_and_failures_are_told() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let manager = manager(&Arc::new(Recording::default()));
    let mut job = job_of(&[&server]);
    let addresses = vec!["drop:1".into(), "a/b".into()];
    let more = FixedTargets { addresses, labels: Default::default() };
    job.discover.push(Mechanism::Fixed(vec![more]));
    job.relabel = vec![rule(Action::Drop, "__address__", "drop:.*", "", "")];
    let failures = manager.apply(vec![job]);
    assert_eq!(failures[0].error.to_string(), "\"a/b\" is not a valid hostname");
    assert_eq!((manager.targets().len(), manager.pools()), (1, vec!["vllm".to_owned()]));
    let [dropped] = &manager.dropped()[..] else { panic!() };
    assert_eq!(dropped.count, 1);
    assert_eq!(dropped.discovered_labels[0].get("__address__"), Some("drop:1"));
    manager.stop().await;
}

/// Stopping does not wait for targets, and ends no series.
#[tokio::test(start_paused = true)]
async fn stopping_is_quick() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let store = Arc::new(Recording::default());
    let manager = manager(&store);
    manager.apply(vec![job_of(&[&server])]);
    until_status(&manager, |status| status.health == Health::Up).await;
    server.say(Answer::Silence);
    server.requested(2).await;
    let (start, before) = (Instant::now(), store.dump());
    manager.stop().await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(store.dump(), before);
    assert_eq!(manager.targets(), []);
}

/// A store that panics when asked to.
struct Panicking {
    store: Recording,
    panics: AtomicBool,
}

impl Storage for Panicking {
    fn appender(&self) -> Box<dyn Append + '_> {
        assert!(!self.panics.load(Ordering::SeqCst), "the store fell over");
        self.store.appender()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_scrape() {
    let server = Server::start(Answer::text("a 1\n")).await;
    let store = Arc::new(Panicking { store: Recording::default(), panics: AtomicBool::new(true) });
    let manager = manager(&store);
    manager.apply(vec![job_of(&[&server])]);
    until_status(&manager, |status| status.health == Health::Down).await;
    assert_eq!(manager.targets()[0].last_error, "scrape panicked: the store fell over");
    store.panics.store(false, Ordering::SeqCst);
    until_status(&manager, |status| status.health == Health::Up).await;
    assert!(store.store.dump().len() >= 6);
    manager.stop().await;
}
