//! A disk in memory that forgets, tears and fails as it is told; the same seed does the same.
//!
//! Each file has two images: what the process sees (`live`) and what a power cut leaves for
//! certain (`durable`); so has the table of names. Every changing operation has a number, and a
//! [`Fault`] may be put on any of them. After a failed fsync the bytes since the last good one
//! count as clean: a second fsync says yes and saves nothing, as real kernels do.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "for tests, which are to panic where the simulation is wrong"
)]

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{Disk, File, Lock, Mapped};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What Linux answers when a device fails.
const EIO: i32 = 5;

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends here: the operation is not done (an append: done in part), and no later
    /// one succeeds until [`SimDisk::restart`].
    Crash,
    /// The operation fails with an I/O error and does nothing; an fsync loses its bytes.
    Error,
    /// An append writes a part of its bytes, then fails.
    ShortWrite,
}

/// How a simulated process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `SIGKILL`: the page cache survives.
    Kill,
    /// Power cut: of what was not synced anything may be lost, and the end of a file may be torn.
    PowerCut,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    inodes: Vec<Inode>,
    live_names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    locks: HashSet<PathBuf>,
    faults: BTreeMap<u64, Fault>,
    operations: u64,
    /// Inodes of which no byte can be read.
    unreadable: HashSet<usize>,
    is_full: bool,
    is_crashed: bool,
    /// Counts restarts; handles from before one are dead.
    life: u64,
    random: u64,
}

