//! What many targets have alike is held once in memory, as long as one of them has it.

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Weak};

use hashbrown::{DefaultHashBuilder, HashTable};

/// What nobody has any more is let go when there is as much as this, and twice as much as was left
/// the last time.
const SWEEP_MIN: usize = 1024;

/// Everything of one kind that somebody has.
pub(super) struct HeldOnce<T> {
    known: HashTable<(u64, Weak<T>)>,
    hasher: DefaultHashBuilder,
    sweep_at: usize,
}

impl<T> Default for HeldOnce<T> {
    fn default() -> Self {
        Self { known: HashTable::new(), hasher: DefaultHashBuilder::default(), sweep_at: SWEEP_MIN }
    }
}

impl<T> HeldOnce<T> {
    /// What somebody has, `is_it` says, or else what `make` makes. Equal ones have equal `key`s.
    pub(super) fn share(
        &mut self,
        key: impl Hash,
        is_it: impl Fn(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        let hash = self.hasher.hash_one(key);
        let mut found = None;
        self.known.find(hash, |(own, held)| {
            found = held.upgrade().filter(|held| *own == hash && is_it(held));
            found.is_some()
        });
        if let Some(held) = found {
            return held;
        }
        self.sweep();
        let new = make();
        self.known.insert_unique(hash, (hash, Arc::downgrade(&new)), |(hash, _)| *hash);
        new
    }

    fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|(_, held)| held.strong_count() > 0);
            self.sweep_at = (2 * self.known.len()).max(SWEEP_MIN);
        }
    }
}
