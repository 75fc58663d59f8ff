//! Label sets: what identifies a series.
//!
//! A [`Labels`] is sorted by name (byte-wise), has no name twice and no empty value, by
//! construction. It is immutable and cheap to clone. Build and change it through
//! [`LabelsBuilder`].
//!
//! In memory it is one or two lists of texts that others may have, too: a series of a target is
//! what the target is (which all its series share) and what it is itself (which the same series of
//! all targets share), see `Labels::joined`; a bit for each label says from which list it comes.
//! And a set without the first labels of another (the metric's name comes first nearly always) has
//! that one's lists. What a set is does not depend on how it is held.

mod builder;
mod quoted;
#[cfg(test)]
mod tests;
mod texts;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use twox_hash::XxHash64;

pub use builder::LabelsBuilder;
pub use quoted::{Quoted, is_legacy_metric_name, is_legacy_name};
pub(crate) use texts::pair_hash;
use texts::{Part, Texts};

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds a classic histogram bucket's upper bound.
pub const BUCKET_LABEL: &str = "le";

/// Labels of a set that is held as two lists, at most.
const JOINED_MAX: usize = u32::BITS as usize;

/// A sorted set of `name = value` pairs without empty values.
#[derive(Clone)]
pub struct Labels {
    own: Arc<Texts>,
    /// The other list.
    target: Option<Arc<Texts>>,
    /// For each label, the hidden ones included, whether it comes from `target`; the first one has
    /// the lowest bit.
    from_target: u32,
    /// So many labels at the front are not in the set.
    hidden: u32,
}

impl Labels {
    /// The set without labels.
    pub fn empty() -> Self {
        Self::from_sorted(std::iter::empty())
    }

    /// Builds a set from pairs in any order. Empty values are left out; of a name that comes
    /// twice the last one stays.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut builder = LabelsBuilder::new();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder.build()
    }

    /// As [`Labels::from_pairs`], without a copy of each text if the pairs are sorted already, each
    /// name is there once and no value is empty.
    pub(crate) fn from_texts(pairs: &[(&str, &str)]) -> Self {
        match is_set(pairs.iter().copied()) {
            true => Self::from_sorted(pairs.iter().copied()),
            false => Self::from_pairs(pairs.iter().copied()),
        }
    }

    fn from_sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        Self { own: Arc::new(Texts::new(pairs)), target: None, from_target: 0, hidden: 0 }
    }

    /// The labels of `own`, and of `target` those with other names. It holds what the two hold, if
    /// they have no name in common and each is held in one piece.
    pub(crate) fn joined(target: &Self, own: &Self) -> Self {
        let is_whole = |part: &Self| part.target.is_none() && part.hidden == 0;
        if is_whole(target)
            && is_whole(own)
            && let Some(from_target) = interleaved(target, own)
        {
            let target = Some(target.own.clone());
            return Self { own: own.own.clone(), target, from_target, hidden: 0 };
        }
        let mut builder = target.to_builder();
        for (name, value) in own.iter() {
            builder.set(name, value);
        }
        builder.build()
    }

    /// The same set, held in one piece that nothing is hidden of.
    pub(crate) fn in_one_piece(&self) -> Self {
        match self.target.is_none() && self.hidden == 0 {
            true => self.clone(),
            false => Self::from_sorted(self.iter()),
        }
    }

    /// Whether no other set holds its own list.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.own) == 1
    }

    /// How many of the hidden labels come from either list.
    fn hidden_parts(&self) -> (usize, usize) {
        let hidden = self.hidden as usize;
        let lowest = 1_u32.checked_shl(self.hidden).map_or(u32::MAX, |bit| bit - 1);
        let of_target = (self.from_target & lowest).count_ones() as usize;
        (hidden - of_target, of_target)
    }

    /// What is not hidden of both lists.
    fn parts(&self) -> (Part<'_>, Part<'_>) {
        let (of_own, of_target) = self.hidden_parts();
        let target = self.target.as_ref().map(|target| target.from(of_target));
        (self.own.from(of_own), target.unwrap_or_default())
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        let target = self.target.as_ref().map_or(0, |target| target.len());
        self.own.len() + target - self.hidden as usize
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> Pairs<'_> {
        let (own, target) = self.parts();
        let from_target = self.from_target.checked_shr(self.hidden).unwrap_or(0);
        Pairs { own, target, from_target }
    }

    /// The same with the hidden ones.
    fn whole(&self) -> Pairs<'_> {
        let target = self.target.as_ref().map(|target| target.from(0)).unwrap_or_default();
        Pairs { own: self.own.from(0), target, from_target: self.from_target }
    }

    /// The value of `name`, if the set has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (own, target) = self.parts();
        own.get(name).or_else(|| target.get(name))
    }

    /// The labels that the set has beside those of `target`, if it was joined from both.
    pub(crate) fn beside(&self, target: &Self) -> Option<Pairs<'_>> {
        let is_joined = self.target.as_ref().is_some_and(|list| Arc::ptr_eq(list, &target.own));
        let is_whole = self.hidden == 0 && target.target.is_none() && target.hidden == 0;
        let (own, target) = (self.own.from(0), Part::default());
        (is_joined && is_whole).then_some(Pairs { own, target, from_target: 0 })
    }

    /// The metric's name, if the set has one.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder::from_sorted(self.iter())
    }

    /// The labels for which `keep(name)` holds, which is asked more than once.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let leading = self.iter().take_while(|(name, _)| !keep(name)).count();
        if self.iter().skip(leading).all(|(name, _)| keep(name)) {
            let hidden = self.hidden + leading as u32;
            let rest = Self { hidden, ..self.clone() };
            if let (_, 0) | (0, _) = rest.hidden_parts() {
                return rest;
            }
        }
        Self::from_sorted(self.iter().filter(|(name, _)| keep(name)))
    }

    /// The texts of the labels that [`Labels::filtered`] took away at the front, if the rest is
    /// shared. Sets that were different and lost the same texts still are.
    pub fn hidden_text(&self) -> &str {
        match (self.hidden_parts(), &self.target) {
            ((0, of_target), Some(target)) => target.until(of_target),
            ((of_own, _), _) => self.own.until(of_own),
        }
    }

    /// The set without the metric's name.
    pub fn without_metric_name(&self) -> Self {
        self.filtered(|name| name != METRIC_NAME)
    }

    /// The sum, modulo 2^64, of the hashes of all pairs (`pair_hash`): known of two halves, it is
    /// known of the whole. It is another one in each process.
    pub(crate) fn pairs_hash(&self) -> u64 {
        let all = self.own.hash.wrapping_add(self.target.as_ref().map_or(0, |target| target.hash));
        if self.hidden == 0 {
            return all;
        }
        let hidden = self.whole().take(self.hidden as usize);
        hidden.fold(all, |sum, (name, value)| sum.wrapping_sub(pair_hash(name, value)))
    }

    /// 64-bit hash, equal to that of Prometheus's default label encoding: xxHash64, seed 0, over
    /// each name and value with its length before it (one byte, or 0xff and three bytes little
    /// endian from 255 on), sorted by name. `limit_ratio` picks series by it.
    pub fn hash64(&self) -> u64 {
        let mut encoded = Vec::with_capacity(256);
        for part in self.iter().flat_map(|(name, value)| [name, value]) {
            match u8::try_from(part.len()) {
                Ok(short) if short < 255 => encoded.push(short),
                _ => {
                    encoded.push(255);
                    encoded.extend_from_slice(&(part.len() as u32).to_le_bytes()[..3]);
                }
            }
            encoded.extend_from_slice(part.as_bytes());
        }
        XxHash64::oneshot(0, &encoded)
    }
}

