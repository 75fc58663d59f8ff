//! Selectors: the store's series, a bounded number at a time.
//!
//! An instant selector takes the newest sample of `(t − lookback, t]`, unless that is the
//! staleness marker. A smoothed one interpolates between the samples around `t`. A range selector
//! skips markers and hands whole windows on.

use tsdb::Selection;
use tsdb::model::{Labels, TimeRange, Timestamp, is_stale};

use super::Evaluator;
use super::column::{Cell, Column};
use super::runs::{Runs, Samples};
use super::series::{StepSeries, StepVector};
use super::window::{Reach, Window, Windows};
use crate::ast::RangeExtension;
use crate::error::EvalError;
use crate::plan::Select;
use crate::value::Steps;

/// Series that are read at a time: bounds the memory for decoded samples.
const SERIES_AT_ONCE: usize = 4096;
/// Samples that are read at a time, if the store says how many a series has.
const SAMPLES_AT_ONCE: usize = 8 << 20;

/// A selection that is read chunk by chunk.
pub(crate) struct Chunks {
    selection: Selection,
    range: TimeRange,
    next: usize,
}

/// Some series and their samples.
pub(crate) struct Chunk {
    pub(crate) labels: Vec<Labels>,
    pub(crate) runs: Runs,
}

impl Chunks {
    /// Resolves the series of `select` that may have samples where `reach` looks.
    pub(crate) fn resolve(
        evaluator: &Evaluator<'_>,
        select: &Select,
        reach: &Reach,
    ) -> Result<Option<Self>, EvalError> {
        let Some((start, end)) = reach.bounds().filter(|(start, end)| start <= end) else {
            return Ok(None);
        };
        let range = TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(end));
        let selection = evaluator.store.resolve(range, &select.matchers)?;
        Ok(Some(Self { selection, range, next: 0 }))
    }

    /// Reads the next chunk; `None` if there is none left.
    pub(crate) fn next(
        &mut self,
        evaluator: &Evaluator<'_>,
        with_stale: bool,
    ) -> Result<Option<Chunk>, EvalError> {
        evaluator.meter.check()?;
        let part = self.part();
        if part.series.is_empty() {
            return Ok(None);
        }
        self.next += part.series.len();
        let runs = Runs::read(evaluator.store, &part, self.range, with_stale, &evaluator.meter)?;
        let labels = part.series.into_iter().map(|series| series.labels).collect();
        Ok(Some(Chunk { labels, runs }))
    }

    /// The series from `next` on that are read together; at least one, if there is one.
    fn part(&self) -> Selection {
        let mut samples = 0_usize;
        let rest = self.selection.series[self.next..].iter().take(SERIES_AT_ONCE);
        let few = rest.take_while(|series| {
            let before = samples;
            samples = samples.saturating_add(series.hints.samples_max.unwrap_or(0));
            before < SAMPLES_AT_ONCE
        });
        self.selection.part(self.next..self.next + few.count())
    }
}

/// What of a sample becomes the vector's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SamplePart {
    Value,
    /// The time it was taken, in seconds.
    Timestamp,
    /// The time its counter started, in seconds; 0 if that is not known.
    Start,
}

/// An instant vector of the store's series.
pub(crate) fn vector(
    evaluator: &mut Evaluator<'_>,
    select: &Select,
    part: SamplePart,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let lookback_ms = evaluator.options.lookback_ms;
    let smoothed = select.extension == Some(RangeExtension::Smoothed);
    let reach =
        Reach::new(steps, select.shift, lookback_ms, if smoothed { lookback_ms } else { 0 });
    let mut windows = Windows::new(&reach);
    let mut vector = StepVector::new();
    let Some(mut chunks) = Chunks::resolve(evaluator, select, &reach)? else {
        return Ok(vector);
    };
    while let Some(chunk) = chunks.next(evaluator, !smoothed)? {
        windows.reset();
        for (index, labels) in chunk.labels.into_iter().enumerate() {
            let (samples, windows) = windows.of(&chunk.runs, index);
            let column = match smoothed {
                true => interpolated(&samples, windows, &reach)?,
                false => newest(&samples, windows, part),
            };
            let points = column.present().count();
            if points > 0 {
                evaluator.meter.hold(column.weight())?;
                evaluator.meter.looked_at += points as u64;
                vector.push(StepSeries { labels, drop_name: false, column });
            }
        }
    }
    Ok(vector)
}

/// The newest sample of each window, unless it says that the series ended.
fn newest(samples: &Samples<'_>, windows: &[Window], part: SamplePart) -> Column {
    let mut column = Column::empty(windows.len());
    for (step, window) in windows.iter().enumerate().filter(|(_, window)| window.len() > 0) {
        let at = window.to - 1;
        match (samples.cell(at), part) {
            (Cell::Float(value), _) if is_stale(value) => {}
            (Cell::Histogram(histogram), _) if is_stale(histogram.sum) => {}
            (Cell::Float(value), SamplePart::Value) => column.set(step, value),
            (Cell::Histogram(histogram), SamplePart::Value) => {
                column.set_histogram(step, histogram.clone());
            }
            (_, SamplePart::Timestamp) => {
                column.set(step, samples.timestamps[at] as f64 / 1000.0);
            }
            (_, SamplePart::Start) => {
                column.set(step, samples.start(at).unwrap_or(0) as f64 / 1000.0);
            }
        }
    }
    column
}

/// The value at each step's time on the line between the samples around it; after the last sample,
/// that one's value.
fn interpolated(
    samples: &Samples<'_>,
    windows: &[Window],
    reach: &Reach,
) -> Result<Column, EvalError> {
    if samples.has_histograms() {
        return Err(EvalError::native_histograms("smoothed"));
    }
    Ok(Column::from_fn(windows.len(), |step| {
        let Window { from, to } = windows[step];
        let time = reach.ends[step];
        let timestamps = &samples.timestamps[from..to];
        let next = from + timestamps.partition_point(|timestamp| *timestamp < time);
        let before = next.checked_sub(1).filter(|before| *before >= from);
        if next < to && samples.timestamps[next] == time {
            return Some(samples.floats[next]);
        }
        let before = before?;
        let (t1, y1) = (samples.timestamps[before], samples.floats[before]);
        if next == to {
            return Some(y1);
        }
        let (t2, y2) = (samples.timestamps[next], samples.floats[next]);
        Some(y1 + (y2 - y1) * (time - t1) as f64 / (t2 - t1) as f64)
    }))
}
