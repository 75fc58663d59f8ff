//! Texts and label pairs.
//!
//! A text is its length and its UTF-8 bytes; pairs are their number, then name and value of each.

use super::varint::{Input, Malformed, put_varint};
use crate::model::Labels;

/// Longest label set, as [`pairs_bytes`] counts it.
pub(crate) const LABELS_BYTES_MAX: usize = 512 << 10;

/// What the pairs of a label set take at most when they are written.
pub(crate) fn pairs_bytes(labels: &Labels) -> usize {
    // A length of up to four bytes before each text.
    labels.iter().map(|(name, value)| name.len() + value.len() + 8).sum::<usize>() + 4
}

/// Writes a text.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads a text.
pub(crate) fn text<'a>(input: &mut Input<'a>) -> Result<&'a str, Malformed> {
    let length = input.count()?;
    std::str::from_utf8(input.take(length)?).map_err(|_| Malformed("UTF-8"))
}

/// Writes pairs, empty values included.
pub(crate) fn put_pairs<'a>(
    out: &mut Vec<u8>,
    pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
) {
    put_varint(out, pairs.len() as u64);
    for (name, value) in pairs {
        put_text(out, name);
        put_text(out, value);
    }
}

/// Reads pairs.
pub(crate) fn pairs(input: &mut Input<'_>) -> Result<Vec<(String, String)>, Malformed> {
    let count = input.count()?;
    (0..count).map(|_| Ok((text(input)?.to_owned(), text(input)?.to_owned()))).collect()
}

/// Reads pairs as a label set.
pub(crate) fn labels(input: &mut Input<'_>) -> Result<Labels, Malformed> {
    Ok(Labels::from_pairs(pairs(input)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(written in prop::collection::vec((".{0,9}", ".{0,9}"), 0..5)) {
            let mut out = Vec::new();
            put_pairs(&mut out, written.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            let mut input = Input(&out);
            prop_assert_eq!(pairs(&mut input), Ok(written));
            prop_assert!(input.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = pairs(&mut Input(&bytes));
        }
    }
}
