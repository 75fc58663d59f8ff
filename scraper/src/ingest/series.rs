//! The series of a target by their text: what stands before the value on a line of the page.
//!
//! A page has the same lines in the same order nearly every time, so each series remembers which
//! one followed it last time: [`SeriesCache::guess`]. If the guess is wrong, one look-up by the
//! text's hash finds the series, or that it is new.
//!
//! This is where a cache of whole pages' shapes goes later; whatever it does, what comes out is
//! a series' number per line.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// What becomes of a series' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A rule drops them.
    Dropped,
    /// They go to this place of the row.
    Column(u32),
    /// The page at hand has brought it; a column is about to be registered.
    Fresh,
    /// Nothing yet: the series is new, or came with timestamps of its own only.
    Undecided,
}

#[derive(Debug)]
pub(super) struct CachedSeries {
    pub(super) text: Box<[u8]>,
    pub(super) fate: Fate,
    /// The number of the last stored page with this series, 0 if there was none.
    pub(super) seen: u64,
    /// The series that followed it.
    next: u32,
}

/// All series of a target that are remembered.
#[derive(Debug, Default)]
pub(super) struct SeriesCache {
    all: Vec<CachedSeries>,
    by_text: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The series that the page began with.
    first: u32,
}

impl SeriesCache {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, number: u32) -> &CachedSeries {
        &self.all[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut CachedSeries {
        &mut self.all[number as usize]
    }

    /// The series that probably follows `previous` (`None`: the page's first).
    pub(super) fn guess(&self, previous: Option<u32>) -> Option<u32> {
        let next = previous.map_or(self.first, |previous| self.get(previous).next);
        ((next as usize) < self.all.len()).then_some(next)
    }

    /// Notes that `next` did follow `previous`.
    pub(super) fn follow(&mut self, previous: Option<u32>, next: u32) {
        match previous {
            Some(previous) => self.get_mut(previous).next = next,
            None => self.first = next,
        }
    }

    /// The series with this text.
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        let is_it = |number: &u32| *self.get(*number).text == *text;
        self.by_text.find(self.hasher.hash_one(text), is_it).copied()
    }

    /// Adds a series, which must not be there yet, and returns its number.
    pub(super) fn add(&mut self, text: &[u8], fate: Fate) -> u32 {
        let number = u32::try_from(self.all.len()).expect("BUG: a page with 4 G series");
        self.all.push(CachedSeries { text: text.into(), fate, seen: 0, next: u32::MAX });
        let (all, hasher) = (&self.all, &self.hasher);
        let hash = |number: &u32| hasher.hash_one(&*all[*number as usize].text);
        self.by_text.insert_unique(hash(&number), number, hash);
        number
    }

    /// Forgets the series from number `length` on.
    pub(super) fn truncate(&mut self, length: usize) {
        while self.all.len() > length {
            let number = self.all.len() as u32 - 1;
            let hash = self.hasher.hash_one(&*self.get(number).text);
            if let Ok(entry) = self.by_text.find_entry(hash, |other| *other == number) {
                entry.remove();
            }
            self.all.pop();
        }
    }

    /// Keeps the series that were on page `page`, under new numbers.
    pub(super) fn retain_seen(&mut self, page: u64) {
        let old = std::mem::take(self);
        for series in old.all.into_iter().filter(|series| series.seen == page) {
            let number = self.add(&series.text, series.fate);
            self.get_mut(number).seen = page;
        }
    }

    /// Follows the columns to their new places; one that has none is to be registered again.
    pub(super) fn move_columns(&mut self, place: impl Fn(u32) -> Option<u32>) {
        for series in &mut self.all {
            if let Fate::Column(old) = series.fate {
                series.fate = place(old).map_or(Fate::Undecided, Fate::Column);
            }
        }
    }
}
