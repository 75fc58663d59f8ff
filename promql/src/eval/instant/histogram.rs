//! Functions of histograms, native and classic ones.

use std::collections::HashMap;

use tsdb::model::Histogram;
use tsdb::model::number::format_open_metrics;

use super::bucket;
use super::classic::{Classic, Histograms};
use super::native::{self, NanEffect};
use crate::ast::Span;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::Column;
use crate::eval::series::{StepSeries, StepVector, metric_name};
use crate::notes::Forced;
use crate::plan::{Call, Node};
use crate::value::Steps;

/// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`.
pub(super) fn of_any(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let args = call.args.as_slice();
    match (call.function.name, args) {
        ("histogram_fraction", [lower, upper, input]) => {
            let (lower, upper) = (evaluator.scalar(lower, steps)?, evaluator.scalar(upper, steps)?);
            let histograms = Histograms::gather(evaluator, input, steps)?;
            Ok(outputs(
                evaluator,
                &histograms,
                |evaluator, series| {
                    native_fractions(evaluator, series, (&lower, &upper), input.span)
                },
                |_, classic| {
                    let fraction = bucket::fraction;
                    classic.column(|step, buckets| fraction(lower[step], upper[step], buckets))
                },
            ))
        }
        ("histogram_quantile", [q, input]) => {
            let q = Quantile::new(evaluator, q, steps)?;
            let histograms = Histograms::gather(evaluator, input, steps)?;
            Ok(q.of(evaluator, &histograms, input.span, steps))
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
    let histograms = Histograms::gather(evaluator, input, steps)?;
    let mut vector = Vec::new();
    for q in &quantiles {
        for series in q.of(evaluator, &histograms, input.span, steps) {
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
        histograms: &Histograms,
        span: Span,
        steps: &Steps,
    ) -> StepVector {
        outputs(
            evaluator,
            histograms,
            |evaluator, series| self.of_native(evaluator, series, span),
            |evaluator, classic| self.of_classic(evaluator, classic, span, steps),
        )
    }

    fn of_native(&self, evaluator: &mut Evaluator<'_>, series: &StepSeries, span: Span) -> Column {
        let mut column = Column::empty(series.column.steps());
        for (step, histogram) in series.column.histograms() {
            let (value, effect) = native::quantile(self.0[step], histogram);
            let name = name_in_notes(evaluator, series);
            match effect {
                NanEffect::None => {}
                NanEffect::Result => evaluator.notes.quantile_nan_result(span, name),
                NanEffect::Skew => evaluator.notes.quantile_nan_skew(span, name),
            }
            column.set(step, value);
        }
        column
    }

    fn of_classic(
        &self,
        evaluator: &mut Evaluator<'_>,
        classic: &Classic,
        span: Span,
        steps: &Steps,
    ) -> Column {
        let named = evaluator.options.delayed_name_removal;
        let name = if named { metric_name(&classic.labels) } else { "" };
        classic.column(|step, buckets| {
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

fn native_fractions(
    evaluator: &mut Evaluator<'_>,
    series: &StepSeries,
    (lower, upper): (&[f64], &[f64]),
    span: Span,
) -> Column {
    let mut column = Column::empty(series.column.steps());
    for (step, histogram) in series.column.histograms() {
        let (value, has_nans) = native::fraction(lower[step], upper[step], histogram);
        if has_nans {
            let name = name_in_notes(evaluator, series);
            evaluator.notes.fraction_nans(span, name);
        }
        column.set(step, value);
    }
    column
}

/// The metric's name, if it is still there when a note is written.
fn name_in_notes<'a>(evaluator: &Evaluator<'_>, series: &'a StepSeries) -> &'a str {
    if evaluator.options.delayed_name_removal { metric_name(&series.labels) } else { "" }
}

/// A series for each histogram.
fn outputs(
    evaluator: &mut Evaluator<'_>,
    histograms: &Histograms,
    mut of_native: impl FnMut(&mut Evaluator<'_>, &StepSeries) -> Column,
    mut of_classic: impl FnMut(&mut Evaluator<'_>, &Classic) -> Column,
) -> StepVector {
    let mut vector = StepVector::new();
    for series in &histograms.natives {
        let column = of_native(evaluator, series);
        let labels = evaluator.derived_labels(&series.labels);
        vector.push(StepSeries { labels, drop_name: true, column });
    }
    for classic in &histograms.classics {
        let column = of_classic(evaluator, classic);
        let labels = evaluator.derived_labels(&classic.labels);
        vector.push(StepSeries { labels, drop_name: true, column });
    }
    vector
}

/// `histogram_count`, `histogram_sum`, `histogram_avg` and the spread: of native histograms alone.
pub(super) fn of_native(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = evaluator.vector(&call.args[0], steps)?;
    let value: fn(&Histogram) -> f64 = match call.function.name {
        "histogram_count" => |histogram| histogram.count,
        "histogram_sum" => |histogram| histogram.sum,
        "histogram_avg" => |histogram| histogram.sum / histogram.count,
        "histogram_stdvar" => native::variance,
        "histogram_stddev" => |histogram| native::variance(histogram).sqrt(),
        name => return Err(super::not_yet(name)),
    };
    let of_histogram = |column: Column| column.of_histograms(value);
    Ok(vector.into_iter().map(|series| evaluator.derived(series, of_histogram)).collect())
}
