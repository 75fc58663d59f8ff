//! The quantile of a set of values.

/// The φ-quantile `q` of `values`, which are sorted on the way: NaN if there are none or `q` is
/// NaN, ∓Inf for a `q` outside of 0…1, interpolated between neighbours. NaNs count as smallest.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    values.sort_unstable_by(smallest_first);
    quantile_of_sorted(q, values)
}

/// The order of values: NaNs first.
pub(crate) fn smallest_first(a: &f64, b: &f64) -> std::cmp::Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
    }
}

/// The same of values that are in order.
pub(crate) fn quantile_of_sorted(q: f64, values: &[f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let count = values.len() as f64;
    let rank = q * (count - 1.0);
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(count - 1.0);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_interpolation() {
        let rows: [(f64, &[f64], f64); 7] = [
            (0.5, &[], f64::NAN),
            (f64::NAN, &[1.0], f64::NAN),
            (-0.1, &[1.0], f64::NEG_INFINITY),
            (1.1, &[1.0], f64::INFINITY),
            (0.5, &[3.0, 1.0], 2.0),
            (0.25, &[4.0, 3.0, 2.0, 1.0, 0.0], 1.0),
            (1.0, &[1.0, f64::NAN, 2.0], 2.0),
        ];
        for (q, values, expected) in rows {
            let got = quantile(q, &mut values.to_vec());
            assert!(
                got == expected || got.is_nan() && expected.is_nan(),
                "{q} of {values:?}: {got}"
            );
        }
    }
}
