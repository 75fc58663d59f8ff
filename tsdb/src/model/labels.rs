//! Label sets: what identifies a series.
//!
//! A [`Labels`] is sorted by name (byte-wise), has no name twice and no empty value, by
//! construction. It is immutable and cheap to clone (one reference count): all texts stand in one
//! string, their ends in one list. Build and change it through [`LabelsBuilder`].

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
pub struct Labels(Arc<Texts>);

#[derive(PartialEq, Eq)]
struct Texts {
    /// Name, value, name, value, … one after another.
    text: Box<str>,
    /// Where each of them ends in `text`, in bytes; its length is twice the number of labels.
    ends: Box<[u32]>,
}

impl Labels {
    /// The set without labels.
    pub fn empty() -> Self {
        Self::from_sorted(&[])
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

    fn from_sorted(pairs: &[(String, String)]) -> Self {
        let bytes = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut text = String::with_capacity(bytes);
        let mut ends = Vec::with_capacity(pairs.len() * 2);
        for (name, value) in pairs {
            for part in [name, value] {
                text.push_str(part);
                ends.push(u32::try_from(text.len()).expect("BUG: a label set of 4 GiB"));
            }
        }
        Self(Arc::new(Texts { text: text.into(), ends: ends.into() }))
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.ends.len() / 2
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.ends.is_empty()
    }

    fn part(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.0.ends[index - 1] as usize };
        &self.0.text[start..self.0.ends[index] as usize]
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + '_ {
        (0..self.len()).map(|label| (self.part(2 * label), self.part(2 * label + 1)))
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

    /// The labels for which `keep(name)` holds.
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let kept = self.iter().filter(|(name, _)| keep(name));
        let kept: Vec<_> = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if kept.len() == self.len() { self.clone() } else { Self::from_sorted(&kept) }
    }

    /// The set without the metric's name.
    pub fn without_metric_name(&self) -> Self {
        self.filtered(|name| name != METRIC_NAME)
    }

    /// 64-bit hash, equal to that of Prometheus's default label encoding: xxHash64, seed 0, over
    /// each name and value with its length before it (one byte, or 0xff and three bytes little
    /// endian from 255 on), sorted by name. `limit_ratio` picks series by it.
    pub fn hash64(&self) -> u64 {
        let mut encoded = Vec::with_capacity(self.0.text.len() + 2 * self.0.ends.len());
        for index in 0..self.0.ends.len() {
            let part = self.part(index);
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

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
        self.0.ends.hash(state);
    }
}

impl Ord for Labels {
    /// Pairwise: names, then values, byte by byte; a prefix comes first (Prometheus's order).
    fn cmp(&self, other: &Self) -> Ordering {
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
            Ok(at) => self.pairs[at].1 = value,
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
        Some(&self.pairs[at].1)
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + '_ {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The finished set.
    pub fn build(&self) -> Labels {
        Labels::from_sorted(&self.pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_unique_and_without_empty_values() {
        let labels = Labels::from_pairs([("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
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
