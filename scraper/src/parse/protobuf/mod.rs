//! Prometheus's protobuf format: a sequence of `io.prometheus.client.MetricFamily` messages, each
//! behind its length. The only format with native histograms.
//!
//! 1. [`families`] walks over the page, [`Family::metrics`] over the metrics of one.
//! 2. [`Metric::points`] shows a metric as the samples that the text formats would write: counters
//!    as they are, summaries and classic histograms as several series, native histograms whole.
//!
//! Everything is borrowed from the page but histograms and labels of exemplars, whose sizes are
//! bounded. Source of the rules: Prometheus 3.14, `model/textparse/protobufparse.go`.

mod histogram;
mod metric;
mod wire;

use std::borrow::Cow;

use thiserror::Error;
use tsdb::model::{MetricType, Timestamp};

pub use metric::{Metric, NativeOptions, Point, PointValue};

use super::ExemplarText;
use wire::{Field, Fields, delimited};

/// Most labels of an exemplar.
const EXEMPLAR_LABELS_MAX: usize = 64;

/// A page that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ProtobufError {
    message: String,
}

impl ProtobufError {
    fn new(message: String) -> Self {
        Self { message }
    }
}

/// The families of a page.
pub fn families(page: &[u8]) -> impl Iterator<Item = Result<Family<'_>, ProtobufError>> {
    let mut rest = page;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = delimited(&mut rest);
        if message.is_none() {
            rest = &[];
        }
        let cut = || ProtobufError::new("unexpected EOF".into());
        Some(message.ok_or_else(cut).and_then(Family::of))
    })
}

/// A metric family.
#[derive(Clone, Debug)]
pub struct Family<'p> {
    /// Its name.
    pub name: &'p str,
    /// Its help text.
    pub help: &'p str,
    /// Its unit, empty if none was given.
    pub unit: &'p str,
    /// Its type.
    pub kind: MetricType,
    message: &'p [u8],
}

impl<'p> Family<'p> {
    fn of(message: &'p [u8]) -> Result<Self, ProtobufError> {
        let mut family = Self { name: "", help: "", unit: "", kind: MetricType::Counter, message };
        for field in Fields::of(message) {
            match field? {
                (1, name) => family.name = name.text("metric name")?,
                (2, help) => family.help = help.text("help text")?,
                (3, kind) => family.kind = kind_of(kind.number())?,
                (5, unit) => family.unit = unit.text("unit")?,
                _ => {}
            }
        }
        if family.name.is_empty() {
            return Err(ProtobufError::new("invalid metric name: ".into()));
        }
        family.check_unit()?;
        Ok(family)
    }

    fn check_unit(&self) -> Result<(), ProtobufError> {
        let is_counter = self.kind == MetricType::Counter;
        let total = self.name.strip_suffix("_total").filter(|_| is_counter);
        let stem = total.unwrap_or(self.name).strip_suffix(self.unit).unwrap_or_default();
        if self.unit.is_empty() || stem.ends_with('_') {
            return Ok(());
        }
        let what = if total.is_some() { "counter" } else { "metric" };
        let (unit, name) = (self.unit, self.name);
        Err(ProtobufError::new(format!("unit {unit:?} not a suffix of {what} {name:?}")))
    }

    /// Its metrics.
    pub fn metrics(&self) -> impl Iterator<Item = Result<Metric<'p>, ProtobufError>> + use<'p> {
        let kind = self.kind;
        Fields::of(self.message).filter_map(move |field| match field {
            Ok((4, field)) => Some(Metric::of(field.bytes(), kind)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

fn kind_of(number: u64) -> Result<MetricType, ProtobufError> {
    Ok(match number {
        0 => MetricType::Counter,
        1 => MetricType::Gauge,
        2 => MetricType::Summary,
        3 => MetricType::Unknown,
        4 => MetricType::Histogram,
        5 => MetricType::GaugeHistogram,
        other => return Err(ProtobufError::new(format!("unknown metric type: {other}"))),
    })
}

/// The `LabelPair`s that field `number` of a message has.
fn pairs(message: &[u8], number: u32) -> impl Iterator<Item = Result<(&str, &str), ProtobufError>> {
    Fields::of(message).filter_map(move |field| match field {
        Ok((own, pair)) if own == number => Some(self::pair(pair)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

fn pair(field: Field<'_>) -> Result<(&str, &str), ProtobufError> {
    let (mut name, mut value) = ("", "");
    for field in Fields::of(field.bytes()) {
        match field? {
            (1, field) => name = field.text("label name")?,
            (2, field) => value = field.text("label value")?,
            _ => {}
        }
    }
    match name.is_empty() {
        true => Err(ProtobufError::new("invalid label name: ".into())),
        false => Ok((name, value)),
    }
}

fn exemplar(field: Field<'_>) -> Result<ExemplarText<'_>, ProtobufError> {
    let mut read = ExemplarText { labels: Vec::new(), value: 0.0, timestamp: None };
    for field in Fields::of(field.bytes()) {
        match field? {
            (1, _) if read.labels.len() == EXEMPLAR_LABELS_MAX => {
                return Err(ProtobufError::new("too many labels of an exemplar".into()));
            }
            (1, field) => {
                let (name, value) = pair(field)?;
                read.labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
            }
            (2, field) => read.value = field.double(),
            (3, field) => read.timestamp = Some(time(field)?),
            _ => {}
        }
    }
    Ok(read)
}

/// A `google.protobuf.Timestamp`, cut to milliseconds.
fn time(field: Field<'_>) -> Result<Timestamp, ProtobufError> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    for field in Fields::of(field.bytes()) {
        match field? {
            (1, field) => seconds = field.number() as i64,
            (2, field) => nanos = field.number() as i64,
            _ => {}
        }
    }
    let ms = seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000);
    Ok(Timestamp::from_ms(ms))
}
