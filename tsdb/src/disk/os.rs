//! The real disk.
//!
//! A map of a file that somebody cuts would end the process (SIGBUS) where its bytes are gone, so
//! `OsMap::bytes` looks at the file's length first. What is cut between that look and the use
//! of the bytes is not caught.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::{Disk, File, Lock, Mapped};

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
        Ok(Arc::new(OsFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(OsFile(fs::File::open(path)?)))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        Ok(Arc::new(OsMap::new(fs::File::open(path)?)?))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(OsLock { _file: file })),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

struct OsFile(fs::File);

impl File for OsFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (wanted, mut rest) = (buffer.len(), buffer);
        while !rest.is_empty() {
            match self.0.read_at(rest, offset + (wanted - rest.len()) as u64) {
                Ok(0) => break,
                Ok(read) => rest = rest.split_at_mut(read).1,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(wanted - rest.len())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

struct OsMap {
    file: fs::File,
    /// Length when it was mapped.
    len: u64,
    /// `None` if the file was empty, which no system maps.
    map: Option<Mmap>,
}

impl OsMap {
    fn new(file: fs::File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let map = if len == 0 { None } else { Some(map_file(&file)?) };
        Ok(Self { file, len, map })
    }
}

#[expect(unsafe_code, reason = "there is no safe way to map a file")]
fn map_file(file: &fs::File) -> io::Result<Mmap> {
    // SAFETY: the map is read-only, and the store never writes to a file that it maps. Another
    // program that does breaks this; lengths are looked at before each use, see above.
    unsafe { Mmap::map(file) }
}

impl Mapped for OsMap {
    fn bytes(&self) -> io::Result<&[u8]> {
        if self.file.metadata()?.len() < self.len {
            return Err(io::Error::other("the file was cut while it was open"));
        }
        Ok(self.map.as_deref().unwrap_or_default())
    }
}

/// The operating system frees the lock when the file is closed, whatever ends the process.
struct OsLock {
    _file: fs::File,
}

impl Lock for OsLock {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_from_creation_to_removal() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        let file = OsDisk.create(&path).unwrap();
        file.append(b"hello ").unwrap();
        file.append(b"world").unwrap();
        file.sync().unwrap();
        assert!(OsDisk.create(&path).is_err());
        let mut buffer = [0; 16];
        assert_eq!(file.read_at(6, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..5], b"world");
        file.truncate(5).unwrap();
        file.append(b"!").unwrap();
        OsDisk.rename(&path, &other).unwrap();
        OsDisk.sync_dir(dir.path()).unwrap();
        assert_eq!(OsDisk.list(dir.path()).unwrap(), ["b"]);
        let file = OsDisk.open(&other).unwrap();
        assert_eq!(file.len().unwrap(), 6);
        assert_eq!(file.read_at(0, &mut buffer).unwrap(), 6);
        assert_eq!(&buffer[..6], b"hello!");
        OsDisk.remove(&other).unwrap();
        assert!(OsDisk.list(dir.path()).unwrap().is_empty());
    }

    #[test]
    fn a_map_is_the_file_until_it_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        let file = OsDisk.create(&path).unwrap();
        assert_eq!(OsDisk.map(&path).unwrap().bytes().unwrap(), b"");
        file.append(b"hello").unwrap();
        let map = OsDisk.map(&path).unwrap();
        OsDisk.hard_link(&path, &other).unwrap();
        assert!(OsDisk.hard_link(&path, &other).is_err());
        OsDisk.remove(&path).unwrap();
        assert!(OsDisk.map(&path).is_err());
        assert_eq!(OsDisk.map(&other).unwrap().bytes().unwrap(), b"hello");
        assert_eq!(map.bytes().unwrap(), b"hello");
        file.append(b"!").unwrap();
        assert_eq!(map.bytes().unwrap(), b"hello");
        file.truncate(4).unwrap();
        let refused = map.bytes().unwrap_err();
        assert!(refused.to_string().contains("was cut while it was open"), "{refused}");
    }

    #[test]
    fn a_lock_is_held_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = OsDisk.lock(&path).unwrap();
        let refused = OsDisk.lock(&path).map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(OsDisk.lock(&path).is_ok());
    }
}
