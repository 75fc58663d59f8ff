//! Single values: durations, labels, files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tsdb::model::duration::{format_duration, parse_duration};

use super::super::Global;
use super::super::error::{Place, Problem};
use super::super::raw::{given, pairs};
use super::super::yaml::{Pairs, Value};

/// How often, and how long at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) interval_ms: i64,
    pub(super) timeout_ms: i64,
}

impl Timing {
    /// For jobs whose `global` is refused: nothing is above it.
    pub(super) const UNKNOWN: Self = Self { interval_ms: i64::MAX, timeout_ms: i64::MAX };

    pub(super) fn of(global: &Global) -> Self {
        Self { interval_ms: global.scrape_interval_ms, timeout_ms: global.scrape_timeout_ms }
    }
}

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
