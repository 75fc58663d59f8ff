//! Aggregations, group by group: values are added in label order, and picked in the order they have.

use std::collections::BTreeMap;

use promql::ast::{Aggregate, AggregateOp, Grouping, ValueType};
use tsdb::model::Labels;

use super::number::{Sum, mean};
use super::quantile::quantile;
use super::{Found, Moment, Native, Reference, Sample, Value, Vector, fail, label, nameless};

impl Reference<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate, at: Moment) -> Found<Vector> {
        let mut vector = self.vector(&aggregate.expr, at)?;
        let picks =
            matches!(aggregate.op, AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk);
        if !picks {
            vector.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        let param = match &aggregate.param {
            Some(param) if param.value_type() == ValueType::Scalar => {
                if !self.check_param(aggregate, at)? {
                    return Ok(Vec::new());
                }
                self.scalar(param, at)?
            }
            _ => 0.0,
        };
        if aggregate.op == AggregateOp::CountValues {
            vector = with_value_labels(aggregate, vector)?;
        }
        let mut groups: BTreeMap<Labels, Vector> = BTreeMap::new();
        for own in vector {
            groups.entry(group_labels(aggregate, &own.labels)).or_default().push(own);
        }
        let mut results = Vec::new();
        for (labels, members) in groups {
            match aggregate.op {
                AggregateOp::Topk | AggregateOp::Bottomk => {
                    results.extend(best(aggregate.op == AggregateOp::Topk, param, members));
                }
                AggregateOp::Limitk => {
                    results.extend(members.into_iter().take(param.max(0.0) as usize))
                }
                AggregateOp::LimitRatio => {
                    results
                        .extend(members.into_iter().filter(|own| is_in_ratio(&own.labels, param)));
                }
                op => {
                    let value = value(op, param, &members);
                    results.extend(value.map(|value| Sample { labels, time: at.time, value }));
                }
            }
        }
        Ok(results)
    }

    /// Whether a count asks for anything at any of the steps; fails if one of them is no count.
    fn check_param(&self, aggregate: &Aggregate, at: Moment) -> Found<bool> {
        let param = aggregate.param.as_ref().expect("a parameter");
        let all = at.steps.times().map(|time| self.scalar(param, Moment { time: time.ms(), ..at }));
        let all: Vec<f64> = all.collect::<Found<_>>()?;
        match aggregate.op {
            AggregateOp::LimitRatio if all.iter().any(|own| own.is_nan()) => fail("NaN"),
            AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk => {
                if all.iter().all(|own| *own < 1.0) {
                    return Ok(false);
                }
                let is_count = |own: &f64| own.abs() < i64::MAX as f64;
                if all.iter().all(is_count) { Ok(true) } else { fail("no count") }
            }
            _ => Ok(true),
        }
    }
}

fn group_labels(aggregate: &Aggregate, labels: &Labels) -> Labels {
    match &aggregate.grouping {
        Grouping::By(names) => {
            let value = (aggregate.op == AggregateOp::CountValues).then(|| value_label(aggregate));
            labels.filtered(|own| names.iter().any(|name| name == own) || value == Some(own))
        }
        Grouping::Without(names) => {
            nameless(labels).filtered(|own| !names.iter().any(|name| name == own))
        }
    }
}

fn value_label(aggregate: &Aggregate) -> &str {
    label::text(aggregate.param.as_ref().expect("a label"))
}

/// Elements whose value is a label, too.
fn with_value_labels(aggregate: &Aggregate, vector: Vector) -> Found<Vector> {
    let name = value_label(aggregate);
    if name.is_empty() {
        return fail("a bad label");
    }
    let labelled = vector.into_iter().map(|own| {
        let text = match &own.value {
            Value::Float(value) if value.is_infinite() && *value > 0.0 => "+Inf".to_owned(),
            Value::Float(value) if value.is_infinite() => "-Inf".to_owned(),
            Value::Float(value) => value.to_string(),
            Value::Histogram(_) => unreachable!("left out of the grammar"),
        };
        Sample { labels: own.labels.to_builder().set(name, text).build(), ..own }
    });
    Ok(labelled.collect())
}

