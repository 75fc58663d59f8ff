//! Quantiles and fractions of a classic histogram's buckets.
//!
//! Buckets are cumulative. First they are made fit for searching: sorted by bound, equal bounds
//! summed, then made monotonic (differences below 1e-12, relative, are rounding and are ignored;
//! larger steps down are raised and reported). Within a bucket, values are spread evenly; the
//! first bucket begins at 0 if its bound is positive.

use crate::eval::number::almost_equal;

/// An upper bound and the count of observations up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) bound: f64,
    pub(super) count: f64,
}

/// What was raised so that counts never go down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Raised {
    pub(super) bucket_min: f64,
    pub(super) bucket_max: f64,
    pub(super) diff_max: f64,
}

/// Differences of counts that are rounding errors, relative (Prometheus:
/// `smallDeltaTolerance`).
const ROUNDING: f64 = 1e-12;

/// The φ-quantile `q`, and what had to be raised for it. `buckets` is not empty; it is put in
/// order on the way. NaN if the highest bound is not +Inf, if there are fewer than two buckets or
/// no observations.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Raised>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if !put_in_order(buckets) {
        return (f64::NAN, None);
    }
    let raised = make_monotonic(buckets);
    (search(q, buckets), raised)
}

/// Sorts and coalesces; `false` if there is no bucket for everything.
fn put_in_order(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|a, b| a.bound.partial_cmp(&b.bound).unwrap_or(std::cmp::Ordering::Equal));
    if buckets.last().is_none_or(|last| last.bound != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.bound == kept.bound;
        if same {
            kept.count += next.count;
        }
        same
    });
    true
}

fn make_monotonic(buckets: &mut [Bucket]) -> Option<Raised> {
    let mut raised: Option<Raised> = None;
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        let count = bucket.count;
        if count == before {
            continue;
        }
        if almost_equal(before, count, ROUNDING) {
            bucket.count = before;
        } else if count < before {
            bucket.count = before;
            let first =
                Raised { bucket_min: bucket.bound, bucket_max: bucket.bound, diff_max: 0.0 };
            let raised = raised.get_or_insert(first);
            raised.bucket_min = raised.bucket_min.min(bucket.bound);
            raised.bucket_max = raised.bucket_max.max(bucket.bound);
            raised.diff_max = raised.diff_max.max(before - count);
        } else {
            before = count;
        }
    }
    raised
}

fn search(q: f64, buckets: &[Bucket]) -> f64 {
    let Some((last, finite)) = buckets.split_last().filter(|(_, finite)| !finite.is_empty()) else {
        return f64::NAN;
    };
    if last.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.count;
    let at = first_at_least(rank, finite);
    if at == finite.len() {
        return finite[at - 1].bound;
    }
    if at == 0 && finite[0].bound <= 0.0 {
        return finite[0].bound;
    }
    let Bucket { bound: end, count } = finite[at];
    match at.checked_sub(1).map(|below| finite[below]) {
        Some(below) => {
            let (rank, count) = (rank - below.count, count - below.count);
            below.bound + (end - below.bound) * (rank / count)
        }
        None => 0.0 + (end - 0.0) * (rank / count),
    }
}

