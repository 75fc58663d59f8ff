//! Opening a store for reading only, beside a server that writes it or on a read-only file system.
//!
//! The store sees its disk through [`ReadOnly`], which refuses every change. So nothing is locked,
//! made, renamed or removed: what a writer would tidy up stays, and a commit fails where it would
//! begin a log segment.
//!
//! A server may meanwhile bring samples from the log to a block. What was opened counts only if
//! the same files are there before and after; otherwise it is opened anew. A segment that grows
//! meanwhile is read up to a whole commit.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Db;
use super::open::Recovery;
use crate::disk::{Disk, File, Lock, Mapped};
use crate::error::{Error, io_error};
use crate::layout;
use crate::options::Options;

/// How often the files may have changed while they were opened.
const TRIES: usize = 3;

impl Db {
    /// Opens the store in `dir` for reading: no file is changed, no lock is taken, and commits
    /// fail. A process that has the store open may go on writing; what it writes later is not
    /// seen. An error if there is no store in `dir`.
    pub fn open_read_only(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<(Self, Recovery), Error> {
        require_store(&*disk, dir)?;
        let disk: Arc<dyn Disk> = Arc::new(ReadOnly(disk));
        for _ in 0..TRIES {
            let before = names(&*disk, dir)?;
            let opened = Self::open_found(disk.clone(), dir, Box::new(NoLock), options.clone())?;
            if names(&*disk, dir)? == before {
                return Ok(opened);
            }
        }
        let dir = dir.display();
        Err(Error::Limit(format!("{dir}: its files change while they are read; try again")))
    }
}

fn require_store(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    let segments = disk.list(&layout::wal(dir)).unwrap_or_default();
    let has_segments = segments.iter().any(|name| layout::segment_number(name).is_some());
    match disk.list(&layout::blocks(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !has_segments => {
            let source = io::Error::new(error.kind(), "there is no store of Inferometer");
            Err(io_error("open", dir)(source))
        }
        _ => Ok(()),
    }
}

/// The names of all log segments, blocks and lists of deletions, sorted.
fn names(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for dir in [layout::wal(dir), layout::blocks(dir)] {
        names.extend(disk.list(&dir).map_err(io_error("list", &dir))?);
    }
    names.retain(|name| !layout::is_unfinished(name));
    names.sort_unstable();
    Ok(names)
}

/// A disk on which nothing can be changed. A directory that is not there is an empty one: a
/// snapshot has no log.
struct ReadOnly(Arc<dyn Disk>);

fn refused<T>() -> io::Result<T> {
    let reason = "the store is open for reading only";
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, reason))
}

impl Disk for ReadOnly {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn create(&self, _: &Path) -> io::Result<Arc<dyn File>> {
        refused()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(ReadOnlyFile(self.0.open(path)?)))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        self.0.map(path)
    }

    fn hard_link(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        match self.0.list(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// Nothing to do: whoever writes makes it durable.
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Lock>> {
        refused()
    }
}

struct ReadOnlyFile(Arc<dyn File>);

impl File for ReadOnlyFile {
    fn append(&self, _: &[u8]) -> io::Result<()> {
        refused()
    }

    /// Nothing to do: whoever writes makes it durable, and has to hear of a failure.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        refused()
    }
}

/// What a store holds that takes no lock.
struct NoLock;

impl Lock for NoLock {}
