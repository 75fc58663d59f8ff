//! Functions of a date: of each value as seconds since the epoch, or of the step's time.

use super::floats;
use crate::civil::Civil;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::Column;
use crate::eval::series::{StepSeries, StepVector};
use crate::plan::Call;
use crate::value::Steps;

/// What of a date the function with that name gives, if it is one.
pub(super) fn part(name: &str) -> Option<fn(Civil) -> f64> {
    Some(match name {
        "day_of_month" => |date| f64::from(date.day),
        "day_of_week" => |date| f64::from(date.weekday),
        "day_of_year" => |date| f64::from(date.day_of_year()),
        "days_in_month" => |date| f64::from(date.days_in_month()),
        "hour" => |date| f64::from(date.hour),
        "minute" => |date| f64::from(date.minute),
        "month" => |date| f64::from(date.month),
        "year" => |date| date.year as f64,
        _ => return None,
    })
}

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    part: fn(Civil) -> f64,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    if let Some(input) = call.args.first() {
        return floats(evaluator, input, steps, |_, value| Some(part(date(value))));
    }
    let seconds = steps.times().map(|time| time.ms() / 1000);
    let column = Column::full(seconds.map(|seconds| part(Civil::from_unix(seconds))).collect());
    Ok(vec![StepSeries { labels: Default::default(), drop_name: false, column }])
}

/// The fraction is cut off. What is no number of seconds becomes what a 64-bit processor's
/// conversion gives: the smallest integer.
fn date(value: f64) -> Civil {
    let fits = value > i64::MIN as f64 && value < i64::MAX as f64;
    Civil::from_unix(if fits { value as i64 } else { i64::MIN })
}
