//! An operator between two values of either kind.

use crate::ast::{BinaryOp, Span};
use crate::error::EvalError;
use crate::eval::column::Cell;
use crate::eval::number;
use crate::notes::Notes;

/// The value, and `false` if a comparison does not hold. `None` if the operator has no meaning
/// between values of these kinds, which is noted.
#[inline]
pub(super) fn combine(
    notes: &mut Notes,
    op: BinaryOp,
    left: Cell<'_>,
    right: Cell<'_>,
    span: Span,
) -> Result<Option<(f64, bool)>, EvalError> {
    let is_trim = matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower);
    match (left, right) {
        (Cell::Float(left), Cell::Float(right)) if !is_trim => {
            Ok(Some(number::element(op, left, right)))
        }
        _ => {
            let (left, right) = (kind(left), kind(right));
            if has_meaning(op, left, right) {
                return Err(EvalError::native_histograms(op.as_str()));
            }
            notes.incompatible_types(span, left, op.as_str(), right);
            Ok(None)
        }
    }
}

fn kind(cell: Cell<'_>) -> &'static str {
    match cell {
        Cell::Float(_) => "float",
        Cell::Histogram(_) => "histogram",
    }
}

/// What can be computed with a histogram at all.
fn has_meaning(op: BinaryOp, left: &str, right: &str) -> bool {
    use BinaryOp::{Add, Div, Equal, Mul, NotEqual, Sub, TrimLower, TrimUpper};
    match (left, right) {
        ("float", "histogram") => op == Mul,
        ("histogram", "float") => matches!(op, Mul | Div | TrimUpper | TrimLower),
        ("histogram", "histogram") => matches!(op, Add | Sub | Equal | NotEqual),
        _ => false,
    }
}
