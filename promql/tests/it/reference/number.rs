//! Operators between two numbers, and sums as Prometheus takes them.

use promql::ast::BinaryOp;

/// The value of arithmetic, or of the left side of a comparison, and whether it holds.
pub(super) fn floats(op: BinaryOp, a: f64, b: f64) -> (f64, bool) {
    match op {
        BinaryOp::Add => (a + b, true),
        BinaryOp::Sub => (a - b, true),
        BinaryOp::Mul => (a * b, true),
        BinaryOp::Div => (a / b, true),
        BinaryOp::Mod => (a % b, true),
        BinaryOp::Pow => (power(a, b), true),
        BinaryOp::Atan2 => (a.atan2(b), true),
        BinaryOp::Equal => (a, a == b),
        BinaryOp::NotEqual => (a, a != b),
        BinaryOp::Greater => (a, a > b),
        BinaryOp::Less => (a, a < b),
        BinaryOp::GreaterOrEqual => (a, a >= b),
        BinaryOp::LessOrEqual => (a, a <= b),
        other => unreachable!("left out of the grammar: {other:?}"),
    }
}

fn power(base: f64, exponent: f64) -> f64 {
    base.powf(exponent)
}

pub(super) fn scalars(op: BinaryOp, a: f64, b: f64) -> f64 {
    match floats(op, a, b) {
        (_, holds) if op.is_comparison() => f64::from(u8::from(holds)),
        (value, _) => value,
    }
}

/// A sum and what rounding took away from it (Kahan and Neumaier).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, x: f64) {
        let total = self.sum + x;
        if total.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= x.abs() {
            self.lost += (self.sum - total) + x;
        } else {
            self.lost += (x - total) + self.sum;
        }
        self.sum = total;
    }

    pub(super) fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// The mean of at least one value: of the sum, unless that overflows on the way.
pub(super) fn mean(values: &[f64]) -> f64 {
    let mut state = Sum { sum: values[0], lost: 0.0 };
    for (index, value) in values.iter().enumerate().skip(1) {
        let before = state;
        state.add(*value);
        if state.sum.is_infinite() {
            let count = index as f64;
            let mean = Sum { sum: before.sum / count, lost: before.lost / count };
            return mean_from(mean, &values[index..], count);
        }
    }
    let count = values.len() as f64;
    state.sum / count + state.lost / count
}

/// The mean of `count` values that have that mean, and of the others.
fn mean_from(mut mean: Sum, others: &[f64], mut count: f64) -> f64 {
    for value in others {
        count += 1.0;
        let kept = (count - 1.0) / count;
        mean = Sum { sum: kept * mean.sum, lost: kept * mean.lost };
        mean.add(value / count);
    }
    mean.total()
}

/// Go's `math.Max`: +Inf wins over NaN, NaN over numbers, 0 over −0.
pub(super) fn go_max(a: f64, b: f64) -> f64 {
    match (a, b) {
        _ if a == f64::INFINITY || b == f64::INFINITY => f64::INFINITY,
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        _ if a == 0.0 && b == 0.0 => {
            if a.is_sign_negative() {
                b
            } else {
                a
            }
        }
        _ => {
            if a > b {
                a
            } else {
                b
            }
        }
    }
}

/// Go's `math.Min`.
pub(super) fn go_min(a: f64, b: f64) -> f64 {
    -go_max(-a, -b)
}
