//! Runs the mechanisms of all jobs, and starts, keeps and stops the cycles of their targets.
//!
//! [`Manager::apply`] takes the jobs as they are to be. A mechanism that a job had already goes on
//! with what it has found, and so does a target that is scraped as before (same identity, same job
//! but for its targets); others are stopped and their series ended, new ones started.
//!
//! Of several jobs that find the same page, those that yield leave it to the others (`claims`).
//!
//! What a mechanism finds later comes through `Shared::take` and is scraped at once if it is the
//! first that it says, else within [`UPDATE_EVERY`]: a task for each job collects changes. Targets
//! are computed on the blocking pool without the lock.

mod claims;
mod pool;
mod reason;
mod search;
mod source;
mod terms;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tsdb::append::Storage;
use tsdb::model::Labels;

pub use claims::SharedUrl;
pub use search::{Obstacle, Search};
pub use view::{Dropped, Failure, JobDiscovery, MechanismStatus, Problem, TargetMetadata};

use crate::cycle::{Clock, Order};
use crate::discover::Mechanism;
use crate::discover::kubernetes::Clusters;
use crate::job::Job;
use crate::target::{self, Found};
use crate::totals::Totals;
use pool::{Changes, Pool, Running, end};
use source::{AbortOnDrop, Sets, Source};

/// How long [`Manager::stop`] waits for scrapes that are being stored.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// How often changed targets are taken over at most; as in Prometheus.
pub const UPDATE_EVERY: Duration = Duration::from_secs(5);

/// Scrapes all targets of all jobs.
pub struct Manager(Arc<Shared>);

struct Shared {
    /// The Kubernetes clusters that mechanisms look into.
    clusters: Clusters,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    /// Where the scrapes run; `None`: where [`Manager::apply`] is called.
    runtime: Option<Handle>,
    totals: Arc<Totals>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sources: Vec<Source>,
    /// How many mechanisms were started.
    started: u64,
    pools: BTreeMap<String, Pool>,
    /// Targets that are gone, whose series are being ended.
    ending: Vec<Running>,
}

impl Manager {
    /// A manager without jobs that stores to `storage`.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self::with(storage, clock, None)
    }

    /// The same, whose scrapes run on `runtime`. One of their own, with one thread, costs less than
    /// one that is shared: a scrape waits, takes a moment, and waits again, and threads that wake
    /// each other for that do more work than the scrapes.
    pub fn on(runtime: Handle, storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self::with(storage, clock, Some(runtime))
    }

    fn with(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, runtime: Option<Handle>) -> Self {
        let (clusters, state, totals) = (Clusters::default(), Mutex::default(), Arc::default());
        Self(Arc::new(Shared { clusters, storage, clock, runtime, totals, state }))
    }

    /// Makes these jobs the ones that are scraped; returns the addresses known now that make no
    /// target. Has to be called within a tokio runtime, on which mechanisms and scrapes then run.
    pub fn apply(&self, jobs: Vec<Job>) -> Vec<Failure> {
        let shared = &self.0;
        let state = &mut *shared.state();
        let mut old = std::mem::take(&mut state.pools);
        for (rank, job) in claims::ranked(jobs) {
            let sources = state.sources_of(&job.discover, shared);
            let (name, before) = (job.name.clone(), old.remove(&job.name));
            let (runtime, totals) = (shared.runtime.clone(), shared.totals.clone());
            let mut pool = Pool::new(job, rank, sources, runtime, totals);
            if let Some(before) = before {
                pool.inherit(before, &mut state.ending);
            }
            let sets = state.sets(&pool);
            let found = target::find_in(&pool.job, sets.iter().flat_map(|sets| sets.iter()));
            let claims = state.claims(rank);
            pool.install(found, claims, &shared.storage, &shared.clock, &mut state.ending);
            let changes = pool.changes.subscribe();
            let following = follow(Arc::downgrade(shared), pool.job.clone(), changes);
            pool.task = Some(AbortOnDrop(tokio::spawn(following)));
            state.pools.insert(name, pool);
        }
        for (_, pool) in old {
            end(pool.running, &mut state.ending);
        }
        state.forget();
        state.failures()
    }

    /// What was counted over all targets, those that are gone among them.
    pub fn totals(&self) -> &Totals {
        &self.0.totals
    }

    /// Stops all mechanisms and scrapes, leaving series as they are. Scrapes that are being stored
    /// are waited for, at most a second; requests are given up.
    pub async fn stop(&self) {
        let running: Vec<Running> = {
            let mut state = self.state();
            state.sources.clear();
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
        self.0.state()
    }
}

