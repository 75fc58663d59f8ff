//! What a query may use: samples held at a time, and time.
//!
//! The engine reads no clock. It asks [`Budget::stop`] before every batch and every few columns;
//! whoever gives out the budget knows the deadline and whether the asker is still there.

use crate::error::EvalError;

/// Why an evaluation has to end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The asker went away, or the server shuts down.
    Canceled,
    /// The deadline passed.
    Timeout,
}

/// The limits of one query.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Samples that may be held in memory at a time: results of operators, and the largest
    /// window that is looked at.
    pub samples_max: usize,
    /// Asked often; `Some` ends the evaluation.
    pub stop: &'a dyn Fn() -> Option<Stop>,
}

impl Budget<'_> {
    /// At most `samples_max` samples, and never stopped.
    pub fn samples(samples_max: usize) -> Self {
        Self { samples_max, stop: &|| None }
    }
}

/// Counts what an evaluation holds and has looked at.
pub(crate) struct Meter<'a> {
    budget: &'a Budget<'a>,
    held: usize,
    /// Samples that were looked at, over all steps.
    pub(crate) looked_at: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(budget: &'a Budget<'a>) -> Self {
        Self { budget, held: 0, looked_at: 0 }
    }

    /// Fails if the evaluation has to end.
    pub(crate) fn check(&self) -> Result<(), EvalError> {
        match (self.budget.stop)() {
            None => Ok(()),
            Some(Stop::Canceled) => Err(EvalError::Canceled),
            Some(Stop::Timeout) => Err(EvalError::Timeout),
        }
    }

    /// Fails if a grid has more steps than samples may be held.
    pub(crate) fn check_steps(&self, steps: usize) -> Result<(), EvalError> {
        if steps > self.budget.samples_max { Err(EvalError::TooManySamples) } else { Ok(()) }
    }

    /// Samples held now.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Holds `samples` more.
    pub(crate) fn hold(&mut self, samples: usize) -> Result<(), EvalError> {
        self.held = self.held.saturating_add(samples);
        if self.held > self.budget.samples_max { Err(EvalError::TooManySamples) } else { Ok(()) }
    }

    /// Samples that can still be held.
    pub(crate) fn room(&self) -> usize {
        self.budget.samples_max.saturating_sub(self.held)
    }

    /// Goes back to `held` samples, as [`Self::held`] said before.
    pub(crate) fn release_to(&mut self, held: usize) {
        self.held = held;
    }
}
