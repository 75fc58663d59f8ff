//! A hash of label sets that is a sum: known of two halves, it is known of the whole.

use twox_hash::XxHash64;

use crate::model::Labels;

/// The sum, modulo 2^64, of the hashes of all pairs.
pub(crate) fn label_hash(labels: &Labels) -> u64 {
    labels.iter().fold(0, |sum, (name, value)| sum.wrapping_add(pair_hash(name, value)))
}

/// xxHash64 of the value, seeded with that of the name; 0 for an empty value, which is no label.
pub(super) fn pair_hash(name: &str, value: &str) -> u64 {
    if value.is_empty() {
        return 0;
    }
    XxHash64::oneshot(XxHash64::oneshot(0, name.as_bytes()), value.as_bytes())
}
