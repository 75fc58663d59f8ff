//! `sort…`: the order of an instant vector. A range query's result is in label order anyway.

use std::cmp::Ordering;

use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::series::{StepSeries, StepVector};
use crate::plan::Call;
use crate::value::Steps;

pub(super) fn sort(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let mut vector = evaluator.vector(&call.args[0], steps)?;
    let name = call.function.name;
    let by_label = name.starts_with("sort_by_label");
    let descending = name.ends_with("_desc");
    if !by_label {
        vector.iter_mut().for_each(|series| series.column.drop_histograms());
        vector.retain(|series| !series.column.present().is_empty());
    }
    if steps.count() != 1 {
        return Ok(vector);
    }
    if by_label {
        let names: Vec<&str> = (1..call.args.len()).map(|index| call.text(index)).collect();
        vector.sort_by(|a, b| {
            let order = by_labels(a, b, &names);
            if descending { order.reverse() } else { order }
        });
    } else {
        vector.sort_by(|a, b| by_value(a, b, descending));
    }
    Ok(vector)
}

/// NaN is last in both directions.
fn by_value(a: &StepSeries, b: &StepSeries, descending: bool) -> Ordering {
    let value = |series: &StepSeries| series.column.float(0).unwrap_or(f64::NAN);
    let (a, b) = (value(a), value(b));
    match a.partial_cmp(&b) {
        Some(order) if descending => order.reverse(),
        Some(order) => order,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

fn by_labels(a: &StepSeries, b: &StepSeries, names: &[&str]) -> Ordering {
    let value = |series: &StepSeries, name: &str| series.labels.get(name).unwrap_or("").to_owned();
    let orders = names.iter().map(|name| natural(&value(a, name), &value(b, name)));
    orders.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.labels.cmp(&b.labels))
}

/// Digits are compared as numbers: `node-2` comes before `node-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (a_part, a_rest) = chunk(a);
        let (b_part, b_rest) = chunk(b);
        let order = match (is_number(a_part), is_number(b_part)) {
            (true, true) => compare_numbers(a_part, b_part),
            _ => a_part.cmp(b_part),
        };
        if order.is_ne() || a.is_empty() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// A run of digits or of other characters, and the rest.
fn chunk(text: &str) -> (&str, &str) {
    let digits = is_number(text);
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (plain_a, plain_b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    plain_a
        .len()
        .cmp(&plain_b.len())
        .then_with(|| plain_a.cmp(plain_b))
        .then_with(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order() {
        let rows = [
            ("node-2", "node-10", Ordering::Less),
            ("a", "b", Ordering::Less),
            ("a1", "a01", Ordering::Less),
            ("", "a", Ordering::Less),
            ("x9y1", "x9y1", Ordering::Equal),
            ("10", "9", Ordering::Greater),
            ("1", "a", Ordering::Less),
        ];
        for (a, b, order) in rows {
            assert_eq!(natural(a, b), order, "{a} {b}");
            assert_eq!(natural(b, a), order.reverse(), "{b} {a}");
        }
    }
}
