//! Starts, keeps and stops the cycles of all targets.
//!
//! [`Manager::apply`] takes the jobs as they are to be. A target that is scraped as before (same
//! identity, same job but for its target list) goes on undisturbed; others are stopped and their
//! series ended, new ones started.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tsdb::append::Storage;
use tsdb::model::Labels;

use crate::cycle::{self, Clock, Order, Parts};
use crate::fetch::Fetcher;
use crate::job::Job;
use crate::target::{self, FamilyMetadata, Target, TargetError, TargetStatus};

/// How long [`Manager::stop`] waits for scrapes that are being stored.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Scrapes all targets of all jobs.
pub struct Manager {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pools: BTreeMap<String, Pool>,
    /// Targets that are gone, whose series are being ended.
    ending: Vec<Running>,
}

/// The targets of one job.
struct Pool {
    job: Arc<Job>,
    fetcher: Arc<Fetcher>,
    running: HashMap<u64, Running>,
    dropped: Vec<Labels>,
    dropped_count: usize,
}

struct Running {
    target: Arc<Target>,
    orders: watch::Sender<Order>,
    task: JoinHandle<()>,
}

/// An address that makes no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name of its job's configuration.
    pub scrape_pool: String,
    /// Its labels before relabelling.
    pub discovered_labels: Labels,
    /// What is wrong with it.
    pub error: TargetError,
}

/// Targets that relabelling dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The name of their job's configuration.
    pub scrape_pool: String,
    /// How many there are.
    pub count: usize,
    /// The labels before relabelling, of the first [`DROPPED_MAX`](target::DROPPED_MAX).
    pub discovered_labels: Vec<Labels>,
}

/// What a target says about its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetMetadata {
    /// The target's labels.
    pub labels: Labels,
    /// The families by name.
    pub families: Arc<[FamilyMetadata]>,
}

impl Manager {
    /// A manager without jobs that stores to `storage`.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock, state: Mutex::default() }
    }

    /// Makes these jobs the ones that are scraped; returns the addresses that make no target.
    /// Has to be called within a tokio runtime, on which the scrapes then run.
    pub fn apply(&self, jobs: Vec<Job>) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut state = self.state();
        let mut old = std::mem::take(&mut state.pools);
        for job in jobs {
            let found = target::find(&job);
            failures.extend(found.failures.into_iter().map(|(discovered_labels, error)| Failure {
                scrape_pool: job.name.clone(),
                discovered_labels,
                error,
            }));
            let before = old.remove(&job.name);
            let mut pool = Pool::new(job, found.dropped, found.dropped_count);
            let mut running = HashMap::new();
            if let Some(before) = before {
                if scrape_alike(&before.job, &pool.job) {
                    pool.fetcher = before.fetcher;
                    running = before.running;
                } else {
                    remove(before.running, &mut state.ending);
                }
            }
            for target in found.targets {
                let identity = target.identity;
                let kept = running.remove(&identity);
                let next = kept.unwrap_or_else(|| self.start(target, &pool));
                pool.running.insert(identity, next);
            }
            remove(running, &mut state.ending);
            state.pools.insert(pool.job.name.clone(), pool);
        }
        for (_, pool) in old {
            remove(pool.running, &mut state.ending);
        }
        state.ending.retain(|running| !running.task.is_finished());
        failures
    }

    fn start(&self, target: Target, pool: &Pool) -> Running {
        let target = Arc::new(target);
        let parts = Parts {
            target: target.clone(),
            job: pool.job.clone(),
            fetcher: pool.fetcher.clone(),
            clock: self.clock.clone(),
        };
        let (orders, receiver) = watch::channel(Order::Run);
        let task = tokio::spawn(cycle::run(parts, self.storage.clone(), receiver));
        Running { target, orders, task }
    }

    /// All targets, by job and labels.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.each(|target| target.status())
    }

    /// What each target says about its metrics, in the same order.
    pub fn metadata(&self) -> Vec<TargetMetadata> {
        self.each(|target| TargetMetadata {
            labels: target.labels.clone(),
            families: target.record.families(),
        })
    }

    /// The targets that relabelling dropped, by job.
    pub fn dropped(&self) -> Vec<Dropped> {
        let state = self.state();
        let pools = state.pools.values().map(|pool| Dropped {
            scrape_pool: pool.job.name.clone(),
            count: pool.dropped_count,
            discovered_labels: pool.dropped.clone(),
        });
        pools.collect()
    }

    /// The names of the jobs.
    pub fn pools(&self) -> Vec<String> {
        self.state().pools.keys().cloned().collect()
    }

    fn each<T>(&self, show: impl Fn(&Target) -> T) -> Vec<T> {
        let state = self.state();
        let mut shown = Vec::new();
        for pool in state.pools.values() {
            let mut targets: Vec<_> = pool.running.values().map(|one| &one.target).collect();
            targets.sort_by(|a, b| (&a.labels, &a.url).cmp(&(&b.labels, &b.url)));
            shown.extend(targets.into_iter().map(|target| show(target)));
        }
        shown
    }

    /// Stops all scrapes, leaving series as they are. Scrapes that are being stored are waited
    /// for, at most a second; requests are given up.
    pub async fn stop(&self) {
        let running: Vec<Running> = {
            let mut state = self.state();
            let pools = std::mem::take(&mut state.pools).into_values();
            let running = pools.flat_map(|pool| pool.running.into_values());
            let running: Vec<_> = running.collect();
            running.into_iter().chain(state.ending.drain(..)).collect()
        };
        for one in &running {
            one.orders.send_replace(Order::Quit);
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        for mut one in running {
            if timeout_at(deadline, &mut one.task).await.is_err() {
                one.task.abort();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn new(job: Job, dropped: Vec<Labels>, dropped_count: usize) -> Self {
        let fetcher = Arc::new(Fetcher::new(&job));
        Self { job: Arc::new(job), fetcher, running: HashMap::new(), dropped, dropped_count }
    }
}

/// Whether the two differ in nothing but which targets they have.
fn scrape_alike(old: &Job, new: &Job) -> bool {
    let job = Job { discover: new.discover.clone(), relabel: new.relabel.clone(), ..old.clone() };
    job == *new
}

fn remove(running: HashMap<u64, Running>, ending: &mut Vec<Running>) {
    for one in running.into_values() {
        one.orders.send_replace(Order::Remove);
        ending.push(one);
    }
}
