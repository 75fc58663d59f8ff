//! Quantiles: of values, and of classic histograms (cumulative buckets with an upper bound each).

/// The value at `q` of the way through the sorted values, between two of them in proportion.
pub(super) fn quantile(q: f64, values: &[f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let mut sorted = values.to_vec();
    // NaN comes first.
    sorted.sort_by(|a, b| {
        b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
    });
    let rank = q * (sorted.len() as f64 - 1.0);
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(sorted.len() as f64 - 1.0);
    let weight = rank - rank.floor();
    sorted[lower as usize] * (1.0 - weight) + sorted[upper as usize] * weight
}

/// The quantile of buckets (bound, cumulative count) in any order.
pub(super) fn of_buckets(q: f64, mut buckets: Vec<(f64, f64)>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return f64::NAN;
    }
    let buckets = rising(one_per_bound(&buckets));
    let all = buckets[buckets.len() - 1].1;
    if buckets.len() < 2 || all == 0.0 {
        return f64::NAN;
    }
    let rank = q * all;
    let place = first_with(buckets.len() - 1, |index| buckets[index].1 >= rank);
    let (bound, count) = buckets[place];
    if place == buckets.len() - 1 {
        return buckets[place - 1].0;
    }
    match place.checked_sub(1).map(|before| buckets[before]) {
        None if bound <= 0.0 => bound,
        None => bound * (rank / count),
        Some((lower, below)) => lower + (bound - lower) * ((rank - below) / (count - below)),
    }
}

/// The first index below `count` for which that holds, as Go's `sort.Search` looks for it.
fn first_with(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (0, count);
    while from < to {
        let middle = (from + to) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

fn one_per_bound(sorted: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (bound, count) in sorted {
        match buckets.last_mut() {
            Some(last) if last.0 == *bound => last.1 += count,
            _ => buckets.push((*bound, *count)),
        }
    }
    buckets
}

/// No bucket has less than one below it; differences by rounding are none.
fn rising(mut buckets: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut before = buckets[0].1;
    for (_, count) in &mut buckets[1..] {
        if nearly(before, *count) || *count < before {
            *count = before;
        } else {
            before = *count;
        }
    }
    buckets
}

/// Equal within 1e-12 of their sum.
fn nearly(a: f64, b: f64) -> bool {
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < 1e-12 * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < 1e-12
}
