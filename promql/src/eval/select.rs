//! Selectors: the store's series, a bounded number at a time, in the order in which the store reads
//! them best; what comes of them is put in label order again.
//!
//! An instant selector takes the newest sample of `(t − lookback, t]`, unless that is the
//! staleness marker. A smoothed one interpolates between the samples around `t`. A range selector
//! skips markers and hands whole windows on.

use std::sync::Arc;

use tsdb::Selection;
use tsdb::model::histogram::CounterResetHint;
use tsdb::model::{Histogram, Labels, TimeRange, Timestamp, is_stale};

use super::Evaluator;
use super::column::{Cell, Column, Value};
use super::interpolate::{Place, between};
use super::parallel::{self, on_all_cores};
use super::runs::{Runs, Samples, Wanted};
use super::series::{StepSeries, StepVector, metric_name};
use super::window::{Reach, Window, Windows};
use crate::ast::{RangeExtension, Span};
use crate::error::EvalError;
use crate::notes::Notes;
use crate::plan::Select;
use crate::value::Steps;

/// Series that are read first, and the most that are read at a time.
const SERIES_AT_FIRST: usize = 128;
const SERIES_AT_ONCE: usize = 512;
/// Samples that are read at a time, about: 1 MiB, so that they are still in a near cache when they
/// are looked at.
const SAMPLES_AT_ONCE: usize = 1 << 17;
/// What native histograms that are read at a time may count for in a budget; if that is too little
/// for the series, fewer of them are read.
const HISTOGRAMS_AT_ONCE: usize = 8 << 20;

/// A selection that is read chunk by chunk.
pub(crate) struct Chunks {
    selection: Arc<Selection>,
    range: TimeRange,
    counts_only: bool,
    /// Indexes of series in the order in which they are read, and how many of them were.
    order: Vec<usize>,
    next: usize,
    /// Series that are read at a time.
    at_once: usize,
    runs: Runs,
}

/// Some series and their samples.
pub(crate) struct Chunk<'a> {
    /// Where each series stands among all, in label order.
    pub(crate) indexes: &'a [usize],
    pub(crate) labels: Vec<Labels>,
    pub(crate) runs: &'a Runs,
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
        let (order, runs) = (selection.read_order(), Runs::default());
        let selection = Arc::new(selection);
        let (counts_only, at_once) = (select.counts_only, SERIES_AT_FIRST);
        Ok(Some(Self { selection, range, counts_only, order, next: 0, at_once, runs }))
    }

    /// The same series in parts that can be read at the same time, as many as are worth it.
    pub(crate) fn split(self, threads: usize) -> Vec<Self> {
        let span_ms = self.range.end.ms_since(self.range.start);
        let parts = parallel::parts(self.order.len(), span_ms, threads);
        if parts < 2 {
            return vec![self];
        }
        let part = |order: &[usize]| Self {
            selection: self.selection.clone(),
            order: order.to_vec(),
            runs: Runs::default(),
            ..self
        };
        self.order.chunks(self.order.len().div_ceil(parts)).map(part).collect()
    }

    /// Reads the next chunk; `None` if there is none left. How large native histograms are shows
    /// only when they are read: if it is too much, half as many series are read.
    pub(crate) fn next(
        &mut self,
        evaluator: &Evaluator<'_>,
        with_stale: bool,
        newest_only: bool,
    ) -> Result<Option<Chunk<'_>>, EvalError> {
        let (meter, counts_only) = (&evaluator.meter, self.counts_only);
        loop {
            meter.check()?;
            let rest = &self.order[self.next..];
            let part = &rest[..self.at_once.min(rest.len())];
            if part.is_empty() {
                return Ok(None);
            }
            let is_one = part.len() == 1;
            let most = if is_one { usize::MAX } else { HISTOGRAMS_AT_ONCE };
            let histograms_max = meter.room().min(most);
            let wanted = Wanted { stale: with_stale, counts_only, histograms_max, newest_only };
            let selection = self.selection.pick(part);
            if self.runs.read(evaluator.store, &selection, self.range, wanted, meter)? {
                let indexes = self.next..self.next + part.len();
                self.next = indexes.end;
                let each = (self.runs.samples_count() / indexes.len()).max(1);
                self.at_once = (SAMPLES_AT_ONCE / each).clamp(1, SERIES_AT_ONCE);
                let labels = selection.series.into_iter().map(|series| series.labels).collect();
                return Ok(Some(Chunk { indexes: &self.order[indexes], labels, runs: &self.runs }));
            }
            if is_one {
                return Err(EvalError::TooManySamples);
            }
            self.at_once = part.len() / 2;
        }
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
    span: Span,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let lookback_ms = evaluator.options.lookback_ms;
    let smoothed = select.extension == Some(RangeExtension::Smoothed);
    let reach =
        Reach::new(steps, select.shift, lookback_ms, if smoothed { lookback_ms } else { 0 });
    let Some(chunks) = Chunks::resolve(evaluator, select, &reach)? else {
        return Ok(StepVector::new());
    };
    let parts = chunks.split(evaluator.options.threads);
    let work = |evaluator: &mut Evaluator<'_>, chunks| {
        read(evaluator, chunks, &reach, part, smoothed.then_some(span))
    };
    on_all_cores(evaluator, parts, work)
}

