//! Native histograms: one sample that holds all buckets.
//!
//! Schemas −4…8 have exponential bucket bounds (base `2^(2^-schema)`); schema −53 has custom
//! upper bounds. Counts are absolute (not differences between neighbours) and held as floats; an
//! integer histogram has whole counts below 2^53 and says so in `is_integer`.
//!
//! Reading order: `bounds` and `buckets` (what a bucket is), `validate` (what a histogram from
//! outside may look like), `compact`, `schema`, `zero`, `custom` (the same observations in another
//! layout), `sum` and `arithmetic` (two histograms become one), `mean`, `reset`, `equality`,
//! `trim`, `classic` (from bucket series), `text`.
//!
//! Results, bit by bit, are those of Prometheus 3.14 (`model/histogram`). Nothing here panics,
//! also if a histogram is not valid; what it means is then not defined.

mod arithmetic;
mod bounds;
mod buckets;
mod classic;
mod compact;
mod custom;
mod equality;
mod mean;
mod reset;
mod schema;
mod sum;
#[cfg(test)]
mod tests;
mod text;
mod trim;
mod validate;
mod zero;

pub use buckets::Bucket;
pub use classic::{ClassicHistogram, NotAHistogram};
pub use mean::HistogramMean;
pub use sum::{HistogramSum, Incompatible, Reconciled};
pub use trim::Side;
pub use validate::{BUCKETS_MAX, Invalid, SPANS_MAX};

/// The schema number of histograms with custom bounds ("NHCB").
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;
/// The coarsest exponential schema: each bound is the 65 536th part of the next.
pub const SCHEMA_MIN: i32 = -4;
/// The finest exponential schema: 256 buckets between two powers of two.
pub const SCHEMA_MAX: i32 = 8;

/// What is known about counter resets between a histogram and the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CounterResetHint {
    /// Nothing: compare the buckets.
    #[default]
    Unknown,
    /// The counter was reset just before.
    Reset,
    /// The counter was not reset.
    NotReset,
    /// Not a counter at all.
    Gauge,
}

/// A run of consecutive buckets: how many empty ones to skip, then how many follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Gap to the previous span's end, in buckets (first span: index of its first bucket).
    pub offset: i32,
    /// Number of buckets in the span.
    pub length: u32,
}

/// A native histogram.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Histogram {
    /// −4…8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// Whether it came as whole numbers.
    pub is_integer: bool,
    /// What is known about resets.
    pub counter_reset_hint: CounterResetHint,
    /// Half width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of all observations; the staleness marker's bits if this is the marker.
    pub sum: f64,
    /// Layout of `positive_buckets`.
    pub positive_spans: Vec<Span>,
    /// Absolute counts of the buckets above zero.
    pub positive_buckets: Vec<f64>,
    /// Layout of `negative_buckets`.
    pub negative_spans: Vec<Span>,
    /// Absolute counts of the buckets below zero.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of a histogram with custom buckets, `+Inf` left out.
    pub custom_values: Vec<f64>,
}

impl Histogram {
    /// Whether its bounds are its own, not those of an exponential schema.
    pub fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }
}
