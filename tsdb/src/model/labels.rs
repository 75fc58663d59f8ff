//! Label sets: what identifies a series.
//!
//! A [`Labels`] is sorted by name (byte-wise), has no name twice and no empty value, by
//! construction. It is immutable and cheap to clone (one reference count): all texts stand in one
//! string, their ends in one list. A set without the first labels of another (the metric's name
//! comes first nearly always) shares that one's texts. Build and change it through
//! [`LabelsBuilder`].

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use twox_hash::XxHash64;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds a classic histogram bucket's upper bound.
pub const BUCKET_LABEL: &str = "le";

/// A sorted set of `name = value` pairs without empty values.
#[derive(Clone)]
pub struct Labels {
    texts: Arc<Texts>,
    /// Texts before this one belong to labels that are not in the set; even.
    first: u32,
}

struct Texts {
    /// Name, value, name, value, … one after another.
    text: Box<str>,
    /// Where each of them ends in `text`, in bytes.
    ends: Box<[u32]>,
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
        let is_set = pairs.is_sorted_by(|(a, _), (b, _)| a < b)
            && pairs.iter().all(|(_, value)| !value.is_empty());
        match is_set {
            true => Self::from_sorted(pairs.iter().copied()),
            false => Self::from_pairs(pairs.iter().copied()),
        }
    }

    #[expect(clippy::expect_used, reason = "whatever brings labels is shorter than 4 GiB")]
    fn from_sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let sizes = pairs.clone().map(|(name, value)| name.len() + value.len());
        let (count, bytes) = sizes.fold((0, 0), |(count, sum), own| (count + 1, sum + own));
        let mut text = String::with_capacity(bytes);
        let mut ends = Vec::with_capacity(2 * count);
        for part in pairs.flat_map(|(name, value)| [name, value]) {
            text.push_str(part);
            ends.push(u32::try_from(text.len()).expect("BUG: a label set of 4 GiB"));
        }
        Self { texts: Arc::new(Texts { text: text.into(), ends: ends.into() }), first: 0 }
    }

    /// Where each text of the set ends.
    fn ends(&self) -> &[u32] {
        self.texts.ends.get(self.first as usize..).unwrap_or_default()
    }

    /// Where the first text of the set begins.
    fn start(&self) -> u32 {
        let before = self.first.checked_sub(1);
        before.and_then(|before| self.texts.ends.get(before as usize)).map_or(0, |end| *end)
    }

    /// All texts of the set, one after another.
    fn text(&self) -> &str {
        self.texts.text.get(self.start() as usize..).unwrap_or_default()
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.ends().len() / 2
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.ends().is_empty()
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone + '_ {
        let (text, mut start) = (&*self.texts.text, self.start() as usize);
        self.ends().as_chunks().0.iter().map(move |[name, value]| {
            let (name, value) = (*name as usize, *value as usize);
            let pair = (&text[start..name], &text[name..value]);
            start = value;
            pair
        })
    }

    /// The value of `name`, if the set has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// The metric's name, if the set has one.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelsBuilder {
        let pairs = self.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        LabelsBuilder { pairs: pairs.collect() }
    }

    /// The labels for which `keep(name)` holds, which is asked more than once.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let leading = self.iter().take_while(|(name, _)| !keep(name)).count();
        if self.iter().skip(leading).all(|(name, _)| keep(name)) {
            return Self { texts: self.texts.clone(), first: self.first + 2 * leading as u32 };
        }
        Self::from_sorted(self.iter().filter(|(name, _)| keep(name)))
    }

    /// The texts of the labels that [`Labels::filtered`] took away at the front, if the rest is
    /// shared. Sets that were different and lost the same texts still are.
    pub fn hidden_text(&self) -> &str {
        self.texts.text.get(..self.start() as usize).unwrap_or_default()
    }

    /// The set without the metric's name.
    pub fn without_metric_name(&self) -> Self {
        self.filtered(|name| name != METRIC_NAME)
    }

    /// 64-bit hash, equal to that of Prometheus's default label encoding: xxHash64, seed 0, over
    /// each name and value with its length before it (one byte, or 0xff and three bytes little
    /// endian from 255 on), sorted by name. `limit_ratio` picks series by it.
    pub fn hash64(&self) -> u64 {
        let mut encoded = Vec::with_capacity(self.text().len() + 2 * self.ends().len());
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

impl Labels {
    fn is_shared(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.texts, &other.texts) && self.first == other.first
    }

    /// How many texts end at the same places in both, from the first one on.
    fn same_ends(&self, other: &Self) -> usize {
        let (own, its) = (self.start(), other.start());
        let both = self.ends().iter().zip(other.ends());
        both.take_while(|(a, b)| *a - own == *b - its).count()
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        let is_equal = || {
            self.ends().len() == other.ends().len()
                && self.text() == other.text()
                && self.same_ends(other) == self.ends().len()
        };
        self.is_shared(other) || is_equal()
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let start = self.start();
        // Where the texts end, as one number: an odd factor keeps what each of them adds.
        let mix = |sum: u64, end: &u32| (sum ^ u64::from(end - start)).wrapping_mul(MIX);
        state.write_u64(self.ends().iter().fold(0, mix));
        state.write(self.text().as_bytes());
    }
}

