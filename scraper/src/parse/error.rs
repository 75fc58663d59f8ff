//! What is wrong with a page, and where.

use thiserror::Error;
use tsdb::model::labels::Quoted;

/// Longest excerpt of a page in an error, in bytes.
const EXCERPT_BYTES_MAX: usize = 120;

/// A page that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message} (line {line}, column {column})")]
pub struct ParseError {
    /// What was expected, what was found, and the text around it.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte of the line, from 1.
    pub column: usize,
}

impl ParseError {
    /// An error at byte `at` of `page`.
    pub(super) fn at(page: &[u8], at: usize, message: String) -> Self {
        let before = &page[..at.min(page.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        Self { message, line, column: before.len() - line_start + 1 }
    }
}

/// `bytes` in quotes, cut to a readable length, with what is no UTF-8 made visible.
pub(super) fn quote(bytes: &[u8]) -> String {
    if bytes.len() <= EXCERPT_BYTES_MAX {
        return Quoted(&String::from_utf8_lossy(bytes)).to_string();
    }
    let start = String::from_utf8_lossy(&bytes[..EXCERPT_BYTES_MAX]);
    format!("{}...", Quoted(start.trim_end_matches('\u{fffd}')))
}
