//! The mechanisms that run, and what each of them has found.
//!
//! Equal mechanisms of several jobs run once. One whose code fell over is started again; what it
//! had found stays meanwhile, as with every other failure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tsdb::model::Labels;

use super::Shared;
use crate::discover::kubernetes::Clusters;
use crate::discover::{LABEL_BYTES_MAX, Mechanism, Problems, TARGETS_MAX, TargetGroup, fixed};
use crate::target::label_sets;

/// Lists of groups that may wait to be taken.
const UPDATES_QUEUED: usize = 4;
/// How long a mechanism that fell over stays down.
const RESTART_AFTER: Duration = Duration::from_secs(5);
/// What a mechanism that fell over tried.
const RUN: &str = "run";
/// What is a problem if a mechanism finds too much.
const TAKE: &str = "take what was found";

/// A mechanism that runs.
pub(super) struct Source {
    /// Names it among all that ever ran.
    pub(super) id: u64,
    pub(super) mechanism: Mechanism,
    pub(super) problems: Problems,
    pub(super) groups: Groups,
    /// `None` for targets that are written down: they never change.
    _task: Option<AbortOnDrop>,
}

impl Source {
    /// Starts `mechanism`; what it finds goes to `shared` under `id`.
    pub(super) fn start(id: u64, mechanism: Mechanism, shared: &Arc<Shared>) -> Self {
        let (problems, mut groups) = (Problems::default(), Groups::default());
        let task = match &mechanism {
            Mechanism::Fixed(written) => {
                groups.merge(sets(fixed::groups(written)), &problems);
                None
            }
            other => {
                let clusters = shared.clusters.clone();
                let shared = Arc::downgrade(shared);
                let take = move |sets| shared.upgrade().map(|shared| shared.take(id, sets));
                let running = run(other.clone(), clusters, problems.clone(), take);
                Some(AbortOnDrop(tokio::spawn(running)))
            }
        };
        Self { id, mechanism, problems, groups, _task: task }
    }
}

/// A task that ends with its owner.
pub(super) struct AbortOnDrop(pub(super) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `mechanism` as long as there is somebody to `take` what it finds.
pub(super) async fn run(
    mechanism: Mechanism,
    clusters: Clusters,
    problems: Problems,
    take: impl Fn(Sets) -> Option<()>,
) {
    loop {
        let (updates, mut received) = mpsc::channel(UPDATES_QUEUED);
        let searching = mechanism.clone().run(clusters.clone(), updates, problems.clone());
        let mut searching = AbortOnDrop(tokio::spawn(searching));
        while let Some(groups) = received.recv().await {
            if take(sets(groups)).is_none() {
                return;
            }
        }
        match (&mut searching.0).await {
            Ok(()) => return,
            Err(_) => problems.set(RUN, "it fell over and is started again"),
        };
        sleep(RESTART_AFTER).await;
        problems.clear(RUN);
    }
}

/// Groups by source, each with the label sets of its targets.
pub(super) type Sets = Vec<(String, Arc<[Labels]>)>;

/// The label sets of each group's targets.
pub(super) fn sets(groups: Vec<TargetGroup>) -> Sets {
    let groups = groups.into_iter();
    groups.map(|group| (group.source.clone(), label_sets(&group).collect())).collect()
}

/// What a mechanism has found so far; bounded by [`TARGETS_MAX`] and [`LABEL_BYTES_MAX`].
#[derive(Default)]
pub(super) struct Groups {
    by_source: BTreeMap<String, Arc<[Labels]>>,
    targets: usize,
    bytes: usize,
    /// Sources with a group for which there was no room; what they had before stays.
    left_out: BTreeSet<String>,
    /// Whether it has said anything yet.
    pub(super) has_answered: bool,
}

impl Groups {
    /// Takes what is new; says whether anything is.
    pub(super) fn merge(&mut self, sets: Sets, problems: &Problems) -> bool {
        let mut is_changed = false;
        self.has_answered = true;
        for (source, sets) in sets {
            is_changed |= self.replace(source, sets);
        }
        match self.left_out.len() {
            0 => problems.clear(TAKE),
            count => problems.set(
                TAKE,
                &format!(
                    "{count} groups are left out, for there are more than {TARGETS_MAX} targets, \
                     or their labels have more than {LABEL_BYTES_MAX} bytes"
                ),
            ),
        };
        is_changed
    }

    fn replace(&mut self, source: String, sets: Arc<[Labels]>) -> bool {
        self.left_out.remove(&source);
        let before = self.by_source.get(&source);
        if before.map_or(sets.is_empty(), |before| *before == sets) {
            return false;
        }
        let (had, had_bytes) = before.map_or((0, 0), |before| (before.len(), bytes(before)));
        let targets = self.targets - had + sets.len();
        let bytes = self.bytes - had_bytes + bytes(&sets);
        if sets.len() > had && (targets > TARGETS_MAX || bytes > LABEL_BYTES_MAX) {
            self.left_out.insert(source);
            return false;
        }
        (self.targets, self.bytes) = (targets, bytes);
        match sets.is_empty() {
            true => self.by_source.remove(&source),
            false => self.by_source.insert(source, sets),
        };
        true
    }

    /// The label sets of each group, in order of the sources.
    pub(super) fn sets(&self) -> impl Iterator<Item = &Arc<[Labels]>> {
        self.by_source.values()
    }

    /// How many groups, and how many targets in them.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.by_source.len(), self.targets)
    }
}

/// Bytes that the texts take.
fn bytes(sets: &[Labels]) -> usize {
    let pairs = sets.iter().flat_map(|set| set.iter());
    pairs.map(|(name, value)| name.len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(source: &str, addresses: usize) -> (String, Arc<[Labels]>) {
        let set = |index| Labels::from_pairs([("a", format!("{source}{index}"))]);
        (source.to_owned(), (0..addresses).map(set).collect())
    }

    #[test]
    fn groups_replace_each_other_within_bounds() {
        let rows = [
            // group, its targets, changed, groups and targets after it, left out
            ("a", 2, true, (1, 2), 0),
            ("a", 2, false, (1, 2), 0),
            ("b", 1, true, (2, 3), 0),
            ("c", 0, false, (2, 3), 0),
            ("a", 1, true, (2, 2), 0),
            ("c", TARGETS_MAX - 2, true, (3, TARGETS_MAX), 0),
            ("d", 1, false, (3, TARGETS_MAX), 1),
            ("a", 2, false, (3, TARGETS_MAX), 2),
            ("c", 0, true, (2, 2), 2),
            ("d", 1, true, (3, 3), 1),
            ("a", 0, true, (2, 2), 0),
        ];
        let (mut groups, problems) = (Groups::default(), Problems::default());
        for (index, (source, targets, changed, size, left_out)) in rows.into_iter().enumerate() {
            let is_changed = groups.merge(vec![group(source, targets)], &problems);
            assert_eq!((is_changed, groups.size()), (changed, size), "row {index}");
            let problem = problems.list().pop().map_or(0, |(_, why)| {
                why.split(' ').next().map_or(0, |count| count.parse().unwrap())
            });
            assert_eq!(problem, left_out, "row {index}");
        }
    }
}
