//! Bytes as a sequence of decisions.
//!
//! Invariant: bytes that are used up go on as zeros, so a script has an end and a shorter one does
//! less.

use std::sync::Arc;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::model::Histogram;
use crate::model::histogram::Span;

/// What is left of a script.
pub(super) struct Script<'a>(pub(super) &'a [u8]);

impl Script<'_> {
    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number up to 255.
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Any 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// The value after `before` in a column of some kind: constant, counter, decimals, any float,
    /// histogram, or with gaps.
    pub(super) fn cell(&mut self, kind: usize, before: f64) -> StoredCell {
        let step = self.byte();
        let float = match kind {
            0 => before,
            1 => before + f64::from(step % 4),
            2 => f64::from(step) / 100.0,
            3 => f64::from_bits(self.bits()),
            4 => return with_start(Stored::Histogram(Arc::new(self.histogram(step))), NO_START),
            _ => match step % 8 {
                0 => return StoredCell::ABSENT,
                1 => return with_start(Stored::Stale, i64::from(step)),
                2 => -0.0,
                3 => f64::from_bits(0x7ff8_0000_0000_0000 | u64::from(step)),
                own => before + f64::from(own),
            },
        };
        let is_stale = crate::model::is_stale(float);
        let value = if is_stale { Stored::Stale } else { Stored::Float(float) };
        with_start(value, if step == 7 { i64::from(step) } else { NO_START })
    }

    fn histogram(&mut self, step: u8) -> Histogram {
        let buckets = usize::from(step % 5);
        Histogram {
            schema: i32::from(step % 9) - 4,
            is_integer: true,
            count: f64::from(step),
            sum: f64::from(self.byte()),
            positive_spans: vec![Span { offset: i32::from(step), length: buckets as u32 }],
            positive_buckets: (0..buckets).map(|_| f64::from(self.byte())).collect(),
            ..Histogram::default()
        }
    }
}

fn with_start(value: Stored, start: i64) -> StoredCell {
    StoredCell { value, start }
}
