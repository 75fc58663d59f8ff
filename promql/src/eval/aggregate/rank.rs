//! `topk` and `bottomk`: the k series of each group with the largest or smallest values.
//!
//! For each step and group, a heap of at most k series with the one to go first on top. NaN loses
//! against every number; of equal values the earlier series stays. The heap moves as Go's
//! `container/heap` does, so that ties are decided as in Prometheus.

use super::Input;
use crate::ast::AggregateOp;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::Presence;
use crate::eval::series::StepVector;
use crate::value::Steps;

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    input: Input<'_>,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    if !check_count(&input)? {
        return Ok(Vec::new());
    }
    if input.vector.iter().any(|series| series.column.has_histograms()) {
        evaluator.notes.histogram_ignored_in_aggregation(input.span, input.op.as_str());
    }
    let groups = input.groups().members(&input.vector);
    let mut chosen = vec![Presence::none(steps.count()); input.vector.len()];
    let mut order = Vec::new();
    for step in 0..steps.count() {
        let k = (input.params[step] as i64).min(input.vector.len() as i64);
        for members in groups.iter().filter(|_| k >= 1) {
            let best = best(&input, members, step, k as usize);
            best.iter().for_each(|(_, series)| chosen[*series].insert(step));
            order.extend(best.into_iter().map(|(_, series)| series));
        }
    }
    Ok(if steps.count() == 1 { pick(input.vector, &order) } else { keep(input.vector, &chosen) })
}

/// Whether some step asks for a series at all; fails if a parameter is no usable count.
pub(super) fn check_count(input: &Input<'_>) -> Result<bool, EvalError> {
    let (min, max) = input.min_max();
    if max < 1.0 {
        return Ok(false);
    }
    if input.params.iter().any(|k| k.is_nan()) {
        return Err(EvalError::execution("Parameter value is NaN"));
    }
    let text = |value| tsdb::model::number::format_general(value);
    if min <= i64::MIN as f64 {
        return Err(EvalError::Execution(format!("Scalar value {} underflows int64", text(min))));
    }
    if max >= i64::MAX as f64 {
        return Err(EvalError::Execution(format!("Scalar value {} overflows int64", text(max))));
    }
    Ok(true)
}

/// Those series, in that order (each at most once).
fn pick(vector: StepVector, order: &[usize]) -> StepVector {
    let mut series: Vec<_> = vector.into_iter().map(Some).collect();
    order.iter().filter_map(|index| series[*index].take()).collect()
}

/// All series with the chosen steps only.
pub(super) fn keep(mut vector: StepVector, chosen: &[Presence]) -> StepVector {
    for (series, chosen) in vector.iter_mut().zip(chosen) {
        series.column.keep(chosen);
    }
    vector.retain(|series| !series.column.present().is_empty());
    vector
}

/// The best `k` series of a group at a step with their values, the best one first.
fn best(input: &Input<'_>, members: &[usize], step: usize, k: usize) -> Vec<(f64, usize)> {
    let largest = input.op == AggregateOp::Topk;
    let mut heap = Heap { entries: Vec::new(), largest };
    for series in members {
        let Some(value) = input.vector[*series].column.float(step) else { continue };
        if heap.entries.len() < k {
            heap.push((value, *series));
        } else if heap.is_worse(heap.entries[0].0, value) {
            heap.entries[0] = (value, *series);
            heap.sink();
        }
    }
    let mut entries = std::mem::take(&mut heap.entries);
    entries.sort_by(|a, b| {
        // Worst last; equal ones stay.
        heap.goes_before(a.0, b.0).cmp(&heap.goes_before(b.0, a.0))
    });
    entries
}

struct Heap {
    /// The one to go first is at 0.
    entries: Vec<(f64, usize)>,
    largest: bool,
}

impl Heap {
    /// Heap order: NaN goes first, then what is smaller (topk) or larger (bottomk).
    fn goes_before(&self, a: f64, b: f64) -> bool {
        a.is_nan() || if self.largest { a < b } else { a > b }
    }

    /// Whether `value` pushes `top` out.
    fn is_worse(&self, top: f64, value: f64) -> bool {
        let less = if self.largest { top < value } else { top > value };
        less || top.is_nan() && !value.is_nan()
    }

    fn push(&mut self, entry: (f64, usize)) {
        self.entries.push(entry);
        let mut at = self.entries.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.goes_before(self.entries[at].0, self.entries[parent].0) {
                break;
            }
            self.entries.swap(at, parent);
            at = parent;
        }
    }

    /// Moves the top down to its place.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let Some(mut child) = self.entries.get(left).map(|_| left) else { return };
            if right < self.entries.len()
                && self.goes_before(self.entries[right].0, self.entries[left].0)
            {
                child = right;
            }
            if !self.goes_before(self.entries[child].0, self.entries[at].0) {
                return;
            }
            self.entries.swap(at, child);
            at = child;
        }
    }
}
