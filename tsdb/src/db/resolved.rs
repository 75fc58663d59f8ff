//! Results of resolving, kept while they hold.
//!
//! Dashboards, rules and autoscalers ask for the same series again and again, and which series
//! those are changes seldom. A result holds for the same matchers and blocks as long as the list
//! of blocks is the very same and the head's layout did not change; the newest times, which change
//! with every sample, are not part of it. A result does not keep the blocks open.

use hashbrown::HashMap;

use super::located::Resolved;
use super::parts::Parts;
use super::unpoisoned;
use crate::model::Matcher;
use crate::sync::{Arc, Mutex, MutexGuard, Weak};

/// Series of all results that are kept, at most: each takes about 150 bytes.
const KEPT_SERIES_MAX: usize = 100_000;
/// Results that are kept, at most.
const KEPT_MAX: usize = 1024;

/// What a result belongs to.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    matchers: String,
    /// Positions of the blocks that are looked at.
    parts: Vec<u32>,
}

impl Key {
    pub(super) fn new(matchers: &[Matcher], parts: &[u32]) -> Self {
        let texts = matchers.iter().map(|own| (own.name(), own.op().as_str(), own.value()));
        Self { matchers: format!("{:?}", texts.collect::<Vec<_>>()), parts: parts.to_vec() }
    }
}

#[derive(Debug)]
struct Kept {
    parts: Weak<Parts>,
    layout: u64,
    resolved: Arc<Resolved>,
    /// When it was asked for last, as a number of questions.
    used: u64,
}

/// The results.
#[derive(Debug, Default)]
pub(super) struct ResolvedCache(Mutex<Results>);

#[derive(Debug, Default)]
struct Results {
    by_key: HashMap<Key, Kept>,
    series: usize,
    asked: u64,
}

impl ResolvedCache {
    /// What is kept for the key, if it holds.
    pub(super) fn get(&self, key: &Key, parts: &Arc<Parts>, layout: u64) -> Option<Arc<Resolved>> {
        let mut results = self.results();
        results.asked += 1;
        let asked = results.asked;
        let kept = results.by_key.get_mut(key)?;
        if kept.layout != layout || !std::ptr::eq(kept.parts.as_ptr(), Arc::as_ptr(parts)) {
            return None;
        }
        kept.used = asked;
        Some(kept.resolved.clone())
    }

    /// Keeps a result if it is not too large, instead of those that were not asked for longest.
    pub(super) fn put(&self, key: Key, parts: &Arc<Parts>, layout: u64, resolved: &Arc<Resolved>) {
        if resolved.series.len() > KEPT_SERIES_MAX {
            return;
        }
        let mut results = self.results();
        let used = results.asked;
        results.series += resolved.series.len();
        let parts = Arc::downgrade(parts);
        let kept = Kept { parts, layout, resolved: resolved.clone(), used };
        if let Some(before) = results.by_key.insert(key, kept) {
            results.series -= before.resolved.series.len();
        }
        results.shrink();
    }

    /// Lets everything go: the blocks have changed.
    pub(super) fn clear(&self) {
        *self.results() = Results::default();
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        unpoisoned(self.0.lock(), "BUG: keeping a result panicked")
    }
}

impl Results {
    fn shrink(&mut self) {
        while self.series > KEPT_SERIES_MAX || self.by_key.len() > KEPT_MAX {
            let Some(oldest) = self.by_key.values().map(|kept| kept.used).min() else { return };
            let Self { by_key, series, .. } = self;
            by_key.retain(|_, kept| {
                let stays = kept.used > oldest;
                *series -= if stays { 0 } else { kept.resolved.series.len() };
                stays
            });
        }
    }
}
