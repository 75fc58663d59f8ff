//! Functions of range vectors: each series' windows → a column.
//!
//! Windows move forward with the steps, so that `rate` and what needs counts only costs
//! O(samples + steps); functions whose rounding depends on each addend walk their window again.
//! Floats and native histograms of a series are told apart first: a function of floats sees
//! float-only samples with windows of their own.

mod changes;
mod extended;
mod extended_histogram;
mod grid;
mod histogram_rate;
mod instant_rate;
mod over_time;
mod rate;
mod regression;
mod smoothing;

use std::sync::Arc;

use tsdb::model::{Histogram, Labels};

use self::grid::Grid;
use super::Evaluator;
use super::column::Column;
use super::instant;
use super::parallel::on_all_cores;
use super::runs::{FloatsOnly, Samples};
use super::series::{StepSeries, StepVector, distinct, metric_name, without_metadata};
use super::subquery::RangeReader;
use super::window::{Reach, Window, WindowSet, Windows};
use crate::ast::{RangeExtension, Span};
use crate::error::EvalError;
use crate::notes::Notes;
use crate::plan::{Call, NodeKind, Range, RangeSource};
use crate::value::Steps;

/// A call's range argument, if it has one.
pub(super) fn argument(call: &Call) -> Option<&Range> {
    call.args.iter().find_map(|arg| match &arg.kind {
        NodeKind::Range(range) => Some(range),
        _ => None,
    })
}

/// One series as a function of ranges sees it.
struct Series<'a> {
    /// All samples, and the window of each step.
    all: Samples<'a>,
    all_windows: &'a [Window],
    /// The floats among them, and theirs.
    floats: Samples<'a>,
    float_windows: &'a [Window],
    /// Of all samples.
    grid: &'a Grid,
    call: &'a CallContext<'a>,
    name: &'a str,
}

/// What is the same for all series of a call.
struct CallContext<'a> {
    function: &'static str,
    steps: &'a Steps,
    reach: &'a Reach,
    range_ms: i64,
    extension: Option<RangeExtension>,
    use_start_timestamps: bool,
    /// The scalar arguments, in their order.
    params: Vec<Vec<f64>>,
    /// Where the first argument stands.
    span: Span,
}

impl<'a> Series<'a> {
    /// The floats in the window of `step`.
    fn window(&self, step: usize) -> Samples<'a> {
        let window = self.float_windows[step];
        self.floats.slice(window.from, window.to)
    }

    /// Native histograms in the window of `step`.
    fn histograms(&self, step: usize) -> usize {
        self.all_windows[step].len() - self.float_windows[step].len()
    }

    /// The native histogram at `index` of all samples.
    fn histogram(&self, index: usize) -> &'a Histogram {
        self.all.histogram(index).expect("BUG: not a histogram")
    }

    fn steps(&self) -> usize {
        self.all_windows.len()
    }

    /// One value at most for each step, of the floats of its window if there are any.
    /// Histograms among them are ignored, with a note.
    fn of_floats(
        &self,
        notes: &mut Notes,
        mut value: impl FnMut(usize, Samples<'a>) -> Option<f64>,
    ) -> Column {
        Column::from_fn(self.steps(), |step| {
            let window = self.window(step);
            if window.floats.is_empty() {
                return None;
            }
            if self.histograms(step) > 0 {
                notes.histogram_ignored_in_range(self.call.span, self.name);
            }
            value(step, window)
        })
    }

    /// One value at most for each step, of the floats of its window or of its histograms, which
    /// are those of that window of all samples. A window that mixes both has no value.
    fn of_one_kind(
        &self,
        notes: &mut Notes,
        mut of_floats: impl FnMut(usize, Samples<'a>) -> Option<f64>,
        mut of_histograms: impl FnMut(usize, Window, &mut Notes) -> Option<Histogram>,
    ) -> Column {
        let mut column = Column::empty(self.steps());
        for step in 0..self.steps() {
            let window = self.window(step);
            match (window.floats.is_empty(), self.histograms(step)) {
                (true, 0) => {}
                (true, _) => {
                    if let Some(value) = of_histograms(step, self.all_windows[step], notes) {
                        column.set_histogram(step, Arc::new(value));
                    }
                }
                (false, 0) => {
                    if let Some(value) = of_floats(step, window) {
                        column.set(step, value);
                    }
                }
                (false, _) => notes.mixed_floats_histograms(self.call.span, self.name),
            }
        }
        column
    }
}

/// Evaluates a call that has a range argument.
pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    range: &Range,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let name = call.function.name;
    let extension = extension(range, name)?;
    let lookback_ms = evaluator.options.lookback_ms;
    let (before_ms, after_ms) = match extension {
        None => (range.range_ms, 0),
        Some(RangeExtension::Anchored) => (range.range_ms.saturating_add(lookback_ms), 0),
        Some(RangeExtension::Smoothed) => (range.range_ms.saturating_add(lookback_ms), lookback_ms),
    };
    let reach = Reach::new(steps, range.shift(), before_ms, after_ms);
    let scalars = call.args.iter().filter(|arg| super::is_scalar(arg));
    let params = scalars.map(|arg| evaluator.scalar(arg, steps)).collect::<Result<_, _>>()?;
    let context = CallContext {
        function: name,
        steps,
        reach: &reach,
        range_ms: range.range_ms,
        extension,
        use_start_timestamps: evaluator.options.use_start_timestamps,
        params,
        span: call.args.first().map_or(Span::default(), |arg| arg.span),
    };
    let vector = columns(evaluator, range, &context)?;
    if name == "absent_over_time" {
        return Ok(instant::absent_over(vector, &call.args, steps));
    }
    if evaluator.options.delayed_name_removal { Ok(vector) } else { distinct(vector) }
}

