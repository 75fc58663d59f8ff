//! What there is to say about jobs, mechanisms and targets, as data for whoever shows it.

use std::sync::Arc;

use tsdb::model::Labels;

use super::claims::SharedUrl;
use super::pool::Pool;
use super::source::Source;
use super::{Manager, State, reason};
use crate::job::Job;
use crate::target::{self, FamilyMetadata, Target, TargetError, TargetStatus};

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

/// Targets of a job that relabelling dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// The name of the job's configuration.
    pub scrape_pool: String,
    /// How many there are.
    pub count: usize,
    /// The labels before relabelling of those that are remembered.
    pub discovered_labels: Vec<Labels>,
}

/// What a target says about its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetMetadata {
    /// The target's labels.
    pub labels: Labels,
    /// The families by name.
    pub families: Arc<[Arc<FamilyMetadata>]>,
}

/// How the targets of a job are found, and what became of those that are not scraped.
#[derive(Clone, Debug)]
pub struct JobDiscovery {
    /// The job: its name and its rules.
    pub job: Arc<Job>,
    /// What finds its targets, in the order of the job.
    pub mechanisms: Vec<MechanismStatus>,
    /// How many label sets were found.
    pub discovered: usize,
    /// How many targets are scraped.
    pub active: usize,
    /// How many were found more than once.
    pub duplicates: usize,
    /// What relabelling dropped.
    pub dropped: target::Dropped,
    /// What is no target after relabelling; the first of them.
    pub failures: Vec<(Labels, TargetError)>,
    /// How many there are of these.
    pub failure_count: usize,
    /// URLs that are left to other jobs, each with one that scrapes it; the first of them.
    pub yielded: Vec<(String, String)>,
    /// How many there are of these.
    pub yielded_count: usize,
    /// URLs that other jobs scrape too, with these jobs; the first of them.
    pub also_scraped: Vec<SharedUrl>,
    /// How many there are of these.
    pub also_scraped_count: usize,
    /// If nothing is scraped: why, in a sentence.
    pub reason: Option<String>,
}

/// How a mechanism is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MechanismStatus {
    /// `static`, `file`, `http`, `dns` or `kubernetes`.
    pub kind: &'static str,
    /// Where it looks, without secrets.
    pub place: String,
    /// Whether it has found out anything yet.
    pub has_answered: bool,
    /// How many groups it has found.
    pub groups: usize,
    /// How many targets are in them.
    pub targets: usize,
    /// What it tries in vain, and why.
    pub problems: Vec<(String, String)>,
}

/// What a mechanism tries in vain for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the job's configuration.
    pub scrape_pool: String,
    /// The kind of mechanism.
    pub kind: &'static str,
    /// What it tries.
    pub tried: String,
    /// Why that fails.
    pub why: String,
}

impl Manager {
    /// All targets, by job and labels.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.each(|target, discovered| TargetStatus {
            discovered_labels: discovered.clone(),
            ..target.status()
        })
    }

    /// What each target says about its metrics, in the same order.
    pub fn metadata(&self) -> Vec<TargetMetadata> {
        self.each(|target, _| TargetMetadata {
            labels: target.labels.clone(),
            families: target.record.families(),
        })
    }

    /// The targets that relabelling dropped, by job.
    pub fn dropped(&self) -> Vec<Dropped> {
        let state = self.state();
        let pools = state.pools.values().map(|pool| {
            let dropped = &pool.rest.dropped;
            let discovered = dropped.targets.iter().map(|target| target.discovered.clone());
            Dropped {
                scrape_pool: pool.job.name.clone(),
                count: dropped.count,
                discovered_labels: discovered.collect(),
            }
        });
        pools.collect()
    }

    /// The names of the jobs.
    pub fn pools(&self) -> Vec<String> {
        self.state().pools.keys().cloned().collect()
    }

    /// The job of that name.
    pub fn job(&self, name: &str) -> Option<Arc<Job>> {
        self.state().pools.get(name).map(|pool| pool.job.clone())
    }

    /// How the targets of each job are found, by name; of one job only if `name` is given.
    pub fn discovery(&self, name: Option<&str>) -> Vec<JobDiscovery> {
        let state = self.state();
        let wanted = |pool: &&Pool| name.is_none_or(|name| pool.job.name == name);
        let pools: Vec<&Pool> = state.pools.values().filter(wanted).collect();
        let shared = state.also_scraped(&pools);
        let shown = pools.into_iter().zip(shared).map(|(pool, (urls, count))| JobDiscovery {
            also_scraped: urls,
            also_scraped_count: count,
            ..state.discovery(pool)
        });
        shown.collect()
    }

    /// What stands in the way of the mechanisms now, job by job.
    pub fn problems(&self) -> Vec<Problem> {
        let state = self.state();
        let pairs = state.pools.values().flat_map(|pool| {
            state
                .sources
                .iter()
                .filter(|own| pool.sources.contains(&own.id))
                .map(move |own| (pool, own))
        });
        let problems = pairs.flat_map(|(pool, source)| {
            source.problems.list().into_iter().map(|(tried, why)| Problem {
                scrape_pool: pool.job.name.clone(),
                kind: source.mechanism.kind(),
                tried,
                why,
            })
        });
        problems.collect()
    }

    fn each<T>(&self, show: impl Fn(&Target, &Labels) -> T) -> Vec<T> {
        let state = self.state();
        let mut shown = Vec::new();
        for pool in state.pools.values() {
            let mut targets: Vec<_> = pool.running.values().collect();
            targets.sort_by(|a, b| {
                (&a.target.labels, &a.target.url).cmp(&(&b.target.labels, &b.target.url))
            });
            shown.extend(targets.into_iter().map(|one| show(&one.target, &one.discovered)));
        }
        shown
    }
}

impl State {
    /// The addresses known now that make no target; of each job the first ones.
    pub(super) fn failures(&self) -> Vec<Failure> {
        let failures = self.pools.values().flat_map(|pool| {
            pool.rest.failures.iter().map(|(discovered_labels, error)| Failure {
                scrape_pool: pool.job.name.clone(),
                discovered_labels: discovered_labels.clone(),
                error: error.clone(),
            })
        });
        failures.collect()
    }

    fn discovery(&self, pool: &Pool) -> JobDiscovery {
        let sources = pool.sources.iter();
        let sources = sources.filter_map(|id| self.sources.iter().find(|own| own.id == *id));
        let mut shown = JobDiscovery {
            job: pool.job.clone(),
            mechanisms: sources.map(status).collect(),
            discovered: pool.rest.discovered,
            active: pool.running.len(),
            duplicates: pool.rest.duplicates,
            dropped: pool.rest.dropped.clone(),
            failures: pool.rest.failures.clone(),
            failure_count: pool.rest.failure_count,
            yielded: pool.rest.yielded.clone(),
            yielded_count: pool.rest.yielded_count,
            also_scraped: Vec::new(),
            also_scraped_count: 0,
            reason: None,
        };
        shown.reason = reason::reason(&shown);
        shown
    }
}

fn status(source: &Source) -> MechanismStatus {
    let (groups, targets) = source.groups.size();
    MechanismStatus {
        kind: source.mechanism.kind(),
        place: source.mechanism.place(),
        has_answered: source.groups.has_answered,
        groups,
        targets,
        problems: source.problems.list(),
    }
}