impl State {
    /// The numbers of the sources that run these mechanisms; those that do not yet are started.
    fn sources_of(&mut self, mechanisms: &[Mechanism], shared: &Arc<Shared>) -> Vec<u64> {
        let mut ids = Vec::new();
        for mechanism in mechanisms {
            let running = self.sources.iter().find(|source| source.mechanism == *mechanism);
            let id = running.map(|source| source.id).unwrap_or_else(|| {
                self.started += 1;
                self.sources.push(Source::start(self.started, mechanism.clone(), shared));
                self.started
            });
            // The same mechanism twice in a job finds nothing else.
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// What the mechanisms of a job have found.
    fn sets(&self, pool: &Pool) -> Vec<Arc<[Labels]>> {
        let sources = pool.sources.iter();
        let sources = sources.filter_map(|id| self.sources.iter().find(|own| own.id == *id));
        sources.flat_map(|source| source.groups.sets().cloned()).collect()
    }

    /// Stops the mechanisms that no job has, and lets those go that have ended.
    fn forget(&mut self) {
        let is_wanted = |id: u64| self.pools.values().any(|pool| pool.sources.contains(&id));
        self.sources.retain(|source| is_wanted(source.id));
        self.ending.retain(|running| !running.task.is_finished());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the mechanism with this number has found, and tells its jobs if it is new.
    fn take(&self, id: u64, sets: Sets) {
        let state = &mut *self.state();
        let Some(source) = state.sources.iter_mut().find(|source| source.id == id) else { return };
        let is_first = !source.groups.has_answered;
        if !source.groups.merge(sets, &source.problems) {
            return;
        }
        for pool in state.pools.values().filter(|pool| pool.sources.contains(&id)) {
            pool.changes.send_modify(|changes| {
                changes.all += 1;
                changes.first += u64::from(is_first);
            });
        }
    }

    /// What was found for `job`, unless it is no longer the one that runs.
    fn found(&self, job: &Arc<Job>) -> Option<Vec<Arc<[Labels]>>> {
        let state = self.state();
        let pool = state.pools.get(&job.name).filter(|pool| Arc::ptr_eq(&pool.job, job))?;
        Some(state.sets(pool))
    }

    fn install(&self, job: &Arc<Job>, found: Found) {
        let state = &mut *self.state();
        let same = |pool: &&Pool| Arc::ptr_eq(&pool.job, job);
        let Some(rank) = state.pools.get(&job.name).filter(same).map(|pool| pool.rank) else {
            return;
        };
        let claims = state.claims(rank);
        if let Some(pool) = state.pools.get_mut(&job.name)
            && pool.install(found, claims, &self.storage, &self.clock, &mut state.ending)
        {
            state.tell_yielding(rank);
        }
        state.ending.retain(|running| !running.task.is_finished());
    }
}

/// Makes what is found for `job` its targets, until the job is another one.
async fn follow(shared: Weak<Shared>, job: Arc<Job>, mut changes: watch::Receiver<Changes>) {
    let (mut seen, mut due) = (Changes::default(), Instant::now());
    loop {
        if changes.wait_for(|now| now.all > seen.all).await.is_err() {
            return;
        }
        // Waits until it is time, or for a mechanism's first word; which of the two does not matter.
        let _is_due =
            timeout_at(due, changes.wait_for(|now| now.first > seen.first)).await.is_err();
        seen = *changes.borrow_and_update();
        due = Instant::now() + UPDATE_EVERY;
        let Some(sets) = shared.upgrade().and_then(|shared| shared.found(&job)) else { return };
        let of = job.clone();
        let found =
            spawn_blocking(move || target::find_in(&of, sets.iter().flat_map(|sets| sets.iter())));
        // An error is a bug that cost this change; the next one is another chance.
        if let (Ok(found), Some(shared)) = (found.await, shared.upgrade()) {
            shared.install(&job, found);
        }
    }
}