/// The hash of the labels, as a part of all hashes, lies in the ratio; a negative one is what its
/// complement leaves.
fn is_in_ratio(labels: &Labels, ratio: f64) -> bool {
    let (place, ratio) = (labels.hash64() as f64 / u64::MAX as f64, ratio.clamp(-1.0, 1.0));
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}

fn value(op: AggregateOp, param: f64, members: &Vector) -> Option<Value> {
    let floats: Vec<f64> = members.iter().filter_map(|own| own.value.float()).collect();
    let float = |value: f64| Some(Value::Float(value));
    match op {
        AggregateOp::Count | AggregateOp::CountValues => float(members.len() as f64),
        AggregateOp::Group => float(1.0),
        AggregateOp::Sum | AggregateOp::Avg if floats.len() < members.len() => {
            floats.is_empty().then(|| histograms(op, members))
        }
        AggregateOp::Sum => {
            let mut sum = Sum { sum: floats[0], lost: 0.0 };
            floats[1..].iter().for_each(|value| sum.add(*value));
            float(sum.total())
        }
        AggregateOp::Avg => float(mean(&floats)),
        _ if floats.is_empty() => None,
        AggregateOp::Min => float(extreme(&floats, |own, best| own < best)),
        AggregateOp::Max => float(extreme(&floats, |own, best| own > best)),
        AggregateOp::Stdvar => float(variance(&floats)),
        AggregateOp::Stddev => float(variance(&floats).sqrt()),
        AggregateOp::Quantile => float(quantile(param, &floats)),
        other => unreachable!("not one value: {other:?}"),
    }
}

fn histograms(op: AggregateOp, members: &Vector) -> Value {
    let histogram = |own: &Sample| match &own.value {
        Value::Histogram(own) => own.clone(),
        Value::Float(_) => unreachable!("only histograms"),
    };
    let all: Vec<Native> = members.iter().map(histogram).collect();
    let sum = all[1..].iter().fold(all[0].clone(), |sum, own| sum.plus(own, 1.0));
    Value::Histogram(if op == AggregateOp::Sum { sum } else { sum.divided(all.len() as f64) })
}

fn extreme(values: &[f64], is_better: fn(f64, f64) -> bool) -> f64 {
    let better =
        |best: f64, own: &f64| if is_better(*own, best) || best.is_nan() { *own } else { best };
    values[1..].iter().fold(values[0], better)
}

/// Welford's; what is not finite at first has no variance.
fn variance(values: &[f64]) -> f64 {
    let mut mean = values[0];
    let mut squares = if values[0].is_finite() { 0.0 } else { f64::NAN };
    for (index, value) in values.iter().enumerate().skip(1) {
        let distance = value - mean;
        mean += distance / (index + 1) as f64;
        squares += distance * (value - mean);
    }
    squares / values.len() as f64
}

/// The `k` best floats. Which of equal ones go is decided by a binary heap with the worst on top,
/// which moves as Go's `container/heap` does.
fn best(is_topk: bool, k: f64, members: Vector) -> Vector {
    let members: Vec<(f64, Sample)> =
        members.into_iter().filter_map(|own| Some((own.value.float()?, own))).collect();
    let k = (k as i64).max(0) as usize;
    let worse = |a: f64, b: f64| a.is_nan() || if is_topk { a < b } else { a > b };
    let mut heap: Vec<(f64, Sample)> = Vec::new();
    for own in members.into_iter().filter(|_| k > 0) {
        if heap.len() < k {
            heap.push(own);
            let mut at = heap.len() - 1;
            while at > 0 && worse(heap[at].0, heap[(at - 1) / 2].0) {
                heap.swap(at, (at - 1) / 2);
                at = (at - 1) / 2;
            }
        } else if worse(heap[0].0, own.0) && !own.0.is_nan() {
            heap[0] = own;
            sink(&mut heap, worse);
        }
    }
    heap.into_iter().map(|(_, own)| own).collect()
}

fn sink(heap: &mut [(f64, Sample)], worse: impl Fn(f64, f64) -> bool) {
    let mut at = 0;
    while 2 * at + 1 < heap.len() {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        let is_right = right < heap.len() && worse(heap[right].0, heap[left].0);
        let child = if is_right { right } else { left };
        if !worse(heap[child].0, heap[at].0) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}
