//! Zero buckets of different widths.
//!
//! To add two histograms, the narrower zero bucket is widened to the other. Buckets that fall
//! into it are counted there; where its new border would lie inside a populated bucket, it moves
//! on to that bucket's end, and the other histogram has to follow.

use super::bounds::exponential;
use crate::model::kahan::KahanSum;

/// A zero bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zero {
    pub(super) threshold: f64,
    pub(super) count: KahanSum,
}

/// Buckets of one sign by their index.
pub(super) type Entries<'a> = &'a [(i32, KahanSum)];

impl Zero {
    /// What it would be with the larger `threshold`, or with the next larger one that lies in no
    /// populated bucket.
    pub(super) fn widened(
        self,
        threshold: f64,
        schema: i32,
        positive: Entries<'_>,
        negative: Entries<'_>,
    ) -> Self {
        let mut wide = Self { threshold, count: self.count };
        loop {
            wide.count = self.count;
            // Whatever the positive side moved the border by, the negative one starts from.
            wide.swallow(schema, positive);
            if !wide.swallow(schema, negative) {
                return wide;
            }
        }
    }

    /// Adds the buckets that begin inside; `true` if the border moved.
    fn swallow(&mut self, schema: i32, entries: Entries<'_>) -> bool {
        for (index, count) in entries {
            if exponential(index.saturating_sub(1), schema) >= self.threshold {
                return false;
            }
            self.count = self.count.merge(*count);
            let upper = exponential(*index, schema);
            if upper > self.threshold {
                let populated = count.sum != 0.0;
                if populated {
                    self.threshold = upper;
                }
                return populated;
            }
        }
        false
    }

    /// Whether the bucket with that index begins inside.
    pub(super) fn covers(&self, index: i32, schema: i32) -> bool {
        exponential(index.saturating_sub(1), schema) < self.threshold
    }
}
