//! What discovery found becomes targets: each label set is completed, relabelled and resolved; of
//! the same target twice one is scraped; of those that are dropped it is kept what dropped them.

use std::collections::{BTreeMap, HashSet};

use tsdb::model::duration::format_duration;
use tsdb::model::labels::{Labels, LabelsBuilder};

use super::{INTERVAL, PARAM_PREFIX, PATH, SCHEME, TIMEOUT, Target, TargetError, resolve};
use crate::discover::{LabelPairs, TargetGroup, fixed};
use crate::job::Job;
use crate::relabel::{self, Refusal};

/// How many dropped targets of a job are remembered if it does not say.
pub const DROPPED_MAX: usize = 1000;
/// How many addresses that make no target are remembered.
pub const FAILURES_MAX: usize = 100;

/// What a job's addresses became.
#[derive(Debug, Default)]
pub struct Found {
    /// To scrape; each identity once.
    pub targets: Vec<Target>,
    /// How many label sets there were before relabelling.
    pub discovered: usize,
    /// How many of them are a target that another one is already.
    pub duplicates: usize,
    /// Those that relabelling dropped.
    pub dropped: Dropped,
    /// Those that are none, with their discovered labels; the first [`FAILURES_MAX`].
    pub failures: Vec<(Labels, TargetError)>,
    /// How many there are of these.
    pub failure_count: usize,
}

/// Targets that relabelling dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropped {
    /// The first of them: as many as the job keeps, or [`DROPPED_MAX`].
    pub targets: Vec<DroppedTarget>,
    /// How many there are.
    pub count: usize,
    /// How many each rule dropped, by its place.
    pub by_rule: BTreeMap<usize, usize>,
    /// If there is no target at all: the one that came furthest, and of several the one whose value
    /// is most like what the rule asks for.
    pub nearest: Option<DroppedTarget>,
}

/// A target that relabelling dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedTarget {
    /// Its labels before relabelling.
    pub discovered: Labels,
    /// What dropped it.
    pub refusal: Refusal,
}

/// The targets that are written down in `job`.
pub fn find(job: &Job) -> Found {
    let groups = job.fixed().cloned().collect::<Vec<_>>();
    let sets: Vec<Labels> = fixed::groups(&groups).iter().flat_map(label_sets).collect();
    find_in(job, sets.iter())
}

/// The targets that these label sets become in `job`.
pub fn find_in<'a>(job: &Job, sets: impl IntoIterator<Item = &'a Labels>) -> Found {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for set in sets {
        found.discovered += 1;
        let discovered = complete(job, set);
        let mut builder = discovered.to_builder();
        match relabel::check(&mut builder, &job.relabel) {
            Err(refusal) => found.drop_one(job, DroppedTarget { discovered, refusal }),
            Ok(()) => match resolve(job, &discovered, builder) {
                Ok(target) if seen.insert(target.identity) => found.targets.push(target),
                Ok(_) => found.duplicates += 1,
                Err(error) => found.fail_one(discovered, error),
            },
        }
    }
    if !found.targets.is_empty() {
        found.dropped.nearest = None;
    }
    found
}

/// The label sets of a group's targets.
pub(crate) fn label_sets(group: &TargetGroup) -> impl Iterator<Item = Labels> {
    group.targets.iter().map(|target| label_set(target, &group.labels))
}

/// The target's own labels win, even with an empty value.
fn label_set(target: &LabelPairs, shared: &LabelPairs) -> Labels {
    let pairs = shared.iter().chain(target).filter(|(name, _)| !name.is_empty());
    Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// A label set before relabelling: its own labels, then the job's defaults.
fn complete(job: &Job, set: &Labels) -> Labels {
    let mut builder: LabelsBuilder = set.to_builder();
    let defaults = [
        ("job", job.name.clone()),
        (INTERVAL, format_duration(job.interval_ms)),
        (TIMEOUT, format_duration(job.timeout_ms)),
        (PATH, job.metrics_path.clone()),
        (SCHEME, job.scheme.as_str().to_owned()),
    ];
    for (name, value) in defaults {
        if builder.get(name).is_none() {
            builder.set(name, value);
        }
    }
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            builder.set(format!("{PARAM_PREFIX}{name}"), first.as_str());
        }
    }
    builder.build()
}

impl Found {
    fn drop_one(&mut self, job: &Job, dropped: DroppedTarget) {
        self.dropped.count += 1;
        *self.dropped.by_rule.entry(dropped.refusal.rule).or_default() += 1;
        if self.targets.is_empty() && self.dropped.is_nearer(job, &dropped) {
            self.dropped.nearest = Some(dropped.clone());
        }
        let kept = job.limits.dropped_kept.and_then(|kept| usize::try_from(kept).ok());
        if self.dropped.targets.len() < kept.unwrap_or(DROPPED_MAX) {
            self.dropped.targets.push(dropped);
        }
    }

    fn fail_one(&mut self, discovered: Labels, error: TargetError) {
        self.failure_count += 1;
        if self.failures.len() < FAILURES_MAX {
            self.failures.push((discovered, error));
        }
    }
}

impl Dropped {
    fn is_nearer(&self, job: &Job, other: &DroppedTarget) -> bool {
        let Some(nearest) = &self.nearest else { return true };
        let (mine, theirs) = (&nearest.refusal, &other.refusal);
        let Some(rule) = job.relabel.get(theirs.rule).filter(|_| theirs.rule == mine.rule) else {
            return theirs.rule > mine.rule;
        };
        theirs.value != mine.value
            && relabel::alike(&theirs.value, &rule.pattern)
                > relabel::alike(&mine.value, &rule.pattern)
    }
}