/// Whether pairs are sorted, each name is there once and no value is empty.
pub(crate) fn is_set<'a>(mut pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> bool {
    pairs.clone().is_sorted_by(|(a, _), (b, _)| a < b) && pairs.all(|(_, value)| !value.is_empty())
}

/// Of all labels of both in order, which come from `target`; `None` if they have a name in common
/// or are too many.
fn interleaved(target: &Labels, own: &Labels) -> Option<u32> {
    if target.len() + own.len() > JOINED_MAX {
        return None;
    }
    let mut own = own.iter().map(|(name, _)| name).peekable();
    let (mut from_target, mut at) = (0, 0);
    for (name, _) in target.iter() {
        while own.next_if(|own| *own < name).is_some() {
            at += 1;
        }
        if own.peek() == Some(&name) {
            return None;
        }
        from_target |= 1 << at;
        at += 1;
    }
    Some(from_target)
}

/// The pairs of a set in order of their names.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    own: Part<'a>,
    target: Part<'a>,
    from_target: u32,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.from_target == 0 {
            return self.own.next();
        }
        let is_of_target = self.from_target & 1 == 1;
        self.from_target >>= 1;
        if is_of_target { self.target.next() } else { self.own.next() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.own.len() + self.target.len();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

impl Labels {
    /// Whether labels come from the same lists in the same order.
    fn is_laid_out_as(&self, other: &Self) -> bool {
        self.from_target == other.from_target && self.hidden == other.hidden
    }

    fn has_target_of(&self, other: &Self) -> bool {
        match (&self.target, &other.target) {
            (None, None) => true,
            (Some(own), Some(its)) => Arc::ptr_eq(own, its),
            _ => false,
        }
    }

    fn is_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.own, &other.own)
            && self.is_laid_out_as(other)
            && self.has_target_of(other)
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.is_the_same(other)
            || (self.len() == other.len()
                && self.pairs_hash() == other.pairs_hash()
                && match (&self.target, &other.target) {
                    (None, None) => self.parts().0.is_equal(&other.parts().0),
                    _ => self.iter().eq(other.iter()),
                })
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.pairs_hash());
    }
}

impl Ord for Labels {
    /// Pairwise: names, then values, byte by byte; a prefix comes first (Prometheus's order).
    fn cmp(&self, other: &Self) -> Ordering {
        let ((own, target), (its_own, its_target)) = (self.parts(), other.parts());
        // Labels that are the same ones, at the same places, make no difference.
        if self.is_laid_out_as(other) {
            let has_own_of = Arc::ptr_eq(&self.own, &other.own);
            match (has_own_of, self.has_target_of(other)) {
                (true, true) => return Ordering::Equal,
                (true, false) => return target.order(&its_target),
                (false, true) => return own.order(&its_own),
                (false, false) => {}
            }
        }
        if self.target.is_none() && other.target.is_none() {
            return own.order(&its_own);
        }
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Display for Labels {
    /// `{__name__="up", job="vllm"}`, with values quoted as Go quotes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            if is_legacy_name(name) {
                write!(f, "{separator}{name}={}", Quoted(value))?;
            } else {
                write!(f, "{separator}{}={}", Quoted(name), Quoted(value))?;
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
