//! Which columns of a group are neighbours in a histogram.
//!
//! A bucket's lower neighbour is the bucket with the next smaller `le` and otherwise the same
//! labels; that of a `_count` is the highest bucket. It is where a codec expects nearly the same
//! values, and no more than that: a wrong neighbour costs bytes, not bits.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::labels::METRIC_NAME;
use crate::model::{BUCKET_LABEL, Labels};
use crate::numbered::Numbered;

/// The lower neighbour of each column, of which the labels are given and what `le` says.
pub(crate) fn lower_neighbours<'a>(
    columns: impl Iterator<Item = (&'a Labels, Option<f64>)>,
) -> Vec<Option<u32>> {
    let mut histograms: HashMap<u64, Vec<(f64, u32)>> = HashMap::new();
    let mut counts = Vec::new();
    let mut lower = Vec::new();
    for (number, (labels, le)) in (0..).zip(columns) {
        lower.push(None);
        let name = labels.metric_name().unwrap_or_default();
        if let (Some(le), Some(base)) = (le, name.strip_suffix("_bucket")) {
            histograms.entry(key(base, labels)).or_default().push((le, number));
        } else if let Some(base) = name.strip_suffix("_count") {
            counts.push((key(base, labels), number));
        }
    }
    for buckets in histograms.values_mut() {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        for ((_, below), (_, number)) in buckets.iter().zip(buckets.iter().skip(1)) {
            *lower.of_mut(*number) = Some(*below);
        }
    }
    for (key, number) in counts {
        let highest = histograms.get(&key).and_then(|buckets| buckets.last());
        *lower.of_mut(number) = highest.map(|(_, bucket)| *bucket);
    }
    lower
}

/// What the buckets and the count of one histogram have in common.
fn key(base: &str, labels: &Labels) -> u64 {
    let mut hasher = DefaultHasher::new();
    base.hash(&mut hasher);
    for label in labels.iter().filter(|(name, _)| ![METRIC_NAME, BUCKET_LABEL].contains(name)) {
        label.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::number::parse_float;

    #[test]
    fn neighbours_of_columns() {
        let rows = [
            ("a_bucket", "x", "+Inf", Some(2)),
            ("a_bucket", "x", "0.5", None),
            ("a_bucket", "x", "10.0", Some(1)),
            ("a_count", "x", "", Some(0)),
            ("a_sum", "x", "", None),
            ("a_bucket", "y", "1.0", None),
            ("a_count", "z", "", None),
            ("a_bucket", "x", "many", None),
            ("b", "x", "1.0", None),
        ];
        let labels = |(name, other, le, _): &(&str, &str, &str, _)| {
            Labels::from_pairs([("__name__", *name), ("other", *other), ("le", *le)])
        };
        let labels: Vec<_> = rows.iter().map(labels).collect();
        let le = |own: &Labels| own.get(BUCKET_LABEL).and_then(parse_float);
        let lower = lower_neighbours(labels.iter().map(|own| (own, le(own))));
        assert_eq!(lower, rows.map(|row| row.3));
    }
}
