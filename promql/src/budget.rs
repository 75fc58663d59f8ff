//! What a query may use: samples held at a time, and time.
//!
//! The engine reads no clock. It asks [`Budget::stop`] before every batch and every few columns;
//! whoever gives out the budget knows the deadline and whether the asker is still there.

use std::sync::Arc;

use crate::error::EvalError;
use crate::memory::{Holding, MemoryPool};
use crate::profile::{Phase, Profile};

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
    /// What all queries may hold.
    pub pool: Option<&'a MemoryPool>,
    /// Asked often; `Some` ends the evaluation.
    pub stop: &'a (dyn Fn() -> Option<Stop> + Sync),
    /// Measures what the evaluation takes.
    pub profile: Option<&'a Profile<'a>>,
}

impl Budget<'_> {
    /// At most `samples_max` samples, and never stopped.
    pub fn samples(samples_max: usize) -> Self {
        Self { samples_max, pool: None, stop: &|| None, profile: None }
    }

    /// Does `work`, whose time is that of a phase.
    pub(crate) fn timed<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let Some(profile) = self.profile else { return work() };
        let began = profile.now();
        let done = work();
        profile.add_time(phase, profile.now().saturating_sub(began));
        done
    }
}

/// Counts what an evaluation holds and has looked at. Forks hold together.
pub(crate) struct Meter<'a> {
    budget: &'a Budget<'a>,
    held: Arc<Holding<'a>>,
    /// Samples that were looked at, over all steps.
    pub(crate) looked_at: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(budget: &'a Budget<'a>) -> Self {
        Self { budget, held: Arc::new(Holding::new(budget.pool)), looked_at: 0 }
    }

    /// One for a part of the evaluation, which has looked at nothing yet.
    pub(crate) fn fork(&self) -> Self {
        Self { budget: self.budget, held: self.held.clone(), looked_at: 0 }
    }

    pub(crate) fn budget(&self) -> &'a Budget<'a> {
        self.budget
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
        self.held.samples()
    }

    /// Holds `samples` more.
    pub(crate) fn hold(&self, samples: usize) -> Result<(), EvalError> {
        let (held, passed) = self.held.add(samples);
        if let Some(profile) = self.budget.profile {
            profile.hold(held);
        }
        match passed {
            _ if held > self.budget.samples_max => Err(EvalError::TooManySamples),
            Some(bytes_max) => Err(EvalError::TooMuchMemory { bytes_max }),
            None => Ok(()),
        }
    }

    /// Holds `samples` more for a moment.
    pub(crate) fn hold_briefly(&self, samples: usize) -> Result<(), EvalError> {
        let held = self.hold(samples);
        self.held.sub(samples);
        held
    }

    /// Samples that can still be held.
    pub(crate) fn room(&self) -> usize {
        self.budget.samples_max.saturating_sub(self.held())
    }

    /// Goes back to `held` samples, as [`Self::held`] said before. There is no fork.
    pub(crate) fn release_to(&self, held: usize) {
        self.held.sub(self.held().saturating_sub(held));
    }
}
