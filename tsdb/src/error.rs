//! What can go wrong in the store, sorted by what a caller does about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A failure of the store itself.
#[derive(Debug, Error)]
pub enum Error {
    /// The disk refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb (`write`, `open`).
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Bytes on disk are not what was written.
    #[error("{}: damaged at byte {offset}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// What was expected there.
        what: String,
    },
    /// Another process uses the directory.
    #[error("{}: used by another process (its lock is held)", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A limit would be exceeded; the text names it.
    #[error("{0}")]
    Limit(String),
}

/// Why one sample was not stored although the store is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Older than the newest sample of its series.
    #[error("out of order sample")]
    OutOfOrder,
    /// The series has another value at the same time.
    #[error("duplicate sample for timestamp")]
    Duplicate,
    /// Older than what may still be written.
    #[error("out of bounds")]
    TooOld,
    /// A group or column number that the store did not give out.
    #[error("unknown series reference")]
    UnknownRef,
    /// The store holds as many series as its options allow.
    #[error("series limit exceeded")]
    SeriesLimit,
    /// A label set of more than 512 KiB.
    #[error("label set too long")]
    LabelsTooLong,
    /// The block that would tell whether it is newer cannot be read.
    #[error("a block cannot be read")]
    Unreadable,
    /// A label set that cannot name a series: no metric name.
    #[error("label set without a metric name")]
    NoMetricName,
}

/// Makes an I/O error tell what was tried with which file.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}