/// An odd number with bits all over: the golden ratio's.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Ord for Labels {
    /// Pairwise: names, then values, byte by byte; a prefix comes first (Prometheus's order).
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_shared(other) {
            return Ordering::Equal;
        }
        let same = self.same_ends(other);
        let end = |set: &Self, index: usize| {
            set.ends().get(index).map(|end| (*end - set.start()) as usize)
        };
        // Up to here a difference lies within one text of both, ...
        let border = same.checked_sub(1).and_then(|last| end(self, last)).unwrap_or(0);
        let (own, own_rest) = self.text().as_bytes().split_at(border);
        let (its, its_rest) = other.text().as_bytes().split_at(border);
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

/// Whether `name` needs no quotes as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether `name` needs no quotes as a metric name: as a label name, with colons allowed.
pub fn is_legacy_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Displays a text in double quotes with Go's escapes (`\n`, `\"`, `\x7f`, `\u00ad` …).
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{7}' => f.write_str("\\a")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\u{b}' => f.write_str("\\v")?,
                c if c < ' ' || c == '\u{7f}' => write!(f, "\\x{:02x}", c as u32)?,
                c if is_printable(c) => write!(f, "{c}")?,
                c if (c as u32) < 0x1_0000 => write!(f, "\\u{:04x}", c as u32)?,
                c => write!(f, "\\U{:08x}", c as u32)?,
            }
        }
        f.write_str("\"")
    }
}

/// Approximates Go's `unicode.IsPrint`: no controls, no spaces but ASCII's, no private use.
fn is_printable(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace() || c == '\u{ad}' || c == '\u{feff}')
}

