//! The functions of templates: Prometheus's, and those of the library that need a bound.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use gotmpl::{FuncMap, Template, TemplateError, Value};
use regex::Regex;
use tsdb::model::duration::parse_duration;
use tsdb::model::number::{format_general, parse_float};

use super::address::{link, path, query_escape, strip_domain, strip_port};
use super::{AskVector, Bounded, TEXT_BYTES_MAX, data, humanize, time};

/// What field accesses are calls of; cannot be written in a template.
pub(super) const FIELD: &str = ".field";

/// What everything that is written goes through; cannot be written in a template either.
pub(super) const SHOW: &str = ".show";

/// Functions of Go's `text/template`.
const BUILT_IN: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "slice", "urlquery",
];

/// Digits of a width or precision in `printf`.
const WIDTH_DIGITS_MAX: usize = 3;

type Outcome = Result<Value, TemplateError>;
type Plain = fn(&[Value]) -> Outcome;

/// Functions that need nothing but their arguments.
const PLAIN: [(&str, usize, Plain); 30] = [
    (FIELD, 2, field),
    (SHOW, 1, |args| Ok(show(&args[0]))),
    ("index", 1, index),
    ("print", 0, print),
    ("println", 0, println),
    ("printf", 1, printf),
    ("html", 0, |args| bounded("html", &shown(args))),
    ("js", 0, |args| bounded("js", &shown(args))),
    ("urlquery", 0, |args| bounded("urlquery", &shown(args))),
    ("first", 1, first),
    ("label", 2, |args| Ok(label(&args[1], &args[0]))),
    ("value", 1, |args| Ok(args[0].field("Value").cloned().unwrap_or(Value::Nil))),
    ("strvalue", 1, |args| Ok(label(&args[0], &Value::String("__value__".into())))),
    ("args", 0, named_args),
    ("reReplaceAll", 3, replace_all),
    ("match", 2, |args| Ok(Value::Bool(compiled(&args[0])?.is_match(&text(&args[1])?)))),
    ("safeHtml", 1, |args| Ok(string(text(&args[0])?))),
    ("title", 1, |args| Ok(string(title(&text(&args[0])?)))),
    ("toUpper", 1, |args| Ok(string(text(&args[0])?.to_uppercase()))),
    ("toLower", 1, |args| Ok(string(text(&args[0])?.to_lowercase()))),
    ("graphLink", 1, |args| Ok(string(link(&text(&args[0])?, 0)))),
    ("tableLink", 1, |args| Ok(string(link(&text(&args[0])?, 1)))),
    ("sortByLabel", 2, sort_by_label),
    ("stripPort", 1, |args| Ok(string(strip_port(&text(&args[0])?)))),
    ("stripDomain", 1, |args| Ok(string(strip_domain(&text(&args[0])?)))),
    ("humanize", 1, |args| Ok(string(humanize::decimal(number(&args[0])?)))),
    ("humanize1024", 1, |args| Ok(string(humanize::binary(number(&args[0])?)))),
    ("humanizeDuration", 1, |args| Ok(string(humanize::duration(number(&args[0])?)))),
    ("humanizePercentage", 1, |args| {
        Ok(string(format!("{}%", humanize::four_digits(number(&args[0])? * 100.0))))
    }),
    ("humanizeTimestamp", 1, humanize_timestamp),
];

/// The rest of them.
const MORE: [(&str, usize, Plain); 4] = [
    ("toTime", 1, |args| to_time(number(&args[0])?, time::date)),
    ("toDuration", 1, |args| to_time(number(&args[0])?, time::go_duration)),
    ("parseDuration", 1, |args| {
        let ms = parse_duration(&text(&args[0])?).map_err(|error| failed(error.to_string()))?;
        Ok(Value::Float(ms as f64 / 1000.0))
    }),
    ("urlQueryEscape", 1, |args| Ok(string(query_escape(&text(&args[0])?)))),
];

