//! Operators between two floats.

use tsdb::model::is_stale;

use crate::ast::BinaryOp;

/// The value of an arithmetic operator or, as 0 or 1, of a comparison.
pub(crate) fn scalar(op: BinaryOp, left: f64, right: f64) -> f64 {
    match compare(op, left, right) {
        Some(holds) => f64::from(u8::from(holds)),
        None => arithmetic(op, left, right),
    }
}

/// Whether a comparison holds; `None` if `op` is none.
#[inline]
pub(crate) fn compare(op: BinaryOp, left: f64, right: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Greater => left > right,
        BinaryOp::Less => left < right,
        BinaryOp::GreaterOrEqual => left >= right,
        BinaryOp::LessOrEqual => left <= right,
        _ => return None,
    })
}

#[inline]
fn arithmetic(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        // Both are C's `fmod` and `pow`.
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        _ => unreachable!("BUG: {op:?} between floats"),
    }
}

/// Between two elements: the value, and `false` if a comparison filters it out.
#[inline]
pub(crate) fn element(op: BinaryOp, left: f64, right: f64) -> (f64, bool) {
    match compare(op, left, right) {
        Some(holds) => (left, holds),
        None => (arithmetic(op, left, right), true),
    }
}

/// The larger one, 0 rather than −0; NaN if one is, except beside +Inf (Go's `math.Max`).
pub(crate) fn max(left: f64, right: f64) -> f64 {
    if left == f64::INFINITY || right == f64::INFINITY {
        f64::INFINITY
    } else if left.is_nan() || right.is_nan() {
        f64::NAN
    } else if left > right || left == right && left.is_sign_positive() {
        left
    } else {
        right
    }
}

/// The smaller one, −0 rather than 0; NaN if one is, except beside -Inf (Go's `math.Min`).
pub(crate) fn min(left: f64, right: f64) -> f64 {
    -max(-left, -right)
}

/// Whether two values are equal but for a relative difference of `epsilon`; NaN equals NaN, and
/// the staleness marker only itself (Prometheus's `almost.Equal`).
pub(crate) fn almost_equal(a: f64, b: f64, epsilon: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < epsilon * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < epsilon
}
