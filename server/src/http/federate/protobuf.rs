//! Protobuf: `io.prometheus.client.MetricFamily` messages, each with its length before it.
//!
//! Source of the numbers: `io/prometheus/client/metrics.proto` of Prometheus's client model. A
//! histogram with bounds of its own is a classic one here, since the format has no other.

use promql::value::PointValue;
use prost::Message;
use tsdb::model::Histogram;
use tsdb::model::histogram::{CounterResetHint, Span};

use super::Exposed;

#[derive(Clone, PartialEq, Message)]
struct Family {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Pair>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Untyped>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Buckets>,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Untyped {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Buckets {
    #[prost(double, optional, tag = "2")]
    sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    classic: Vec<ClassicBucket>,
    #[prost(double, optional, tag = "4")]
    count: Option<f64>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(double, optional, tag = "8")]
    zero_count: Option<f64>,
    #[prost(message, repeated, tag = "9")]
    negative_spans: Vec<WireSpan>,
    #[prost(double, repeated, packed = "false", tag = "11")]
    negative: Vec<f64>,
    #[prost(message, repeated, tag = "12")]
    positive_spans: Vec<WireSpan>,
    #[prost(double, repeated, packed = "false", tag = "14")]
    positive: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ClassicBucket {
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
    #[prost(double, optional, tag = "4")]
    cumulative_count: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct WireSpan {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

/// `UNTYPED`, `HISTOGRAM` or `GAUGE_HISTOGRAM`.
fn kind(value: &PointValue) -> i32 {
    match value {
        PointValue::Float(_) => 3,
        PointValue::Histogram(own) if own.counter_reset_hint == CounterResetHint::Gauge => 5,
        PointValue::Histogram(_) => 4,
    }
}

/// All families. Neighbours of one name and one kind make one; a name that is both a float and a
/// histogram makes several, as in Prometheus.
pub(super) fn write(samples: &[Exposed]) -> Vec<u8> {
    let same = |a: &Exposed, b: &Exposed| a.name == b.name && kind(&a.value) == kind(&b.value);
    let mut out = Vec::new();
    for samples in samples.chunk_by(same) {
        let Some(first) = samples.first() else { continue };
        let family = Family {
            name: Some(first.name.clone()),
            kind: Some(kind(&first.value)),
            metrics: samples.iter().map(metric).collect(),
        };
        out.extend(family.encode_length_delimited_to_vec());
    }
    out
}

fn metric(sample: &Exposed) -> Metric {
    let pair = |(name, value): &(String, String)| Pair {
        name: Some(name.clone()),
        value: Some(value.clone()),
    };
    let (untyped, histogram) = match &sample.value {
        PointValue::Float(value) => (Some(Untyped { value: Some(*value) }), None),
        PointValue::Histogram(own) if own.has_custom_buckets() => (None, Some(classic(own))),
        PointValue::Histogram(own) => (None, Some(native(own))),
    };
    Metric {
        labels: sample.labels.iter().map(pair).collect(),
        untyped,
        timestamp_ms: Some(sample.timestamp.ms()),
        histogram,
    }
}

fn native(own: &Histogram) -> Buckets {
    let spans = |spans: &[Span]| {
        let wire = |span: &Span| WireSpan { offset: Some(span.offset), length: Some(span.length) };
        spans.iter().map(wire).collect()
    };
    Buckets {
        schema: Some(own.schema),
        zero_threshold: Some(own.zero_threshold),
        zero_count: Some(own.zero_count),
        negative_spans: spans(&own.negative_spans),
        negative: own.negative_buckets.clone(),
        positive_spans: spans(&own.positive_spans),
        positive: own.positive_buckets.clone(),
        ..total(own)
    }
}

fn classic(own: &Histogram) -> Buckets {
    let mut cumulative = 0.0;
    let buckets = own.positive().map(|bucket| {
        cumulative += bucket.count;
        ClassicBucket { upper_bound: Some(bucket.upper), cumulative_count: Some(cumulative) }
    });
    Buckets { classic: buckets.collect(), ..total(own) }
}

fn total(own: &Histogram) -> Buckets {
    Buckets { sum: Some(own.sum), count: Some(own.count), ..Buckets::default() }
}