/// `anchored` or `smoothed`, if the function can deal with it.
fn extension(range: &Range, function: &str) -> Result<Option<RangeExtension>, EvalError> {
    let RangeSource::Select(select) = &range.source else { return Ok(None) };
    let (name, allowed): (_, &[&str]) = match select.extension {
        None => return Ok(None),
        Some(RangeExtension::Anchored) => {
            ("anchored", &["changes", "delta", "increase", "rate", "resets"])
        }
        Some(RangeExtension::Smoothed) => ("smoothed", &["delta", "increase", "rate"]),
    };
    if allowed.contains(&function) {
        return Ok(select.extension);
    }
    let allowed = allowed.join(", ");
    Err(EvalError::Execution(format!(
        "{name} modifier can only be used with: {allowed} - not with {function}"
    )))
}

fn columns(
    evaluator: &mut Evaluator<'_>,
    range: &Range,
    context: &CallContext<'_>,
) -> Result<StepVector, EvalError> {
    let reader = RangeReader::open(evaluator, range, context.reach, context.steps)?;
    let parts = reader.split(evaluator.options.threads);
    on_all_cores(evaluator, parts, |evaluator, reader| part(evaluator, reader, context))
}

/// The series of a chunk whose column was computed last.
struct Latest {
    index: usize,
    labels: Labels,
    /// Where its column is.
    at: usize,
}

impl Latest {
    /// Whether a series of this name that has the samples of series `repeated` has its column.
    fn is(&self, repeated: Option<usize>, name: &str) -> bool {
        repeated == Some(self.index) && metric_name(&self.labels) == name
    }
}

