//! Quantiles, fractions and spread of a native histogram.
//!
//! Within a bucket, observations lie evenly: on a logarithmic scale in those of exponential schemas,
//! on a linear one in custom buckets and in the zero bucket. The zero bucket begins (ends) at 0 if
//! there are only positive (negative) buckets. Observations of NaN are counted but lie in no
//! bucket; a sum of NaN tells that there may be some.

use tsdb::model::Histogram;
use tsdb::model::histogram::Bucket;
use tsdb::model::kahan::KahanSum;

/// What observations of NaN do to a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NanEffect {
    None,
    /// It lies among them.
    Result,
    /// It is higher than without them.
    Skew,
}

/// The φ-quantile `q`: NaN without observations, ∓Inf for a `q` outside of 0…1. Lower ones are
/// searched for from below, higher ones from above, so that they are as exact as can be.
pub(super) fn quantile(q: f64, histogram: &Histogram) -> (f64, NanEffect) {
    if q < 0.0 {
        return (f64::NEG_INFINITY, NanEffect::None);
    }
    if q > 1.0 {
        return (f64::INFINITY, NanEffect::None);
    }
    if histogram.count == 0.0 || q.is_nan() {
        return (f64::NAN, NanEffect::None);
    }
    let has_nan_sum = histogram.sum.is_nan();
    // NaNs are higher than everything; from above, they would be missed.
    let from_below = has_nan_sum || q < 0.5;
    let mut buckets = histogram.buckets();
    let mut next = || if from_below { buckets.next() } else { buckets.next_back() };
    let rank = if from_below { q } else { 1.0 - q } * histogram.count;
    let Found { bucket, count } = search(rank, &mut next);
    let bucket = match histogram.has_custom_buckets() {
        true if bucket.lower == f64::NEG_INFINITY && bucket.upper <= 0.0 => {
            return (bucket.upper, NanEffect::None);
        }
        true if bucket.lower == f64::NEG_INFINITY => Bucket { lower: 0.0, ..bucket },
        true if bucket.upper == f64::INFINITY => return (bucket.lower, NanEffect::None),
        true => bucket,
        false => one_sided(bucket, histogram, bucket.lower < 0.0 && bucket.upper > 0.0),
    };
    // Rounding may have made it more than there is.
    let within = count.min(histogram.count);
    if within < rank {
        return match has_nan_sum {
            true => (f64::NAN, NanEffect::Result),
            false => (bucket.upper, NanEffect::None),
        };
    }
    let below = if from_below { rank - (within - bucket.count) } else { within - rank };
    let mut effect = NanEffect::None;
    if has_nan_sum {
        let all = std::iter::from_fn(next).fold(within, |sum, bucket| sum + bucket.count);
        if all < histogram.count {
            effect = NanEffect::Skew;
        }
    }
    (value_at(below / bucket.count, bucket, histogram), effect)
}

/// A bucket, and how many observations there are up to its end.
struct Found {
    bucket: Bucket,
    count: f64,
}

/// The first populated bucket with which `rank` is reached, else the last one.
fn search(rank: f64, next: &mut impl FnMut() -> Option<Bucket>) -> Found {
    let nothing = Bucket {
        lower: 0.0,
        upper: 0.0,
        lower_inclusive: false,
        upper_inclusive: false,
        count: 0.0,
        index: 0,
    };
    let mut found = Found { bucket: nothing, count: 0.0 };
    while let Some(bucket) = next() {
        found.bucket = bucket;
        if bucket.count == 0.0 {
            continue;
        }
        found.count += bucket.count;
        if found.count >= rank {
            break;
        }
    }
    found
}

/// If it is the zero bucket, without the side on which the histogram has nothing else.
fn one_sided(mut bucket: Bucket, histogram: &Histogram, is_zero: bool) -> Bucket {
    let negative = !histogram.negative_buckets.is_empty();
    let positive = !histogram.positive_buckets.is_empty();
    match (negative, positive) {
        (false, true) if is_zero => bucket.lower = 0.0,
        (true, false) if is_zero => bucket.upper = 0.0,
        _ => {}
    }
    bucket
}

