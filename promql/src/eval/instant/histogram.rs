//! Functions of histograms.
//!
//! Classic ones: series that differ in `le` alone are the buckets of one histogram. Native ones
//! are values themselves; what needs their buckets is not there yet and says so.

use std::collections::HashMap;

use tsdb::model::number::{format_open_metrics, parse_float};
use tsdb::model::{BUCKET_LABEL, Labels};

use super::bucket::{self, Bucket};
use crate::ast::Span;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::{Cell, Column, Presence};
use crate::eval::series::{StepSeries, StepVector, metric_name};
use crate::notes::Forced;
use crate::plan::{Call, Node};
use crate::value::Steps;

/// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`.
pub(super) fn classic(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let args = call.args.as_slice();
    match (call.function.name, args) {
        ("histogram_fraction", [lower, upper, input]) => {
            let (lower, upper) = (evaluator.scalar(lower, steps)?, evaluator.scalar(upper, steps)?);
            let histograms = gather(evaluator, input, steps)?;
            Ok(outputs(evaluator, &histograms, |_, histogram| {
                histogram
                    .column(|step, buckets| bucket::fraction(lower[step], upper[step], buckets))
            }))
        }
        ("histogram_quantile", [q, input]) => {
            let q = Quantile::new(evaluator, q, steps)?;
            let histograms = gather(evaluator, input, steps)?;
            Ok(outputs(evaluator, &histograms, |evaluator, histogram| {
                q.of(evaluator, histogram, input.span, steps)
            }))
        }
        ("histogram_quantiles", [input, _, quantiles @ ..]) => {
            quantiles_of(evaluator, call, input, quantiles, steps)
        }
        (name, _) => Err(super::not_yet(name)),
    }
}

fn quantiles_of(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    input: &Node,
    quantiles: &[Node],
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let quantiles: Vec<_> =
        quantiles.iter().map(|q| Quantile::new(evaluator, q, steps)).collect::<Result<_, _>>()?;
    let histograms = gather(evaluator, input, steps)?;
    let mut vector = Vec::new();
    for q in &quantiles {
        let outputs = outputs(evaluator, &histograms, |evaluator, histogram| {
            q.of(evaluator, histogram, input.span, steps)
        });
        for series in outputs {
            vector.extend(q.labelled(&series, call.text(1)));
        }
    }
    Ok(vector)
}

/// Which quantile is asked for at each step.
struct Quantile(Vec<f64>);

impl Quantile {
    fn new(evaluator: &mut Evaluator<'_>, node: &Node, steps: &Steps) -> Result<Self, EvalError> {
        let quantiles = evaluator.scalar(node, steps)?;
        for q in quantiles.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
            evaluator.notes.invalid_quantile(node.span, *q);
        }
        Ok(Self(quantiles))
    }

    fn of(
        &self,
        evaluator: &mut Evaluator<'_>,
        histogram: &Histogram,
        span: Span,
        steps: &Steps,
    ) -> Column {
        let named = evaluator.options.delayed_name_removal;
        let name = if named { metric_name(&histogram.labels) } else { "" };
        histogram.column(|step, buckets| {
            let (value, raised) = bucket::quantile(self.0[step], buckets);
            if let Some(bucket::Raised { bucket_min, bucket_max, diff_max }) = raised {
                let (start, end) = (steps.time(step), steps.time(step));
                let forced = Forced { bucket_min, bucket_max, diff_max, start, end, count: 1 };
                evaluator.notes.forced_monotonicity(span, name, forced);
            }
            value
        })
    }

    /// The series with the quantile as a label: one for each distinct quantile.
    fn labelled(&self, series: &StepSeries, label: &str) -> Vec<StepSeries> {
        let mut texts: HashMap<String, Column> = HashMap::new();
        for (step, value) in series.column.floats() {
            let text = format_open_metrics(self.0[step]);
            let empty = || Column::empty(series.column.steps());
            texts.entry(text).or_insert_with(empty).set(step, value);
        }
        let labelled = texts.into_iter().map(|(text, column)| {
            let labels = series.labels.to_builder().set(label, text).build();
            StepSeries { labels, column, drop_name: true }
        });
        labelled.collect()
    }
}

/// A classic histogram: bucket series with their bounds.
struct Histogram {
    /// Without `le`, with the name.
    labels: Labels,
    buckets: Vec<(f64, Column)>,
    /// Steps where a native histogram has the same labels.
    conflicts: Presence,
}

