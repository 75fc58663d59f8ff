//! The texts of some labels, one after another, and views of them.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

/// What hashes of pairs begin with: another one in each process, so that nobody can choose names
/// and values whose hashes are equal.
static KEY: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// Names and values of labels, sorted by name.
#[derive(Debug)]
pub(super) struct Texts {
    /// Name, value, name, value, …
    text: Box<str>,
    /// Where each of them ends in `text`, in bytes.
    ends: Box<[u32]>,
    /// The sum of the hashes of all pairs.
    pub(super) hash: u64,
}

/// Hash of one label; 0 for an empty value, which is no label.
pub(crate) fn pair_hash(name: &str, value: &str) -> u64 {
    if value.is_empty() { 0 } else { KEY.hash_one((name, value)) }
}

impl Texts {
    #[expect(clippy::expect_used, reason = "whatever brings labels is shorter than 4 GiB")]
    pub(super) fn new<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let sizes = pairs.clone().map(|(name, value)| name.len() + value.len());
        let (count, bytes) = sizes.fold((0, 0), |(count, sum), own| (count + 1, sum + own));
        let mut text = String::with_capacity(bytes);
        let mut ends = Vec::with_capacity(2 * count);
        let mut hash = 0_u64;
        for (name, value) in pairs {
            hash = hash.wrapping_add(pair_hash(name, value));
            for part in [name, value] {
                text.push_str(part);
                ends.push(u32::try_from(text.len()).expect("BUG: a label set of 4 GiB"));
            }
        }
        Self { text: text.into(), ends: ends.into(), hash }
    }

    /// Number of labels.
    pub(super) fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// The labels behind the first `skipped` ones.
    pub(super) fn from(&self, skipped: usize) -> Part<'_> {
        let before = (2 * skipped).checked_sub(1);
        let start = before.and_then(|before| self.ends.get(before)).map_or(0, |end| *end);
        let ends = self.ends.get(2 * skipped..).unwrap_or_default();
        Part { text: self.text.get(start as usize..).unwrap_or_default(), start, ends }
    }

    /// The text of the first `count` labels.
    pub(super) fn until(&self, count: usize) -> &str {
        let end = self.from(count).start as usize;
        self.text.get(..end).unwrap_or_default()
    }
}

/// Some labels, one behind another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part<'a> {
    text: &'a str,
    /// Where it begins in the text of all.
    start: u32,
    /// Where each name and each value ends there.
    ends: &'a [u32],
}

impl<'a> Part<'a> {
    /// Number of labels.
    pub(super) fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Takes the first label.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let ([name_end, value_end], ends) = self.ends.split_first_chunk()?;
        let (name, text) = self.text.split_at_checked((name_end - self.start) as usize)?;
        let (value, text) = text.split_at_checked((value_end - name_end) as usize)?;
        *self = Self { text, start: *value_end, ends };
        Some((name, value))
    }

    /// The value of `name`, if there is one.
    pub(super) fn get(mut self, name: &str) -> Option<&'a str> {
        while let Some((own, value)) = self.next() {
            match own.cmp(name) {
                Ordering::Less => {}
                Ordering::Equal => return Some(value),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// How many texts end at the same places in both, from the first one on.
    fn same_ends(&self, other: &Self) -> usize {
        let both = self.ends.iter().zip(other.ends);
        both.take_while(|(a, b)| *a - self.start == *b - other.start).count()
    }

    /// Whether both are the same labels.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.ends.len() == other.ends.len()
            && self.text == other.text
            && self.same_ends(other) == self.ends.len()
    }

    /// Pairwise: names, then values, byte by byte; a prefix comes first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let same = self.same_ends(other);
        let end = |part: &Self, index: usize| {
            part.ends.get(index).map(|end| (*end - part.start) as usize)
        };
        // Up to here a difference lies within one text of both, ...
        let border = same.checked_sub(1).and_then(|last| end(self, last)).unwrap_or(0);
        let (own, own_rest) = self.text.as_bytes().split_at(border);
        let (its, its_rest) = other.text.as_bytes().split_at(border);
        if let Some((own, its)) = mismatch(own, its) {
            return own.cmp(&its);
        }
        // ... and from here on it is the next text, or that there is none.
        let next = end(self, same).map(|end| own_rest.split_at(end - border).0);
        next.cmp(&end(other, same).map(|end| its_rest.split_at(end - border).0))
    }
}

/// The first different bytes of two slices of equal length.
fn mismatch(a: &[u8], b: &[u8]) -> Option<(u8, u8)> {
    const AT_ONCE: usize = 16;
    let chunks = a.as_chunks::<AT_ONCE>().0.iter().zip(b.as_chunks::<AT_ONCE>().0);
    let start = AT_ONCE * chunks.take_while(|(a, b)| a == b).count();
    let mut rest = a.iter().zip(b).skip(start);
    rest.find(|(a, b)| a != b).map(|(a, b)| (*a, *b))
}
