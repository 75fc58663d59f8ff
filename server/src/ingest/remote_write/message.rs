//! The message of remote write 1.0 as types: what senders of our own and tests encode, and what
//! the walker of `wire` is checked against.
//!
//! Source of the numbers: Prometheus's `prompb/remote.proto` and `prompb/types.proto`.

use prost::Message;

/// `prometheus.WriteRequest`, as far as it is read.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    /// The series.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
    /// Type, help and unit of families.
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<MetricMetadata>,
}

/// One series and some of its samples.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Its labels, sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<LabelPair>,
    /// Its samples, oldest first.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<FloatSample>,
    /// Examples of what was counted.
    #[prost(message, repeated, tag = "3")]
    pub exemplars: Vec<WireExemplar>,
    /// Native histograms, not decoded.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub histograms: Vec<Vec<u8>>,
}

/// A label.
#[derive(Clone, PartialEq, Message)]
pub struct LabelPair {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A float at a time.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct FloatSample {
    /// The value; the staleness marker's bits if the series ended.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// An exemplar.
#[derive(Clone, PartialEq, Message)]
pub struct WireExemplar {
    /// Its own labels.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<LabelPair>,
    /// What was measured.
    #[prost(double, tag = "2")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
}

/// Type, help and unit of a family.
#[derive(Clone, PartialEq, Message)]
pub struct MetricMetadata {
    /// Number of the type.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    /// The family's name.
    #[prost(string, tag = "2")]
    pub metric_family_name: String,
    /// What it means.
    #[prost(string, tag = "4")]
    pub help: String,
    /// Its unit.
    #[prost(string, tag = "5")]
    pub unit: String,
}
