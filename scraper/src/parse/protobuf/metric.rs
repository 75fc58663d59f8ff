//! A metric of a family, as the samples that the text formats would write.

use tsdb::model::number::format_open_metrics;
use tsdb::model::{BUCKET_LABEL, Histogram, MetricType, Timestamp};

use super::histogram::{self, Parts};
use super::wire::Fields;
use super::{ProtobufError, exemplar, pairs, time};
use crate::parse::ExemplarText;

/// The label that holds a summary's quantile.
const QUANTILE_LABEL: &str = "quantile";

/// One metric of a family: its labels and all that it says.
#[derive(Clone, Debug)]
pub struct Metric<'p> {
    /// When it was taken, if the page says so.
    pub timestamp: Option<Timestamp>,
    kind: MetricType,
    message: &'p [u8],
    /// The counter, gauge, summary, histogram or untyped message.
    value: &'p [u8],
}

/// What becomes of histograms that are native.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeOptions {
    /// They are read.
    pub native: bool,
    /// Their classic buckets, if they have some, are read too.
    pub classic_too: bool,
}

/// One sample of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Point<'p> {
    /// What stands behind the family's name.
    pub suffix: &'static str,
    /// A label (`le` or `quantile`) beside the metric's own.
    pub label: Option<(&'static str, String)>,
    /// The value.
    pub value: PointValue,
    /// Examples.
    pub exemplars: Vec<ExemplarText<'p>>,
    /// When the counter behind it started, if the target says so.
    pub start: Option<Timestamp>,
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// A float.
    Float(f64),
    /// A native histogram, compacted.
    Histogram(Box<Histogram>),
}

impl<'p> Metric<'p> {
    pub(super) fn of(message: &'p [u8], kind: MetricType) -> Result<Self, ProtobufError> {
        let mut metric = Self { timestamp: None, kind, message, value: &[] };
        let wanted = match kind {
            MetricType::Gauge => 2,
            MetricType::Counter => 3,
            MetricType::Summary => 4,
            MetricType::Histogram | MetricType::GaugeHistogram => 7,
            _ => 5,
        };
        for field in Fields::of(message) {
            match field? {
                // No timestamp and the time 0 look alike here, as in Prometheus.
                (6, ms) if ms.number() != 0 => {
                    metric.timestamp = Some(Timestamp::from_ms(ms.number() as i64));
                }
                (number, value) if number == wanted => metric.value = value.bytes(),
                _ => {}
            }
        }
        Ok(metric)
    }

    /// Its labels, in the page's order.
    pub fn labels(&self) -> impl Iterator<Item = Result<(&'p str, &'p str), ProtobufError>> {
        pairs(self.message, 1)
    }

    /// Shows its samples to `each`, in the order of the text formats.
    pub fn points<E: From<ProtobufError>>(
        &self,
        options: NativeOptions,
        each: &mut impl FnMut(Point<'p>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.kind {
            MetricType::Summary => self.summary(each),
            MetricType::Histogram | MetricType::GaugeHistogram => self.histogram(options, each),
            _ => self.simple(each),
        }
    }

    fn simple<E: From<ProtobufError>>(
        &self,
        each: &mut impl FnMut(Point<'p>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut point = Point::float("", 0.0, None);
        for field in Fields::of(self.value) {
            match (field?, self.kind) {
                ((1, value), _) => point.value = PointValue::Float(canonical(value.double())),
                ((2, field), MetricType::Counter) => point.exemplars = vec![exemplar(field)?],
                ((3, field), MetricType::Counter) => point.start = Some(time(field)?),
                _ => {}
            }
        }
        each(point)
    }

    fn summary<E: From<ProtobufError>>(
        &self,
        each: &mut impl FnMut(Point<'p>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut count, mut sum, mut start) = (0, 0.0, None);
        for field in Fields::of(self.value) {
            match field? {
                (1, field) => count = field.number(),
                (2, field) => sum = field.double(),
                (4, field) => start = Some(time(field)?),
                _ => {}
            }
        }
        each(Point::float("_count", count as f64, start))?;
        each(Point::float("_sum", sum, start))?;
        for field in Fields::of(self.value) {
            let (3, field) = field? else { continue };
            let (mut quantile, mut value) = (0.0, 0.0);
            for field in Fields::of(field.bytes()) {
                match field? {
                    (1, field) => quantile = field.double(),
                    (2, field) => value = field.double(),
                    _ => {}
                }
            }
            let label = Some((QUANTILE_LABEL, format_open_metrics(quantile)));
            each(Point { label, ..Point::float("", value, start) })?;
        }
        Ok(())
    }

    fn histogram<E: From<ProtobufError>>(
        &self,
        options: NativeOptions,
        each: &mut impl FnMut(Point<'p>) -> Result<(), E>,
    ) -> Result<(), E> {
        let parts = Parts::of(self.value)?;
        let is_native = options.native && parts.is_native();
        if is_native {
            each(Point {
                value: PointValue::Histogram(Box::new(parts.native(self.kind)?)),
                exemplars: parts.exemplars(self.value)?,
                ..Point::float("", 0.0, parts.start)
            })?;
        }
        if is_native && !(options.classic_too && parts.has_buckets) {
            return Ok(());
        }
        each(Point::float("_count", parts.count(), parts.start))?;
        each(Point::float("_sum", parts.sum, parts.start))?;
        let mut is_infinite = false;
        for bucket in histogram::buckets(self.value) {
            let bucket = bucket?;
            is_infinite = bucket.bound == f64::INFINITY;
            each(Point {
                label: Some((BUCKET_LABEL, format_open_metrics(bucket.bound))),
                exemplars: bucket.exemplar.map(exemplar).transpose()?.into_iter().collect(),
                ..Point::float("_bucket", bucket.count, parts.start)
            })?;
            if is_infinite {
                break;
            }
        }
        if !is_infinite {
            let label = Some((BUCKET_LABEL, "+Inf".to_owned()));
            each(Point { label, ..Point::float("_bucket", parts.count(), parts.start) })?;
        }
        Ok(())
    }
}

impl Point<'_> {
    fn float(suffix: &'static str, value: f64, start: Option<Timestamp>) -> Self {
        let value = PointValue::Float(canonical(value));
        Self { suffix, label: None, value, exemplars: Vec::new(), start }
    }
}

/// Every NaN has the same bits, so that none is taken for the staleness marker.
pub(super) fn canonical(value: f64) -> f64 {
    if value.is_nan() { tsdb::model::sample::NORMAL_NAN } else { value }
}
