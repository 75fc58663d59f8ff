//! What is kept of all queries, within a number of bytes.
//!
//! An answer is found by the query's text (its notes have places in it), its step, its phase
//! (`start mod step`), the options that answers depend on, and about how many steps it has, so that
//! dashboards of an hour and of a day do not push each other out. Beyond the bytes, what was asked
//! for the longest time ago goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::entry::Entry;
use crate::engine::EngineOptions;
use crate::range::RangeQuery;

/// Answers of range queries over one store; see [`Engine::range_cached`](crate::Engine::range_cached).
#[derive(Debug)]
pub struct QueryCache {
    bytes_max: usize,
    kept: Mutex<Kept>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Figures about a [`QueryCache`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Queries of which some steps were kept.
    pub hits: u64,
    /// Queries of which no step, or too few of them, were kept and right.
    pub misses: u64,
    /// Queries that are kept.
    pub entries: usize,
    /// Bytes that they take, about.
    pub bytes: usize,
}

/// What an answer is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    text: Box<str>,
    step_ms: i64,
    phase_ms: i64,
    /// Steps, as the exponent of a power of two.
    magnitude: u32,
    options: EngineOptions,
}

impl Key {
    pub(super) fn of(asked: &RangeQuery<'_>) -> Self {
        let steps = &asked.steps;
        Self {
            text: asked.query.text.into(),
            step_ms: steps.step_ms,
            phase_ms: steps.start.ms().rem_euclid(steps.step_ms.max(1)),
            magnitude: steps.count().max(1).ilog2(),
            options: asked.engine.options.clone(),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Arc<Key>, Slot>,
    /// By when they were asked for last.
    order: BTreeMap<u64, Arc<Key>>,
    bytes: usize,
    asked: u64,
}

#[derive(Debug)]
struct Slot {
    entry: Arc<Entry>,
    bytes: usize,
    asked: u64,
}

impl QueryCache {
    /// Keeps what takes at most `bytes_max` bytes, about; with 0 nothing is kept.
    pub fn new(bytes_max: usize) -> Self {
        let kept = Mutex::default();
        Self { bytes_max, kept, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Figures about it now.
    pub fn stats(&self) -> CacheStats {
        let kept = self.kept();
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: kept.entries.len(),
            bytes: kept.bytes,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.bytes_max > 0
    }

    /// Counts a query that was looked for.
    pub(super) fn count(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.kept().get(key)
    }

    /// Puts an entry in the place of an older one, unless it is too large.
    pub(super) fn put(&self, key: Key, entry: Entry) {
        let bytes = entry.bytes() + 2 * key.bytes();
        let mut kept = self.kept();
        kept.remove(&key);
        if bytes <= self.bytes_max {
            kept.insert(key, Arc::new(entry), bytes);
            kept.shrink_to(self.bytes_max);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("BUG: a change of the cache panicked")
    }
}

impl Kept {
    fn get(&mut self, key: &Key) -> Option<Arc<Entry>> {
        self.asked += 1;
        let slot = self.entries.get_mut(key)?;
        let own = self.order.remove(&slot.asked)?;
        slot.asked = self.asked;
        self.order.insert(self.asked, own);
        Some(slot.entry.clone())
    }

    fn insert(&mut self, key: Key, entry: Arc<Entry>, bytes: usize) {
        let key = Arc::new(key);
        self.asked += 1;
        self.bytes += bytes;
        self.order.insert(self.asked, key.clone());
        self.entries.insert(key, Slot { entry, bytes, asked: self.asked });
    }

    fn remove(&mut self, key: &Key) {
        if let Some(slot) = self.entries.remove(key) {
            self.order.remove(&slot.asked);
            self.bytes -= slot.bytes;
        }
    }

    /// Lets go what was not asked for longest until no more than `bytes_max` are taken.
    fn shrink_to(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && let Some((_, key)) = self.order.pop_first()
            && let Some(slot) = self.entries.remove(&key)
        {
            self.bytes -= slot.bytes;
        }
    }
}
