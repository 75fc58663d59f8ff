//! `load_with_nhcb`: the classic histograms of what is loaded, as native ones with custom buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use tsdb::model::histogram::ClassicHistogram;
use tsdb::model::number::parse_float;
use tsdb::model::{BUCKET_LABEL, Labels, METRIC_NAME, Sample, Timestamp, Value};

use super::LoadedSeries;

/// A series for each classic histogram, under its name without suffix and without `le`.
pub(super) fn native_histograms(series: &[LoadedSeries]) -> Result<Vec<LoadedSeries>, String> {
    let mut classics: BTreeMap<Labels, BTreeMap<Timestamp, ClassicHistogram>> = BTreeMap::new();
    for own in series {
        let Some((labels, part)) = Part::of(&own.labels) else { continue };
        let by_time = classics.entry(labels).or_default();
        for sample in &own.samples {
            if let Value::Float(value) = sample.value {
                part.set(by_time.entry(sample.timestamp).or_default(), value);
            }
        }
    }
    let native = |(labels, by_time): (Labels, BTreeMap<Timestamp, ClassicHistogram>)| {
        let sample = |(timestamp, classic): (Timestamp, ClassicHistogram)| {
            let histogram = classic.build().map_err(|error| format!("{labels}: {error}"))?;
            Ok(Sample { timestamp, value: Value::Histogram(Arc::new(histogram)), start: None })
        };
        let samples = by_time.into_iter().map(sample).collect::<Result<_, String>>()?;
        Ok(LoadedSeries { labels: labels.clone(), samples })
    };
    classics.into_iter().map(native).collect()
}

/// What a series is of a classic histogram.
enum Part {
    Bucket(f64),
    Count,
    Sum,
}

impl Part {
    /// The labels of the native histogram, and the part; `None` if it is none.
    fn of(labels: &Labels) -> Option<(Labels, Self)> {
        let name = labels.metric_name()?;
        let (base, part) = if let Some(base) = name.strip_suffix("_bucket") {
            (base, Self::Bucket(parse_float(labels.get(BUCKET_LABEL)?).filter(|le| !le.is_nan())?))
        } else if let Some(base) = name.strip_suffix("_count") {
            (base, Self::Count)
        } else {
            (name.strip_suffix("_sum")?, Self::Sum)
        };
        let mut builder = labels.to_builder();
        Some((builder.remove(BUCKET_LABEL).set(METRIC_NAME, base).build(), part))
    }

    fn set(&self, classic: &mut ClassicHistogram, value: f64) {
        match self {
            Self::Bucket(bound) => classic.set_bucket(*bound, value),
            Self::Count => classic.set_count(value),
            Self::Sum => classic.set_sum(value),
        }
    }
}
