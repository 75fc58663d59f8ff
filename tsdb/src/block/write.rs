//! A block being written: windows go to the file as they come, the index stays in memory.
//!
//! 1. The file is `….block.new`: head, windows, and at the end index and footer.
//! 2. It is synced, takes its name, and the directory is synced.
//!
//! A writer that is dropped before the end, or fails, removes its file if the disk lets it; what
//! stays has the unfinished name, and is of no use. Only when the last step fails a whole block
//! may come to stand under its name although an error was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crc32c::crc32c;

use super::draft::Draft;
use super::file::{Facts, Origin, SECTIONS, Section, footer, head};
use super::index::WindowEntry;
use super::{Span, union};
use crate::disk::{Disk, File};
use crate::error::{Error, io_error};
use crate::layout;
use crate::model::Labels;

/// Bytes that are gathered before they are written.
const PENDING_BYTES: usize = 1 << 20;

/// Writes one block.
pub(crate) struct BlockWriter<'d> {
    disk: &'d dyn Disk,
    file: Arc<dyn File>,
    dir: PathBuf,
    path: PathBuf,
    /// The name the file has; `None` when it is finished.
    litter: Option<PathBuf>,
    pending: Vec<u8>,
    /// Length of the file with what is pending.
    len: u64,
    number: u64,
    samples: u64,
    span: Span,
    draft: Draft,
}

/// A block that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Length of the file.
    pub(crate) bytes: u64,
    /// What it says about itself.
    pub(crate) facts: Facts,
}

impl<'d> BlockWriter<'d> {
    /// Begins block `number` in the directory of the blocks; an error if there is such a block.
    /// What an unfinished attempt left is removed.
    pub(crate) fn create(disk: &'d dyn Disk, dir: &Path, number: u64) -> Result<Self, Error> {
        let path = layout::block(dir, number);
        if disk.open(&path).is_ok() {
            return Err(io_error("create", &path)(std::io::ErrorKind::AlreadyExists.into()));
        }
        let unfinished = layout::unfinished(&path);
        // If there is none, so much the better.
        let _ = disk.remove(&unfinished);
        let file = disk.create(&unfinished).map_err(io_error("create", &unfinished))?;
        let (pending, len) = (head().to_vec(), head().len() as u64);
        let (dir, litter, draft) = (dir.to_owned(), Some(unfinished), Draft::new());
        let (samples, span) = (0, super::NO_TIME);
        Ok(Self { disk, file, dir, path, litter, pending, len, number, samples, span, draft })
    }

    /// Begins a group: its identity, and family name and full label set of each column, in the
    /// order of the columns of its windows.
    pub(crate) fn begin_group(&mut self, identity: &Labels, columns: &[(&str, &Labels)]) {
        self.draft.begin_group(identity, columns);
    }

    /// As [`BlockWriter::begin_group`], with target labels that columns override and hide.
    #[cfg(test)]
    pub(super) fn begin_group_with(
        &mut self,
        identity: &Labels,
        target: &Labels,
        columns: &[(&str, &Labels)],
    ) {
        self.draft.begin_group_with(identity, target, columns);
    }

    /// Appends a window of the group that was begun last: when its first and last row was taken
    /// (ms), how many rows and cells it has, its bytes, and when the first and last cell of each
    /// column was taken (`None`: there is none, as in columns behind the end).
    ///
    /// # Panics
    /// If there is no group, the window does not come after the one before, or has more columns
    /// than the group.
    pub(crate) fn window(
        &mut self,
        timestamps: Span,
        rows: u32,
        samples: u64,
        bytes: &[u8],
        ranges: &[Option<Span>],
    ) -> Result<(), Error> {
        let long = |_| Error::Limit("a window of more than 4 GiB".to_owned());
        let length = u32::try_from(bytes.len()).map_err(long)?;
        let (number, span, offset, crc) = (0, timestamps, self.len, crc32c(bytes));
        let entry = WindowEntry { number, span, samples, offset, rows, length, crc };
        self.draft.window(entry, ranges);
        self.samples += samples;
        self.span = union(self.span, timestamps);
        self.put(bytes)
    }

    /// Writes index and footer, makes the block durable, and gives it its name.
    pub(crate) fn finish(mut self, origin: Origin) -> Result<Written, Error> {
        let (series, index) = std::mem::replace(&mut self.draft, Draft::new()).finish()?;
        let (samples, span) = (self.samples, self.span);
        let facts = Facts { samples, series, span, ..Facts::new(self.number, origin) };
        let mut sections = [Section::default(); SECTIONS];
        for (section, bytes) in sections.iter_mut().zip([facts.put()].iter().chain(&index)) {
            *section = Section::of(self.len, bytes);
            self.put(bytes)?;
        }
        self.put(&footer(&sections))?;
        self.flush()?;
        self.publish()?;
        Ok(Written { path: self.path.clone(), bytes: self.len, facts })
    }

    fn publish(&mut self) -> Result<(), Error> {
        let unfinished = layout::unfinished(&self.path);
        self.file.sync().map_err(io_error("sync", &unfinished))?;
        self.disk.rename(&unfinished, &self.path).map_err(io_error("rename", &unfinished))?;
        self.litter = Some(self.path.clone());
        self.disk.sync_dir(&self.dir).map_err(io_error("sync", &self.dir))?;
        self.litter = None;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.len += bytes.len() as u64;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PENDING_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let path = || layout::unfinished(&self.path);
        self.file.append(&self.pending).map_err(|source| io_error("write", &path())(source))?;
        self.pending.clear();
        Ok(())
    }
}

impl Drop for BlockWriter<'_> {
    fn drop(&mut self) {
        if let Some(litter) = &self.litter {
            // Nothing can be done if the disk refuses this too.
            let _ = self.disk.remove(litter);
        }
    }
}