/// Functions that know the surroundings.
const SURROUNDED: [&str; 4] = ["query", "now", "pathPrefix", "externalURL"];

static NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let plain = PLAIN.iter().chain(&MORE).map(|(name, ..)| *name);
    plain.chain(BUILT_IN).chain(SURROUNDED).collect()
});

static PLAIN_MAP: LazyLock<FuncMap> = LazyLock::new(|| {
    let plain = PLAIN.iter().chain(&MORE).map(|(name, count, body)| {
        let (name, count, body) = (*name, *count, *body);
        let call = move |args: &[Value]| {
            if args.len() < count {
                let (name, expected, got) = (name.to_owned(), count, args.len());
                return Err(TemplateError::ArgCount { name, expected, got });
            }
            body(args)
        };
        (name.to_owned(), Arc::new(call) as gotmpl::ValueFunc)
    });
    plain.collect()
});

/// Every name that can be called.
pub(super) fn names() -> &'static BTreeSet<&'static str> {
    &NAMES
}

/// All functions; `now` in seconds.
pub(super) fn all(ask: AskVector, external_url: &str, now: f64) -> FuncMap {
    let mut all = PLAIN_MAP.clone();
    let url: Arc<str> = external_url.into();
    let prefix: Arc<str> = path(external_url).into();
    let query = move |args: &[Value]| {
        let vector = ask(&args.first().map_or(Ok(String::new()), text)?).map_err(failed)?;
        Ok(Value::List(vector.iter().map(data::sample).collect()))
    };
    let surrounded: [(&str, gotmpl::ValueFunc); 4] = [
        ("query", Arc::new(query)),
        ("now", Arc::new(move |_: &[Value]| Ok(Value::Float(now)))),
        ("pathPrefix", Arc::new(move |_: &[Value]| Ok(Value::String(prefix.clone())))),
        ("externalURL", Arc::new(move |_: &[Value]| Ok(Value::String(url.clone())))),
    ];
    all.extend(surrounded.map(|(name, body)| (name.to_owned(), body)));
    all
}

fn failed(text: impl Into<String>) -> TemplateError {
    TemplateError::Exec(text.into())
}

fn string(text: String) -> Value {
    Value::String(text.into())
}

/// A value as it prints, if that is not too long.
fn text(value: &Value) -> Result<String, TemplateError> {
    if let Value::Nil = value {
        return Ok(String::new());
    }
    let mut out = Bounded::default();
    write!(out, "{value}").map_err(|_| too_long())?;
    Ok(out.0)
}

fn too_long() -> TemplateError {
    failed(format!("text is longer than {TEXT_BYTES_MAX} bytes"))
}

fn number(value: &Value) -> Result<f64, TemplateError> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Uint(value) => Ok(*value as f64),
        Value::String(text) => parse_float(text)
            .ok_or_else(|| failed(format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))),
        other => Err(failed(format!("can't convert {} to float", other.type_name()))),
    }
}

/// `of.a.b`: what is not in a map of texts is an empty text.
fn field(args: &[Value]) -> Outcome {
    let mut value = args[0].clone();
    for name in &args[1..] {
        let name = name.as_str().unwrap_or("");
        value = match value.field(name) {
            Some(found) => found.clone(),
            None if matches!(value, Value::Map(_) | Value::Nil) => missing(&value),
            None => {
                let kind = value.type_name();
                return Err(failed(format!("can't evaluate field {name} in type {kind}")));
            }
        };
    }
    Ok(value)
}

/// A number as Go's `%v` prints it.
fn show(value: &Value) -> Value {
    match value {
        Value::Float(value) => string(format_general(*value)),
        other => other.clone(),
    }
}

fn shown(args: &[Value]) -> Vec<Value> {
    args.iter().map(show).collect()
}

/// What stands for an entry that is not there.
fn missing(of: &Value) -> Value {
    match of {
        Value::Map(map) if map.values().all(|value| matches!(value, Value::String(_))) => {
            string(String::new())
        }
        _ => Value::Nil,
    }
}

