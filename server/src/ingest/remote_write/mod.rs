//! Remote write 1.0: a snappy-compressed protobuf message becomes rows.
//!
//! 1. Unpack, within limits, and walk over the bytes (`wire`).
//! 2. Find each series' column (`column`). Series with the same `job` and `instance` are one
//!    group: the series of one target, whose samples share their times because one scrape made
//!    them.
//! 3. Make each distinct time of a group a row (`row`) and append it.
//!
//! A request is stored whole or not at all: one refused sample refuses it with 400, as
//! Prometheus does, and the sender must not repeat it. If the store has forgotten groups that are
//! remembered here, their columns are looked up anew, and the request is stored at a second attempt.

mod column;
#[doc(hidden)]
pub mod fuzz;
pub mod message;
mod row;
mod wire;

use prost::Message;
use thiserror::Error;
use tsdb::model::{Exemplar, Labels, Metadata, MetricType, Timestamp};
use tsdb::{Append, GroupRef, Rejected, Storage};

use column::Columns;
use message::{MetricMetadata, WireExemplar};
use row::Rows;
use wire::WireSeries;

/// Largest message after unpacking, in bytes (Prometheus's limit for received messages).
pub const MESSAGE_BYTES_MAX: usize = 32 << 20;

/// Why a request was refused.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Not snappy's block format.
    #[error("snappy: {0}")]
    Snappy(#[from] snap::Error),
    /// Not the message.
    #[error("protobuf: {0}")]
    Malformed(&'static str),
    /// Not the message, in one of its rarer parts.
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

/// Takes requests and remembers the columns of their series.
pub struct Receiver(Columns);

impl Default for Receiver {
    fn default() -> Self {
        Self(Columns::new())
    }
}

/// How many samples were stored, or which groups the store has forgotten: then none.
type Stored = Result<usize, Vec<GroupRef>>;

impl Receiver {
    /// Stores a compressed request and says how many samples it had.
    pub fn receive(&self, body: &[u8], storage: &dyn Storage) -> Result<usize, WriteError> {
        let message = unpack(body)?;
        let stored = match self.store(&message, storage)? {
            Ok(samples) => Ok(samples),
            Err(forgotten) => {
                self.0.forget(&forgotten);
                // What the first attempt named is not forgotten so soon.
                self.store(&message, storage)?
            }
        };
        Ok(stored.map_err(|_| Rejected::UnknownRef)?)
    }

    fn store(&self, message: &[u8], storage: &dyn Storage) -> Result<Stored, WriteError> {
        let mut appender = storage.appender();
        let (mut rows, mut exemplars, mut families) = (Rows::default(), Vec::new(), Vec::new());
        let each_series = |series: &WireSeries<'_>| {
            refuse_histograms(series)?;
            let place = self.0.place(series.label_bytes, appender.as_mut())?;
            rows.add(place, &series.samples);
            for exemplar in &series.exemplars {
                let labels = column::labels(series.label_bytes)?;
                exemplars.push((labels, read_exemplar(exemplar)?));
            }
            Ok(())
        };
        wire::walk(message, each_series, |family| {
            families.push(MetricMetadata::decode(family)?);
            Ok(())
        })?;
        let forgotten = rows.append(appender.as_mut())?;
        if !forgotten.is_empty() {
            return Ok(Err(forgotten));
        }
        for (labels, exemplar) in exemplars {
            appender.exemplar(&labels, exemplar)?;
        }
        for family in families {
            append_metadata(appender.as_mut(), family)?;
        }
        Ok(Ok(appender.commit()?))
    }
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, WriteError> {
    if snap::raw::decompress_len(body)? > MESSAGE_BYTES_MAX {
        return Err(WriteError::TooLarge);
    }
    Ok(snap::raw::Decoder::new().decompress_vec(body)?)
}

fn refuse_histograms(series: &WireSeries<'_>) -> Result<(), WriteError> {
    if !series.has_histograms {
        return Ok(());
    }
    let labels = column::labels(series.label_bytes)?;
    Err(WriteError::Invalid(format!(
        "{labels} has native histograms, which this receiver does not take yet; \
         set send_native_histograms: false in the sender's remote_write"
    )))
}

fn read_exemplar(bytes: &[u8]) -> Result<Exemplar, WriteError> {
    let exemplar = WireExemplar::decode(bytes)?;
    let pairs = exemplar.labels.into_iter().map(|pair| (pair.name, pair.value));
    let timestamp = Timestamp::from_ms(exemplar.timestamp);
    Ok(Exemplar { labels: Labels::from_pairs(pairs), value: exemplar.value, timestamp })
}

fn append_metadata(appender: &mut dyn Append, family: MetricMetadata) -> Result<(), WriteError> {
    let kind = usize::try_from(family.kind).ok().and_then(|kind| METRIC_TYPES.get(kind));
    let kind = kind.copied().unwrap_or_default();
    let metadata = Metadata { kind, unit: family.unit, help: family.help };
    Ok(appender.metadata(&family.metric_family_name, &metadata)?)
}
