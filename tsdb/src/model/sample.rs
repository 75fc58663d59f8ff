//! Samples: a value at a time, and the marker that says "this series ended here".
//!
//! Invariant: the bits of a float are data. Nothing in the store changes a NaN's payload or the
//! sign of a zero.

use std::sync::Arc;

use super::histogram::Histogram;
use super::time::Timestamp;

/// The staleness marker: the NaN with the bits `0x7ff0000000000002` (Prometheus's
/// `value.StaleNaN`). Compare with [`is_stale`], since NaN never equals itself.
pub const STALE_NAN: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The ordinary NaN that parsers produce for the text `NaN` (Prometheus's `value.NormalNaN`).
pub const NORMAL_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Whether `value` is the staleness marker, bit for bit.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN.to_bits()
}

/// What a sample holds: a float, or a native histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A float; the staleness marker counts as one.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl Value {
    /// Whether this is the staleness marker (of a float or of a histogram, whose sum carries it).
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Float(value) => is_stale(*value),
            Self::Histogram(histogram) => is_stale(histogram.sum),
        }
    }
}

/// One sample of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub timestamp: Timestamp,
    /// What was measured.
    pub value: Value,
    /// When the counter behind it started, if the target said so.
    pub start: Option<Timestamp>,
}
