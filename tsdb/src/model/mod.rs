//! The vocabulary that all rooms share: labels, matchers, samples, time, numbers.
//!
//! Invariant: this module imports nothing else of the crate, so that it can be lifted out as it
//! stands. Everything here is plain data with pure functions; no I/O, no clock.

pub mod duration;
pub mod histogram;
pub mod kahan;
pub mod labels;
pub mod matcher;
pub mod metadata;
pub mod number;
pub mod regex;
pub mod sample;
pub mod time;

pub use histogram::Histogram;
pub use labels::{BUCKET_LABEL, Labels, LabelsBuilder, METRIC_NAME};
pub use matcher::{MatchOp, Matcher};
pub use metadata::{Exemplar, Metadata, MetricType};
pub use sample::{STALE_NAN, Sample, Value, is_stale};
pub use time::{TimeRange, Timestamp};
