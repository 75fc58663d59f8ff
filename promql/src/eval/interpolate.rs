//! Native histograms between two samples.

use tsdb::model::Histogram;
use tsdb::model::histogram::{Incompatible, Reconciled};

use crate::ast::Span;
use crate::notes::{Notes, Operation};

/// What notes are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) span: Span,
    pub(super) name: &'a str,
}

/// The histogram at `part` (0…1) of the way from one to the next; a counter that was reset in
/// between began at zero. `None` if they do not fit together, which is noted.
pub(super) fn between(
    before: &Histogram,
    after: &Histogram,
    part: f64,
    is_counter: bool,
    place: Place<'_>,
    notes: &mut Notes,
) -> Option<Histogram> {
    let mut step = after.clone();
    if is_counter && after.detect_reset(before) {
        step.mul(part);
        return Some(step);
    }
    subtract(&mut step, before, place, notes)?;
    step.mul(part);
    let mut value = before.clone();
    add(&mut value, &step, place, notes)?;
    Some(value)
}

/// Adds a histogram, or notes that it does not fit.
pub(super) fn add(
    histogram: &mut Histogram,
    other: &Histogram,
    place: Place<'_>,
    notes: &mut Notes,
) -> Option<()> {
    check(histogram.add(other), Operation::Addition, place, notes)
}

/// Subtracts a histogram, or notes that it does not fit.
pub(super) fn subtract(
    histogram: &mut Histogram,
    other: &Histogram,
    place: Place<'_>,
    notes: &mut Notes,
) -> Option<()> {
    check(histogram.sub(other), Operation::Subtraction, place, notes)
}

/// Contradicting reset hints are no news here: whoever calls looks for resets himself.
fn check(
    outcome: Result<Reconciled, Incompatible>,
    operation: Operation,
    place: Place<'_>,
    notes: &mut Notes,
) -> Option<()> {
    match outcome {
        Err(Incompatible) => {
            notes.mixed_exponential_custom(place.span, place.name);
            None
        }
        Ok(Reconciled { custom_bounds, .. }) => {
            if custom_bounds {
                notes.custom_bounds_reconciled(place.span, operation);
            }
            Some(())
        }
    }
}