fn index(args: &[Value]) -> Outcome {
    let mut value = args[0].clone();
    for at in &args[1..] {
        value = match (&value, at) {
            (Value::Map(map), Value::String(name)) if !map.contains_key(name) => missing(&value),
            _ => value.index(at)?,
        };
    }
    Ok(value)
}

/// A function of the library on arguments that are not too long together.
fn bounded(function: &str, args: &[Value]) -> Outcome {
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
fn print(args: &[Value]) -> Outcome {
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
fn println(args: &[Value]) -> Outcome {
    let mut out = Bounded::default();
    for (index, arg) in args.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        write!(out, "{space}{}", show(arg)).map_err(|_| too_long())?;
    }
    out.write_char('\n').map_err(|_| too_long())?;
    Ok(string(out.0))
}

/// No widths of thousands. What `%v` prints is shown as elsewhere.
fn printf(args: &[Value]) -> Outcome {
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

fn first(args: &[Value]) -> Outcome {
    match &args[0] {
        Value::List(items) if !items.is_empty() => Ok(items[0].clone()),
        _ => Err(failed("first() called on vector with no elements")),
    }
}

fn label(sample: &Value, name: &Value) -> Value {
    let labels = sample.field("Labels");
    let value = labels.and_then(|labels| labels.field(name.as_str()?));
    value.cloned().unwrap_or_else(|| string(String::new()))
}

/// `arg0`, `arg1`, …
fn named_args(args: &[Value]) -> Outcome {
    let named = args.iter().enumerate().map(|(at, arg)| (format!("arg{at}").into(), arg.clone()));
    Ok(Value::Map(Arc::new(named.collect())))
}

fn compiled(pattern: &Value) -> Result<Regex, TemplateError> {
    let translated = tsdb::model::regex::translate(&text(pattern)?);
    let translated = translated.map_err(|error| failed(error.to_string()))?;
    Regex::new(&translated).map_err(|error| failed(error.to_string()))
}

fn replace_all(args: &[Value]) -> Outcome {
    let (pattern, with, within) = (compiled(&args[0])?, text(&args[1])?, text(&args[2])?);
    let mut out = Bounded::default();
    let mut last = 0;
    for found in pattern.captures_iter(&within) {
        let whole = found.get_match();
        let mut replaced = String::new();
        if with.len().saturating_mul(whole.len().max(1)) > TEXT_BYTES_MAX {
            return Err(too_long());
        }
        found.expand(&with, &mut replaced);
        let parts = [&within[last..whole.start()], replaced.as_str()];
        parts.iter().try_for_each(|part| out.write_str(part)).map_err(|_| too_long())?;
        last = whole.end();
    }
    out.write_str(&within[last..]).map_err(|_| too_long())?;
    Ok(string(out.0))
}

/// Each letter that follows no letter, digit, underscore or quote in upper case (Go's
/// `strings.Title`).
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let is_inside = before.is_alphanumeric() || before == '_' || before == '\'';
        match is_inside {
            true => out.push(c),
            false => out.extend(c.to_uppercase()),
        }
        before = c;
    }
    out
}

fn sort_by_label(args: &[Value]) -> Outcome {
    let Value::List(items) = &args[1] else { return Ok(args[1].clone()) };
    let mut items = items.to_vec();
    items.sort_by_cached_key(|item| text(&label(item, &args[0])).unwrap_or_default());
    Ok(Value::List(items.into()))
}

fn humanize_timestamp(args: &[Value]) -> Outcome {
    let value = number(&args[0])?;
    if !value.is_finite() {
        return Ok(string(humanize::four_digits(value)));
    }
    to_time(value, time::date)
}

fn to_time(value: f64, print: fn(f64) -> String) -> Outcome {
    match time::not_a_time(value) {
        Some(why) => Err(failed(why)),
        None => Ok(string(print(value))),
    }
}