impl Histogram {
    /// A value for each step that has a bucket.
    fn column(&self, mut value: impl FnMut(usize, &mut Vec<Bucket>) -> f64) -> Column {
        let mut buckets = Vec::with_capacity(self.buckets.len());
        Column::from_fn(self.conflicts.steps(), |step| {
            buckets.clear();
            let present = self.buckets.iter().filter_map(|(bound, column)| {
                Some(Bucket { bound: *bound, count: column.float(step)? })
            });
            buckets.extend(present);
            let usable = !buckets.is_empty() && !self.conflicts.contains(step);
            usable.then(|| value(step, &mut buckets))
        })
    }

    fn has_bucket(&self, step: usize) -> bool {
        self.buckets.iter().any(|(_, column)| column.float(step).is_some())
    }
}

fn outputs(
    evaluator: &mut Evaluator<'_>,
    histograms: &[Histogram],
    mut column: impl FnMut(&mut Evaluator<'_>, &Histogram) -> Column,
) -> StepVector {
    let outputs = histograms.iter().map(|histogram| StepSeries {
        labels: evaluator.derived_labels(&histogram.labels),
        drop_name: true,
        column: column(evaluator, histogram),
    });
    outputs.collect()
}

/// The classic histograms of a vector, buckets sorted by bound. Native histograms beside them are
/// a conflict; alone, they cannot be evaluated yet.
fn gather(
    evaluator: &mut Evaluator<'_>,
    input: &Node,
    steps: &Steps,
) -> Result<Vec<Histogram>, EvalError> {
    let vector = evaluator.vector(input, steps)?;
    let named = evaluator.options.delayed_name_removal;
    let mut histograms: Vec<Histogram> = Vec::new();
    let mut known: HashMap<Labels, usize> = HashMap::new();
    let mut natives = Vec::new();
    for series in vector {
        if series.column.has_histograms() {
            natives.push(series.clone());
        }
        if series.column.floats().next().is_none() {
            continue;
        }
        let le = series.labels.get(BUCKET_LABEL).unwrap_or("");
        let Some(bound) = parse_float(le) else {
            let name = if named { metric_name(&series.labels) } else { "" };
            evaluator.notes.bad_bucket_label(input.span, name, le);
            continue;
        };
        let labels = series.labels.filtered(|name| name != BUCKET_LABEL);
        let at = *known.entry(labels.clone()).or_insert(histograms.len());
        if at == histograms.len() {
            let conflicts = Presence::none(steps.count());
            histograms.push(Histogram { labels, buckets: Vec::new(), conflicts });
        }
        histograms[at].buckets.push((bound, series.column));
    }
    for series in &natives {
        let same = known.get(&series.labels).map(|at| &mut histograms[*at]);
        conflict(evaluator, series, same, input.span)?;
    }
    for histogram in &mut histograms {
        histogram
            .buckets
            .sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    }
    Ok(histograms)
}

/// A native histogram beside buckets with the same labels: neither counts.
fn conflict(
    evaluator: &mut Evaluator<'_>,
    native: &StepSeries,
    mut classic: Option<&mut Histogram>,
    span: Span,
) -> Result<(), EvalError> {
    let steps = native.column.cells().filter(|(_, cell)| matches!(cell, Cell::Histogram(_)));
    for (step, _) in steps {
        match classic.as_deref_mut().filter(|classic| classic.has_bucket(step)) {
            None => return Err(EvalError::native_histograms("quantiles and fractions")),
            Some(classic) => {
                let named = evaluator.options.delayed_name_removal;
                let name = if named { metric_name(&native.labels) } else { "" };
                evaluator.notes.mixed_classic_native(span, name);
                classic.conflicts.insert(step);
            }
        }
    }
    Ok(())
}

/// `histogram_count`, `histogram_sum`, `histogram_avg`: of native histograms alone. Their spread
/// needs buckets.
pub(super) fn of_native(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = evaluator.vector(&call.args[0], steps)?;
    let value: fn(&tsdb::model::Histogram) -> f64 = match call.function.name {
        "histogram_count" => |histogram| histogram.count,
        "histogram_sum" => |histogram| histogram.sum,
        "histogram_avg" => |histogram| histogram.sum / histogram.count,
        name if vector.iter().any(|series| series.column.has_histograms()) => {
            return Err(EvalError::native_histograms(name));
        }
        _ => return Ok(Vec::new()),
    };
    let of_histogram = |column: Column| {
        Column::from_fn(column.steps(), |step| match column.get(step) {
            Some(Cell::Histogram(histogram)) => Some(value(histogram)),
            _ => None,
        })
    };
    Ok(vector.into_iter().map(|series| evaluator.derived(series, of_histogram)).collect())
}
