//! The disk as the store sees it: few operations, each of which may fail.
//!
//! Two implementations: [`os`] is the real one, [`sim`] lives in memory, loses what was not
//! synced, tears and fails on demand.
//!
//! What the store relies on: bytes are durable after [`File::sync`]; a name (made, changed or
//! removed) is durable after [`Disk::sync_dir`]; a rename replaces its target at once or not at
//! all. After a failed `sync` nothing is known about the bytes since the last good one.

pub mod os;
pub mod sim;

use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file system.
pub trait Disk: Send + Sync {
    /// Makes a directory and those above it; fine if it is there.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes a new file for appending and reading; an error if there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Maps a file into memory, as it is now, for reading.
    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>>;

    /// Gives a file another name beside the one it has; an error if there is such a file.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name; a file that has that name already is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a directory, in any order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes a lock that ends with the returned value or the process;
    /// [`io::ErrorKind::WouldBlock`] if another one holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}

/// An open file.
pub trait File: Send + Sync {
    /// Writes all of `bytes` at the end. After an error any part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all that was appended durable.
    fn sync(&self) -> io::Result<()>;

    /// Reads into `buffer` from `offset` on; fewer bytes than asked for only at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
}

/// A file that is mapped into memory. Nobody writes to it while it is.
pub trait Mapped: Send + Sync {
    /// All its bytes; an error if it was cut since, or cannot be read any more. To be asked anew
    /// for each use: the answer is good for a moment, not for ever.
    fn bytes(&self) -> io::Result<&[u8]>;
}

/// A lock that is held.
pub trait Lock: Send + Sync {}
