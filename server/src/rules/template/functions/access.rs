//! Reaching into values: fields, entries, samples and their labels.

use std::sync::Arc;

use gotmpl::Value;

use super::{Outcome, failed, string, text};

/// `of.a.b`: what is not in a map of texts is an empty text.
pub(super) fn field(args: &[Value]) -> Outcome {
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

/// What stands for an entry that is not there.
fn missing(of: &Value) -> Value {
    match of {
        Value::Map(map) if map.values().all(|value| matches!(value, Value::String(_))) => {
            string(String::new())
        }
        _ => Value::Nil,
    }
}

pub(super) fn index(args: &[Value]) -> Outcome {
    let mut value = args[0].clone();
    for at in &args[1..] {
        value = match (&value, at) {
            (Value::Map(map), Value::String(name)) if !map.contains_key(name) => missing(&value),
            _ => value.index(at)?,
        };
    }
    Ok(value)
}

pub(super) fn first(args: &[Value]) -> Outcome {
    match &args[0] {
        Value::List(items) if !items.is_empty() => Ok(items[0].clone()),
        _ => Err(failed("first() called on vector with no elements")),
    }
}

pub(super) fn label(sample: &Value, name: &Value) -> Value {
    let labels = sample.field("Labels");
    let value = labels.and_then(|labels| labels.field(name.as_str()?));
    value.cloned().unwrap_or_else(|| string(String::new()))
}

/// `arg0`, `arg1`, …
pub(super) fn named_args(args: &[Value]) -> Outcome {
    let named = args.iter().enumerate().map(|(at, arg)| (format!("arg{at}").into(), arg.clone()));
    Ok(Value::Map(Arc::new(named.collect())))
}

pub(super) fn sort_by_label(args: &[Value]) -> Outcome {
    let Value::List(items) = &args[1] else { return Ok(args[1].clone()) };
    let mut items = items.to_vec();
    items.sort_by_cached_key(|item| text(&label(item, &args[0])).unwrap_or_default());
    Ok(Value::List(items.into()))
}
