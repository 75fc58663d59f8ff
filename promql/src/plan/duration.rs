//! Duration expressions: `5m + step()` → milliseconds.
//!
//! Computed in seconds as floats, as Prometheus does, and cut to whole milliseconds at the end.

use super::lower::Context;
use crate::ast::{BinaryOp, DurationExpr, UnaryOp};
use crate::error::EvalError;

/// The largest duration, in milliseconds: 2^63 nanoseconds (about 292 years).
const DURATION_MS_MAX: i64 = i64::MAX / 1_000_000;

/// An offset in milliseconds; may be negative.
pub(super) fn offset_ms(duration: &DurationExpr, context: &Context) -> Result<i64, EvalError> {
    let ms = match duration {
        DurationExpr::Ms(ms) => *ms,
        other => whole_ms(seconds(other, context)?)?,
    };
    in_range(ms)
}

/// The length of a range or step in milliseconds, at least 1.
pub(super) fn length_ms(duration: &DurationExpr, context: &Context) -> Result<i64, EvalError> {
    let ms = offset_ms(duration, context)?;
    if ms <= 0 {
        return Err(EvalError::Invalid("duration must be greater than 0".into()));
    }
    Ok(ms)
}

fn in_range(ms: i64) -> Result<i64, EvalError> {
    if (-DURATION_MS_MAX..=DURATION_MS_MAX).contains(&ms) { Ok(ms) } else { Err(out_of_range()) }
}

fn out_of_range() -> EvalError {
    EvalError::Invalid("duration is out of range".into())
}

fn whole_ms(seconds: f64) -> Result<i64, EvalError> {
    let ms = seconds * 1000.0;
    if ms.is_nan() || ms.abs() > DURATION_MS_MAX as f64 {
        Err(out_of_range())
    } else {
        Ok(ms as i64)
    }
}

fn seconds(duration: &DurationExpr, context: &Context) -> Result<f64, EvalError> {
    Ok(match duration {
        DurationExpr::Ms(ms) => *ms as f64 / 1000.0,
        DurationExpr::Seconds(seconds) => *seconds,
        DurationExpr::Step => context.step_ms as f64 / 1000.0,
        DurationExpr::Range => context.range_seconds(),
        DurationExpr::Unary(UnaryOp::Minus, inner) => -seconds(inner, context)?,
        DurationExpr::Unary(UnaryOp::Plus, inner) | DurationExpr::Paren(inner) => {
            seconds(inner, context)?
        }
        DurationExpr::Binary(op, left, right) => {
            combine(*op, seconds(left, context)?, seconds(right, context)?)?
        }
        DurationExpr::Min(left, right) => seconds(left, context)?.min(seconds(right, context)?),
        DurationExpr::Max(left, right) => seconds(left, context)?.max(seconds(right, context)?),
    })
}

fn combine(op: BinaryOp, left: f64, right: f64) -> Result<f64, EvalError> {
    Ok(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right == 0.0 => {
            return Err(EvalError::Invalid("division by zero".into()));
        }
        BinaryOp::Div => left / right,
        BinaryOp::Mod if right == 0.0 => return Err(EvalError::Invalid("modulo by zero".into())),
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        other => {
            let op = other.as_str();
            return Err(EvalError::Invalid(format!(
                "unexpected duration expression operator \"{op}\""
            )));
        }
    })
}
