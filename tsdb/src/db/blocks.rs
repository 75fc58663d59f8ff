//! Opening the blocks of a directory.
//!
//! - What a merged block replaces is removed, should a crash have left it.
//! - What was never finished is removed.
//! - A block that is damaged gets another name, and is told of; the rest serves.

use std::path::Path;
use std::sync::Arc;

use super::deleted::Deleted;
use super::open::Dropped;
use super::parts::{Part, Parts};
use crate::block::Block;
use crate::disk::Disk;
use crate::error::{Error, io_error};
use crate::layout;

/// What was found.
pub(super) struct Found {
    pub(super) parts: Parts,
    /// The number of the newest file, good or not.
    pub(super) newest: u64,
    /// Log segments with lower numbers are wholly in blocks.
    pub(super) log_start: u64,
    /// Blocks that could not be opened.
    pub(super) dropped: Vec<Dropped>,
}

/// Opens the blocks in `dir`.
pub(super) fn open(disk: &dyn Disk, dir: &Path) -> Result<Found, Error> {
    // A killed process may have left a name that is not durable, and what it replaces goes below.
    disk.sync_dir(dir).map_err(io_error("sync", dir))?;
    let names = disk.list(dir).map_err(io_error("list", dir))?;
    for name in names.iter().filter(|name| layout::is_unfinished(name)) {
        discard(disk, &dir.join(name))?;
    }
    let mut numbers: Vec<_> = names.iter().filter_map(|name| layout::block_number(name)).collect();
    numbers.sort_unstable();
    let quarantined = names.iter().filter_map(|name| layout::damaged_number(name)).max();
    let newest = numbers.last().copied().max(quarantined).unwrap_or(0);
    let mut found = Found { parts: Parts::default(), newest, log_start: 0, dropped: Vec::new() };
    for number in numbers {
        found.add(disk, dir, number)?;
    }
    let replaced = found.parts.list.iter().flat_map(|part| &part.block.facts().origin.sources);
    let replaced: Vec<u64> = replaced.copied().collect();
    for number in &replaced {
        let block = layout::block(dir, *number);
        if found.parts.list.iter().any(|part| part.block.facts().number == *number) {
            discard(disk, &block)?;
        }
        // Mostly there is none.
        let _ = disk.remove(&layout::deleted(dir, *number));
    }
    found.parts = found.parts.replaced(&replaced, None);
    let facts = found.parts.list.iter().map(|part| part.block.facts());
    found.log_start = facts.map(|facts| facts.origin.log_start).max().unwrap_or(0);
    Ok(found)
}

impl Found {
    fn add(&mut self, disk: &dyn Disk, dir: &Path, number: u64) -> Result<(), Error> {
        let path = layout::block(dir, number);
        let opened = Block::open(disk, &path).and_then(|block| {
            let deleted = Deleted::read(disk, &layout::deleted(dir, number))?;
            Ok(Part { block: Arc::new(block), deleted: Arc::new(deleted) })
        });
        match opened {
            Ok(part) => self.parts.list.push(part),
            Err(error) => self.dropped.push(quarantine(disk, &path, &error)),
        }
        Ok(())
    }
}

/// Removes a file that is of no use any more; it stays where the store is open for reading only.
pub(super) fn discard(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    match disk.remove(path) {
        Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        done => done.map_err(io_error("remove", path)),
    }
}

/// Gives a damaged file a name under which nobody looks for a block. One that only cannot be read
/// now stays where it is.
fn quarantine(disk: &dyn Disk, path: &Path, error: &Error) -> Dropped {
    let bytes = disk.open(path).and_then(|file| file.len()).unwrap_or(0);
    let aside = layout::damaged(path);
    let (offset, path) = match error {
        Error::Corrupt { offset, .. } if disk.rename(path, &aside).is_ok() => (*offset, aside),
        Error::Corrupt { offset, .. } => (*offset, path.to_owned()),
        _ => (0, path.to_owned()),
    };
    Dropped { path, offset, bytes, reason: error.to_string(), is_torn: false }
}
