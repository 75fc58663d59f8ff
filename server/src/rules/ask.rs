//! A rule's question to the [`Queries`] port.

use std::time::Duration;

use promql::value::{InstantSample, Point, PointValue, Value};
use tsdb::model::{Labels, Timestamp};

use crate::queries::{Queries, QueryOptions, StatsLevel};

/// How rules ask.
pub(super) fn options(timeout: Duration) -> QueryOptions {
    QueryOptions { timeout, lookback_ms: None, is_fresh: true, stats: StatsLevel::Off }
}

/// The vector that `text` is at `time`; a number is a vector of one sample without labels.
pub(super) fn vector(
    queries: &dyn Queries,
    text: &str,
    time: Timestamp,
    options: QueryOptions,
) -> Result<Vec<InstantSample>, String> {
    let reply = queries.instant(text, time, options).map_err(|error| error.to_string())?;
    match reply.answer.value {
        Value::Vector(samples) => Ok(samples),
        Value::Scalar(value, timestamp) => {
            let point = Point { timestamp, value: PointValue::Float(value) };
            Ok(vec![InstantSample { labels: Labels::empty(), point }])
        }
        Value::Text(..) | Value::Matrix(_) => {
            Err("rule result is not a vector or scalar".to_owned())
        }
    }
}