/// The columns of some series, with their indexes.
fn part(
    evaluator: &mut Evaluator<'_>,
    mut reader: RangeReader,
    context: &CallContext<'_>,
) -> Result<Vec<(usize, StepSeries)>, EvalError> {
    let mut windows = Windows::new(context.reach);
    let mut grid = Grid::default();
    let mut found: Vec<(usize, StepSeries)> = Vec::new();
    while let Some(chunk) = reader.next(evaluator)? {
        windows.reset();
        let mut latest: Option<Latest> = None;
        for (index, (labels, drop_name)) in chunk.series.into_iter().enumerate() {
            let (samples, windows) = windows.of(chunk.runs, index);
            grid.follow(windows);
            evaluator.meter.looked_at += windows.samples;
            evaluator.meter.hold_briefly(windows.longest)?;
            let name = metric_name(&labels);
            let repeated = chunk.runs.repeated(index);
            let repeated = latest.as_ref().filter(|own| own.is(repeated, name));
            let column = match repeated {
                Some(latest) => found[latest.at].1.column.clone(),
                None => column(samples, &windows.list, &grid, context, name, &mut evaluator.notes)?,
            };
            let is_new = repeated.is_none();
            evaluator.meter.check()?;
            if !column.present().is_empty() {
                evaluator.meter.hold(column.weight())?;
                note_non_counter(evaluator, context, &labels, &column);
                if is_new {
                    latest = Some(Latest { index, labels: labels.clone(), at: found.len() });
                }
                let series = output(evaluator, context.function, labels, drop_name, column);
                found.push((chunk.indexes[index], series));
            }
        }
    }
    Ok(found)
}

/// The values of one series.
fn column(
    all: Samples<'_>,
    all_windows: &[Window],
    grid: &Grid,
    call: &CallContext<'_>,
    name: &str,
    notes: &mut Notes,
) -> Result<Column, EvalError> {
    if !all.has_histograms() {
        let series =
            Series { all, all_windows, floats: all, float_windows: all_windows, grid, call, name };
        return evaluate(&series, notes);
    }
    let is_float = |index: &usize| all.histogram(*index).is_none();
    let indexes: Vec<usize> = (0..all.floats.len()).filter(is_float).collect();
    let only = FloatsOnly::new(&all, &indexes);
    let position = |index: usize| indexes.partition_point(|own| *own < index);
    let float_windows: Vec<Window> = all_windows
        .iter()
        .map(|window| Window { from: position(window.from), to: position(window.to) })
        .collect();
    let floats = only.samples();
    let float_windows = &float_windows;
    let series = Series { all, all_windows, floats, float_windows, grid, call, name };
    evaluate(&series, notes)
}

fn evaluate(series: &Series<'_>, notes: &mut Notes) -> Result<Column, EvalError> {
    let anchored = series.call.extension.is_some();
    match series.call.function {
        "rate" | "increase" | "delta" if anchored => Ok(extended::rate(series, notes)),
        "rate" => Ok(rate::column(series, rate::Kind::Rate, notes)),
        "increase" => Ok(rate::column(series, rate::Kind::Increase, notes)),
        "delta" => Ok(rate::column(series, rate::Kind::Delta, notes)),
        "irate" => Ok(instant_rate::column(series, true, notes)),
        "idelta" => Ok(instant_rate::column(series, false, notes)),
        "changes" => Ok(changes::changes(series)),
        "resets" => Ok(changes::resets(series)),
        "deriv" => Ok(regression::deriv(series, notes)),
        "predict_linear" => Ok(regression::predict_linear(series, notes)),
        "double_exponential_smoothing" => smoothing::column(series, notes),
        _ => over_time::column(series, notes),
    }
}

fn note_non_counter(
    evaluator: &mut Evaluator<'_>,
    context: &CallContext<'_>,
    labels: &Labels,
    column: &Column,
) {
    const SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
    let name = metric_name(labels);
    let named_like_one = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let of_counters = matches!(context.function, "rate" | "increase");
    if of_counters && !name.is_empty() && !named_like_one && column.floats().next().is_some() {
        evaluator.notes.possible_non_counter(context.span, name);
    }
}

/// The series of a result: with its name only if the values are still the metric's.
fn output(
    evaluator: &Evaluator<'_>,
    function: &str,
    labels: Labels,
    drop_name: bool,
    column: Column,
) -> StepSeries {
    let keeps_name = matches!(function, "last_over_time" | "first_over_time");
    let drop_now = !keeps_name && !evaluator.options.delayed_name_removal;
    let labels = if drop_now { without_metadata(&labels) } else { labels };
    StepSeries { labels, drop_name: drop_name || !keeps_name, column }
}

/// Go's `Duration.Seconds`: whole seconds and the rest are converted apart.
fn seconds(ms: i64) -> f64 {
    (ms / 1000) as f64 + (ms % 1000 * 1_000_000) as f64 / 1e9
}
