//! `sum avg count group min max stddev stdvar`: each group folds its columns into one.
//!
//! A fold's state is a vector over the steps; the first value of a step starts it, later ones are
//! added. Native histograms are summed after the floats; other folds ignore them.

use std::sync::Arc;

use tsdb::model::Histogram;
use tsdb::model::kahan::{KahanMean, KahanSum};

use super::Input;
use crate::ast::AggregateOp;
use crate::error::EvalError;
use crate::eval::column::{Cell, Column, Presence};
use crate::eval::gather::Gathered;
use crate::eval::series::{StepSeries, StepVector, metric_name};
use crate::notes::Notes;
use crate::value::Steps;

pub(super) fn evaluate(
    notes: &mut Notes,
    input: &Input<'_>,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let groups = input.groups();
    let mut output = Vec::with_capacity(groups.labels.len());
    let members = match input.op {
        // Counts do not depend on the order.
        AggregateOp::Count | AggregateOp::Group => groups.in_order(),
        _ => groups.members(&input.vector),
    };
    for (labels, members) in groups.labels.iter().zip(members) {
        let mut column = fold(notes, input, &members, steps)?;
        if matches!(input.op, AggregateOp::Sum | AggregateOp::Avg) {
            add_histograms(notes, input, &members, &mut column);
        }
        let drop_name = members.iter().any(|series| input.vector[*series].drop_name);
        output.push(StepSeries { labels: labels.clone(), drop_name, column });
    }
    Ok(output)
}

fn fold(
    notes: &mut Notes,
    input: &Input<'_>,
    members: &[usize],
    steps: &Steps,
) -> Result<Column, EvalError> {
    let count = steps.count();
    let columns: Vec<&Column> =
        members.iter().map(|series| &input.vector[*series].column).collect();
    let columns = columns.as_slice();
    match input.op {
        AggregateOp::Count | AggregateOp::Group => return Ok(present(input.op, columns, count)),
        AggregateOp::Sum | AggregateOp::Avg => {}
        _ if columns.iter().any(|column| column.has_histograms()) => {
            notes.histogram_ignored_in_aggregation(input.input_span, input.op.as_str());
        }
        _ => {}
    }
    Ok(match input.op {
        AggregateOp::Sum => sum(columns, count),
        AggregateOp::Avg => run(columns, count, KahanMean::new, KahanMean::add, |mean| mean.mean()),
        AggregateOp::Min => extreme(columns, count, |now, best| now < best),
        AggregateOp::Max => extreme(columns, count, |now, best| now > best),
        AggregateOp::Stdvar => variance(columns, count, |variance| variance),
        AggregateOp::Stddev => variance(columns, count, f64::sqrt),
        other => return Err(EvalError::Execution(format!("{} is no fold", other.as_str()))),
    })
}

/// The sums of floats. Sums and what rounding took from them lie in lists of their own: nearly
/// always each step of a column has a value, and all of them are added at once.
fn sum(columns: &[&Column], steps: usize) -> Column {
    let (mut sums, mut losses) = (vec![0.0; steps], vec![0.0; steps]);
    let mut seen = Presence::none(steps);
    let plus = |sum: &mut f64, lost: &mut f64, value: f64| {
        let next = KahanSum { sum: *sum, lost: *lost }.plus(value);
        (*sum, *lost) = (next.sum, next.lost);
    };
    for column in columns {
        match column.dense().filter(|_| seen.is_full()) {
            Some(floats) => {
                let parts = sums.iter_mut().zip(&mut losses).zip(floats);
                parts.for_each(|((sum, lost), value)| plus(sum, lost, *value));
            }
            None => {
                for (step, value) in column.floats() {
                    match seen.contains(step) {
                        true => plus(&mut sums[step], &mut losses[step], value),
                        false => sums[step] = value,
                    }
                    seen.insert(step);
                }
            }
        }
    }
    let totals = sums.into_iter().zip(losses);
    let totals = totals.map(|(sum, lost)| KahanSum { sum, lost }.total());
    Column::of_floats(totals.collect(), seen)
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

/// `sum` and `avg` of the native histograms of each step. Where floats are too, there is no value,
/// and a note says so.
fn add_histograms(notes: &mut Notes, input: &Input<'_>, members: &[usize], column: &mut Column) {
    let mut steps = Presence::none(column.steps());
    for series in members {
        input.vector[*series].column.histograms().for_each(|(step, _)| steps.insert(step));
    }
    for step in steps.iter() {
        if column.float(step).is_some() {
            notes.mixed_aggregation(input.input_span);
            column.remove(step);
        } else if let Some(total) = gather(notes, input, members, step) {
            column.set_histogram(step, Arc::new(total));
        }
    }
}

/// The histograms of a step as one. `None` if they do not fit together, which is noted.
fn gather(
    notes: &mut Notes,
    input: &Input<'_>,
    members: &[usize],
    step: usize,
) -> Option<Histogram> {
    let mut gathered: Option<Gathered> = None;
    for series in members.iter().map(|series| &input.vector[*series]) {
        let Some(Cell::Histogram(histogram)) = series.column.get(step) else { continue };
        match &mut gathered {
            Some(gathered) => {
                if gathered.add(histogram).is_err() {
                    gathered.note_bounds(notes, input.input_span);
                    notes.mixed_exponential_custom(input.input_span, metric_name(&series.labels));
                    return None;
                }
            }
            none if input.op == AggregateOp::Avg => *none = Some(Gathered::mean(histogram)),
            none => *none = Some(Gathered::sum(histogram)),
        }
    }
    let gathered = gathered?;
    gathered.note(notes, input.input_span);
    let mut total = gathered.finish();
    total.compact(0);
    Some(total)
}
