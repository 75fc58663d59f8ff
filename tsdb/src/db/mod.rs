//! The store: the only place that knows head, log, blocks and disk together.
//!
//! - [`open`], [`blocks`], [`learn`]: lock, blocks, replay · [`appender`]: check → log → apply
//! - [`parts`], [`deleted`]: the open blocks · [`located`], [`resolve`],
//!   [`resolved`], [`read`], [`newest`]: the way out
//! - [`read_only`], [`inspect`]: for tools · [`cardinality`]: what makes the head large
//! - [`flush`]: head to block · [`compact`]: blocks to a block · [`delete`], [`retain`],
//!   [`snapshot`]
//!
//! Locks, always taken in this order: `changing` (one change of the blocks at a time), `syncing`
//! (one sync at a time), `log` (one commit at a time), `head`, `parts`, `before`. Readers hold only
//! the head's, shared, while they resolve or copy one batch; a commit takes it alone only after the
//! log has it, for as long as applying takes. Nobody holds the head's or a later one while the disk
//! works.

mod appender;
mod blocks;
mod cardinality;
mod compact;
mod delete;
mod deleted;
mod flush;
mod gather;
mod inspect;
mod learn;
mod located;
mod merge;
mod newest;
mod open;
mod parts;
mod read;
mod read_only;
mod resolve;
mod resolved;
mod retain;
mod select;
mod snapshot;
mod suspend;

use std::path::PathBuf;

pub use cardinality::Cardinality;
use crossbeam::channel::{Receiver, Sender};
pub use inspect::BlockFacts;
pub use open::{Dropped, Recovery};

use crate::append::{Append, Storage};
use crate::block::Limits;
use crate::disk::{Disk, Lock};
use crate::error::Error;
use crate::head::Head;
use crate::layout;
use crate::model::{Exemplar, Labels, Matcher, Metadata, TimeRange, Timestamp};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{
    Arc, LockResult, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};
use crate::wal::Wal;
use appender::Appender;
use parts::Parts;
use resolved::ResolvedCache;
use suspend::Suspension;

/// An open store.
pub struct Db {
    disk: Arc<dyn Disk>,
    blocks_dir: PathBuf,
    head: RwLock<Head>,
    log: Mutex<Wal>,
    parts: RwLock<Arc<Parts>>,
    /// Earlier lists of blocks that may still be read, with their flushes.
    before: Mutex<Vec<(u64, Weak<Parts>)>>,
    /// Carries that a flush is due.
    due: (Sender<()>, Receiver<()>),
    /// The number of the newest block.
    newest_block: AtomicU64,
    /// Samples that were committed since the store was opened.
    appended: AtomicU64,
    /// What matchers stood for lately.
    resolved: ResolvedCache,
    suspension: Suspension,
    kept_rows: usize,
    limits: Limits,
    changing: Mutex<()>,
    syncing: Mutex<()>,
    _lock: Box<dyn Lock>,
}

/// Figures about a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series that have samples in memory.
    pub series: u64,
    /// Series that are known: those, what is registered to get samples, what ended not long ago.
    pub definitions: usize,
    /// Metric families that they have.
    pub families: usize,
    /// Groups that are known.
    pub groups: usize,
    /// Samples.
    pub samples: u64,
    /// Samples in memory that no block has.
    pub head_samples: u64,
    /// Samples that were committed since the store was opened.
    pub appended: u64,
    /// Time of the oldest sample.
    pub oldest: Option<Timestamp>,
    /// Time of the newest sample.
    pub newest: Option<Timestamp>,
    /// Files of the log.
    pub log_segments: usize,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Failed fsyncs of the log.
    pub sync_failures: u64,
    /// Blocks.
    pub blocks: usize,
    /// Bytes of the blocks.
    pub block_bytes: u64,
}

impl Db {
    /// Makes everything that was committed durable (against power cuts; the end of the process
    /// loses nothing anyway). After an error it is not known to be, and the next call does it
    /// anew, in new files where an fsync failed.
    pub fn sync(&self) -> Result<(), Error> {
        let _one = unpoisoned(self.syncing.lock(), "BUG: a sync panicked");
        let tasks = self.log().begin_sync();
        let is_synced = tasks.run();
        self.log().end_sync(tasks, &is_synced)
    }

    /// Syncs, and lets the directory go.
    pub fn close(self) -> Result<(), Error> {
        self.sync()
    }

