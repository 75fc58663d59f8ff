//! Unit tests of rules, in promtool's format and with its words.
//!
//! Steps: a file is read (`raw`) and resolved (`file`); for each of its test groups a store in
//! memory is filled with the input series, step by step, and the rules are evaluated as a server
//! does (`run`); what fires and what queries give is compared with what is expected (`compare`).

mod compare;
mod file;
mod raw;
mod run;

use std::path::Path;

use tsdb::model::regex::Anchored;

use super::file::Reading;
use crate::features::Enabled;

/// What a file of tests did not pass: a text for each failure; none if it passed. `chosen` are the
/// test groups that are run, all if there is none; what is only noticed goes to `warn`.
pub fn run(
    path: &Path,
    chosen: &[Anchored],
    reading: Reading,
    features: &Enabled,
    mut warn: impl FnMut(String),
) -> Vec<String> {
    let file = match file::load(path, reading) {
        Ok(file) => file,
        Err(errors) => return errors,
    };
    for pattern in &file.unmatched {
        warn(format!("  WARNING: no file match pattern {pattern}"));
    }
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one.is_match(name));
    let groups = file.groups.iter().filter(|group| is_chosen(&group.name));
    groups.flat_map(|group| run::group(&file, group, features)).collect()
}
