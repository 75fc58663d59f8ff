//! Cuts a histogram off at a value: only what lies below or above is left.
//!
//! A bucket that contains the border keeps the part on the wanted side, as if its observations
//! were spread evenly (custom and zero buckets) or evenly on a logarithmic scale (exponential
//! ones). The sum is estimated anew, from the middle of what each bucket keeps. Of a bucket
//! without a lower or upper end nothing is known; it is kept or left out as a whole, except that a
//! first bucket with a positive bound begins at 0.

use super::{Bucket, Histogram};

/// Which side of a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Smaller values.
    Below,
    /// Larger values.
    Above,
}

/// What a bucket keeps: a count, and a value that stands for the observations.
type Kept = (f64, f64);

/// A border, the side of it that stays, and how observations lie in buckets.
#[derive(Clone, Copy)]
struct Cut {
    border: f64,
    keep: Side,
    linear: bool,
}

impl Histogram {
    /// The histogram without the observations on the other side of `border`. One that loses
    /// nothing keeps its count and sum; another is compact.
    #[must_use]
    pub fn trimmed(&self, keep: Side, border: f64) -> Self {
        let cut = Cut { border, keep, linear: self.has_custom_buckets() };
        let positive: Vec<Option<Kept>> = self.positive().map(|own| cut.of(own, true)).collect();
        let negative: Vec<Option<Kept>> = self.negative().map(|own| cut.of(own, false)).collect();
        let zero = (self.zero_count > 0.0).then(|| {
            let only = |side: &[Option<Kept>], other: &[Option<Kept>]| {
                side.iter().any(Option::is_some) && !other.iter().any(Option::is_some)
            };
            cut.of_zero(self.zero_bucket(), only(&positive, &negative), only(&negative, &positive))
        });
        let mut trimmed = self.clone();
        let mut has_lost = false;
        let mut keep = |count: &mut f64, kept: &Option<Kept>| {
            if let Some((kept, _)) = kept.filter(|(kept, _)| kept != count) {
                *count = kept;
                has_lost = true;
            }
        };
        trimmed.positive_buckets.iter_mut().zip(&positive).for_each(|(own, kept)| keep(own, kept));
        trimmed.negative_buckets.iter_mut().zip(&negative).for_each(|(own, kept)| keep(own, kept));
        keep(&mut trimmed.zero_count, &zero);
        if has_lost {
            let kept = positive.iter().chain(&negative).chain([&zero]).flatten();
            let add = |(count, sum), (own, value): &Kept| (count + own, sum + value * own);
            (trimmed.count, trimmed.sum) = kept.fold((0.0, 0.0), add);
            trimmed.is_integer = false;
            trimmed.compact(0);
        }
        trimmed
    }
}

impl Cut {
    /// What is kept of a bucket; nothing to say about an empty one.
    fn of(self, bucket: Bucket, positive: bool) -> Option<Kept> {
        if bucket.count == 0.0 {
            return None;
        }
        let (inside, touched) = match self.keep {
            Side::Below => (bucket.upper <= self.border, bucket.lower < self.border),
            Side::Above => (bucket.lower >= self.border, bucket.upper > self.border),
        };
        Some(if inside {
            (bucket.count, self.middle(bucket.lower, bucket.upper, positive))
        } else if touched {
            self.part(bucket, positive)
        } else {
            (0.0, 0.0)
        })
    }

    /// Of a bucket that contains the border.
    fn part(self, bucket: Bucket, positive: bool) -> Kept {
        let Bucket { lower, upper, count, .. } = bucket;
        if lower == f64::NEG_INFINITY {
            return self.of_first(upper, count);
        }
        if upper == f64::INFINITY {
            // Nothing is known about how far it reaches; the larger part is above.
            return match self.keep {
                Side::Below => (0.0, lower),
                Side::Above => (count, self.border),
            };
        }
        let below = count * self.fraction_below(lower, upper, positive);
        match self.keep {
            Side::Below => (below, self.middle(lower, self.border, positive)),
            Side::Above => (count - below, self.middle(self.border, upper, positive)),
        }
    }

    /// Of a bucket that has no lower end.
    fn of_first(self, upper: f64, count: f64) -> Kept {
        let border = self.border;
        let from_zero = upper > 0.0 && upper.is_finite();
        match self.keep {
            Side::Below if border > 0.0 && from_zero => (count * border / upper, border / 2.0),
            Side::Below if upper <= 0.0 => (count, border),
            Side::Above if border >= 0.0 && from_zero => {
                (count * (1.0 - border / upper), (border + upper) / 2.0)
            }
            _ => (0.0, if upper.is_finite() { upper } else { 0.0 }),
        }
    }

    fn fraction_below(self, lower: f64, upper: f64, positive: bool) -> f64 {
        if self.linear {
            return (self.border - lower) / (upper - lower);
        }
        let [lower, upper, border] = [lower, upper, self.border].map(|value| value.abs().log2());
        match positive {
            true => (border - lower) / (upper - lower),
            false => 1.0 - (border - upper) / (lower - upper),
        }
    }

    /// The value that stands for observations between two bounds.
    fn middle(self, lower: f64, upper: f64, positive: bool) -> f64 {
        if lower.is_infinite() {
            return match upper {
                _ if upper.is_infinite() => 0.0,
                _ if upper > 0.0 => upper / 2.0,
                _ => upper,
            };
        }
        if upper.is_infinite() {
            return lower;
        }
        let geometric = || (lower * upper).abs().sqrt();
        match (self.linear, positive) {
            (true, _) => (lower + upper) / 2.0,
            (false, true) => geometric(),
            (false, false) => -geometric(),
        }
    }

    /// The zero bucket ends at 0 on the side on which the histogram has nothing else.
    fn of_zero(self, zero: Bucket, only_positive: bool, only_negative: bool) -> Kept {
        let lower = if only_positive { 0.0 } else { zero.lower };
        let upper = if only_negative { 0.0 } else { zero.upper };
        let border = self.border;
        let (from, to) = match self.keep {
            Side::Below if border <= lower => return (0.0, 0.0),
            Side::Above if border >= upper => return (0.0, 0.0),
            Side::Below if border >= upper => return (zero.count, (lower + upper) / 2.0),
            Side::Above if border <= lower => return (zero.count, (lower + upper) / 2.0),
            Side::Below => (lower, border),
            Side::Above => (border, upper),
        };
        (zero.count * ((to - from) / (upper - lower)), (from + to) / 2.0)
    }
}