/// The value up to which a part (0…1) of the bucket's observations lies.
fn value_at(part: f64, bucket: Bucket, histogram: &Histogram) -> f64 {
    let Bucket { lower, upper, .. } = bucket;
    if histogram.has_custom_buckets() || lower <= 0.0 && upper >= 0.0 {
        return lower + (upper - lower) * part;
    }
    let (log_lower, log_upper) = (lower.abs().log2(), upper.abs().log2());
    if lower > 0.0 {
        return (log_lower + (log_upper - log_lower) * part).exp2();
    }
    -(log_upper + (log_lower - log_upper) * (1.0 - part)).exp2()
}

/// The part of the observations between two values, and whether some are NaN, which lie in no part.
pub(super) fn fraction(lower: f64, upper: f64, histogram: &Histogram) -> (f64, bool) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, false);
    }
    if lower >= upper {
        return (0.0, false);
    }
    let (mut low, mut high): (Option<f64>, Option<f64>) = (None, None);
    let (mut rank, mut count) = (0.0, 0.0);
    for bucket in histogram.buckets() {
        count += bucket.count;
        if low.is_some() && high.is_some() {
            continue;
        }
        let is_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
        let bucket = one_sided(bucket, histogram, is_zero);
        for (value, found) in [(lower, &mut low), (upper, &mut high)] {
            if found.is_none() && bucket.lower >= value {
                *found = Some(rank);
            } else if found.is_none() && bucket.lower < value && bucket.upper > value {
                let linear = histogram.has_custom_buckets() || is_zero;
                *found = Some(rank_of(value, bucket, rank, linear));
            }
        }
        rank += bucket.count;
    }
    // With NaNs, the buckets end below the count; without, what they leave out is in the last one.
    let most = if histogram.sum.is_nan() { count } else { histogram.count };
    let limited = |rank: Option<f64>| match rank {
        Some(rank) if rank > most => most,
        Some(rank) => rank,
        None => most,
    };
    let has_nans = histogram.sum.is_nan() && count < histogram.count;
    ((limited(high) - limited(low)) / histogram.count, has_nans)
}

/// How many observations lie below a value within the bucket; `rank` lie below the bucket.
fn rank_of(value: f64, bucket: Bucket, rank: f64, linear: bool) -> f64 {
    let Bucket { lower, upper, count, .. } = bucket;
    if linear {
        // Nothing is known about where values lie in a bucket without lower end; all count.
        return match lower == f64::NEG_INFINITY {
            true => count,
            false => rank + count * (value - lower) / (upper - lower),
        };
    }
    let [lower, upper, border] = [lower, upper, value].map(|value| value.abs().log2());
    let part = match value > 0.0 {
        true => (border - lower) / (upper - lower),
        false => 1.0 - (border - upper) / (lower - upper),
    };
    rank + count * part
}

/// The variance of the observations, each taken to be in the middle of its bucket.
pub(super) fn variance(histogram: &Histogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut squares = KahanSum::default();
    for Bucket { lower, upper, count, .. } in histogram.buckets() {
        if count == 0.0 {
            continue;
        }
        let value = if histogram.has_custom_buckets() {
            (upper + lower) / 2.0
        } else if lower <= 0.0 && upper >= 0.0 {
            0.0
        } else {
            let middle = (upper * lower).sqrt();
            if upper < 0.0 { -middle } else { middle }
        };
        let delta = value - mean;
        squares = squares.plus(count * delta * delta);
    }
    squares.total() / histogram.count
}

