//! Fewer, wider buckets: each step down joins two neighbours.

use super::buckets::entries;
use super::{CUSTOM_BUCKETS_SCHEMA, Histogram, Incompatible};
use crate::model::kahan::KahanSum;

/// The bucket of schema `to` that bucket `index` of the finer schema `from` lies in.
pub(super) fn coarser_index(index: i32, from: i32, to: i32) -> i32 {
    let steps = from.saturating_sub(to).clamp(0, 62);
    (((i64::from(index) - 1) >> steps) + 1) as i32
}

/// The buckets of schema `from` as those of `to`; counts that fall together are added.
pub(super) fn coarser(
    entries: impl Iterator<Item = (i32, KahanSum)>,
    from: i32,
    to: i32,
) -> Vec<(i32, KahanSum)> {
    let mut coarse: Vec<(i32, KahanSum)> = Vec::with_capacity(entries.size_hint().0);
    for (index, count) in entries {
        let index = coarser_index(index, from, to);
        match coarse.last_mut() {
            Some((last, sum)) if *last == index => *sum = sum.merge(count),
            _ => coarse.push((index, count)),
        }
    }
    coarse
}

impl Histogram {
    /// Makes it one of the coarser schema `schema`. Nothing happens if it is that or coarser
    /// already. Fails if one of the two has custom buckets.
    pub fn reduce_resolution(&mut self, schema: i32) -> Result<(), Incompatible> {
        if self.has_custom_buckets() || schema == CUSTOM_BUCKETS_SCHEMA {
            return Err(Incompatible);
        }
        if schema >= self.schema {
            return Ok(());
        }
        for (spans, counts) in [
            (&mut self.positive_spans, &mut self.positive_buckets),
            (&mut self.negative_spans, &mut self.negative_buckets),
        ] {
            let fine = entries(spans, counts).map(|(index, count)| (index, KahanSum::new(count)));
            let coarse = coarser(fine, self.schema, schema);
            *spans = super::buckets::spans(coarse.iter().map(|(index, _)| *index));
            *counts = coarse.iter().map(|(_, count)| count.sum).collect();
        }
        self.schema = schema;
        Ok(())
    }
}
