//! Own labels of columns: what many targets say alike is held once.

use hashbrown::HashTable;

use crate::model::Labels;
use crate::model::labels::{is_set, pair_hash};

/// Sets of own labels.
#[derive(Debug, Default)]
pub(super) struct Owns {
    sets: HashTable<Labels>,
}

impl Owns {
    /// The set of these pairs, which a column has beside its target's labels; `None` if they are
    /// no set as they stand.
    pub(super) fn of(&mut self, pairs: &[(String, String)]) -> Option<&Labels> {
        let texts = || pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if !is_set(texts()) {
            return None;
        }
        let hash =
            texts().fold(0_u64, |sum, (name, value)| sum.wrapping_add(pair_hash(name, value)));
        let is_pair =
            |(own, (name, value)): ((&str, &str), &(String, String))| own == (name, value);
        let is_it = |own: &Labels| own.len() == pairs.len() && own.iter().zip(pairs).all(is_pair);
        let entry = self.sets.entry(hash, is_it, Labels::pairs_hash);
        Some(entry.or_insert_with(|| Labels::from_texts(&texts().collect::<Vec<_>>())).into_mut())
    }

    /// Lets go what no series has.
    pub(super) fn let_go(&mut self) {
        self.sets.retain(|own| !own.is_alone());
    }
}
