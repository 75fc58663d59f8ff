//! From a failing case to a small one: leave out series, samples, steps and the rest of the
//! expression as long as it still fails. What is left is printed as a script.

use std::fmt::Write;

use promql::ast::{Expr, ExprKind, ValueType};
use promql::value::Steps;

use super::case::Case;
use crate::reference::Value;

pub(super) fn shrunk(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    loop {
        let found = smaller(&case).find(|own| fails(own));
        let Some(smaller) = found else { return case };
        case = smaller;
    }
}

/// Cases with something left out, those with most of it first.
fn smaller(case: &Case) -> impl Iterator<Item = Case> {
    let (own, expr) = (case.clone(), case.expr());
    let mut parts = Vec::new();
    children(&expr, &mut parts);
    let texts = parts.into_iter().map(move |text| Case { text, ..own.clone() });
    let own = case.clone();
    let series = (0..case.series.len()).map(move |at| {
        let mut case = own.clone();
        case.series.remove(at);
        case
    });
    texts.chain(series).chain(fewer_steps(case)).chain(fewer_samples(case))
}

/// The parts of an expression that can stand alone.
fn children(expr: &Expr, texts: &mut Vec<String>) {
    let mut add = |own: &Expr| {
        if matches!(own.value_type(), ValueType::Scalar | ValueType::Vector) {
            texts.push(own.to_string());
        } else {
            children(own, texts);
        }
    };
    match &expr.kind {
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => add(inner),
        ExprKind::Binary(binary) => [&binary.left, &binary.right].into_iter().for_each(add),
        ExprKind::Call(call) => call.args.iter().for_each(add),
        ExprKind::Aggregate(aggregate) => add(&aggregate.expr),
        ExprKind::Subquery(subquery) => add(&subquery.expr),
        _ => {}
    }
}

fn fewer_steps(case: &Case) -> impl Iterator<Item = Case> {
    let (own, count) = (case.clone(), case.steps.count());
    let halves = [(0, count / 2), (count / 2, count), (1, count), (0, count - 1)];
    let halves = halves.into_iter().filter(move |(from, to)| to > from && to - from < count);
    halves.map(move |(from, to)| {
        let (start, end) = (own.steps.time(from), own.steps.time(to - 1));
        Case { steps: Steps { start, end, step_ms: own.steps.step_ms }, ..own.clone() }
    })
}

fn fewer_samples(case: &Case) -> impl Iterator<Item = Case> {
    let own = case.clone();
    let places = own.series.iter().enumerate().flat_map(|(at, series)| {
        let count = series.samples.len();
        let parts = [(0, count / 2), (count / 2, count)].into_iter();
        let single = (0..count).map(|sample| (sample, sample + 1));
        parts.chain(single).filter(|(from, to)| to > from).map(move |(from, to)| (at, from, to))
    });
    let places: Vec<_> = places.collect();
    places.into_iter().map(move |(at, from, to)| {
        let mut case = own.clone();
        case.series[at].samples.drain(from..to);
        case
    })
}

/// The case in the test language; times are seconds after the first sample's minute.
pub(super) fn script(case: &Case) -> String {
    let times = case.series.iter().flat_map(|own| own.samples.iter().map(|(time, _)| *time));
    let base =
        if times.clone().any(|time| time > 1_000_000_000) { super::data::BASES[1] } else { 0 };
    let mut text = format!("# lookback {} ms, times after {base} ms\nload 1s\n", case.lookback_ms);
    for series in &case.series {
        let _ = write!(text, "  {}", series.labels);
        let mut next = base;
        for (time, value) in &series.samples {
            if *time > next {
                let _ = write!(text, " _x{}", (time - next) / 1000);
            }
            next = time + 1000;
            let _ = match value {
                None => write!(text, " stale"),
                Some(Value::Float(value)) => write!(text, " {value}"),
                Some(Value::Histogram(own)) => write!(text, " {own:?}"),
            };
        }
        text.push('\n');
    }
    let steps = case.steps;
    let seconds = |time: tsdb::model::Timestamp| (time.ms() - base) as f64 / 1000.0;
    let (start, end) = (seconds(steps.start), seconds(steps.end));
    let times = match case.is_instant {
        true => format!("instant at {start}s"),
        false => format!("range from {start}s to {end}s step {}ms", steps.step_ms),
    };
    let _ = write!(text, "eval {times} {}", case.text);
    text
}
