//! Remote write 1.0: a snappy-compressed protobuf message becomes rows.
//!
//! 1. Unpack and decode, within limits.
//! 2. Sort the series into groups by `job` and `instance`: the series of one target, whose
//!    samples share their timestamps because one scrape made them.
//! 3. Make each distinct timestamp of a group a row and append it.
//!
//! A request is stored whole or not at all: one refused sample refuses it with 400, as
//! Prometheus does, and the sender must not repeat it.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use thiserror::Error;
use tsdb::model::{Exemplar, Labels, METRIC_NAME, Metadata, MetricType, Timestamp};
use tsdb::{Append, Cell, ColumnRef, FamilyColumns, GroupRef, Rejected, Storage};

/// Largest message after unpacking, in bytes (Prometheus's limit for received messages).
pub const MESSAGE_BYTES_MAX: usize = 32 << 20;

/// Labels that name a target; they make the group.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// Why a request was refused.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Not snappy's block format.
    #[error("snappy: {0}")]
    Snappy(#[from] snap::Error),
    /// Not the message.
    #[error("protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// The message would be too large.
    #[error(
        "the request unpacks to more than {MESSAGE_BYTES_MAX} bytes; send fewer samples at once"
    )]
    TooLarge,
    /// Something in it cannot be stored; the text says what.
    #[error("{0}")]
    Invalid(String),
    /// A sample was refused by the store.
    #[error("{0}")]
    Rejected(#[from] Rejected),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] tsdb::Error),
}

/// `prometheus.WriteRequest`, as far as it is read. (`prompb/remote.proto`, `types.proto`)
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
    /// Native histograms; their bytes are only counted here.
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

/// The types by their numbers in `MetricMetadata.MetricType`.
const METRIC_TYPES: [MetricType; 8] = [
    MetricType::Unknown,
    MetricType::Counter,
    MetricType::Gauge,
    MetricType::Histogram,
    MetricType::GaugeHistogram,
    MetricType::Summary,
    MetricType::Info,
    MetricType::StateSet,
];

/// Stores a compressed request and says how many samples it had.
pub fn receive(body: &[u8], storage: &dyn Storage) -> Result<usize, WriteError> {
    let request = decode(body)?;
    let mut appender = storage.appender();
    for (target, series) in groups(request.timeseries)? {
        append_group(appender.as_mut(), &target, series)?;
    }
    for metadata in &request.metadata {
        let kind = usize::try_from(metadata.kind).ok().and_then(|kind| METRIC_TYPES.get(kind));
        let kind = kind.copied().unwrap_or_default();
        let (unit, help) = (metadata.unit.clone(), metadata.help.clone());
        appender.metadata(&metadata.metric_family_name, &Metadata { kind, unit, help })?;
    }
    Ok(appender.commit()?)
}

fn decode(body: &[u8]) -> Result<WriteRequest, WriteError> {
    if snap::raw::decompress_len(body)? > MESSAGE_BYTES_MAX {
        return Err(WriteError::TooLarge);
    }
    let message = snap::raw::Decoder::new().decompress_vec(body)?;
    Ok(WriteRequest::decode(message.as_slice())?)
}

type Groups = BTreeMap<Labels, Vec<(Labels, TimeSeries)>>;

/// The series by their target's labels.
fn groups(series: Vec<TimeSeries>) -> Result<Groups, WriteError> {
    let mut groups = Groups::new();
    for series in series {
        let labels = checked_labels(&series)?;
        let target = labels.filtered(|name| TARGET_LABELS.contains(&name));
        groups.entry(target).or_default().push((labels, series));
    }
    Ok(groups)
}

fn checked_labels(series: &TimeSeries) -> Result<Labels, WriteError> {
    let pairs = series.labels.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()));
    let labels = Labels::from_pairs(pairs);
    let names = series.labels.iter().filter(|pair| !pair.value.is_empty()).count();
    if labels.len() != names {
        return Err(WriteError::Invalid(format!("duplicate label name in {labels}")));
    }
    if labels.metric_name().is_none() {
        return Err(WriteError::Invalid(format!("{labels} has no metric name")));
    }
    if !series.histograms.is_empty() {
        return Err(WriteError::Invalid(format!(
            "{labels} has native histograms, which this receiver does not take yet; \
             set send_native_histograms: false in the sender's remote_write"
        )));
    }
    Ok(labels)
}

/// Appends the rows of one target.
fn append_group(
    appender: &mut dyn Append,
    target: &Labels,
    series: Vec<(Labels, TimeSeries)>,
) -> Result<(), WriteError> {
    let group = appender.group(target)?;
    let families: Vec<FamilyColumns> = series.iter().map(|(labels, _)| family(labels)).collect();
    let columns = appender.columns(group, &families)?;
    for (time, row) in rows(&series, &columns) {
        append_row(appender, group, time, &row)?;
    }
    for (labels, series) in &series {
        append_exemplars(appender, labels, &series.exemplars)?;
    }
    Ok(())
}

/// A family of one column: what is known of a series whose page was never seen.
fn family(labels: &Labels) -> FamilyColumns {
    let own = labels.iter().filter(|(name, _)| !TARGET_LABELS.contains(name));
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let name = labels.get(METRIC_NAME).unwrap_or("").to_owned();
    FamilyColumns { name, metadata: Metadata::default(), columns: vec![own] }
}

/// A row's columns and cells, side by side.
type Row = (Vec<ColumnRef>, Vec<Cell<'static>>);

/// All rows in order of time.
fn rows(series: &[(Labels, TimeSeries)], columns: &[ColumnRef]) -> BTreeMap<i64, Row> {
    let mut rows: HashMap<i64, Row> = HashMap::new();
    for ((_, series), column) in series.iter().zip(columns) {
        for sample in &series.samples {
            let row = rows.entry(sample.timestamp).or_default();
            row.0.push(*column);
            row.1.push(cell(sample.value));
        }
    }
    rows.into_iter().collect()
}

fn cell(value: f64) -> Cell<'static> {
    if tsdb::model::is_stale(value) { Cell::STALE } else { Cell::float(value) }
}

fn append_row(
    appender: &mut dyn Append,
    group: GroupRef,
    time_ms: i64,
    (columns, cells): &Row,
) -> Result<(), WriteError> {
    let report = appender.row(group, Timestamp::from_ms(time_ms), columns, cells)?;
    let refusals = [
        (report.out_of_order, Rejected::OutOfOrder),
        (report.duplicate, Rejected::Duplicate),
        (report.too_old, Rejected::TooOld),
    ];
    match refusals.into_iter().find(|(count, _)| *count > 0) {
        Some((_, refusal)) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn append_exemplars(
    appender: &mut dyn Append,
    labels: &Labels,
    exemplars: &[WireExemplar],
) -> Result<(), WriteError> {
    for exemplar in exemplars {
        let pairs = exemplar.labels.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()));
        let (value, timestamp) = (exemplar.value, Timestamp::from_ms(exemplar.timestamp));
        appender
            .exemplar(labels, Exemplar { labels: Labels::from_pairs(pairs), value, timestamp })?;
    }
    Ok(())
}