/// The first bucket whose count is at least `rank`, looked for as Go's `sort.Search` does: that
/// decides if counts are NaN.
fn first_at_least(rank: f64, buckets: &[Bucket]) -> usize {
    let (mut from, mut to) = (0, buckets.len());
    while from < to {
        let middle = usize::midpoint(from, to);
        if buckets[middle].count >= rank {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// The part of the observations between `lower` and `upper`. `buckets` is not empty; it is put in
/// order on the way, but not made monotonic. NaN as for [`quantile`].
pub(super) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !put_in_order(buckets) {
        return f64::NAN;
    }
    let total = buckets.last().map_or(0.0, |last| last.count);
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (low, high) = ranks(lower, upper, buckets);
    (high.unwrap_or(total).min(total) - low.unwrap_or(total).min(total)) / total
}

/// How many observations lie below `lower` and `upper`, as far as the buckets say.
fn ranks(lower: f64, upper: f64, buckets: &[Bucket]) -> (Option<f64>, Option<f64>) {
    let (mut low, mut high) = (None, None);
    let mut rank = 0.0;
    for (index, bucket) in buckets.iter().enumerate() {
        let begin = match index.checked_sub(1) {
            Some(below) => buckets[below].bound,
            None if bucket.bound > 0.0 => 0.0,
            None => f64::NEG_INFINITY,
        };
        let end = bucket.bound;
        // Nothing is known about where values lie in a bucket without bound; none counts.
        let inside = |value: f64| match begin == f64::NEG_INFINITY {
            true => bucket.count,
            false => rank + (bucket.count - rank) * (value - begin) / (end - begin),
        };
        for (value, found) in [(lower, &mut low), (upper, &mut high)] {
            if found.is_none() && begin >= value {
                *found = Some(rank);
            } else if found.is_none() && begin < value && end > value {
                *found = Some(inside(value));
            }
        }
        if low.is_some() && high.is_some() {
            break;
        }
        rank = bucket.count;
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(rows: &[(f64, f64)]) -> Vec<Bucket> {
        rows.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    /// A quantile, buckets, and what it is.
    type Row = (f64, &'static [(f64, f64)], f64);

    #[test]
    fn quantiles() {
        let plain: &'static [(f64, f64)] = &[(INF, 10.0), (1.0, 4.0), (2.0, 8.0)];
        let rows: [Row; 14] = [
            (0.2, plain, 0.5),
            (0.6, plain, 1.5),
            (0.4, plain, 1.0),
            (0.9, plain, 2.0),
            (0.0, plain, 0.0),
            (-1.0, plain, f64::NEG_INFINITY),
            (1.1, plain, INF),
            (f64::NAN, plain, f64::NAN),
            (0.5, &[(1.0, 4.0), (2.0, 8.0)], f64::NAN),
            (0.5, &[(INF, 4.0)], f64::NAN),
            (0.5, &[(1.0, 0.0), (INF, 0.0)], f64::NAN),
            (0.5, &[(-1.0, 8.0), (1.0, 9.0), (INF, 10.0)], -1.0),
            (0.5, &[(1.0, 2.0), (1.0, 2.0), (INF, 4.0)], 0.5),
            (0.5, &[(1.0, 4.0), (2.0, 3.0), (INF, 4.0)], 0.5),
        ];
        for (q, rows, expected) in rows {
            let got = quantile(q, &mut buckets(rows)).0;
            assert!(got == expected || got.is_nan() && expected.is_nan(), "{q} of {rows:?}: {got}");
        }
    }

    #[test]
    fn steps_down_are_raised_and_rounding_is_not_reported() {
        let raised = |rows| quantile(0.5, &mut buckets(rows)).1;
        let report = Raised { bucket_min: 2.0, bucket_max: 4.0, diff_max: 3.0 };
        assert_eq!(
            raised(&[(1.0, 5.0), (2.0, 2.0), (3.0, 6.0), (4.0, 5.0), (INF, 7.0)]),
            Some(report)
        );
        assert_eq!(raised(&[(1.0, 5.0), (2.0, 5.0 - 4e-13), (INF, 7.0)]), None);
    }

    #[test]
    fn fractions() {
        let plain: &[(f64, f64)] = &[(1.0, 4.0), (2.0, 8.0), (INF, 10.0)];
        let rows = [
            (0.0, 1.0, 0.4),
            (0.5, 1.5, 0.4),
            (f64::NEG_INFINITY, INF, 1.0),
            (2.0, INF, 0.2),
            (3.0, 4.0, 0.0),
            (1.0, 1.0, 0.0),
            (f64::NAN, 1.0, f64::NAN),
        ];
        for (lower, upper, expected) in rows {
            let got = fraction(lower, upper, &mut buckets(plain));
            let equal = (got - expected).abs() < 1e-12 || got.is_nan() && expected.is_nan();
            assert!(equal, "{lower}…{upper}: {got}");
        }
    }
}
