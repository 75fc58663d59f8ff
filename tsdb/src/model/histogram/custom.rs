//! Custom bounds that differ: those are left that both histograms have.

use super::Histogram;
use super::buckets::entries;
use crate::model::kahan::KahanSum;

/// The bounds that both lists have; both rise.
pub(super) fn intersect(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut common = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        if x == y {
            common.push(**x);
            a.next();
            b.next();
        } else if x < y {
            a.next();
        } else {
            b.next();
        }
    }
    common
}

/// Adds buckets with `bounds`, times `sign`, to the buckets of fewer `common` bounds that they lie
/// in; `counts` has one more bucket than `common` has bounds.
pub(super) fn regroup(
    entries: &[(i32, KahanSum)],
    bounds: &[f64],
    common: &[f64],
    counts: &mut [KahanSum],
    sign: f64,
) {
    let mut target = 0;
    for (index, count) in entries {
        let bound = usize::try_from(*index).ok().and_then(|index| bounds.get(index));
        while bound.is_none_or(|bound| common.get(target).is_some_and(|common| common < bound))
            && target < common.len()
        {
            target += 1;
        }
        if let Some(sum) = counts.get_mut(target) {
            *sum = sum.merge(count.map(|part| sign * part));
        }
    }
}

impl Histogram {
    /// Whether a bucket between two bounds that both histograms have holds less than before. Both
    /// have custom buckets.
    pub(super) fn custom_bucket_fell(&self, previous: &Self) -> bool {
        let common = intersect(&self.custom_values, &previous.custom_values);
        let counts = |histogram: &Self| {
            let mut counts = vec![KahanSum::default(); common.len() + 1];
            let entries: Vec<_> = entries(&histogram.positive_spans, &histogram.positive_buckets)
                .map(|(index, count)| (index, KahanSum::new(count)))
                .collect();
            regroup(&entries, &histogram.custom_values, &common, &mut counts, 1.0);
            counts
        };
        counts(self).iter().zip(counts(previous)).any(|(now, before)| now.sum < before.sum)
    }
}
