//! What an evaluation took: times by an outside clock, samples held at most, operator by operator.
//!
//! Whoever gives out a [`Budget`](crate::Budget) may put a profile into it. Without one, nothing is
//! measured. One profile may see several evaluations (a range query of which some steps are kept);
//! it adds them up.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ast::Span;

/// Parts of answering a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Preparation,
    Evaluation,
    Sorting,
}

/// Measures evaluations.
pub struct Profile<'a> {
    /// The time since any fixed moment; never goes back.
    clock: &'a (dyn Fn() -> Duration + Sync),
    peak: AtomicUsize,
    measured: Mutex<Measured>,
}

#[derive(Default)]
struct Measured {
    phases: Phases,
    /// By where they stand: an operator comes before what stands within it.
    operators: BTreeMap<(usize, Reverse<usize>), OperatorProfile>,
}

/// How long the parts of answering took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Making the plan.
    pub preparation: Duration,
    /// Computing values, reading included.
    pub evaluation: Duration,
    /// Making the answer of them, in label order.
    pub sorting: Duration,
}

/// What one operator did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorProfile {
    /// What it does.
    pub words: String,
    /// Where it stands in the query.
    pub span: Span,
    /// How often it was evaluated, each time at many steps.
    pub evaluations: u32,
    /// How often its value was there already: that of an equal part of the query.
    pub reuses: u32,
    /// How long it took, with the operators whose values it takes.
    pub time: Duration,
    /// Without them.
    pub own_time: Duration,
    /// Samples that were looked at, with theirs; those of a value that is there already count again.
    pub samples: u64,
    /// Series that it gave.
    pub series: usize,
}

impl<'a> Profile<'a> {
    /// An empty one, with a clock.
    pub fn new(clock: &'a (dyn Fn() -> Duration + Sync)) -> Self {
        Self { clock, peak: AtomicUsize::new(0), measured: Mutex::default() }
    }

    /// How long the parts of answering took.
    pub fn phases(&self) -> Phases {
        self.measured().phases
    }

    /// The most samples that were held at a time, as
    /// [`Budget::samples_max`](crate::Budget::samples_max) counts them.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// All operators that give vectors, in the order of the text, outer ones first.
    pub fn operators(&self) -> Vec<OperatorProfile> {
        self.measured().operators.values().cloned().collect()
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    pub(crate) fn hold(&self, samples: usize) {
        self.peak.fetch_max(samples, Ordering::Relaxed);
    }

    pub(crate) fn add_time(&self, phase: Phase, time: Duration) {
        let phases = &mut self.measured().phases;
        *match phase {
            Phase::Preparation => &mut phases.preparation,
            Phase::Evaluation => &mut phases.evaluation,
            Phase::Sorting => &mut phases.sorting,
        } += time;
    }

    pub(crate) fn add_operator(&self, own: OperatorProfile) {
        let mut measured = self.measured();
        let place = (own.span.start, Reverse(own.span.end));
        let OperatorProfile { words, span, .. } = &own;
        let known = measured.operators.entry(place).or_insert_with(|| OperatorProfile {
            words: words.clone(),
            span: *span,
            ..OperatorProfile::default()
        });
        known.evaluations += own.evaluations;
        known.reuses += own.reuses;
        known.time += own.time;
        known.own_time += own.own_time;
        known.samples += own.samples;
        known.series = known.series.max(own.series);
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
