//! Range vectors as such: chunks of series with their samples, from the store or a subquery.
//!
//! A subquery evaluates its expression at multiples of its own step, in `(start − range, end]` of
//! the outer grid; the values are samples from then on.

use std::borrow::Cow;
use std::sync::Arc;

use tsdb::model::{Histogram, Labels, Timestamp};

use super::Evaluator;
use super::column::Cell;
use super::parallel::on_all_cores;
use super::runs::Runs;
use super::select::Chunks;
use super::series::{StepVector, without_metadata};
use super::window::{Reach, Windows};
use crate::ast::RangeExtension;
use crate::error::EvalError;
use crate::plan::{Range, RangeSource, Subquery};
use crate::value::{Point, PointValue, RangeSeries, Steps};

/// Some series of a range vector.
pub(crate) struct RangeChunk<'a> {
    /// Where each series stands among all.
    pub(crate) indexes: Cow<'a, [usize]>,
    /// Labels, and whether the name is only there because names are dropped at the end.
    pub(crate) series: Vec<(Labels, bool)>,
    pub(crate) runs: &'a Runs,
}

/// A range vector that is read chunk by chunk.
pub(crate) enum RangeReader {
    Store(Option<Box<Chunks>>),
    /// What a subquery gave; the series are taken once.
    Steps(Option<Vec<(Labels, bool)>>, Runs),
}

impl RangeReader {
    /// Resolves the series of `range`; a subquery is evaluated.
    pub(crate) fn open(
        evaluator: &mut Evaluator<'_>,
        range: &Range,
        reach: &Reach,
        steps: &Steps,
    ) -> Result<Self, EvalError> {
        match &range.source {
            RangeSource::Select(select) => {
                Ok(Self::Store(Chunks::resolve(evaluator, select, reach)?.map(Box::new)))
            }
            RangeSource::Subquery(subquery) => {
                let (series, runs) = evaluate(evaluator, subquery, range.range_ms, steps)?;
                Ok(Self::Steps(Some(series), runs))
            }
        }
    }

    /// The same in parts that can be read at the same time, as many as are worth it.
    pub(crate) fn split(self, threads: usize) -> Vec<Self> {
        match self {
            Self::Store(Some(chunks)) => {
                let parts = chunks.split(threads).into_iter();
                parts.map(|part| Self::Store(Some(Box::new(part)))).collect()
            }
            other => vec![other],
        }
    }

    /// The next chunk; `None` if there is none left.
    pub(crate) fn next(
        &mut self,
        evaluator: &Evaluator<'_>,
    ) -> Result<Option<RangeChunk<'_>>, EvalError> {
        let chunks = match self {
            Self::Steps(series, runs) => {
                let chunk = |series: Vec<_>| RangeChunk {
                    indexes: (0..series.len()).collect(),
                    series,
                    runs,
                };
                return Ok(series.take().map(chunk));
            }
            Self::Store(None) => return Ok(None),
            Self::Store(Some(chunks)) => chunks,
        };
        let chunk = chunks.next(evaluator, false, false)?;
        Ok(chunk.map(|chunk| RangeChunk {
            indexes: chunk.indexes.into(),
            series: chunk.labels.into_iter().map(|labels| (labels, false)).collect(),
            runs: chunk.runs,
        }))
    }
}

fn evaluate(
    evaluator: &mut Evaluator<'_>,
    subquery: &Subquery,
    range_ms: i64,
    steps: &Steps,
) -> Result<(Vec<(Labels, bool)>, Runs), EvalError> {
    let own = own_steps(subquery, range_ms, steps);
    evaluator.meter.check_steps(own.count())?;
    let vector: StepVector =
        if own.count() == 0 { Vec::new() } else { evaluator.vector(&subquery.node, &own)? };
    let runs = Runs::from_steps(&vector, &own);
    let series = vector.into_iter().map(|series| (series.labels, series.drop_name)).collect();
    Ok((series, runs))
}

/// The steps at which the expression of a subquery is evaluated.
pub(crate) fn own_steps(subquery: &Subquery, range_ms: i64, steps: &Steps) -> Steps {
    let step_ms = subquery.step_ms.max(1);
    let last_step = steps.time(steps.count().saturating_sub(1));
    let before = subquery.shift.apply(steps.start).ms().saturating_sub(range_ms);
    // The first multiple of the step after `before`; division cuts towards zero.
    let mut start = (before / step_ms) * step_ms;
    if start <= before {
        start = start.saturating_add(step_ms);
    }
    let end = subquery.shift.apply(last_step);
    Steps { start: Timestamp::from_ms(start), end, step_ms }
}

/// A series of a range vector that is the whole query.
pub(crate) struct RawSeries {
    labels: Labels,
    drop_name: bool,
    points: Vec<Point>,
}

impl RawSeries {
    /// The series without a name that was only kept until the end.
    pub(crate) fn finish(self) -> RangeSeries {
        let labels = if self.drop_name { without_metadata(&self.labels) } else { self.labels };
        RangeSeries { labels, points: self.points }
    }
}

/// The values in the window of the first step.
pub(super) fn raw(
    evaluator: &mut Evaluator<'_>,
    range: &Range,
    steps: &Steps,
) -> Result<Vec<RawSeries>, EvalError> {
    if let RangeSource::Select(select) = &range.source
        && let Some(extension) = select.extension
    {
        let name = match extension {
            RangeExtension::Anchored => "anchored",
            RangeExtension::Smoothed => "smoothed",
        };
        return Err(EvalError::Execution(format!(
            "a range vector with the {name} modifier is evaluated in functions only"
        )));
    }
    let reach = Reach::new(steps, range.shift(), range.range_ms, 0);
    let reader = RangeReader::open(evaluator, range, &reach, steps)?;
    on_all_cores(evaluator, vec![reader], |evaluator, reader| points(evaluator, reader, &reach))
}

/// The values of some series in the first window, with their indexes.
fn points(
    evaluator: &mut Evaluator<'_>,
    mut reader: RangeReader,
    reach: &Reach,
) -> Result<Vec<(usize, RawSeries)>, EvalError> {
    let mut windows = Windows::new(reach);
    let mut all = Vec::new();
    while let Some(chunk) = reader.next(evaluator)? {
        windows.reset();
        for (index, (labels, drop_name)) in chunk.series.into_iter().enumerate() {
            let (samples, windows) = windows.of(chunk.runs, index);
            let window = windows.list.first().copied().unwrap_or_default();
            evaluator.meter.hold(window.len())?;
            evaluator.meter.looked_at += window.len() as u64;
            let points: Vec<_> = (window.from..window.to)
                .map(|at| point(samples.timestamps[at], samples.cell(at)))
                .collect();
            if !points.is_empty() {
                all.push((chunk.indexes[index], RawSeries { labels, drop_name, points }));
            }
        }
    }
    Ok(all)
}

/// A value at a time in milliseconds.
pub(crate) fn point(ms: i64, cell: Cell<'_>) -> Point {
    let value = match cell {
        Cell::Float(value) => PointValue::Float(value),
        Cell::Histogram(histogram) => PointValue::Histogram(Arc::<Histogram>::clone(histogram)),
    };
    Point { timestamp: Timestamp::from_ms(ms), value }
}
