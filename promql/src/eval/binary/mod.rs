//! Binary operators with a vector on at least one side.

mod matching;
mod pair;
mod set;
mod signature;

use super::column::{Cell, Column};
use super::series::{StepSeries, StepVector, merge_any, merge_same_labels, without_metadata};
use super::{Evaluator, is_scalar};
use crate::ast::{BinaryOp, Span};
use crate::error::EvalError;
use crate::plan::Binary;
use crate::value::Steps;
use pair::{floats, with_histograms};

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    span: Span,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = match (is_scalar(&binary.left), is_scalar(&binary.right)) {
        (true, _) => {
            let scalars = evaluator.scalar(&binary.left, steps)?;
            let vector = evaluator.vector(&binary.right, steps)?;
            with_scalar(evaluator, binary, vector, &scalars, Side::Left, span)
        }
        (_, true) => {
            let vector = evaluator.vector(&binary.left, steps)?;
            let scalars = evaluator.scalar(&binary.right, steps)?;
            with_scalar(evaluator, binary, vector, &scalars, Side::Right, span)
        }
        (false, false) => {
            let left = evaluator.vector(&binary.left, steps)?;
            let right = evaluator.vector(&binary.right, steps)?;
            let Some(matching) = &binary.matching else {
                return Err(EvalError::execution("vectors without a way to match them"));
            };
            match binary.op.is_set() {
                true => set::evaluate(binary.op, left, right, matching, steps),
                false => matching::evaluate(evaluator, binary, matching, left, right, span)?,
            }
        }
    };
    if binary.matching.is_some() { merge_any(vector) } else { merge_same_labels(vector) }
}

/// Where the scalar stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Whether the values are no longer those of the metric.
fn changes_meaning(op: BinaryOp) -> bool {
    use BinaryOp::{Add, Atan2, Div, Mod, Mul, Pow, Sub};
    matches!(op, Add | Sub | Mul | Div | Mod | Pow | Atan2)
}

fn with_scalar(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    vector: StepVector,
    scalars: &[f64],
    side: Side,
    span: Span,
) -> StepVector {
    let derived = changes_meaning(binary.op) || binary.returns_bool;
    let is_comparison = binary.op.is_comparison();
    let mut output = Vec::with_capacity(vector.len());
    for series in vector {
        let mut column = Column::empty(scalars.len());
        for (step, cell) in series.column.cells() {
            let scalar = Cell::Float(scalars[step]);
            let (left, right) = match side {
                Side::Left => (scalar, cell),
                Side::Right => (cell, scalar),
            };
            if let Some((value, keep)) = floats(binary.op, left, right) {
                match (keep, cell) {
                    _ if binary.returns_bool => column.set(step, f64::from(u8::from(keep))),
                    (false, _) => {}
                    // A comparison keeps the vector's value, whichever side it is on.
                    (true, Cell::Float(own)) if is_comparison => column.set(step, own),
                    (true, _) => column.set(step, value),
                }
            } else if let Some((value, _)) =
                with_histograms(&mut evaluator.notes, binary.op, left, right, span)
            {
                column.set_value(step, value);
            }
        }
        output.push(match derived {
            true => evaluator.derived(series, |_| column),
            false => StepSeries { column, ..series },
        });
    }
    output
}
