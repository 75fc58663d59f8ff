//! Expected warnings and infos against those that came.

use super::script::Expectations;

/// What is wrong with the annotations of one kind, if something is.
pub(super) fn check(kind: &str, expected: &Expectations, found: &[String]) -> Result<(), String> {
    if expected.none && !found.is_empty() {
        return Err(format!("unexpected {kind}s: {found:?}"));
    }
    if expected.any && found.is_empty() {
        return Err(format!("expected a {kind}, but there is none"));
    }
    for pattern in &expected.patterns {
        if !found.iter().any(|text| pattern.matches(text)) {
            return Err(format!("no {kind} matches {pattern:?}, found {found:?}"));
        }
    }
    let wanted = |text: &&String| expected.patterns.iter().any(|pattern| pattern.matches(text));
    match found.iter().find(|text| !expected.patterns.is_empty() && !wanted(text)) {
        Some(text) => Err(format!("unexpected {kind} {text:?}")),
        None => Ok(()),
    }
}
