//! `sum avg count group min max stddev stdvar`: each group folds its columns into one.
//!
//! A fold's state is a vector over the steps; the first value of a step starts it, later ones are
//! added. What a native histogram does to each of them is decided before.

use super::Input;
use crate::ast::AggregateOp;
use crate::error::EvalError;
use crate::eval::column::{Cell, Column};
use crate::eval::kahan::{KahanMean, KahanSum};
use crate::eval::series::{StepSeries, StepVector};
use crate::notes::Notes;
use crate::value::Steps;

pub(super) fn evaluate(
    notes: &mut Notes,
    input: &Input<'_>,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let groups = input.groups();
    let mut output = Vec::with_capacity(groups.labels.len());
    for (labels, members) in groups.labels.iter().zip(groups.members(&input.vector)) {
        let columns: Vec<&Column> =
            members.iter().map(|series| &input.vector[*series].column).collect();
        let column = fold(notes, input, &columns, steps)?;
        let drop_name = members.iter().any(|series| input.vector[*series].drop_name);
        output.push(StepSeries { labels: labels.clone(), drop_name, column });
    }
    Ok(output)
}

fn fold(
    notes: &mut Notes,
    input: &Input<'_>,
    columns: &[&Column],
    steps: &Steps,
) -> Result<Column, EvalError> {
    let count = steps.count();
    if matches!(input.op, AggregateOp::Count | AggregateOp::Group) {
        return Ok(present(input.op, columns, count));
    }
    let has_histograms = columns.iter().any(|column| column.has_histograms());
    let name = input.op.as_str();
    let is_sum = matches!(input.op, AggregateOp::Sum | AggregateOp::Avg);
    if has_histograms && !is_sum {
        notes.histogram_ignored_in_aggregation(input.input_span, name);
    }
    let mut column = match input.op {
        AggregateOp::Sum => run(
            columns,
            count,
            KahanSum::new,
            |sum, value| *sum = sum.plus(value),
            |sum| sum.total(),
        ),
        AggregateOp::Avg => run(columns, count, KahanMean::new, KahanMean::add, |mean| mean.mean()),
        AggregateOp::Min => extreme(columns, count, |now, best| now < best),
        AggregateOp::Max => extreme(columns, count, |now, best| now > best),
        AggregateOp::Stdvar => variance(columns, count, |variance| variance),
        AggregateOp::Stddev => variance(columns, count, f64::sqrt),
        other => return Err(EvalError::Execution(format!("{} is no fold", other.as_str()))),
    };
    if has_histograms && is_sum {
        drop_mixed(notes, input, columns, &mut column)?;
    }
    Ok(column)
}

/// Runs a fold: `first` starts a step's state, `add` adds to it, `finish` gives its value.
fn run<S: Copy>(
    columns: &[&Column],
    steps: usize,
    first: impl Fn(f64) -> S,
    add: impl Fn(&mut S, f64),
    finish: impl Fn(&S) -> f64,
) -> Column {
    let mut states: Vec<S> = vec![first(0.0); steps];
    let mut seen = Column::empty(steps);
    let mut all_seen = false;
    for column in columns {
        match column.dense() {
            // The usual case, without a branch for each step.
            Some(floats) if all_seen => {
                states.iter_mut().zip(floats).for_each(|(state, value)| add(state, *value));
            }
            _ => {
                for (step, value) in column.floats() {
                    if seen.float(step).is_some() {
                        add(&mut states[step], value);
                    } else {
                        states[step] = first(value);
                        seen.set(step, 0.0);
                    }
                }
                all_seen = seen.dense().is_some();
            }
        }
    }
    seen.filter_map(|step, _| Some(finish(&states[step])))
}

fn extreme(columns: &[&Column], steps: usize, better: impl Fn(f64, f64) -> bool) -> Column {
    let add = |best: &mut f64, now: f64| {
        if better(now, *best) || best.is_nan() {
            *best = now;
        }
    };
    run(columns, steps, |value| value, add, |best| *best)
}

/// Welford's algorithm: count, mean and the sum of squared distances to it.
fn variance(columns: &[&Column], steps: usize, finish: impl Fn(f64) -> f64) -> Column {
    let first = |value: f64| {
        let squares = if value.is_finite() { 0.0 } else { f64::NAN };
        (1.0, value, squares)
    };
    let add = |(count, mean, squares): &mut (f64, f64, f64), value: f64| {
        *count += 1.0;
        let delta = value - *mean;
        *mean += delta / *count;
        *squares += delta * (value - *mean);
    };
    run(columns, steps, first, add, |(count, _, squares)| finish(squares / count))
}

/// `count` and `group`: of values of any kind.
fn present(op: AggregateOp, columns: &[&Column], steps: usize) -> Column {
    let mut counts = vec![0_u32; steps];
    for column in columns {
        column.present().iter().for_each(|step| counts[step] += 1);
    }
    let value = |count: u32| if op == AggregateOp::Count { f64::from(count) } else { 1.0 };
    Column::from_fn(steps, |step| (counts[step] > 0).then(|| value(counts[step])))
}

/// Sums cannot mix floats and histograms: such a step has no value, and a note says so.
fn drop_mixed(
    notes: &mut Notes,
    input: &Input<'_>,
    columns: &[&Column],
    sum: &mut Column,
) -> Result<(), EvalError> {
    let mut histograms = Column::empty(sum.steps());
    for column in columns {
        for (step, cell) in column.cells() {
            if matches!(cell, Cell::Histogram(_)) {
                histograms.set(step, 0.0);
            }
        }
    }
    for (step, _) in histograms.floats() {
        if sum.float(step).is_none() {
            return Err(EvalError::native_histograms(input.op.as_str()));
        }
        notes.mixed_aggregation(input.input_span);
    }
    *sum = sum.clone().filter_map(|step, value| histograms.float(step).is_none().then_some(value));
    Ok(())
}
