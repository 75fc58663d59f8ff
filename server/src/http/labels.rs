//! `/api/v1/labels` and `/api/v1/label/<name>/values`.

use axum::extract::{Path, RawQuery, State as Shared};

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Form, Params};
use super::{State, blocking, json};

/// All label names of the chosen series.
pub(super) async fn names(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    let (range, matchers, limit) = (params.range()?, params.matchers()?, params.limit()?);
    blocking(move || {
        let names = state.queries.label_names(range, &matchers, ask(limit))?;
        Ok(texts(names, limit))
    })
    .await
}

/// All values of one label of the chosen series.
pub(super) async fn values(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    let name = unescape_name(&name);
    if name.is_empty() {
        return Err(ApiError::bad_data(format!("invalid label name: {name:?}")));
    }
    let (range, matchers, limit) = (params.range()?, params.matchers()?, params.limit()?);
    blocking(move || {
        let values = state.queries.label_values(&name, range, &matchers, ask(limit))?;
        Ok(texts(values, limit))
    })
    .await
}

/// One more than the limit, so that a cut can be told from an end.
pub(super) fn ask(limit: Option<usize>) -> usize {
    limit.map_or(usize::MAX, |limit| limit.saturating_add(1))
}

/// Cuts a list at the limit and says whether something was cut.
pub(super) fn cut<T>(items: &mut Vec<T>, limit: Option<usize>) -> Vec<String> {
    let Some(limit) = limit.filter(|limit| items.len() > *limit) else { return Vec::new() };
    items.truncate(limit);
    vec!["results truncated due to limit".to_owned()]
}

fn texts(mut texts: Vec<String>, limit: Option<usize>) -> Success {
    let warnings = cut(&mut texts, limit);
    let write = |out: &mut String, text: &String| json::write_html_safe(out, text);
    let success = Success::with(|out| json::write_list(out, &texts, write));
    Success { warnings, ..success }
}

/// Names that are no plain identifiers come escaped: `U__`, then `__` for `_` and `_2e_` for the
/// character U+002E. Anything else stands for itself.
fn unescape_name(name: &str) -> String {
    let unescaped = name.strip_prefix("U__").and_then(unescape_values);
    unescaped.unwrap_or_else(|| name.to_owned())
}

fn unescape_values(mut rest: &str) -> Option<String> {
    let mut name = String::new();
    while let Some((plain, after)) = rest.split_once('_') {
        name.push_str(plain);
        if let Some(after) = after.strip_prefix('_') {
            name.push('_');
            rest = after;
        } else {
            let (code, after) = after.split_once('_')?;
            name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            rest = after;
        }
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names() {
        let rows = [
            ("job", "job"),
            ("U__a_2e_b", "a.b"),
            ("U__a__b", "a_b"),
            ("U__a_zz_b", "U__a_zz_b"),
            ("U__a_2e", "U__a_2e"),
        ];
        for (escaped, name) in rows {
            assert_eq!(unescape_name(escaped), name);
        }
    }
}
