//! A search: mechanisms that run for somebody who scrapes nothing of what they find (Alertmanagers).
//!
//! What is written down is there at once; what a mechanism finds later replaces what it found
//! before, by its source. Mechanisms end with the search.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tsdb::model::Labels;

use super::source::{AbortOnDrop, Groups, Sets, run, sets};
use crate::discover::kubernetes::Clusters;
use crate::discover::{Mechanism, Problems, fixed};

/// Mechanisms that run, and what they have found.
pub struct Search {
    found: Arc<Found>,
    _tasks: Vec<AbortOnDrop>,
}

/// What one mechanism has found and what stands in its way.
struct Part {
    kind: &'static str,
    problems: Problems,
    groups: Groups,
}

struct Found {
    /// One for each mechanism.
    parts: Mutex<Vec<Part>>,
    /// How often something else was found.
    changes: watch::Sender<u64>,
}

/// What a mechanism tries in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The kind of mechanism.
    pub kind: &'static str,
    /// What it tries.
    pub tried: String,
    /// Why that fails.
    pub why: String,
}

impl Search {
    /// Starts the mechanisms, within a tokio runtime. Searches with the same `clusters` share their
    /// watches.
    pub fn start(mechanisms: &[Mechanism], clusters: &Clusters) -> Self {
        let part = |mechanism: &Mechanism| Part {
            kind: mechanism.kind(),
            problems: Problems::default(),
            groups: Groups::default(),
        };
        let parts = Mutex::new(mechanisms.iter().map(part).collect());
        let found = Arc::new(Found { parts, changes: watch::Sender::default() });
        let mut tasks = Vec::new();
        for (index, mechanism) in mechanisms.iter().enumerate() {
            match mechanism {
                Mechanism::Fixed(written) => found.take(index, sets(fixed::groups(written))),
                other => tasks.push(found.run(index, other.clone(), clusters.clone())),
            }
        }
        Self { found, _tasks: tasks }
    }

    /// The label sets that are found now, in the order of the mechanisms.
    pub fn label_sets(&self) -> Vec<Labels> {
        let parts = self.found.parts();
        let sets = parts.iter().flat_map(|part| part.groups.sets());
        sets.flat_map(|sets| sets.iter().cloned()).collect()
    }

    /// Changes when something else is found; closed when the search ends.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.found.changes.subscribe()
    }

    /// What is tried in vain now.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let parts = self.found.parts();
        let lists = parts.iter().flat_map(|part| {
            let list = part.problems.list().into_iter();
            list.map(|(tried, why)| Obstacle { kind: part.kind, tried, why })
        });
        lists.collect()
    }
}

impl Found {
    fn run(
        self: &Arc<Self>,
        index: usize,
        mechanism: Mechanism,
        clusters: Clusters,
    ) -> AbortOnDrop {
        let found = Arc::downgrade(self);
        let problems = self.parts().get(index).map(|part| part.problems.clone());
        let take = move |sets| found.upgrade().map(|found| found.take(index, sets));
        let running = run(mechanism, clusters, problems.unwrap_or_default(), take);
        AbortOnDrop(tokio::spawn(running))
    }

    fn take(&self, index: usize, sets: Sets) {
        let mut parts = self.parts();
        let Some(part) = parts.get_mut(index) else { return };
        if part.groups.merge(sets, &part.problems) {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
