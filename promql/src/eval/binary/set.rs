//! `and`, `or`, `unless`: which series stay, by their matching labels alone.

use super::signature::matches;
use crate::ast::{BinaryOp, VectorMatching};
use crate::eval::column::Presence;
use crate::eval::series::StepVector;
use crate::value::Steps;

pub(super) fn evaluate(
    op: BinaryOp,
    mut left: StepVector,
    mut right: StepVector,
    matching: &VectorMatching,
    steps: &Steps,
) -> StepVector {
    let there = |vector: &StepVector, indexes: &[usize]| {
        let mut there = Presence::none(steps.count());
        indexes.iter().for_each(|index| there.union(vector[*index].column.present()));
        there
    };
    for found in matches(&left, &right, &matching.labels) {
        let (kept, mut partner, members) = match op {
            // Right ones stay where nothing is on the left.
            BinaryOp::Or => (&mut right, there(&left, &found.left), &found.right),
            _ => (&mut left, there(&right, &found.right), &found.left),
        };
        if op != BinaryOp::And {
            let mut absent = Presence::all(steps.count());
            absent.subtract(&partner);
            partner = absent;
        }
        members.iter().for_each(|index| kept[*index].column.keep(&partner));
    }
    if op == BinaryOp::Or {
        left.append(&mut right);
    }
    left
}
