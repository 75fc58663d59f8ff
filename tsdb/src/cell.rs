//! A cell as the store keeps it: owned, and with the staleness marker as a kind of its own.
//!
//! Invariant: [`Stored::Float`] never holds the staleness marker's bits.

use std::sync::Arc;

use crate::append::{Cell, CellValue};
use crate::model::{Histogram, Timestamp, is_stale};

/// A start timestamp that is not there.
pub(crate) const NO_START: i64 = i64::MIN;

/// A cell's value, owned.
#[derive(Clone, Debug, Default)]
pub(crate) enum Stored {
    /// None.
    #[default]
    Absent,
    /// A float that is not the staleness marker.
    Float(f64),
    /// The staleness marker.
    Stale,
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl Stored {
    /// Whether both are the same, bit for bit.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) | (Self::Stale, Self::Stale) => true,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Histogram(a), Self::Histogram(b)) => is_same_histogram(a, b),
            _ => false,
        }
    }
}

/// A cell, owned.
#[derive(Clone, Debug)]
pub(crate) struct StoredCell {
    /// The value.
    pub(crate) value: Stored,
    /// The start timestamp in milliseconds, or [`NO_START`].
    pub(crate) start: i64,
}

impl StoredCell {
    /// No value.
    pub(crate) const ABSENT: Self = Self { value: Stored::Absent, start: NO_START };

    /// Whether there is no value.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.value, Stored::Absent)
    }

    /// Whether a start timestamp is known.
    pub(crate) fn has_start(&self) -> bool {
        self.start != NO_START
    }

    /// The cell as the port knows it.
    #[inline]
    pub(crate) fn as_cell(&self) -> Cell<'_> {
        let value = match &self.value {
            Stored::Absent => CellValue::Absent,
            Stored::Float(value) => CellValue::Float(*value),
            Stored::Stale => CellValue::Stale,
            Stored::Histogram(histogram) => CellValue::Histogram(histogram),
        };
        let start = (self.start != NO_START).then(|| Timestamp::from_ms(self.start));
        Cell { value, start }
    }
}

impl From<Cell<'_>> for StoredCell {
    #[inline]
    fn from(cell: Cell<'_>) -> Self {
        let value = match cell.value {
            CellValue::Absent => return Self::ABSENT,
            CellValue::Float(value) if is_stale(value) => Stored::Stale,
            CellValue::Float(value) => Stored::Float(value),
            CellValue::Stale => Stored::Stale,
            CellValue::Histogram(histogram) if is_stale(histogram.sum) => Stored::Stale,
            CellValue::Histogram(histogram) => Stored::Histogram(Arc::new(histogram.clone())),
        };
        Self { value, start: cell.start.map_or(NO_START, Timestamp::ms) }
    }
}

/// Equality that takes floats for bits.
fn is_same_histogram(a: &Histogram, b: &Histogram) -> bool {
    let layout = |h: &Histogram| (h.schema, h.is_integer, h.counter_reset_hint);
    let spans = |h: &Histogram| [h.positive_spans.clone(), h.negative_spans.clone()];
    let single = |h: &Histogram| [h.zero_threshold, h.zero_count, h.count, h.sum].map(f64::to_bits);
    let is_same_list = |a: &[f64], b: &[f64]| {
        a.iter().map(|value| value.to_bits()).eq(b.iter().map(|value| value.to_bits()))
    };
    layout(a) == layout(b)
        && single(a) == single(b)
        && spans(a) == spans(b)
        && is_same_list(&a.positive_buckets, &b.positive_buckets)
        && is_same_list(&a.negative_buckets, &b.negative_buckets)
        && is_same_list(&a.custom_values, &b.custom_values)
}
