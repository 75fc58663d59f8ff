//! Sums whose rounding errors do not pile up: Kahan's summation with Neumaier's improvement.
//!
//! The operations and their order are those of Prometheus's `util/kahansum`, so that the same
//! addends in the same order give the same bits.

/// A running sum and what was lost of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KahanSum {
    /// What plain addition gives.
    pub sum: f64,
    /// What rounding took away from it.
    pub lost: f64,
}

impl KahanSum {
    /// The sum of one addend.
    #[inline]
    pub fn new(sum: f64) -> Self {
        Self { sum, lost: 0.0 }
    }

    /// The sum with one more addend. An infinite one has lost nothing.
    #[inline]
    #[must_use]
    pub fn plus(self, addend: f64) -> Self {
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

    /// Adds another running sum.
    #[inline]
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.plus(other.sum).plus(other.lost)
    }

    /// Changes both parts.
    #[inline]
    #[must_use]
    pub fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self { sum: change(self.sum), lost: change(self.lost) }
    }

    /// The sum with what was lost.
    #[inline]
    pub fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// A mean: of the sum as long as that is finite, then incremental.
#[derive(Clone, Copy, Debug)]
pub struct KahanMean {
    count: f64,
    /// The sum, or the mean once it is incremental.
    state: KahanSum,
    incremental: bool,
}

impl KahanMean {
    /// The mean of one value.
    #[inline]
    pub fn new(first: f64) -> Self {
        Self { count: 1.0, state: KahanSum::new(first), incremental: false }
    }

    /// One more value.
    #[inline]
    pub fn add(&mut self, value: f64) {
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
            self.state = self.state.map(|part| part / before);
        }
        let kept = (self.count - 1.0) / self.count;
        self.state = self.state.map(|part| kept * part).plus(value / self.count);
    }

    /// The mean of the values so far.
    #[inline]
    pub fn mean(&self) -> f64 {
        if self.incremental {
            return self.state.total();
        }
        self.state.map(|part| part / self.count).total()
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
