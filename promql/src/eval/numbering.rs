//! Numbers for label sets that are parts of others: groups, the histogram of a bucket.
//!
//! A part is made once, for the first set that has it; for all others its pairs are hashed and
//! compared where they stand.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};
use tsdb::model::Labels;

/// Parts of label sets, numbered as they come.
#[derive(Default)]
pub(crate) struct Numbering {
    hasher: DefaultHashBuilder,
    numbers: HashTable<usize>,
    parts: Vec<Labels>,
}

impl Numbering {
    /// The number of the part of `labels` whose names are to be kept.
    pub(crate) fn number(&mut self, labels: &Labels, keep: impl Fn(&str) -> bool) -> usize {
        let Self { hasher, numbers, parts } = self;
        let own = || labels.iter().filter(|(name, _)| keep(name));
        let hash = pairs_hash(hasher, own());
        if let Some(number) = numbers.find(hash, |number| parts[*number].iter().eq(own())) {
            return *number;
        }
        parts.push(labels.filtered(&keep));
        let number = parts.len() - 1;
        numbers.insert_unique(hash, number, |other| pairs_hash(hasher, parts[*other].iter()));
        number
    }

    /// The number of a part, if it has one.
    pub(crate) fn find(&self, part: &Labels) -> Option<usize> {
        let hash = pairs_hash(&self.hasher, part.iter());
        self.numbers.find(hash, |number| self.parts[*number] == *part).copied()
    }

    /// The parts in the order of their numbers.
    pub(crate) fn into_parts(self) -> Vec<Labels> {
        self.parts
    }
}

fn pairs_hash<'a>(
    hasher: &DefaultHashBuilder,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> u64 {
    let mut state = hasher.build_hasher();
    pairs.for_each(|pair| pair.hash(&mut state));
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_have_one_number() {
        let mut numbering = Numbering::default();
        let sets = [
            ([("a", "1"), ("b", "1")], 0),
            ([("a", "1"), ("b", "2")], 0),
            ([("a", "2"), ("b", "1")], 1),
            ([("c", "2"), ("b", "1")], 2),
            ([("a", "2"), ("b", "3")], 1),
        ];
        for (pairs, expected) in sets {
            let labels = Labels::from_pairs(pairs);
            assert_eq!(numbering.number(&labels, |name| name != "b"), expected, "{labels}");
        }
        assert_eq!(numbering.find(&Labels::from_pairs([("a", "2")])), Some(1));
        assert_eq!(numbering.find(&Labels::empty()), None);
        let parts: Vec<_> = numbering.into_parts().iter().map(ToString::to_string).collect();
        assert_eq!(parts, [r#"{a="1"}"#, r#"{a="2"}"#, r#"{c="2"}"#]);
    }
}
