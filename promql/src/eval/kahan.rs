//! Sums whose rounding errors do not pile up: Kahan's summation with Neumaier's improvement.
//!
//! The operations and their order are those of Prometheus's `util/kahansum`, so that the same
//! addends in the same order give the same bits.

/// A running sum and what was lost of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KahanSum {
    pub(crate) sum: f64,
    pub(crate) lost: f64,
}

impl KahanSum {
    pub(crate) fn new(sum: f64) -> Self {
        Self { sum, lost: 0.0 }
    }

    #[inline]
    #[must_use]
    pub(crate) fn plus(self, addend: f64) -> Self {
        let Self { sum, lost } = self;
        let total = sum + addend;
        let lost = if total.is_infinite() {
            0.0
        } else if sum.abs() >= addend.abs() {
            lost + ((sum - total) + addend)
        } else {
            lost + ((addend - total) + sum)
        };
        Self { sum: total, lost }
    }

    #[inline]
    pub(crate) fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// A mean: of the sum as long as that is finite, then incremental.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KahanMean {
    count: f64,
    /// The sum, or the mean once it is incremental.
    state: KahanSum,
    incremental: bool,
}

impl KahanMean {
    /// The mean of one value.
    pub(crate) fn new(first: f64) -> Self {
        Self { count: 1.0, state: KahanSum::new(first), incremental: false }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let sum = self.state.plus(value);
            if !sum.sum.is_infinite() {
                self.state = sum;
                return;
            }
            // The sum would overflow; the mean of what came so far does not.
            self.incremental = true;
            let before = self.count - 1.0;
            self.state = KahanSum { sum: self.state.sum / before, lost: self.state.lost / before };
        }
        let kept = (self.count - 1.0) / self.count;
        let scaled = KahanSum { sum: kept * self.state.sum, lost: kept * self.state.lost };
        self.state = scaled.plus(value / self.count);
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.incremental {
            return self.state.total();
        }
        self.state.sum / self.count + self.state.lost / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_means() {
        let rows: [(&[f64], f64, f64); 4] = [
            (&[1.0, 1e100, 1.0, -1e100], 2.0, 0.5),
            (&[f64::MAX, f64::MAX], f64::INFINITY, f64::MAX),
            (&[-0.0], -0.0, -0.0),
            (&[f64::INFINITY, 1.0], f64::INFINITY, f64::INFINITY),
        ];
        for (values, sum, mean) in rows {
            let mut running = KahanMean::new(values[0]);
            values[1..].iter().for_each(|value| running.add(*value));
            let total =
                values[1..].iter().fold(KahanSum::new(values[0]), |sum, value| sum.plus(*value));
            assert_eq!((total.total(), running.mean()), (sum, mean), "{values:?}");
        }
    }
}
