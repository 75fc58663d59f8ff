//! An operator between two values of either kind.

use std::sync::Arc;

use tsdb::model::Histogram;
use tsdb::model::histogram::{CounterResetHint, Incompatible, Reconciled, Side};

use crate::ast::{BinaryOp, Span};
use crate::eval::column::{Cell, Value};
use crate::eval::number;
use crate::notes::{Notes, Operation};

/// Between two floats: the value, and `false` if a comparison does not hold. `None` if one is none,
/// or if the operator is for histograms.
#[inline]
pub(super) fn floats(op: BinaryOp, left: Cell<'_>, right: Cell<'_>) -> Option<(f64, bool)> {
    match (left, right, op) {
        (_, _, BinaryOp::TrimUpper | BinaryOp::TrimLower) => None,
        (Cell::Float(left), Cell::Float(right), _) => Some(number::element(op, left, right)),
        _ => None,
    }
}

/// The same for what is not for floats alone. `None` if the operator has no meaning between values
/// of these kinds, or if they do not fit together, which is noted.
pub(super) fn with_histograms(
    notes: &mut Notes,
    op: BinaryOp,
    left: Cell<'_>,
    right: Cell<'_>,
    span: Span,
) -> Option<(Value, bool)> {
    use BinaryOp::{Add, Div, Equal, Mul, NotEqual, Sub, TrimLower, TrimUpper};
    let value = match (op, left, right) {
        (Mul, Cell::Histogram(histogram), Cell::Float(factor))
        | (Mul, Cell::Float(factor), Cell::Histogram(histogram)) => {
            changed(histogram, |own| own.mul(factor))
        }
        (Div, Cell::Histogram(histogram), Cell::Float(divisor)) => {
            changed(histogram, |own| own.div(divisor))
        }
        (TrimUpper, Cell::Histogram(histogram), Cell::Float(border)) => {
            histogram.trimmed(Side::Below, border)
        }
        (TrimLower, Cell::Histogram(histogram), Cell::Float(border)) => {
            histogram.trimmed(Side::Above, border)
        }
        (Add | Sub, Cell::Histogram(left), Cell::Histogram(right)) => {
            sum(notes, op, left, right, span)?
        }
        (Equal | NotEqual, Cell::Histogram(left), Cell::Histogram(right)) => {
            let keep = left.equals(right) == (op == Equal);
            return Some((Value::Histogram(Arc::clone(left)), keep));
        }
        _ => {
            notes.incompatible_types(span, kind(left), op.as_str(), kind(right));
            return None;
        }
    };
    Some((value.into(), true))
}

/// A compact histogram made from another one.
fn changed(histogram: &Histogram, change: impl FnOnce(&mut Histogram)) -> Histogram {
    let mut changed = histogram.clone();
    change(&mut changed);
    changed.compact(0);
    changed
}

/// `left + right` or `left − right`; a difference is a gauge.
fn sum(
    notes: &mut Notes,
    op: BinaryOp,
    left: &Histogram,
    right: &Histogram,
    span: Span,
) -> Option<Histogram> {
    let mut result = left.clone();
    let (outcome, operation) = match op {
        BinaryOp::Sub => (result.sub(right), Operation::Subtraction),
        _ => (result.add(right), Operation::Addition),
    };
    match outcome {
        Err(Incompatible) => {
            notes.incompatible_bucket_layout(span, op.as_str());
            return None;
        }
        Ok(Reconciled { reset_collision, custom_bounds }) => {
            if reset_collision {
                notes.reset_collision(span, operation);
            }
            if custom_bounds {
                notes.custom_bounds_reconciled(span, operation);
            }
        }
    }
    if op == BinaryOp::Sub {
        result.counter_reset_hint = CounterResetHint::Gauge;
    }
    result.compact(0);
    Some(result)
}

fn kind(cell: Cell<'_>) -> &'static str {
    match cell {
        Cell::Float(_) => "float",
        Cell::Histogram(_) => "histogram",
    }
}
