//! Sums and means of native histograms, and what has to be said about them.

use tsdb::model::Histogram;
use tsdb::model::histogram::{
    CounterResetHint, HistogramMean, HistogramSum, Incompatible, Reconciled,
};

use crate::ast::Span;
use crate::notes::{Notes, Operation};

/// A running sum or mean.
#[derive(Debug)]
enum Running {
    Sum(HistogramSum),
    Mean(HistogramMean),
}

/// Histograms that are added up.
#[derive(Debug)]
pub(super) struct Gathered {
    running: Running,
    has_reset: bool,
    has_no_reset: bool,
    has_other_bounds: bool,
}

impl Gathered {
    /// The sum of one histogram.
    pub(super) fn sum(first: &Histogram) -> Self {
        Self::new(Running::Sum(HistogramSum::new(first)), first)
    }

    /// The mean of one histogram.
    pub(super) fn mean(first: &Histogram) -> Self {
        Self::new(Running::Mean(HistogramMean::new(first)), first)
    }

    fn new(running: Running, first: &Histogram) -> Self {
        let mut gathered =
            Self { running, has_reset: false, has_no_reset: false, has_other_bounds: false };
        gathered.look(first);
        gathered
    }

    fn look(&mut self, histogram: &Histogram) {
        match histogram.counter_reset_hint {
            CounterResetHint::Reset => self.has_reset = true,
            CounterResetHint::NotReset => self.has_no_reset = true,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
    }

    /// One more histogram. After a failure there is no result.
    pub(super) fn add(&mut self, histogram: &Histogram) -> Result<(), Incompatible> {
        self.look(histogram);
        let Reconciled { custom_bounds, .. } = match &mut self.running {
            Running::Sum(sum) => sum.add(histogram)?,
            Running::Mean(mean) => mean.add(histogram)?,
        };
        self.has_other_bounds |= custom_bounds;
        Ok(())
    }

    /// Notes what was reconciled on the way.
    pub(super) fn note(&self, notes: &mut Notes, span: Span) {
        if self.has_reset && self.has_no_reset {
            notes.reset_collision(span, Operation::Aggregation);
        }
        self.note_bounds(notes, span);
    }

    /// Notes that custom bounds differed, which also holds if it failed later.
    pub(super) fn note_bounds(&self, notes: &mut Notes, span: Span) {
        if self.has_other_bounds {
            notes.custom_bounds_reconciled(span, Operation::Aggregation);
        }
    }

    /// The sum or mean; not compact.
    pub(super) fn finish(&self) -> Histogram {
        match &self.running {
            Running::Sum(sum) => sum.total(),
            Running::Mean(mean) => mean.mean(),
        }
    }
}
