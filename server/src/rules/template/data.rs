//! What templates see: label sets, samples and vectors as values of the library.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;
use promql::value::{InstantSample, PointValue};
use tsdb::model::number::format_general;

/// Names and texts.
pub(super) fn texts<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let entries = pairs.map(|(name, text)| (name.into(), Value::String(text.into())));
    Value::Map(Arc::new(entries.collect::<BTreeMap<Arc<str>, Value>>()))
}

/// A sample's value: a number, or a histogram as a text.
pub(super) fn value(value: &PointValue) -> Value {
    match value {
        PointValue::Float(value) => Value::Float(*value),
        PointValue::Histogram(histogram) => {
            let (count, sum) = (format_general(histogram.count), format_general(histogram.sum));
            Value::String(format!("{{count:{count}, sum:{sum}}}").into())
        }
    }
}

/// A sample of a vector that a template asked for.
pub(super) fn sample(sample: &InstantSample) -> Value {
    Value::from_entries([
        ("Labels".to_owned(), texts(sample.labels.iter())),
        ("Value".to_owned(), value(&sample.point.value)),
    ])
}
