//! Targets in files (`file_sd_configs`).

use std::path::PathBuf;

/// Which files, and how often they are read at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Files (`.json`, `.yml`, `.yaml`); the last part may hold `*`.
    pub paths: Vec<PathBuf>,
    /// Milliseconds from one reading to the next if no change was noticed.
    pub refresh_ms: i64,
}
