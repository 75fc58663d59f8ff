//! A simulated disk that, before each of its operations, lets somebody else do something and waits
//! until it is done. Whoever holds a lock across the operation that the other one needs, waits for
//! ever, and the schedule fails.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use shuttle::thread;
use tsdb::disk::sim::SimDisk;
use tsdb::disk::{Disk, File, Lock, Mapped};

/// What is done at an operation on a path.
type Visit = Arc<dyn Fn(&Path) + Send + Sync>;

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Gate {
    disk: SimDisk,
    visit: Arc<Mutex<Option<Visit>>>,
    visits: Arc<AtomicUsize>,
}

impl Gate {
    /// A gate through which everything goes.
    pub(crate) fn new(disk: SimDisk) -> Self {
        Self { disk, visit: Arc::default(), visits: Arc::default() }
    }

    /// Does `work`, and `visit` before each operation of it on the disk; how many those were. What
    /// the visit does on the disk goes through.
    pub(crate) fn watch(&self, visit: Visit, work: impl FnOnce()) -> usize {
        let before = self.visits.load(Ordering::SeqCst);
        self.set(Some(visit));
        work();
        self.set(None);
        self.visits.load(Ordering::SeqCst) - before
    }

    fn set(&self, visit: Option<Visit>) -> Option<Visit> {
        let mut own = self.visit.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *own, visit)
    }

    fn pass(&self, path: &Path) -> &SimDisk {
        if let Some(visit) = self.set(None) {
            self.visits.fetch_add(1, Ordering::SeqCst);
            let (path, visiting) = (path.to_owned(), visit.clone());
            thread::spawn(move || visiting(&path)).join().unwrap();
            self.set(Some(visit));
        }
        &self.disk
    }

    fn file(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(GateFile { gate: self.clone(), path: path.to_owned(), file })
    }
}

impl Disk for Gate {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.pass(dir).create_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.file(path, self.pass(path).create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.file(path, self.pass(path).open(path)?))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        self.pass(path).map(path)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass(to).hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass(to).rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.pass(path).remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.pass(dir).list(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.pass(dir).sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.pass(path).lock(path)
    }
}

struct GateFile {
    gate: Gate,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl GateFile {
    fn pass(&self) -> &dyn File {
        self.gate.pass(&self.path);
        &*self.file
    }
}

impl File for GateFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.pass().append(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.pass().sync()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.pass().read_at(offset, buffer)
    }

    fn len(&self) -> io::Result<u64> {
        self.pass().len()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.pass().truncate(len)
    }
}
