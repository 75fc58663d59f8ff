//! The functions of templates: Prometheus's, and those of the library that need a bound.

mod access;
mod moment;
mod printing;
mod replacing;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use gotmpl::{FuncMap, TemplateError, Value};
use tsdb::model::duration::parse_duration;
use tsdb::model::number::parse_float;

use super::address::{link, path, query_escape, strip_domain, strip_port};
use super::{AskVector, Bounded, TEXT_BYTES_MAX, data, humanize, time};
use access::{field, first, index, label, named_args, sort_by_label};
use moment::{humanize_timestamp, to_time};
use printing::{bounded, print, printf, println, show, shown};
use replacing::{compiled, replace_all, title};

/// What field accesses are calls of; cannot be written in a template.
pub(super) const FIELD: &str = ".field";

/// What everything that is written goes through; cannot be written in a template either.
pub(super) const SHOW: &str = ".show";

/// Functions of Go's `text/template`.
const BUILT_IN: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "slice", "urlquery",
];

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

/// The names that Prometheus adds to those of Go's `text/template`.
pub fn own_names() -> impl Iterator<Item = &'static str> {
    let is_own = |name: &&str| !name.starts_with('.') && !BUILT_IN.contains(name);
    NAMES.iter().copied().filter(is_own)
}

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
