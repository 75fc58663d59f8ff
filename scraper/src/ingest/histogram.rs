//! Native histograms as samples, and classic ones that become native
//! (`convert_classic_histograms_to_nhcb`).
//!
//! The series of a classic histogram stand together on a page, in any order. They are gathered
//! until another series (or a comment) comes, and then become one histogram with custom buckets
//! under the family's name. What contradicts itself becomes nothing. Source of the rules:
//! Prometheus 3.14, `model/textparse/nhcbparse.go`.

use std::borrow::Cow;

use tsdb::model::histogram::{ClassicHistogram, SCHEMA_MAX, SCHEMA_MIN};
use tsdb::model::number::parse_float;
use tsdb::model::{BUCKET_LABEL, Histogram, MetricType, Timestamp};

use super::layout::Fate;
use super::lines::Lines;
use super::reading::{Late, LateValue, Reading};
use super::{Ingest, IngestError};
use crate::job::Limits;
use crate::parse::{ExemplarText, Label, Values};

/// A native histogram as a sample.
pub(super) struct HistogramSample<'p> {
    pub(super) histogram: Histogram,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) exemplars: Vec<ExemplarText<'p>>,
}

impl Ingest {
    /// Takes a histogram, whose series is the line that `lines` has at hand.
    pub(super) fn histogram(
        &mut self,
        sample: HistogramSample<'_>,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let HistogramSample { mut histogram, timestamp, exemplars } = sample;
        let timestamp = timestamp.filter(|_| self.job.honor_timestamps);
        let own_time = timestamp.is_some();
        let line = lines.put();
        let (series, layout) = lines.parts();
        reading.counts.scraped += 1;
        let fate = self.decide(layout.fates[line], line, series, own_time, reading)?;
        layout.fates[line] = fate;
        if fate == Fate::Dropped {
            return Ok(());
        }
        if own_time || !exemplars.is_empty() {
            self.keep_labels((line, fate), series, reading)?;
        }
        reading.is_over_buckets |= !fit(&mut histogram, &self.job.limits);
        reading.counts.after_relabel += 1;
        let value = LateValue::Histogram(reading.histograms.len());
        reading.histograms.push(histogram);
        reading.late.push(Late { line, value, timestamp, is_new: fate == Fate::Fresh });
        for exemplar in exemplars {
            reading.add_exemplar(line, exemplar, timestamp);
        }
        Ok(())
    }

    /// Takes what was gathered of a classic histogram, if that makes one.
    pub(super) fn gathered(
        &mut self,
        gathered: Option<Gathered<'_>>,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let Some(Gathered { series, classic, timestamp, mut exemplars }) = gathered else {
            return Ok(());
        };
        let Some(histogram) = classic.build().ok().filter(|own| own.validate().is_ok()) else {
            return Ok(());
        };
        exemplars.retain(|exemplar| exemplar.timestamp.is_some());
        lines.begin(b"");
        lines.write(&series);
        self.histogram(HistogramSample { histogram, timestamp, exemplars }, lines, reading)
    }
}

/// A classic histogram under way.
pub(super) struct Gathered<'p> {
    /// The text of the histogram's series.
    pub(super) series: Vec<u8>,
    classic: ClassicHistogram,
    timestamp: Option<Timestamp>,
    exemplars: Vec<ExemplarText<'p>>,
}

impl<'p> Gathered<'p> {
    pub(super) fn new(series: Vec<u8>) -> Self {
        let (timestamp, exemplars) = (None, Vec::new());
        Self { series, classic: ClassicHistogram::new(), timestamp, exemplars }
    }

    pub(super) fn add(&mut self, part: ClassicPart, values: &Values<'p>) {
        match part {
            ClassicPart::Bucket(bound) => self.classic.set_bucket(bound, values.value),
            ClassicPart::Count => self.classic.set_count(values.value),
            ClassicPart::Sum => self.classic.set_sum(values.value),
        }
        self.timestamp = values.timestamp;
        self.exemplars.extend(values.exemplar.clone());
    }
}

/// What a series is to its classic histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ClassicPart {
    /// The bucket with this upper bound.
    Bucket(f64),
    Count,
    Sum,
}

impl ClassicPart {
    /// What the series `name` is in a histogram `family`; `None` if it is no part of one.
    pub(super) fn of(
        name: &str,
        labels: &[Label<'_>],
        (family, kind): (&str, MetricType),
    ) -> Option<Self> {
        let suffix = name.strip_prefix(family).filter(|_| kind == MetricType::Histogram)?;
        match suffix {
            "_count" => Some(Self::Count),
            "_sum" => Some(Self::Sum),
            "_bucket" => {
                let bound = labels.iter().find(|(name, _)| name == BUCKET_LABEL);
                let bound = parse_float(&bound?.1).filter(|bound| !bound.is_nan());
                bound.map(Self::Bucket)
            }
            _ => None,
        }
    }
}

/// The text of the series that a histogram has whose buckets have these labels.
pub(super) fn series_of(family: &str, mut labels: Vec<Label<'_>>) -> Vec<u8> {
    labels.retain(|(name, _)| name != BUCKET_LABEL);
    labels.sort_unstable();
    let labels =
        labels.iter().map(|(name, value): &(Cow<'_, str>, Cow<'_, str>)| (&**name, &**value));
    let mut text = Vec::new();
    super::lines::write_series(&mut text, (family, ""), labels);
    text
}

/// Lowers a histogram's resolution until it keeps the job's limits; `false` if it cannot.
fn fit(histogram: &mut Histogram, limits: &Limits) -> bool {
    let factor = limits.histogram_factor.filter(|factor| *factor > 1.0);
    if let (Some(factor), false) = (factor, histogram.has_custom_buckets()) {
        let finest = (-factor.log2().log2()).floor();
        let finest = finest.clamp(f64::from(SCHEMA_MIN), f64::from(SCHEMA_MAX)) as i32;
        if histogram.schema > finest && histogram.reduce_resolution(finest).is_err() {
            return false;
        }
    }
    let limit = limits.histogram_buckets.unwrap_or(u64::MAX);
    let buckets = |histogram: &Histogram| {
        (histogram.positive_buckets.len() + histogram.negative_buckets.len()) as u64
    };
    while buckets(histogram) > limit {
        let coarser = histogram.schema - 1;
        if coarser < SCHEMA_MIN || histogram.reduce_resolution(coarser).is_err() {
            return false;
        }
    }
    true
}