#[cfg(test)]
mod tests {
    use tsdb::model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};

    use super::*;

    fn spans(offset: i32, counts: &[f64]) -> Vec<Span> {
        vec![Span { offset, length: counts.len() as u32 }]
    }

    /// Buckets 1…2, 2…4, … and their mirror images, and a zero bucket of ±0.5.
    fn exponential(zero: f64, positive: &[f64], negative: &[f64], nans: f64) -> Histogram {
        let all = zero + positive.iter().chain(negative).sum::<f64>();
        Histogram {
            zero_threshold: 0.5,
            zero_count: zero,
            count: all + nans,
            sum: if nans > 0.0 { f64::NAN } else { 1.0 },
            positive_spans: spans(1, positive),
            positive_buckets: positive.to_vec(),
            negative_spans: spans(1, negative),
            negative_buckets: negative.to_vec(),
            ..Histogram::default()
        }
    }

    fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
        Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: counts.iter().sum(),
            positive_spans: spans(0, counts),
            positive_buckets: counts.to_vec(),
            custom_values: bounds.to_vec(),
            ..Histogram::default()
        }
    }

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs() || a == b || a.is_nan() && b.is_nan()
    }

    #[test]
    fn quantiles() {
        use NanEffect::{None, Result, Skew};
        let (inf, nan, root) = (f64::INFINITY, f64::NAN, 2.0_f64.sqrt());
        let both = || exponential(2.0, &[2.0, 2.0], &[2.0], 0.0);
        let rows = [
            (-0.1, both(), -inf, None),
            (1.1, both(), inf, None),
            (nan, both(), nan, None),
            (0.5, Histogram::default(), nan, None),
            (0.0, both(), -2.0, None),
            (0.125, both(), -root, None),
            (0.25, both(), -1.0, None),
            (0.375, both(), 0.0, None),
            (0.5, both(), 1.0, None),
            (0.625, both(), root, None),
            (1.0, both(), 4.0, None),
            // The zero bucket has one side only.
            (0.25, exponential(4.0, &[4.0], &[], 0.0), 0.25, None),
            (0.75, exponential(4.0, &[], &[4.0], 0.0), -0.25, None),
            (0.25, exponential(4.0, &[], &[], 0.0), -0.25, None),
            (0.4, exponential(0.0, &[4.0], &[], 1.0), root, Skew),
            (0.9, exponential(0.0, &[4.0], &[], 1.0), nan, Result),
            // A sum of NaN alone, as of +Inf and −Inf, is no observation of NaN.
            (0.5, Histogram { sum: nan, ..exponential(0.0, &[4.0], &[], 0.0) }, root, None),
            (0.25, custom(&[2.0, 4.0], &[4.0, 2.0, 2.0]), 1.0, None),
            (0.625, custom(&[2.0, 4.0], &[4.0, 2.0, 2.0]), 3.0, None),
            (0.9, custom(&[2.0, 4.0], &[4.0, 2.0, 2.0]), 4.0, None),
            (0.1, custom(&[-2.0, 4.0], &[4.0, 2.0, 2.0]), -2.0, None),
        ];
        for (q, histogram, value, effect) in rows {
            let got = quantile(q, &histogram);
            assert!(same(got.0, value) && got.1 == effect, "{q} of {histogram}: {got:?}");
        }
    }

    #[test]
    fn fractions() {
        let (inf, nan, root) = (f64::INFINITY, f64::NAN, 2.0_f64.sqrt());
        let both = || exponential(2.0, &[2.0, 2.0], &[2.0], 0.0);
        let rows = [
            (-inf, inf, both(), 1.0, false),
            (-inf, -root, both(), 0.125, false),
            (-root, 0.0, both(), 0.25, false),
            (0.25, root, both(), 0.1875, false),
            (4.0, inf, both(), 0.0, false),
            (2.0, 1.0, both(), 0.0, false),
            (nan, 1.0, both(), nan, false),
            (0.0, 1.0, Histogram::default(), nan, false),
            (-inf, root, exponential(0.0, &[4.0], &[], 1.0), 0.4, true),
            (-inf, inf, exponential(0.0, &[4.0], &[], 1.0), 0.8, true),
            (1.0, 3.0, custom(&[2.0, 4.0], &[4.0, 2.0, 2.0]), 0.375, false),
            (3.0, 9.0, custom(&[2.0, 4.0], &[4.0, 2.0, 2.0]), 0.125, false),
        ];
        for (lower, upper, histogram, value, nans) in rows {
            let got = fraction(lower, upper, &histogram);
            assert!(same(got.0, value) && got.1 == nans, "{lower}…{upper} of {histogram}: {got:?}");
        }
    }

    #[test]
    fn variances() {
        let mut narrow = custom(&[2.0, 4.0], &[1.0, 2.0]);
        // Middles −Inf and 3.
        narrow.positive_buckets[0] = 0.0;
        (narrow.count, narrow.sum) = (2.0, 4.0);
        let mut exponential = exponential(1.0, &[0.0, 1.0], &[1.0], 0.0);
        exponential.sum = 0.0;
        // 0, √8 and −√2.
        let rows = [(narrow, 1.0), (exponential, 10.0 / 3.0)];
        for (histogram, expected) in rows {
            let got = variance(&histogram);
            assert!(same(got, expected), "{histogram}: {got}");
        }
    }
}
