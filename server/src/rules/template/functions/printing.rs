//! Texts made of values, none longer than is allowed.

use std::fmt::Write;

use gotmpl::{Template, TemplateError, Value};
use tsdb::model::number::format_general;

use super::super::Bounded;
use super::{Outcome, failed, string, text, too_long};

/// Digits of a width or precision in `printf`.
const WIDTH_DIGITS_MAX: usize = 3;

/// A number as Go's `%v` prints it.
pub(super) fn show(value: &Value) -> Value {
    match value {
        Value::Float(value) => string(format_general(*value)),
        other => other.clone(),
    }
}

pub(super) fn shown(args: &[Value]) -> Vec<Value> {
    args.iter().map(show).collect()
}

/// A function of the library on arguments that are not too long together.
pub(super) fn bounded(function: &str, args: &[Value]) -> Outcome {
    let mut all = Bounded::default();
    for arg in args {
        write!(all, "{arg}").map_err(|_| too_long())?;
    }
    let places = (0..args.len()).map(|at| format!(" (index . {at})")).collect::<String>();
    let template = Template::new("").parse(&format!("{{{{{function}{places}}}}}"))?;
    let mut out = Bounded::default();
    match template.execute_fmt(&mut out, &Value::List(args.to_vec().into())) {
        Err(TemplateError::Write) => Err(too_long()),
        done => done.map(|()| string(out.0)),
    }
}

/// Go's `Sprint`: spaces between two that are no texts.
pub(super) fn print(args: &[Value]) -> Outcome {
    let mut out = Bounded::default();
    let is_text = |value: &Value| matches!(value, Value::String(_));
    for (index, arg) in args.iter().enumerate() {
        let is_apart = index > 0 && !is_text(arg) && !is_text(&args[index - 1]);
        let space = if is_apart { " " } else { "" };
        write!(out, "{space}{}", show(arg)).map_err(|_| too_long())?;
    }
    Ok(string(out.0))
}

/// Go's `Sprintln`: spaces between all.
pub(super) fn println(args: &[Value]) -> Outcome {
    let mut out = Bounded::default();
    for (index, arg) in args.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        write!(out, "{space}{}", show(arg)).map_err(|_| too_long())?;
    }
    out.write_char('\n').map_err(|_| too_long())?;
    Ok(string(out.0))
}

/// No widths of thousands. What `%v` prints is shown as elsewhere.
pub(super) fn printf(args: &[Value]) -> Outcome {
    let format = text(&args[0])?;
    let mut verbs = format.split('%').skip(1);
    let is_wide = |verb: &str| {
        let end = verb.find(|c: char| c.is_alphabetic()).unwrap_or(verb.len());
        let before = &verb[..end];
        let mut numbers = before.split(|c: char| !c.is_ascii_digit());
        before.contains('*') || numbers.any(|digits| digits.len() > WIDTH_DIGITS_MAX)
    };
    if verbs.any(is_wide) {
        return Err(failed(format!("a width in {format:?} is too large")));
    }
    let mut args = args.to_vec();
    let verbs = format.replace("%%", "");
    for (verb, arg) in verbs.split('%').skip(1).zip(args.iter_mut().skip(1)) {
        if verb.starts_with('v') {
            *arg = show(arg);
        }
    }
    bounded("printf", &args)
}