/// The values of some series, with their indexes; interpolated for the selector at a place.
fn read(
    evaluator: &mut Evaluator<'_>,
    mut chunks: Chunks,
    reach: &Reach,
    part: SamplePart,
    smoothed: Option<Span>,
) -> Result<Vec<(usize, StepSeries)>, EvalError> {
    let mut windows = Windows::new(reach);
    let mut found = Vec::new();
    // Whether a counter was reset is seen from the sample before.
    let newest_only = smoothed.is_none() && reach.ends.len() == 1 && !chunks.counts_only;
    while let Some(chunk) = chunks.next(evaluator, smoothed.is_none(), newest_only)? {
        windows.reset();
        for (index, labels) in chunk.labels.into_iter().enumerate() {
            let (samples, windows) = windows.of(chunk.runs, index);
            let column = match smoothed {
                Some(span) => {
                    let place = Place { span, name: metric_name(&labels) };
                    interpolated(&samples, &windows.list, reach, place, &mut evaluator.notes)
                }
                None => newest(&samples, &windows.list, part),
            };
            let points = column.present().count();
            if points > 0 {
                evaluator.meter.hold(column.weight())?;
                evaluator.meter.looked_at += points as u64;
                let series = StepSeries { labels, drop_name: false, column };
                found.push((chunk.indexes[index], series));
            }
        }
    }
    Ok(found)
}

/// The newest sample of each window, unless it says that the series ended.
fn newest(samples: &Samples<'_>, windows: &[Window], part: SamplePart) -> Column {
    if part == SamplePart::Value && !samples.has_histograms() {
        let last = windows.iter().map(|window| (window.len() > 0).then(|| window.to - 1));
        return Column::pick(samples.floats, last, |value| !is_stale(value));
    }
    let mut column = Column::empty(windows.len());
    for (step, window) in windows.iter().enumerate().filter(|(_, window)| window.len() > 0) {
        let at = window.to - 1;
        match (samples.cell(at), part) {
            (Cell::Float(value), _) if is_stale(value) => {}
            (Cell::Histogram(histogram), _) if is_stale(histogram.sum) => {}
            (cell, SamplePart::Value) => column.set_value(step, cell.into()),
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
/// that one's value. A window that mixes floats and histograms has none.
fn interpolated(
    samples: &Samples<'_>,
    windows: &[Window],
    reach: &Reach,
    place: Place<'_>,
    notes: &mut Notes,
) -> Column {
    let mut column = Column::empty(windows.len());
    for (step, window) in windows.iter().enumerate() {
        if samples.has_histograms() && is_mixed(samples, *window) {
            notes.mixed_floats_histograms(place.span, place.name);
            continue;
        }
        if let Some(value) = value_at(samples, *window, reach.ends[step], place, notes) {
            column.set_value(step, value);
        }
    }
    column
}

fn is_mixed(samples: &Samples<'_>, window: Window) -> bool {
    let histograms = (window.from..window.to).filter(|at| samples.histogram(*at).is_some()).count();
    histograms != 0 && histograms != window.len()
}

fn value_at(
    samples: &Samples<'_>,
    window: Window,
    time: i64,
    place: Place<'_>,
    notes: &mut Notes,
) -> Option<Value> {
    let Window { from, to } = window;
    let timestamps = &samples.timestamps[from..to];
    let next = from + timestamps.partition_point(|timestamp| *timestamp < time);
    let before = next.checked_sub(1).filter(|before| *before >= from);
    if next < to && samples.timestamps[next] == time {
        return Some(samples.cell(next).into());
    }
    let before = before?;
    if next == to {
        return Some(samples.cell(before).into());
    }
    let (t1, t2) = (samples.timestamps[before], samples.timestamps[next]);
    match (samples.cell(before), samples.cell(next)) {
        (Cell::Float(y1), Cell::Float(y2)) => {
            Some(Value::Float(y1 + (y2 - y1) * (time - t1) as f64 / (t2 - t1) as f64))
        }
        (Cell::Histogram(before), Cell::Histogram(after)) => {
            let gauge = |own: &Histogram| own.counter_reset_hint == CounterResetHint::Gauge;
            let is_counter = !gauge(before) && !gauge(after);
            let part = (time - t1) as f64 / (t2 - t1) as f64;
            between(before, after, part, is_counter, place, notes).map(Value::from)
        }
        _ => None,
    }
}
