//! Texts made of texts: regular expressions and letters.

use std::fmt::Write;

use gotmpl::{TemplateError, Value};
use regex::Regex;

use super::super::{Bounded, TEXT_BYTES_MAX};
use super::{Outcome, failed, string, text, too_long};

pub(super) fn compiled(pattern: &Value) -> Result<Regex, TemplateError> {
    let translated = tsdb::model::regex::translate(&text(pattern)?);
    let translated = translated.map_err(|error| failed(error.to_string()))?;
    Regex::new(&translated).map_err(|error| failed(error.to_string()))
}

pub(super) fn replace_all(args: &[Value]) -> Outcome {
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
pub(super) fn title(text: &str) -> String {
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
