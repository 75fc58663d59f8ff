//! A disk without space: samples are taken into memory only, within a bound, until a block has
//! them.
//!
//! 1. A commit that the log has no room for is applied all the same, and so are those after it:
//!    the log would have a hole.
//! 2. Whoever looks after the store tries [`Db::flush_all`]. Drawing the line of that flush lets
//!    the log be written again; if the block cannot be written, it is suspended again, for the
//!    samples before the line are nowhere but in memory.
//!
//! Until then the end of the process loses what came since.

use std::io::ErrorKind;

use super::Db;
use crate::error::Error;
use crate::head::Head;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Whether the log is written, and how much is taken if not.
#[derive(Debug)]
pub(super) struct Suspension {
    is_on: AtomicBool,
    /// Samples in memory, from which on a commit fails.
    samples_max: u64,
}

impl Suspension {
    /// Not suspended.
    pub(super) fn new(samples_max: u64) -> Self {
        Self { is_on: AtomicBool::new(false), samples_max }
    }

    /// Whether commits are not logged. Changed with the log's lock held.
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Sets it; what it was.
    pub(super) fn set(&self, is_on: bool) -> bool {
        self.is_on.swap(is_on, Ordering::AcqRel)
    }

    /// Takes note that a commit could not be logged: it may be applied all the same if there is no
    /// space on the disk, but some in memory.
    pub(super) fn begin(&self, head: &Head, error: Error) -> Result<(), Error> {
        let is_full =
            |kind: ErrorKind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        match &error {
            Error::Io { source, .. } if is_full(source.kind()) => self.check(head, error)?,
            _ => return Err(error),
        }
        self.set(true);
        Ok(())
    }

    /// The error if there are too many samples in memory.
    pub(super) fn check(&self, head: &Head, error: Error) -> Result<(), Error> {
        if head.samples() < self.samples_max { Ok(()) } else { Err(error) }
    }

    /// What a commit beyond the bound says.
    pub(super) fn too_many(&self) -> Error {
        let samples = self.samples_max;
        Error::Limit(format!("no space left on the disk, and {samples} samples in memory only"))
    }
}

impl Db {
    /// Whether the disk has no space and commits are not logged: what is visible is lost if the
    /// process ends. [`Db::flush_all`] ends it when there is space.
    pub fn is_log_suspended(&self) -> bool {
        self.suspension.is_on()
    }

    /// Whether a commit may be applied: it was logged, or there is no space on the disk, but some
    /// in memory.
    pub(super) fn may_apply(&self, logged: Result<(), Error>) -> Result<(), Error> {
        let suspension = &self.suspension;
        match logged {
            Ok(()) if suspension.is_on() => suspension.check(&self.head(), suspension.too_many()),
            Ok(()) => Ok(()),
            Err(error) => suspension.begin(&self.head(), error),
        }
    }
}
