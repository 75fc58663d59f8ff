//! Means of histograms: of the sum as long as that is finite, then incremental.

use super::{Histogram, HistogramSum, Incompatible, Reconciled};

/// A running mean of histograms.
#[derive(Clone, Debug)]
pub struct HistogramMean {
    count: f64,
    /// The sum, or the mean once it is incremental.
    state: HistogramSum,
    incremental: bool,
}

impl HistogramMean {
    /// The mean of one histogram.
    pub fn new(first: &Histogram) -> Self {
        Self { count: 1.0, state: HistogramSum::new(first), incremental: false }
    }

    /// One more histogram. After a failure the mean means nothing.
    pub fn add(&mut self, histogram: &Histogram) -> Result<Reconciled, Incompatible> {
        self.count += 1.0;
        let mut noticed = Reconciled::default();
        if !self.incremental {
            let mut sum = self.state.clone();
            noticed = sum.add(histogram)?;
            if !sum.has_overflow() {
                self.state = sum;
                return Ok(noticed);
            }
            // The sum would overflow; the mean of what came so far does not.
            self.incremental = true;
            let before = self.count - 1.0;
            self.state.map(|value| value / before);
        }
        let kept = (self.count - 1.0) / self.count;
        self.state.map(|value| value * kept);
        let mut share = histogram.clone();
        share.div(self.count);
        let added = self.state.add(&share)?;
        noticed.reset_collision |= added.reset_collision;
        noticed.custom_bounds |= added.custom_bounds;
        Ok(noticed)
    }

    /// The mean of the histograms so far. It is not compact.
    pub fn mean(&self) -> Histogram {
        if self.incremental {
            return self.state.total();
        }
        let mut mean = self.state.clone();
        mean.map(|value| value / self.count);
        mean.total()
    }
}
