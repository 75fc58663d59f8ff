//! A segment that is being written, or waits for its fsync.
//!
//! What was written since the last good fsync is kept in memory too. After a failed fsync the
//! kernel may have dropped those bytes and forgotten that they were never written, so the file is
//! not synced again: the segment is written into a new file (its durable part from the old one,
//! the rest from memory), and that takes the old one's name.
//!
//! A segment of an earlier process is synced once too: a killed process leaves bytes that can be
//! read and are not durable yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::frame::{SEGMENT_HEAD_BYTES, segment_head};
use crate::disk::{Disk, File};
use crate::error::{Error, io_error};
use crate::layout;

/// Bytes that are copied at once.
const COPY_BYTES: usize = 1 << 20;

/// One segment.
pub(super) struct Segment {
    pub(super) number: u64,
    path: PathBuf,
    file: Arc<dyn File>,
    /// Length of what is good.
    len: u64,
    /// Length of what is durable.
    synced: u64,
    /// The last bytes, written by this process and not durable yet.
    unsynced: Vec<u8>,
    /// Whether an fsync of `file` failed.
    is_doubtful: bool,
    /// Time of the newest row or sample.
    pub(super) newest: Option<i64>,
}

/// What has to be synced, without the lock of the log.
pub(super) struct SyncTask {
    pub(super) number: u64,
    /// `None` if the file must not be synced again.
    pub(super) file: Option<Arc<dyn File>>,
    len: u64,
}

impl Segment {
    /// Makes the file and writes the segment's head.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Self, Error> {
        let path = layout::segment(dir, number);
        let file = disk.create(&path).map_err(io_error("create", &path))?;
        let head = segment_head(number);
        if let Err(source) = file.append(&head) {
            // Without a head it is of no use; if it stays, replay reports it as cut off.
            let _ = disk.remove(&path);
            return Err(io_error("write", &path)(source));
        }
        let (len, unsynced) = (SEGMENT_HEAD_BYTES as u64, head.to_vec());
        let (synced, is_doubtful, newest) = (0, false, None);
        Ok(Self { number, path, file, len, synced, unsynced, is_doubtful, newest })
    }

    /// A segment that an earlier process wrote.
    pub(super) fn reopen(
        disk: &dyn Disk,
        dir: &Path,
        number: u64,
        len: u64,
        newest: Option<i64>,
    ) -> Result<Self, Error> {
        let path = layout::segment(dir, number);
        let file = disk.open(&path).map_err(io_error("open", &path))?;
        let (synced, unsynced, is_doubtful) = (0, Vec::new(), false);
        Ok(Self { number, path, file, len, synced, unsynced, is_doubtful, newest })
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no frame in it.
    pub(super) fn is_empty(&self) -> bool {
        self.len == SEGMENT_HEAD_BYTES as u64
    }

    /// Writes a frame. After an error nothing may be written behind it, unless [`Segment::cut`]
    /// says that the remains are gone.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.file.append(frame).map_err(io_error("write", &self.path))?;
        self.len += frame.len() as u64;
        self.unsynced.extend_from_slice(frame);
        Ok(())
    }

    /// Cuts off what a failed write left; whether that worked.
    pub(super) fn cut(&self) -> bool {
        self.file.truncate(self.len).is_ok()
    }

    /// What a sync has to do, if there is anything.
    pub(super) fn sync_task(&self) -> Option<SyncTask> {
        let file = (!self.is_doubtful).then(|| self.file.clone());
        (self.synced < self.len).then_some(SyncTask { number: self.number, file, len: self.len })
    }

    /// Takes note of a sync; if it failed, writes the segment anew.
    pub(super) fn synced(
        &mut self,
        disk: &dyn Disk,
        task: &SyncTask,
        is_synced: bool,
    ) -> Result<(), Error> {
        if is_synced {
            let written_since = usize::try_from(self.len - task.len).unwrap_or(usize::MAX);
            let durable = self.unsynced.len().saturating_sub(written_since);
            self.unsynced.drain(..durable);
            self.synced = task.len;
            return Ok(());
        }
        self.is_doubtful = true;
        self.rewrite(disk)
    }

    fn rewrite(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        let path = layout::unfinished(&self.path);
        // Left by an attempt that failed; if it is not there, so much the better.
        let _ = disk.remove(&path);
        let file = disk.create(&path).map_err(io_error("create", &path))?;
        self.copy_start(&*file).map_err(io_error("rewrite", &path))?;
        file.append(&self.unsynced).map_err(io_error("write", &path))?;
        file.sync().map_err(io_error("sync", &path))?;
        disk.rename(&path, &self.path).map_err(io_error("rename", &path))?;
        self.file = file;
        self.synced = self.len;
        self.unsynced.clear();
        self.is_doubtful = false;
        Ok(())
    }

    /// Copies everything before `unsynced`.
    fn copy_start(&self, to: &dyn File) -> std::io::Result<()> {
        let end = self.len - self.unsynced.len() as u64;
        let mut buffer = vec![0; COPY_BYTES.min(end as usize)];
        let mut offset = 0;
        while offset < end {
            buffer.truncate((end - offset).min(COPY_BYTES as u64) as usize);
            let read = self.file.read_at(offset, &mut buffer)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            to.append(buffer.split_at(read).0)?;
            offset += read as u64;
        }
        Ok(())
    }
}
