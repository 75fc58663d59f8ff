//! The section `storage`: how long samples are kept, and how late they may come.

use super::super::Storage;
use super::super::error::Problem;
use super::super::names;
use super::super::raw;
use super::{refused, section, size, value};

/// What the file says; nothing but defaults if it says nothing.
pub(super) fn storage(file: &raw::File) -> Result<Storage, Problem> {
    let tsdb = section(&file.storage).and_then(|storage| section(&storage.tsdb));
    let Some(tsdb) = tsdb else { return Ok(Storage::default()) };
    let nothing = raw::Retention::default();
    let retention = section(&tsdb.retention).unwrap_or(&nothing);
    Ok(Storage {
        out_of_order_ms: value::duration(&tsdb.out_of_order_time_window)?.unwrap_or(0),
        retention_ms: value::duration(&retention.time)?,
        retention_bytes: size::bytes(&retention.size)?,
    })
}

/// Every name of the section that is not read, refused.
pub(super) fn names_refused(file: &raw::File) -> Vec<Problem> {
    let storage = section(&file.storage);
    let tsdb = storage.and_then(|storage| section(&storage.tsdb));
    let retention = tsdb.and_then(|tsdb| section(&tsdb.retention));
    let mut problems = refused(names::STORAGE, storage);
    problems.extend(refused(names::TSDB, tsdb));
    problems.extend(refused(names::RETENTION, retention));
    problems
}
