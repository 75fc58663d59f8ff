//! `limitk` and `limit_ratio`: some series of each group, whatever their values are.
//!
//! `limitk` takes the first ones. `limit_ratio` takes those whose hash, as a fraction of all
//! hashes, lies below the ratio; a negative ratio takes what the positive complement leaves.

use super::Input;
use super::rank::{check_count, keep};
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
    let mut chosen = vec![Presence::none(steps.count()); input.vector.len()];
    if input.op == AggregateOp::Limitk {
        if !check_count(&input)? {
            return Ok(Vec::new());
        }
        first(&input, &mut chosen);
    } else {
        note_ratios(evaluator, &input)?;
        by_hash(&input, &mut chosen);
    }
    Ok(keep(input.vector, &chosen))
}

fn first(input: &Input<'_>, chosen: &mut [Presence]) {
    for members in input.groups().members(&input.vector) {
        for (step, k) in input.params.iter().enumerate() {
            let there = members
                .iter()
                .filter(|series| input.vector[**series].column.present().contains(step));
            let k = (*k as i64).max(0) as usize;
            there.take(k).for_each(|series| chosen[*series].insert(step));
        }
    }
}

fn note_ratios(evaluator: &mut Evaluator<'_>, input: &Input<'_>) -> Result<(), EvalError> {
    if input.params.iter().any(|ratio| ratio.is_nan()) {
        return Err(EvalError::execution("Ratio value is NaN"));
    }
    let (min, max) = input.min_max();
    if max > 1.0 {
        evaluator.notes.invalid_ratio(input.param_span, max, 1.0);
    }
    if min < -1.0 {
        evaluator.notes.invalid_ratio(input.param_span, min, -1.0);
    }
    Ok(())
}

fn by_hash(input: &Input<'_>, chosen: &mut [Presence]) {
    for (series, chosen) in input.vector.iter().zip(chosen) {
        let offset = series.labels.hash64() as f64 / u64::MAX as f64;
        for step in series.column.present().iter() {
            let ratio = input.params[step].clamp(-1.0, 1.0);
            let inside = if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio };
            if inside {
                chosen.insert(step);
            }
        }
    }
}
