//! Single values: durations, labels, files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tsdb::model::duration::{format_duration, parse_duration};

use super::super::error::{Place, Problem};
use super::super::raw::{given, pairs};
use super::super::yaml::{Pairs, Value};

/// Where a field's value stands; the beginning of the file if it does not.
pub(super) fn place<T>(field: &Option<Value<T>>) -> Place {
    field.as_ref().map(|at| at.place).unwrap_or_default()
}

/// Milliseconds; `None` if it does not stand there or is zero, which Prometheus reads alike.
pub(super) fn duration(field: &Option<Value<String>>) -> Result<Option<i64>, Problem> {
    let Some((text, place)) = given(field) else { return Ok(None) };
    let cure = "write whole numbers with units, such as 15s, 1m30s or 500ms";
    let ms = parse_duration(text).map_err(|error| Problem::new(place, error, cure))?;
    Ok(Some(ms).filter(|ms| *ms != 0))
}

/// A timeout above its interval.
pub(super) fn too_long(place: Place, what: &str, timeout_ms: i64, interval_ms: i64) -> Problem {
    let (timeout, interval) = (format_duration(timeout_ms), format_duration(interval_ms));
    Problem::new(place, what, format!("lower {timeout} to at most {interval}, the interval"))
}

/// Labels by name. Every name but the empty one is valid, as in Prometheus since 3.0.
pub(super) fn labels(
    field: &Option<Value<Pairs<Value<String>>>>,
) -> Result<BTreeMap<String, String>, Problem> {
    let labels = pairs(field).iter().map(|(name, value)| {
        if name.value.is_empty() {
            return Err(Problem::new(name.place, "\"\" is not a valid label name", NAME_CURE));
        }
        Ok((name.value.clone(), value.value.clone().unwrap_or_default()))
    });
    labels.collect()
}

/// What to do about an empty label name.
pub(super) const NAME_CURE: &str = "write the label's name";

/// The path of a file that the configuration names.
pub(super) fn file(path: &str, base_dir: &Path) -> PathBuf {
    base_dir.join(path)
}

/// The path of a file that the configuration names; `None` if it does not stand there or is empty.
pub(super) fn path(field: &Option<Value<String>>, base_dir: &Path) -> Option<PathBuf> {
    let written = given(field).filter(|(path, _)| !path.is_empty());
    written.map(|(path, _)| file(path, base_dir))
}

/// The text, unless it does not stand there or is empty.
pub(super) fn text(field: &Option<Value<String>>) -> Option<(&str, Place)> {
    given(field).map(|(text, place)| (text.as_str(), place)).filter(|(text, _)| !text.is_empty())
}

/// The texts of a list; null is the empty text.
pub(super) fn texts(list: &[Value<String>]) -> Vec<String> {
    list.iter().map(|item| item.value.clone().unwrap_or_default()).collect()
}

/// A limit; 0 is none.
pub(super) fn limit(field: &Option<Value<u64>>) -> Option<u64> {
    given(field).map(|(limit, _)| *limit).filter(|limit| *limit != 0)
}

/// Checks that `url` is one that can be asked.
pub(super) fn http_url(url: &str, place: Place) -> Result<(), Problem> {
    let (scheme, behind) = url.split_once("://").unwrap_or(("", url));
    if !["http", "https"].contains(&scheme) {
        let what = "URL scheme must be 'http' or 'https'";
        return Err(Problem::new(place, what, "begin it with http:// or https://"));
    }
    if behind.split(['/', '?', '#']).next().unwrap_or_default().is_empty() {
        return Err(Problem::new(place, "host is missing in URL", "write http://host:port/path"));
    }
    Ok(())
}

/// Whether a path has no `*` but in its last part: Prometheus's `^[^*]*(\*[^/]*)?$`.
pub(super) fn is_pattern(path: &str) -> bool {
    path.split_once('*').is_none_or(|(_, behind)| !behind.contains('/'))
}
