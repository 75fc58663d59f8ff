//! Opening a store: take its lock, open its blocks, replay its log, go on in a new segment.
//!
//! Replay repeats the calls of the port that were logged, commit by commit, so that a row finds
//! its place as it did the first time. Damage never keeps a store from opening: what could not be
//! read is told in the [`Recovery`], the file stays where it is, the rest serves.

use std::io;
use std::path::{Path, PathBuf};

use super::Db;
use super::appender::Appender;
use super::blocks::{self, discard};
use super::resolved::ResolvedCache;
use super::suspend::Suspension;
use crate::block::Limits;
use crate::disk::{Disk, Lock};
use crate::error::{Error, io_error};
use crate::head::Head;
use crate::layout;
use crate::options::Options;
use crate::sync::atomic::AtomicU64;
use crate::sync::{Arc, Mutex, RwLock};
use crate::wal::{ClosedSegment, Replayed, Wal, replay};

/// Blocks that are merged at once.
const FAN_IN: usize = 4;

/// What opening a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Blocks that were opened.
    pub blocks: usize,
    /// Log segments that were read.
    pub segments: usize,
    /// Commits that were replayed.
    pub commits: u64,
    /// Samples that are there now.
    pub samples: u64,
    /// Logged samples that could not be stored again; not 0 only after damage.
    pub rejected: u64,
    /// What was not read: the end of a log segment, or a whole block.
    pub dropped: Vec<Dropped>,
}

/// The end of a log segment that was not read, or a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The file.
    pub path: PathBuf,
    /// Where reading stopped.
    pub offset: u64,
    /// Bytes from there to the end.
    pub bytes: u64,
    /// Why.
    pub reason: String,
    /// Whether it is only a last write that a crash cut off, which had not become visible.
    pub is_torn: bool,
}

impl Recovery {
    /// Whether something is lost that had been written well.
    pub fn is_damaged(&self) -> bool {
        self.rejected > 0 || self.dropped.iter().any(|dropped| !dropped.is_torn)
    }
}

impl Db {
    /// Opens the store in `dir`, which is made if it is not there.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<(Self, Recovery), Error> {
        let (wal, blocks_dir) = (layout::wal(dir), layout::blocks(dir));
        for made in [dir, &wal, &blocks_dir] {
            disk.create_dir(made).map_err(io_error("create", made))?;
        }
        let lock = take_lock(&*disk, dir)?;
        disk.sync_dir(dir).map_err(io_error("sync", dir))?;
        Self::open_found(disk, dir, lock, options)
    }

    /// Opens what is in `dir`.
    pub(super) fn open_found(
        disk: Arc<dyn Disk>,
        dir: &Path,
        lock: Box<dyn Lock>,
        options: Options,
    ) -> Result<(Self, Recovery), Error> {
        let (wal, blocks_dir) = (layout::wal(dir), layout::blocks(dir));
        let found = blocks::open(&*disk, &blocks_dir)?;
        let numbers = segments(&*disk, &wal)?;
        let (series_max, kept_rows) = (options.series_max, options.kept_rows);
        let suspension = Suspension::new(options.unlogged_samples_max);
        let limits = Limits {
            fan_in: FAN_IN,
            span_max: options.block_span_max.unsigned_abs(),
            bytes_max: options.block_bytes_max,
        };
        let log = Wal::new(disk.clone(), wal.clone(), options.segment_bytes_max);
        // What was allowed when it was logged is not refused now.
        let head = Head::new(Options { series_max: usize::MAX, ..options });
        let db = Self {
            disk,
            blocks_dir,
            head: RwLock::new(head),
            log: Mutex::new(log),
            parts: RwLock::new(Arc::new(found.parts)),
            before: Mutex::default(),
            due: crossbeam::channel::bounded(1),
            newest_block: AtomicU64::new(found.newest),
            appended: AtomicU64::new(0),
            resolved: ResolvedCache::default(),
            suspension,
            kept_rows,
            limits,
            changing: Mutex::new(()),
            syncing: Mutex::new(()),
            _lock: lock,
        };
        let (done, numbers): (Vec<_>, Vec<_>) =
            numbers.into_iter().partition(|number| *number < found.log_start);
        for number in done {
            let path = layout::segment(&wal, number);
            discard(&*db.disk, &path)?;
        }
        db.log().continue_from(found.log_start);
        let mut recovery = db.replay_all(&*db.disk, &wal, &numbers);
        recovery.samples += db.parts().samples();
        recovery.blocks = db.parts().list.len();
        recovery.dropped.extend(found.dropped);
        let newest = db.parts().range().map(|(_, newest)| newest);
        db.head_mut().opened(series_max, newest);
        db.learn_newest();
        Ok((db, recovery))
    }

    fn replay_all(&self, disk: &dyn Disk, wal: &Path, numbers: &[u64]) -> Recovery {
        let mut recovery = Recovery::default();
        let mut segments = Vec::new();
        for number in numbers {
            let path = layout::segment(wal, *number);
            let replayed = self.replay_segment(disk, &path, *number);
            let is_damaged = replayed.stop.as_ref().is_some_and(|stop| !stop.is_torn);
            let segment = ClosedSegment { len: replayed.len, newest: replayed.newest };
            segments.push((*number, segment, is_damaged));
            recovery.add(path, replayed);
        }
        recovery.samples = self.head().samples();
        // Nobody knows how new the lost part was: it stays as long as the newest of all.
        let newest = segments.iter().filter_map(|(_, segment, _)| segment.newest).max();
        for (number, segment, is_damaged) in segments {
            let newest = if is_damaged { newest } else { segment.newest };
            self.log().reopen(number, ClosedSegment { newest, ..segment });
        }
        recovery
    }

    fn replay_segment(&self, disk: &dyn Disk, path: &Path, number: u64) -> Replayed {
        replay(disk, path, number, &mut |decoder, payload| {
            let mut appender = Appender::replay(self);
            decoder.read(payload, &mut appender)?;
            appender.apply_unlogged();
            Ok(())
        })
    }
}

impl Recovery {
    fn add(&mut self, path: PathBuf, replayed: Replayed) {
        self.segments += 1;
        self.commits += replayed.commits;
        self.rejected += replayed.rejected;
        self.dropped.extend(replayed.stop.map(|stop| Dropped {
            path,
            offset: stop.offset,
            bytes: replayed.len.saturating_sub(stop.offset),
            reason: stop.reason,
            is_torn: stop.is_torn,
        }));
    }
}

fn take_lock(disk: &dyn Disk, dir: &Path) -> Result<Box<dyn Lock>, Error> {
    let path = layout::lock(dir);
    disk.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Error::Locked { path },
        _ => io_error("lock", &path)(error),
    })
}

/// The numbers of the segments, rising; files that were never finished are removed.
fn segments(disk: &dyn Disk, wal: &Path) -> Result<Vec<u64>, Error> {
    let names = disk.list(wal).map_err(io_error("list", wal))?;
    for name in names.iter().filter(|name| layout::is_unfinished(name)) {
        discard(disk, &wal.join(name))?;
    }
    let mut numbers: Vec<_> = names.iter().filter_map(|n| layout::segment_number(n)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}
