//! The newest sample of each series.

use std::collections::BTreeMap;
use std::sync::Arc;

use promql::value::PointValue;
use tsdb::model::sample::is_stale;
use tsdb::model::{Histogram, Labels, Matcher, TimeRange, Timestamp};
use tsdb::select::{BatchColumn, Values};
use tsdb::{Batch, Select};

/// A series' newest sample.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    /// The metric's name.
    pub(super) name: String,
    /// All labels, the name among them.
    pub(super) labels: Labels,
    pub(super) timestamp: Timestamp,
    pub(super) value: PointValue,
}

/// At most `lookback_ms` before `now`, each series once, in order of names and then labels. Series
/// that ended, or have no name, are left out.
pub(super) fn newest(
    store: &dyn Select,
    selectors: &[Vec<Matcher>],
    now: Timestamp,
    lookback_ms: i64,
) -> Result<Vec<Newest>, tsdb::Error> {
    let range = TimeRange::new(now.plus_ms(-lookback_ms), now);
    let mut found = BTreeMap::new();
    for matchers in selectors {
        let selection = store.resolve(range, matchers)?;
        let mut newest: Vec<Option<(i64, PointValue)>> = vec![None; selection.series.len()];
        let mut batches = store.read_newest(&selection, range)?;
        while batches.next(&mut |batch| take(batch, &mut newest))? {}
        for (series, newest) in selection.series.iter().zip(newest) {
            let name = series.labels.metric_name().filter(|name| !name.is_empty());
            if let (Some(name), Some((timestamp, value))) = (name, newest) {
                found.insert((name.to_owned(), series.labels.clone()), (timestamp, value));
            }
        }
    }
    let alive = found.into_iter().filter(|(_, (_, value))| !has_ended(value));
    Ok(alive
        .map(|((name, labels), (timestamp, value))| Newest {
            name,
            labels,
            timestamp: Timestamp::from_ms(timestamp),
            value,
        })
        .collect())
}

/// Keeps the last cell of each column of the batch if it is newer than what is there.
fn take(batch: Batch<'_>, newest: &mut [Option<(i64, PointValue)>]) {
    for column in batch.columns {
        let is_there = |row: usize| column.present.is_none_or(|bits| bits.contains(row));
        let last = (0..batch.timestamps.len()).rev().find(|row| is_there(*row));
        let (Some(row), Some(slot)) = (last, newest.get_mut(column.series)) else { continue };
        let timestamp = batch.timestamps[row];
        if slot.as_ref().is_none_or(|(before, _)| *before < timestamp) {
            *slot = Some((timestamp, value(column, row)));
        }
    }
}

fn value(column: &BatchColumn<'_>, row: usize) -> PointValue {
    let histogram: Option<&Arc<Histogram>> = match column.values {
        Values::Floats(_) => None,
        Values::Mixed(_, histograms) => histograms[row].as_ref(),
    };
    let (Values::Floats(floats) | Values::Mixed(floats, _)) = column.values;
    histogram.map_or(PointValue::Float(floats[row]), |own| PointValue::Histogram(own.clone()))
}

fn has_ended(value: &PointValue) -> bool {
    match value {
        PointValue::Float(value) => is_stale(*value),
        PointValue::Histogram(histogram) => is_stale(histogram.sum),
    }
}
