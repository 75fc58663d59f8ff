//! Classic histograms among the series of a vector: those that differ in `le` alone are the buckets
//! of one histogram.

use tsdb::model::number::parse_float;
use tsdb::model::{BUCKET_LABEL, Labels};

use super::bucket::Bucket;
use crate::ast::Span;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::{Column, Presence};
use crate::eval::numbering::Numbering;
use crate::eval::series::{StepSeries, StepVector, metric_name};
use crate::plan::Node;
use crate::value::Steps;

/// A classic histogram: bucket series with their bounds.
pub(super) struct Classic {
    /// Without `le`, with the name.
    pub(super) labels: Labels,
    buckets: Vec<(f64, Column)>,
    /// Steps where a native histogram has the same labels.
    conflicts: Presence,
}

impl Classic {
    /// A value for each step that has a bucket.
    pub(super) fn column(&self, mut value: impl FnMut(usize, &mut Vec<Bucket>) -> f64) -> Column {
        let mut buckets = Vec::with_capacity(self.buckets.len());
        let all = self.buckets.iter().map(|(bound, column)| Some((*bound, column.dense()?)));
        if let Some(all) = all.collect::<Option<Vec<_>>>().filter(|_| self.conflicts.is_empty()) {
            // The usual case: each bucket has a count at each step.
            let of_step = |step: usize| {
                buckets.clear();
                let counts = all.iter().map(|(bound, floats)| (*bound, floats[step]));
                buckets.extend(counts.map(|(bound, count)| Bucket { bound, count }));
                value(step, &mut buckets)
            };
            return Column::full((0..self.conflicts.steps()).map(of_step).collect());
        }
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

/// The histograms of a vector.
pub(super) struct Histograms {
    /// Series with native histograms.
    pub(super) natives: StepVector,
    pub(super) classics: Vec<Classic>,
}

impl Histograms {
    /// Gathers the histograms of `input`, buckets sorted by bound. A native histogram beside
    /// buckets with the same labels is a conflict: at that step, neither counts.
    pub(super) fn gather(
        evaluator: &mut Evaluator<'_>,
        input: &Node,
        steps: &Steps,
    ) -> Result<Self, EvalError> {
        let vector = evaluator.vector(input, steps)?;
        let named = evaluator.options.delayed_name_removal;
        let mut classics: Vec<Classic> = Vec::new();
        let mut known = Numbering::default();
        let mut natives = StepVector::new();
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
            let at = known.number(&series.labels, |name| name != BUCKET_LABEL);
            if at == classics.len() {
                let conflicts = Presence::none(steps.count());
                let labels = series.labels.filtered(|name| name != BUCKET_LABEL);
                classics.push(Classic { labels, buckets: Vec::new(), conflicts });
            }
            classics[at].buckets.push((bound, series.column));
        }
        for series in &mut natives {
            if let Some(at) = known.find(&series.labels) {
                resolve_conflicts(evaluator, series, &mut classics[at], input.span);
            }
        }
        for classic in &mut classics {
            classic
                .buckets
                .sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        }
        Ok(Self { natives, classics })
    }
}

fn resolve_conflicts(
    evaluator: &mut Evaluator<'_>,
    native: &mut StepSeries,
    classic: &mut Classic,
    span: Span,
) {
    let steps: Vec<usize> = native.column.histograms().map(|(step, _)| step).collect();
    for step in steps {
        if !classic.has_bucket(step) {
            continue;
        }
        let named = evaluator.options.delayed_name_removal;
        let name = if named { metric_name(&native.labels) } else { "" };
        evaluator.notes.mixed_classic_native(span, name);
        classic.conflicts.insert(step);
        native.column.remove(step);
    }
}