/// Changes a label set pair by pair, then makes it a [`Labels`].
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    /// Sorted by name, each name once, no empty values.
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// A builder without labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name` to `value`; an empty value removes the label.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        match self.pairs.binary_search_by(|(own, _)| own.as_str().cmp(&name)) {
            Ok(at) if value.is_empty() => drop(self.pairs.remove(at)),
            Ok(at) => {
                if let Some((_, own)) = self.pairs.get_mut(at) {
                    *own = value;
                }
            }
            Err(_) if value.is_empty() => {}
            Err(at) => self.pairs.insert(at, (name, value)),
        }
        self
    }

    /// Removes `name` if it is there.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.pairs.retain(|(own, _)| own != name);
        self
    }

    /// The value of `name`, if set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
        self.pairs.get(at).map(|(_, value)| value.as_str())
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone + '_ {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The finished set.
    pub fn build(&self) -> Labels {
        Labels::from_sorted(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_set_is_sorted_unique_and_without_empty_values() {
        let labels = Labels::from_pairs([("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
    }

    #[test]
    fn texts_are_sorted_if_they_are_not() {
        for pairs in [
            vec![("a", "1"), ("b", "2")],
            vec![("b", "2"), ("a", "1")],
            vec![("a", "0"), ("a", "1"), ("b", "2"), ("c", "")],
        ] {
            assert_eq!(Labels::from_texts(&pairs).to_string(), r#"{a="1", b="2"}"#);
        }
    }

    #[test]
    fn order_is_pairwise() {
        let rows = [
            (vec![], vec![("a", "1")]),
            (vec![("a", "1")], vec![("a", "1"), ("b", "1")]),
            (vec![("a", "1"), ("b", "9")], vec![("a", "2")]),
            (vec![("a", "2")], vec![("aa", "1")]),
        ];
        for (less, more) in rows {
            assert!(Labels::from_pairs(less.clone()) < Labels::from_pairs(more.clone()));
        }
    }

    fn any_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
        let name = prop::sample::select(vec!["__name__", "A", "a", "ab", "b"]);
        let value = prop::sample::select(vec![
            "",
            "x",
            "xy",
            "y",
            "a\0b",
            "0123456789abcdefXghi",
            "0123456789abcdefYghi",
        ]);
        let pair = (name, value).prop_map(|(name, value)| (name.to_owned(), value.to_owned()));
        prop::collection::vec(pair, 0..5)
    }

    proptest! {
        /// A set that shares another one's texts is a set like any other.
        #[test]
        fn sets_compare_as_their_pairs(a in any_pairs(), b in any_pairs(), without in 0..3_usize) {
            let drop = |name: &str| ["", "__name__", "A"][without] != name;
            let kept = |pairs: &[(String, String)]| {
                let kept = pairs.iter().filter(|(name, _)| drop(name)).cloned();
                Labels::from_pairs(kept.collect::<Vec<_>>())
            };
            let hash = |labels: &Labels| {
                let mut state = std::hash::DefaultHasher::new();
                labels.hash(&mut state);
                state.finish()
            };
            let (whole, other) = (Labels::from_pairs(a.clone()), kept(&b));
            let own = whole.filtered(drop);
            prop_assert_eq!(&own, &kept(&a));
            prop_assert_eq!(hash(&own), hash(&kept(&a)));
            prop_assert_eq!(own.hash64(), kept(&a).hash64());
            prop_assert_eq!(own.to_string(), kept(&a).to_string());
            prop_assert_eq!(own.len(), own.iter().count());
            for set in [&whole, &own] {
                prop_assert_eq!(set.cmp(&other), set.iter().cmp(other.iter()));
                prop_assert_eq!(set == &other, set.iter().eq(other.iter()));
            }
        }
    }

    #[test]
    fn display_quotes_as_go() {
        let rows = [
            (vec![], "{}"),
            (vec![("__name__", "up"), ("job", "a\"b\\\n")], r#"{__name__="up", job="a\"b\\\n"}"#),
            (vec![("a.b", "\u{7f}ü\u{ad}")], r#"{"a.b"="\x7fü\u00ad"}"#),
        ];
        for (pairs, text) in rows {
            assert_eq!(Labels::from_pairs(pairs).to_string(), text);
        }
    }

    #[test]
    fn hash_is_that_of_the_length_prefixed_encoding() {
        let labels = Labels::from_pairs([("a", "x".repeat(300))]);
        let mut encoded = vec![1, b'a', 255, 44, 1, 0];
        encoded.extend_from_slice("x".repeat(300).as_bytes());
        assert_eq!(labels.hash64(), XxHash64::oneshot(0, &encoded));
        assert_eq!(Labels::empty().hash64(), 0xef46_db37_51d8_e999);
    }
}
