//! A rule's questions to the [`Queries`] port, and the port through which they are told to the query
//! log.

use std::sync::Arc;
use std::time::Duration;

use promql::value::{InstantSample, Point, PointValue, Value};
use tsdb::model::{Labels, Timestamp};

use super::notify::Nobody;
use crate::queries::{Queries, QueryError, QueryOptions, Reply, StatsLevel};

/// A question that was answered, well or not.
pub struct Question<'a> {
    /// The group whose rule asked.
    pub by: &'a Asker,
    /// What was asked.
    pub text: &'a str,
    /// For which time.
    pub time: Timestamp,
    /// The answer.
    pub reply: &'a Result<Reply, QueryError>,
}

/// Whose rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The group's file.
    pub file: String,
    /// Its name there.
    pub group: String,
}

/// Takes what rules asked.
pub trait QuestionLog: Send + Sync {
    /// Whether it takes anything now; only then questions are measured and told.
    fn is_on(&self) -> bool;

    /// Takes a question, at once.
    fn write(&self, question: &Question<'_>);
}

impl QuestionLog for Nobody {
    fn is_on(&self) -> bool {
        false
    }

    fn write(&self, _: &Question<'_>) {}
}

/// Queries that are asked for the rules of one group.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) queries: Arc<dyn Queries>,
    pub(super) log: Arc<dyn QuestionLog>,
    pub(super) by: Asker,
    pub(super) options: QueryOptions,
}

impl Asking {
    /// As [`vector`], and told to the log.
    pub(super) fn vector(&self, text: &str, time: Timestamp) -> Result<Vec<InstantSample>, String> {
        if !self.log.is_on() {
            return vector(&*self.queries, text, time, self.options);
        }
        let options = QueryOptions { stats: StatsLevel::Whole, ..self.options };
        let reply = self.queries.instant(text, time, options);
        self.log.write(&Question { by: &self.by, text, time, reply: &reply });
        samples(reply)
    }
}

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
    samples(queries.instant(text, time, options))
}

fn samples(reply: Result<Reply, QueryError>) -> Result<Vec<InstantSample>, String> {
    match reply.map_err(|error| error.to_string())?.answer.value {
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
