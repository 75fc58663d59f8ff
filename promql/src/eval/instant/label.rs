//! `label_replace` and `label_join`: new labels, the same values.

use regex::Captures;
use tsdb::model::METRIC_NAME;
use tsdb::model::regex::Anchored;

use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::series::{StepSeries, StepVector};
use crate::plan::Call;
use crate::value::Steps;

/// Bytes that a label set may have after its change: labels made of labels made of labels … could
/// fill the memory, however short the query is.
const LABELS_BYTES_MAX: usize = 16 * 1024;

/// `label_replace(v, dst, replacement, src, regex)`
pub(super) fn replace(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let (target, replacement) = (call.text(1), call.text(2));
    let (source, pattern) = (call.text(3), call.text(4));
    let regex = Anchored::new(pattern).map_err(|_| {
        EvalError::Execution(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    check_name("destination", "label_replace", target)?;
    let mut vector = evaluator.vector(&call.args[0], steps)?;
    for series in &mut vector {
        let value = series.labels.get(source).unwrap_or("");
        if let Some(captures) = regex.regex().captures(value) {
            let value = expand(replacement, &captures);
            set(evaluator, series, "label_replace", target, value)?;
        }
    }
    Ok(vector)
}

/// `label_join(v, dst, separator, src…)`
pub(super) fn join(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let (target, separator) = (call.text(1), call.text(2));
    let sources: Vec<&str> = (3..call.args.len()).map(|index| call.text(index)).collect();
    for source in &sources {
        check_name("source", "label_join", source)?;
    }
    check_name("destination", "label_join", target)?;
    let mut vector = evaluator.vector(&call.args[0], steps)?;
    for series in &mut vector {
        let values: Vec<&str> =
            sources.iter().map(|source| series.labels.get(source).unwrap_or("")).collect();
        let bytes = values.iter().map(|value| value.len() + separator.len()).sum();
        check_bytes("label_join", bytes)?;
        let value = values.join(separator);
        set(evaluator, series, "label_join", target, value)?;
    }
    Ok(vector)
}

/// Any text that is not empty can be a label's name.
fn check_name(role: &str, function: &str, name: &str) -> Result<(), EvalError> {
    if name.is_empty() {
        return Err(EvalError::Execution(format!(
            "invalid {role} label name in {function}(): {name}"
        )));
    }
    Ok(())
}

fn check_bytes(function: &str, bytes: usize) -> Result<(), EvalError> {
    if bytes <= LABELS_BYTES_MAX {
        return Ok(());
    }
    let text = format!("labels longer than {LABELS_BYTES_MAX} bytes in {function}()");
    Err(EvalError::Execution(text))
}

/// Sets a label. Its text is held as if it were samples.
fn set(
    evaluator: &mut Evaluator<'_>,
    series: &mut StepSeries,
    function: &str,
    name: &str,
    value: String,
) -> Result<(), EvalError> {
    let others: usize = series.labels.iter().map(|(name, value)| name.len() + value.len()).sum();
    check_bytes(function, others + value.len())?;
    evaluator.meter.hold(value.len() / size_of::<(i64, f64)>())?;
    series.labels = series.labels.to_builder().set(name, value).build();
    if name == METRIC_NAME {
        // A name that was given is not dropped.
        series.drop_name = false;
    }
    Ok(())
}

/// Go's `Regexp.Expand`: `$1`, `${1}`, `$name`, `$$`; the longest run of word characters is the
/// name, and groups that are not there give nothing. It ends where it is longer than labels may be.
fn expand(template: &str, captures: &Captures<'_>) -> String {
    let mut expanded = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$').filter(|_| expanded.len() <= LABELS_BYTES_MAX) {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            expanded.push('$');
            continue;
        };
        let group = match name.parse() {
            Ok(index) => captures.get(index),
            Err(_) => captures.name(name),
        };
        expanded.push_str(group.map_or("", |group| group.as_str()));
        rest = after;
    }
    expanded + rest
}

/// The name of a group after a `$`, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (inside, braced) = match text.strip_prefix('{') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (name, after) = inside.split_at(inside.find(|c| !is_word(c)).unwrap_or(inside.len()));
    let after = if braced { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion_is_that_of_go() {
        let rows = [
            ("$1-$2", "a-b"),
            ("${1}x", "ax"),
            ("$1x", ""),
            ("$$1", "$1"),
            ("$n", "b"),
            ("$9", ""),
            ("$ $", "$ $"),
            ("${1", "${1"),
            ("", ""),
        ];
        let regex = Anchored::new("(.)(?P<n>.)").unwrap();
        for (template, expanded) in rows {
            let captures = regex.regex().captures("ab").unwrap();
            assert_eq!(expand(template, &captures), expanded, "{template}");
        }
    }
}