    /// Reads every block to its end and checks it; the first damage that is found in each.
    pub fn verify(&self) -> Vec<Error> {
        let parts = self.parts();
        parts.list.iter().filter_map(|part| part.block.verify().err()).collect()
    }

    /// Figures about the store now.
    pub fn stats(&self) -> Stats {
        let (log_segments, log_bytes, sync_failures) = {
            let log = self.log();
            let (segments, bytes) = log.size();
            (segments, bytes, log.sync_failures())
        };
        let head = self.head();
        let parts = self.parts();
        let ranges = head.time_range().into_iter().chain(parts.range());
        let range = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        Stats {
            series: head.listed_series(),
            definitions: head.defined_series(),
            families: head.families(),
            groups: head.groups(),
            samples: head.samples() + parts.samples(),
            head_samples: head.samples(),
            appended: self.appended.load(Ordering::Relaxed),
            oldest: range.map(|(oldest, _)| Timestamp::from_ms(oldest.max(head.floor()))),
            newest: range.map(|(_, newest)| Timestamp::from_ms(newest)),
            log_segments,
            log_bytes,
            sync_failures,
            blocks: parts.list.len(),
            block_bytes: parts.bytes(),
        }
    }

    /// Bytes in memory of timestamps and values, about. Looks at every column.
    pub fn sample_bytes(&self) -> usize {
        self.head().cell_bytes()
    }

    /// Type, unit and help of the metric families that targets told about, in order of names.
    pub fn metadata(&self) -> Vec<(String, Metadata)> {
        let head = self.head();
        head.family_metadata().iter().map(|(name, own)| (name.clone(), own.clone())).collect()
    }

    /// The exemplars in the range of the series that satisfy all matchers, oldest first.
    pub fn exemplars(&self, range: TimeRange, matchers: &[Matcher]) -> Vec<(Labels, Exemplar)> {
        let head = self.head();
        let is_wanted = |(labels, exemplar): &&(Labels, Exemplar)| {
            range.contains(exemplar.timestamp)
                && matchers.iter().all(|matcher| matcher.matches_labels(labels))
        };
        head.exemplars().filter(is_wanted).cloned().collect()
    }

    fn head(&self) -> RwLockReadGuard<'_, Head> {
        unpoisoned(self.head.read(), "BUG: a change of the head panicked")
    }

    fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        unpoisoned(self.head.write(), "BUG: a change of the head panicked")
    }

    /// The blocks now. For what is in the blocks or else in the head, the head's lock is held.
    fn parts(&self) -> Arc<Parts> {
        unpoisoned(self.parts.read(), CHANGE_PANICKED).clone()
    }

    fn parts_mut(&self) -> RwLockWriteGuard<'_, Arc<Parts>> {
        unpoisoned(self.parts.write(), CHANGE_PANICKED)
    }

    fn before(&self) -> MutexGuard<'_, Vec<(u64, Weak<Parts>)>> {
        unpoisoned(self.before.lock(), CHANGE_PANICKED)
    }

    /// Held by whoever changes the blocks, from the first look to the last step.
    fn changing(&self) -> MutexGuard<'_, ()> {
        unpoisoned(self.changing.lock(), CHANGE_PANICKED)
    }

    /// The number of the next block; `changing` is held until it is there or failed. (One that failed
    /// in its last step may have left a file.)
    fn next_block(&self) -> u64 {
        let next = self.newest_block.load(Ordering::Relaxed) + 1;
        let is_free =
            |number: &u64| self.disk.open(&layout::block(&self.blocks_dir, *number)).is_err();
        (next..).find(is_free).unwrap_or(next)
    }

    /// Takes note of a block that was written.
    fn note_block(&self, number: u64) {
        self.newest_block.store(number, Ordering::Relaxed);
    }

    fn log(&self) -> MutexGuard<'_, Wal> {
        unpoisoned(self.log.lock(), "BUG: a commit panicked")
    }
}

const CHANGE_PANICKED: &str = "BUG: a change of the blocks panicked";

/// What a lock guards. If somebody panicked while he held it, so does everybody after him: what
/// is half changed is not to be read or logged.
#[expect(clippy::expect_used, reason = "a poisoned lock follows a panic, which is a bug")]
#[track_caller]
fn unpoisoned<T>(lock: LockResult<T>, bug: &str) -> T {
    lock.expect(bug)
}

impl Storage for Db {
    fn appender(&self) -> Box<dyn Append + '_> {
        Box::new(Appender::new(self))
    }
}
