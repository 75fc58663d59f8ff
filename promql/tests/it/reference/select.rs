//! Which samples an expression sees at a time: of a selector, of its range, of a subquery.

use promql::ast::{At, DurationExpr, Expr, ExprKind, Modifiers, Subquery, VectorSelector};
use promql::value::Steps;
use tsdb::model::{Labels, Timestamp};

use super::{Found, Moment, Native, Reference, Sample, Series, Value, Vector};

/// The samples of a series in `(start, end]`, without stale markers.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) labels: Labels,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) samples: Vec<(i64, Value)>,
}

impl Window {
    pub(super) fn floats(&self) -> Vec<(i64, f64)> {
        let floats = self.samples.iter();
        floats.filter_map(|(time, value)| Some((*time, value.float()?))).collect()
    }

    pub(super) fn histograms(&self) -> Vec<(i64, Native)> {
        let histogram = |(time, value): &(i64, Value)| match value {
            Value::Histogram(own) => Some((*time, own.clone())),
            Value::Float(_) => None,
        };
        self.samples.iter().filter_map(histogram).collect()
    }
}

pub(super) fn ms(duration: &DurationExpr) -> i64 {
    let DurationExpr::Ms(ms) = duration else { unreachable!("left out of the grammar") };
    *ms
}

impl Reference<'_> {
    /// The time that modifiers make of a step's time.
    fn moved(&self, modifiers: &Modifiers, at: Moment) -> i64 {
        let time = match modifiers.at {
            None => at.time,
            Some(At::Time(time)) => time.ms(),
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
        };
        time - modifiers.offset.as_ref().map_or(0, ms)
    }

    fn matching<'a>(&'a self, selector: &'a VectorSelector) -> impl Iterator<Item = &'a Series> {
        let matches =
            |own: &&Series| selector.matchers.iter().all(|m| m.matches_labels(&own.labels));
        self.series.iter().filter(matches)
    }

    /// The newest sample of each series, if it is young enough and no stale marker.
    pub(super) fn instant(&self, selector: &VectorSelector, at: Moment) -> Vector {
        let until = self.moved(&selector.modifiers, at);
        let newest = |series: &Series| {
            let (time, value) = series.samples.iter().rfind(|(time, _)| *time <= until)?;
            let value = value.clone().filter(|_| *time > until - self.lookback_ms)?;
            Some(Sample { labels: series.labels.clone(), time: *time, value })
        };
        self.matching(selector).filter_map(newest).collect()
    }

    /// The windows of a range vector that are not empty.
    pub(super) fn windows(&self, range: &Expr, at: Moment) -> Found<Vec<Window>> {
        let windows = match &super::bare(range).kind {
            ExprKind::Matrix(matrix) => {
                let end = self.moved(&matrix.selector.modifiers, at);
                let start = end - ms(&matrix.range);
                let window = |series: &Series| {
                    let inside = series.samples.iter();
                    let inside = inside.filter(|(time, _)| *time > start && *time <= end);
                    let samples = inside.filter_map(|(time, value)| Some((*time, value.clone()?)));
                    Window { labels: series.labels.clone(), start, end, samples: samples.collect() }
                };
                self.matching(&matrix.selector).map(window).collect()
            }
            ExprKind::Subquery(subquery) => self.subquery(subquery, at)?,
            other => unreachable!("left out of the grammar: {other:?}"),
        };
        Ok(windows.into_iter().filter(|window| !window.samples.is_empty()).collect())
    }

    /// Steps of a subquery are the multiples of its step. All that any step of the outer steps
    /// needs are evaluated, since a failure of one is a failure of the query.
    fn subquery(&self, subquery: &Subquery, at: Moment) -> Found<Vec<Window>> {
        let (end, range) = (self.moved(&subquery.modifiers, at), ms(&subquery.range));
        let start = end - range;
        let step_ms = subquery.step.as_ref().map_or(self.subquery_step_ms, ms);
        let (first, last) = match subquery.modifiers.at {
            Some(_) => (start, end),
            None => {
                let last_step = at.steps.times().last().expect("a step").ms();
                let moved = |time| self.moved(&subquery.modifiers, Moment { time, ..at });
                (moved(at.steps.start.ms()) - range, moved(last_step))
            }
        };
        let steps = Steps {
            start: Timestamp::from_ms((first.div_euclid(step_ms) + 1) * step_ms),
            end: Timestamp::from_ms(last),
            step_ms,
        };
        let mut windows: Vec<Window> = Vec::new();
        for time in steps.times().map(Timestamp::ms) {
            for sample in self.vector(&subquery.expr, Moment { time, steps })? {
                if time <= start || time > end {
                    continue;
                }
                let known = windows.iter_mut().find(|own| own.labels == sample.labels);
                if let Some(known) = known {
                    known.samples.push((time, sample.value));
                } else {
                    let (labels, samples) = (sample.labels, vec![(time, sample.value)]);
                    windows.push(Window { labels, start, end, samples });
                }
            }
        }
        Ok(windows)
    }
}
