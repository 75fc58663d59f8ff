//! The targets of one job: those that are scraped, and what became of the others.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tsdb::append::Storage;
use tsdb::model::Labels;

use super::claims::Claims;
use super::source::AbortOnDrop;
use super::terms::{AllTerms, Terms};
use crate::cycle::{self, Clock, Order, Parts};
use crate::job::{Job, Limits};
use crate::target::{Dropped, Found, Target, TargetError};
use crate::totals::Totals;

/// How many targets that are left to other jobs are remembered.
const YIELDED_SHOWN_MAX: usize = 100;

/// The targets of one job.
pub(super) struct Pool {
    pub(super) job: Arc<Job>,
    /// Its place among the jobs that leave targets to others; 0 if it does not.
    pub(super) rank: usize,
    /// Its mechanisms, by their numbers, in the order of the job.
    pub(super) sources: Vec<u64>,
    pub(super) running: HashMap<u64, Running>,
    pub(super) rest: Rest,
    /// Told when a mechanism has found something else.
    pub(super) changes: watch::Sender<Changes>,
    /// Takes over what was found.
    pub(super) task: Option<AbortOnDrop>,
    terms: AllTerms,
    /// Where the scrapes run; `None`: where they are started.
    runtime: Option<Handle>,
    totals: Arc<Totals>,
}

/// What became of that which is not scraped.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) discovered: usize,
    pub(super) duplicates: usize,
    pub(super) dropped: Dropped,
    pub(super) failures: Vec<(Labels, TargetError)>,
    pub(super) failure_count: usize,
    /// URLs that are left to other jobs, with one of these; the first of them.
    pub(super) yielded: Vec<(String, String)>,
    /// How many there are of these.
    pub(super) yielded_count: usize,
}

/// How often something was found that is not scraped yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    pub(super) all: u64,
    /// Those that were the first word of a mechanism.
    pub(super) first: u64,
}

/// A target that is scraped.
pub(super) struct Running {
    pub(super) target: Arc<Target>,
    /// Its labels before relabelling as they are now.
    pub(super) discovered: Labels,
    pub(super) orders: watch::Sender<Order>,
    pub(super) task: JoinHandle<()>,
}

impl Pool {
    pub(super) fn new(
        job: Job,
        rank: usize,
        sources: Vec<u64>,
        runtime: Option<Handle>,
        totals: Arc<Totals>,
    ) -> Self {
        let (running, rest, changes) = (HashMap::new(), Rest::default(), watch::Sender::default());
        let (job, task) = (Arc::new(job), None);
        let terms = AllTerms::new(job.clone());
        Self { job, rank, sources, running, rest, changes, task, terms, runtime, totals }
    }

    /// Takes over what goes on unchanged from the same job as it was; the rest has to end.
    pub(super) fn inherit(&mut self, before: Pool, ending: &mut Vec<Running>) {
        if scrape_alike(&before.job, &self.job) {
            (self.terms, self.running) = (before.terms, before.running);
        } else {
            end(before.running, ending);
        }
    }

    /// Scrapes what was found from now on, and nothing else, but for what `claims` gives to other
    /// jobs. Says whether that is something else than before.
    pub(super) fn install(
        &mut self,
        found: Found,
        claims: Claims,
        storage: &Arc<dyn Storage>,
        clock: &Arc<dyn Clock>,
        ending: &mut Vec<Running>,
    ) -> bool {
        let began = clock.monotonic();
        let mut before = std::mem::take(&mut self.running);
        let (left, own): (Vec<Target>, Vec<Target>) =
            found.targets.into_iter().partition(|target| claims.contains_key(&target.url));
        let refusal = self.over_limit(own.len());
        let mut is_changed = false;
        for target in own {
            is_changed |= !before.contains_key(&target.identity);
            let (identity, discovered) = (target.identity, target.discovered.clone());
            let kept = before.remove(&identity);
            let mut next = kept.unwrap_or_else(|| self.start(target, storage, clock));
            next.discovered = discovered;
            self.running.insert(identity, next);
        }
        self.terms.refuse(&refusal);
        is_changed |= !before.is_empty();
        end(before, ending);
        let yielded = left
            .iter()
            .take(YIELDED_SHOWN_MAX)
            .filter_map(|target| Some((target.url.clone(), claims.get(&target.url)?.clone())));
        self.rest = Rest {
            yielded: yielded.collect(),
            yielded_count: left.len(),
            discovered: found.discovered,
            duplicates: found.duplicates,
            dropped: found.dropped,
            failures: found.failures,
            failure_count: found.failure_count,
        };
        let took = clock.monotonic().saturating_sub(began);
        self.totals.synced(&self.job.name, took);
        is_changed
    }

    /// Why all scrapes fail, if there are more targets than the job may have.
    fn over_limit(&self, targets: usize) -> Option<String> {
        let limit = self.job.limits.targets.filter(|limit| *limit > 0)?;
        (targets as u64 > limit).then(|| {
            format!("target_limit exceeded (number of targets: {targets}, limit: {limit})")
        })
    }

    fn start(
        &mut self,
        target: Target,
        storage: &Arc<dyn Storage>,
        clock: &Arc<dyn Clock>,
    ) -> Running {
        let (target, discovered) = (Arc::new(target), Labels::empty());
        let Terms { job, fetcher } = self.terms.of(&self.job, target.histograms);
        let parts = Parts { target: target.clone(), job, fetcher, clock: clock.clone() };
        let (orders, receiver) = watch::channel(Order::Run);
        let cycle = cycle::run(parts, storage.clone(), self.totals.clone(), receiver);
        let task = match &self.runtime {
            Some(runtime) => runtime.spawn(cycle),
            None => tokio::spawn(cycle),
        };
        Running { target, discovered, orders, task }
    }
}

/// Whether the two differ in nothing but which targets they have.
fn scrape_alike(old: &Job, new: &Job) -> bool {
    let limits = Limits {
        targets: new.limits.targets,
        dropped_kept: new.limits.dropped_kept,
        ..old.limits.clone()
    };
    let (discover, relabel) = (new.discover.clone(), new.relabel.clone());
    Job { discover, relabel, limits, yields: new.yields, ..old.clone() } == *new
}

/// Ends the series of these targets.
pub(super) fn end(running: HashMap<u64, Running>, ending: &mut Vec<Running>) {
    for one in running.into_values() {
        one.orders.send_replace(Order::Remove);
        ending.push(one);
    }
}
