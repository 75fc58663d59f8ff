//! What one target has counted so far: the cells behind its page.
//!
//! The cells are laid out from the target's dialect. A measure that no family of the dialect shows
//! has no cells, and recording it does nothing, so that one simulation serves every dialect.
//! Invariants: a distribution's count is the sum of its buckets; a cell without a time of creation
//! is not on the page yet.

use super::family::{Dialect, Family, Kind, Scopes};
use super::measure::Measure;

/// Seconds between the creation times of two neighbouring cells at start, as on a real page.
const CREATION_STEP_S: f64 = 1.7e-5;

/// A counter's or gauge's value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Number {
    /// The value.
    pub(crate) value: f64,
    /// Unix seconds of creation; 0 before.
    pub(crate) created_s: f64,
}

/// Observations sorted into buckets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distribution {
    bounds: Vec<f64>,
    /// Observations of each bucket alone (not cumulative); the last is beyond all bounds.
    pub(crate) counts: Vec<u64>,
    /// Sum of the observed values.
    pub(crate) sum: f64,
    /// Unix seconds of creation; 0 before.
    pub(crate) created_s: f64,
}

impl Distribution {
    /// How many observations there were.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// All cells of one target.
#[derive(Debug)]
pub(crate) struct Ledger {
    now_s: f64,
    numbers: Vec<Vec<Number>>,
    distributions: Vec<Vec<Distribution>>,
}

impl Ledger {
    /// Empty cells for every series of `dialect`, created at `start_s` (Unix seconds).
    pub(crate) fn new(dialect: &Dialect, scopes: &Scopes, start_s: f64) -> Ledger {
        let mut ledger = Ledger {
            now_s: start_s,
            numbers: vec![Vec::new(); Measure::COUNT],
            distributions: vec![Vec::new(); Measure::COUNT],
        };
        for (position, family) in dialect.families.iter().enumerate() {
            let created_s = start_s + CREATION_STEP_S * position as f64;
            ledger.lay_out(family, scopes, if family.late { 0.0 } else { created_s });
        }
        ledger
    }

    fn lay_out(&mut self, family: &Family, scopes: &Scopes, created_s: f64) {
        let series = scopes.of(family.each).len() * family.series.len();
        let row = family.measure as usize;
        let bounds = match family.kind {
            Kind::Counter | Kind::Gauge => {
                let value = if family.measure == Measure::One { 1.0 } else { 0.0 };
                let cells = series.max(self.numbers[row].len());
                return self.numbers[row].resize(cells, Number { value, created_s });
            }
            Kind::Histogram(buckets) => buckets.bounds(scopes.max_model_len),
            Kind::Summary => Vec::new(),
        };
        let counts = vec![0; bounds.len() + 1];
        let empty = Distribution { bounds, counts, sum: 0.0, created_s };
        self.distributions[row] = vec![empty; series];
    }

    /// Sets the time (Unix seconds) of what is recorded next.
    pub(crate) fn at(&mut self, now_s: f64) {
        self.now_s = now_s;
    }

    /// Adds to a counter.
    pub(crate) fn add(&mut self, measure: Measure, cell: usize, by: f64) {
        let now_s = self.now_s;
        if let Some(number) = self.numbers[measure as usize].get_mut(cell) {
            number.value += by;
            create(&mut number.created_s, now_s);
        }
    }

    /// Sets a gauge.
    pub(crate) fn set(&mut self, measure: Measure, cell: usize, value: f64) {
        let now_s = self.now_s;
        if let Some(number) = self.numbers[measure as usize].get_mut(cell) {
            number.value = value;
            create(&mut number.created_s, now_s);
        }
    }

    /// Observes `value` `times` times.
    pub(crate) fn observe(&mut self, measure: Measure, cell: usize, value: f64, times: u64) {
        let now_s = self.now_s;
        if let Some(seen) = self.distributions[measure as usize].get_mut(cell) {
            let bucket = seen.bounds.partition_point(|bound| *bound < value);
            seen.counts[bucket] += times;
            seen.sum += value * times as f64;
            create(&mut seen.created_s, now_s);
        }
    }

    /// The cell of a counter or gauge; an empty one where there is none.
    pub(crate) fn number(&self, measure: Measure, cell: usize) -> Number {
        self.numbers[measure as usize].get(cell).copied().unwrap_or_default()
    }

    /// The cell of a histogram or summary, if the dialect has it.
    pub(crate) fn distribution(&self, measure: Measure, cell: usize) -> Option<&Distribution> {
        self.distributions[measure as usize].get(cell)
    }
}

fn create(created_s: &mut f64, now_s: f64) {
    if *created_s == 0.0 {
        *created_s = now_s;
    }
}
