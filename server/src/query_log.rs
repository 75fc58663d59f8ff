//! The file that `query_log_file` names: a line for each query. Opened anew at each reload, so that
//! what renames files may do so before.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where queries are written, if anywhere.
#[derive(Debug, Default)]
pub struct QueryLog(Mutex<Option<File>>);

impl QueryLog {
    /// Opens the file for what is appended from now on, made if it is not there.
    pub fn open(path: &Path) -> std::io::Result<File> {
        OpenOptions::new().create(true).append(true).open(path)
    }

    /// Writes there from now on; `None`: nowhere.
    pub fn set(&self, file: Option<File>) {
        *self.file() = file;
    }

    /// Whether there is a file.
    pub fn is_on(&self) -> bool {
        self.file().is_some()
    }

    /// Appends a line, with its end, at once. A disk that is full costs lines, no answers.
    pub fn write(&self, line: &str) {
        if let Some(file) = &mut *self.file() {
            let _lost = file.write_all(line.as_bytes());
        }
    }

    fn file(&self) -> MutexGuard<'_, Option<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
