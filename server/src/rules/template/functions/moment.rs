//! Numbers as times.

use gotmpl::Value;

use super::super::{humanize, time};
use super::{Outcome, failed, number, string};

pub(super) fn humanize_timestamp(args: &[Value]) -> Outcome {
    let value = number(&args[0])?;
    if !value.is_finite() {
        return Ok(string(humanize::four_digits(value)));
    }
    to_time(value, time::date)
}

pub(super) fn to_time(value: f64, print: fn(f64) -> String) -> Outcome {
    match time::not_a_time(value) {
        Some(why) => Err(failed(why)),
        None => Ok(string(print(value))),
    }
}
