//! What an evaluation takes and gives: the grid of steps, and the answer.

use std::sync::Arc;

use tsdb::model::{Histogram, Labels, Timestamp};

/// The times at which an expression is evaluated: `start`, `start + step`, … up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The first one.
    pub start: Timestamp,
    /// No step lies after this.
    pub end: Timestamp,
    /// Milliseconds between two steps, at least 1; an instant query has 1 and one step.
    pub step_ms: i64,
}

impl Steps {
    /// The one step of an instant query.
    pub const fn instant(time: Timestamp) -> Self {
        Self { start: time, end: time, step_ms: 1 }
    }

    /// Number of steps; none if `end` lies before `start`.
    pub fn count(&self) -> usize {
        let span_ms = self.end.ms_since(self.start);
        if span_ms < 0 { 0 } else { (span_ms / self.step_ms.max(1)) as usize + 1 }
    }

    /// The time of step `index`.
    pub fn time(&self, index: usize) -> Timestamp {
        self.start.plus_ms(index as i64 * self.step_ms)
    }

    /// All times.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        (0..self.count()).map(|index| self.time(index))
    }
}

/// A float or a histogram at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// A value at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub timestamp: Timestamp,
    /// What.
    pub value: PointValue,
}

/// A series of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// Its labels.
    pub labels: Labels,
    /// Its value at the time of evaluation.
    pub point: Point,
}

/// A series of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its points, in order of time; never empty.
    pub points: Vec<Point>,
}

/// The value of a whole query.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number (instant queries only).
    Scalar(f64, Timestamp),
    /// A text (instant queries only).
    Text(String, Timestamp),
    /// Series with one value each; in no order unless the query sorts.
    Vector(Vec<InstantSample>),
    /// Series with many values each, in label order.
    Matrix(Vec<RangeSeries>),
}

/// A query's value and what was noticed on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// "The result may be wrong", with positions, each text once.
    pub warnings: Vec<String>,
    /// "Probably not what you meant", with positions, each text once.
    pub infos: Vec<String>,
    /// Samples that were looked at; of steps that a cache had, none.
    pub samples: u64,
}
