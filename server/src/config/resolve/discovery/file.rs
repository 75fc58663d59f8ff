//! `file_sd_configs`.

use std::path::Path;

use scraper::discover::file::FileOptions;

use super::super::super::error::{Place, Problem};
use super::super::super::raw::{FileConfig, items};
use super::value;

/// Prometheus's `DefaultSDConfig.RefreshInterval` of files.
const REFRESH_MS: i64 = 5 * 60_000;
const ENDINGS: [&str; 6] = [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"];

/// Decides which files are read.
pub(super) fn file(
    (raw, place): (&FileConfig, Place),
    base_dir: &Path,
) -> Result<FileOptions, Problem> {
    let files = items(&raw.files);
    if files.is_empty() {
        let what = "file service discovery config must contain at least one path name";
        return Err(Problem::new(place, what, "add `files`"));
    }
    let paths = files.iter().map(|item| {
        let path = item.value.as_deref().unwrap_or_default();
        if !is_good(path) {
            let what = format!("path name {path:?} is not valid for file discovery");
            let cure = "end it with .json, .yml or .yaml, and have no `*` but in its last part";
            return Err(Problem::new(item.place, what, cure));
        }
        Ok(value::file(path, base_dir))
    });
    Ok(FileOptions {
        paths: paths.collect::<Result<_, _>>()?,
        refresh_ms: value::duration(&raw.refresh_interval)?.unwrap_or(REFRESH_MS),
    })
}

/// Prometheus's `^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`.
fn is_good(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending)) && value::is_pattern(path)
}