#[derive(Clone, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes of `live` from here on can no longer become durable: an fsync failed.
    lost_from: Option<usize>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State { random: seed, ..State::default() })))
    }

    /// A copy of the disk as a killed process leaves it now, with its own future.
    pub fn fork(&self, seed: u64) -> Self {
        let state = State { random: seed, ..self.state().clone() };
        let fork = Self(Arc::new(Mutex::new(state)));
        fork.restart(Ending::Kill);
        fork
    }

    /// Puts a fault on operation `number` (the first one is 0).
    pub fn fail_at(&self, number: u64, fault: Fault) {
        self.state().faults.insert(number, fault);
    }

    /// Changing operations so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Whether a [`Fault::Crash`] has happened.
    pub fn is_crashed(&self) -> bool {
        self.state().is_crashed
    }

    /// Whether appends fail for want of space from now on (after writing a part).
    pub fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// Whether reads of a file that is there fail from now on, under all its names.
    pub fn fail_reads(&self, path: &Path, fails: bool) {
        let mut state = self.state();
        let inode = state.find(path).expect("a file whose reads are to fail is there");
        if fails {
            state.unreadable.insert(inode);
        } else {
            state.unreadable.remove(&inode);
        }
    }

    /// Ends the process and starts the machine again: locks are free, faults gone.
    pub fn restart(&self, ending: Ending) {
        let mut state = self.state();
        if ending == Ending::PowerCut {
            state.cut_power();
        }
        state.locks.clear();
        state.faults.clear();
        state.unreadable.clear();
        state.is_full = false;
        state.is_crashed = false;
        state.life += 1;
    }

    /// All files with their contents, as the process sees them.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let content = |inode: &usize| state.inodes[*inode].live.clone();
        state.live_names.iter().map(|(path, inode)| (path.clone(), content(inode))).collect()
    }

    /// Replaces a file's content behind the store's back, durably.
    pub fn overwrite(&self, path: &Path, content: Vec<u8>) {
        let mut state = self.state();
        if let Some(inode) = state.live_names.get(path).copied() {
            let durable = content.clone();
            state.inodes[inode] = Inode { live: content, durable, lost_from: None };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Splitmix64 (Steele, Lea, Flood 2014).
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..=max`.
    fn up_to(&mut self, max: usize) -> usize {
        (self.random() % (max as u64 + 1)) as usize
    }

    /// Counts a changing operation and says which fault lies on it.
    fn operation(&mut self) -> io::Result<Option<Fault>> {
        if self.is_crashed {
            return Err(io::Error::other("simulated crash"));
        }
        let fault = self.faults.get(&self.operations).copied();
        self.operations += 1;
        self.is_crashed = fault == Some(Fault::Crash);
        Ok(fault)
    }

    /// An operation that is done whole or not at all.
    fn whole_operation(&mut self) -> io::Result<()> {
        match self.operation()? {
            None => Ok(()),
            Some(fault) => Err(io::Error::other(format!("simulated {fault:?}"))),
        }
    }

    fn append(&mut self, inode: usize, bytes: &[u8]) -> io::Result<()> {
        let fault = self.operation()?;
        let written = match fault {
            Some(Fault::Error) => 0,
            Some(_) => self.up_to(bytes.len().saturating_sub(1)),
            None if self.is_full => self.up_to(bytes.len().saturating_sub(1)),
            None => bytes.len(),
        };
        self.inodes[inode].live.extend_from_slice(&bytes[..written]);
        match fault {
            Some(fault) => Err(io::Error::other(format!("simulated {fault:?}"))),
            None if self.is_full => Err(io::ErrorKind::StorageFull.into()),
            None => Ok(()),
        }
    }

    fn sync(&mut self, inode: usize) -> io::Result<()> {
        let result = self.whole_operation();
        let is_crashed = self.is_crashed;
        let inode = &mut self.inodes[inode];
        match result {
            Ok(()) if inode.lost_from.is_none() => inode.durable = inode.live.clone(),
            Err(_) if !is_crashed && inode.lost_from.is_none() => {
                inode.lost_from = Some(inode.durable.len());
            }
            _ => {}
        }
        result
    }

    /// Leaves of each unsynced name and file what chance wants.
    fn cut_power(&mut self) {
        let (live, durable) = (self.live_names.clone(), self.durable_names.clone());
        let paths: std::collections::BTreeSet<_> = live.keys().chain(durable.keys()).collect();
        let mut names = BTreeMap::new();
        for path in paths {
            let (now, before) = (live.get(path), durable.get(path));
            let kept = if self.random() & 1 == 0 { now } else { before };
            names.extend(kept.map(|inode| (path.clone(), *inode)));
        }
        self.durable_names = names.clone();
        self.live_names = names;
        for inode in 0..self.inodes.len() {
            self.tear(inode);
        }
    }

    fn tear(&mut self, inode: usize) {
        let Inode { live, durable, lost_from } = self.inodes[inode].clone();
        let keeps_live = live.starts_with(&durable);
        let mut content = durable;
        if lost_from.is_none() && keeps_live {
            let kept = self.up_to(live.len() - content.len());
            content.extend_from_slice(&live[content.len()..content.len() + kept]);
            // The length may have reached the disk before the bytes.
            let grown = self.up_to(live.len() - content.len());
            if self.random() & 3 == 0 {
                content.resize(content.len() + grown, 0);
            }
        } else if !keeps_live && self.random() & 1 == 0 {
            content = live;
        }
        self.inodes[inode] = Inode { live: content.clone(), durable: content, lost_from: None };
    }

    fn check_readable(&self, inode: usize) -> io::Result<()> {
        if self.unreadable.contains(&inode) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.live_names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.state().whole_operation()
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        state.whole_operation()?;
        if state.live_names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.live_names.insert(path.to_owned(), inode);
        Ok(Arc::new(SimFile { disk: self.clone(), inode, life: state.life }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let state = self.state();
        let inode = state.find(path)?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode, life: state.life }))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        let state = self.state();
        let inode = state.find(path)?;
        let bytes = state.inodes[inode].live.clone();
        let file = SimFile { disk: self.clone(), inode, life: state.life };
        Ok(Arc::new(SimMap { file, bytes }))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        let inode = state.find(from)?;
        if state.live_names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.live_names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        let inode = state.find(from)?;
        state.live_names.remove(from);
        state.live_names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        state.find(path)?;
        state.live_names.remove(path);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.live_names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        let live = state.live_names.clone();
        state.durable_names.retain(|path, _| path.parent() != Some(dir));
        let inside = live.into_iter().filter(|(path, _)| path.parent() == Some(dir));
        state.durable_names.extend(inside);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut state = self.state();
        if !state.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock { disk: self.clone(), path: path.to_owned(), life: state.life }))
    }
}

struct SimFile {
    disk: SimDisk,
    inode: usize,
    life: u64,
}

impl SimFile {
    /// The disk, unless this handle belongs to a process that has ended.
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.life == self.life {
            Ok(state)
        } else {
            Err(io::Error::other("handle of an ended process"))
        }
    }
}

impl File for SimFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.state()?.append(self.inode, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.state()?.sync(self.inode)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.state()?;
        state.check_readable(self.inode)?;
        let content = &state.inodes[self.inode].live;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let read = buffer.len().min(content.len() - start);
        buffer[..read].copy_from_slice(&content[start..start + read]);
        Ok(read)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.inodes[self.inode].live.len() as u64)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.whole_operation()?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        state.inodes[self.inode].live.truncate(len);
        Ok(())
    }
}

/// The live bytes of the moment in which it was mapped.
struct SimMap {
    file: SimFile,
    bytes: Vec<u8>,
}

impl Mapped for SimMap {
    fn bytes(&self) -> io::Result<&[u8]> {
        self.file.state()?.check_readable(self.file.inode)?;
        Ok(&self.bytes)
    }
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    life: u64,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locks.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk_with(path: &Path) -> SimDisk {
        let disk = SimDisk::new(1);
        disk.create(path).unwrap().append(b"hello").unwrap();
        disk
    }

    #[test]
    fn a_map_is_the_moment_and_dies_with_its_process() {
        let path = Path::new("/d/a");
        let disk = disk_with(path);
        let map = disk.map(path).unwrap();
        disk.overwrite(path, b"other".to_vec());
        assert_eq!(map.bytes().unwrap(), b"hello");
        disk.fail_reads(path, true);
        assert_eq!(map.bytes().unwrap_err().raw_os_error(), Some(EIO));
        let read = disk.open(path).unwrap().read_at(0, &mut [0; 5]);
        assert_eq!(read.unwrap_err().raw_os_error(), Some(EIO));
        disk.fail_reads(path, false);
        assert!(map.bytes().is_ok());
        disk.restart(Ending::Kill);
        assert!(map.bytes().is_err());
        assert_eq!(disk.map(path).unwrap().bytes().unwrap(), b"other");
    }

    #[test]
    fn a_hard_link_is_an_operation_and_the_same_file() {
        let (a, b) = (Path::new("/d/a"), Path::new("/d/b"));
        let disk = disk_with(a);
        let before = disk.operations();
        disk.fail_at(before, Fault::Error);
        assert!(disk.hard_link(a, b).is_err());
        disk.hard_link(a, b).unwrap();
        assert_eq!(disk.operations(), before + 2);
        assert!(disk.hard_link(a, b).is_err());
        disk.remove(a).unwrap();
        assert_eq!(disk.files()[b], b"hello");
    }
}
