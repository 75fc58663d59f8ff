//! The store: the only place that knows head, log and disk together.
//!
//! - [`open`]: lock, replay · [`appender`]: check → log → apply · [`reader`]: resolve and read
//!
//! Locks, always taken in this order: `syncing` (one sync at a time), `log` (one commit at a
//! time), `head`. Readers hold only the head's, shared, while they resolve or copy one batch; a
//! commit takes it alone only after the log has it, for as long as applying takes.

mod appender;
mod open;
mod reader;

use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use open::{Dropped, Recovery};

use crate::append::{Append, Storage};
use crate::disk::Lock;
use crate::error::Error;
use crate::head::Head;
use crate::model::{Exemplar, Labels, Matcher, Metadata, TimeRange, Timestamp};
use crate::wal::Wal;
use appender::Appender;

/// An open store.
pub struct Db {
    head: RwLock<Head>,
    log: Mutex<Wal>,
    syncing: Mutex<()>,
    _lock: Box<dyn Lock>,
}

/// Figures about a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series that have samples.
    pub series: u64,
    /// Groups that were made.
    pub groups: usize,
    /// Samples in memory.
    pub samples: u64,
    /// Bytes in memory of their timestamps and values, about.
    pub sample_bytes: usize,
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
}

impl Db {
    /// Makes everything that was committed durable (against power cuts; the end of the process
    /// loses nothing anyway). After an error it is not known to be, and the next call does it
    /// anew, in new files where an fsync failed.
    pub fn sync(&self) -> Result<(), Error> {
        let _one = self.syncing.lock().expect("BUG: a sync panicked");
        let tasks = self.log().begin_sync();
        let is_synced = tasks.run();
        self.log().end_sync(tasks, &is_synced)
    }

    /// Syncs, and lets the directory go.
    pub fn close(self) -> Result<(), Error> {
        self.sync()
    }

    /// Hides all samples older than `timestamp`, refuses new ones, frees the memory of rows that
    /// are wholly older (by windows of 256 rows) and removes log segments that hold nothing newer.
    pub fn drop_before(&self, timestamp: Timestamp) -> Result<(), Error> {
        let mut log = self.log();
        self.head_mut().drop_before(timestamp.ms());
        log.drop_before(timestamp.ms())
    }

    /// Figures about the store now.
    pub fn stats(&self) -> Stats {
        let (log_segments, log_bytes, sync_failures) = {
            let log = self.log();
            let (segments, bytes) = log.size();
            (segments, bytes, log.sync_failures())
        };
        let head = self.head();
        let range = head.time_range();
        Stats {
            series: head.listed_series(),
            groups: head.groups(),
            samples: head.samples(),
            sample_bytes: head.cell_bytes(),
            oldest: range.map(|(oldest, _)| Timestamp::from_ms(oldest)),
            newest: range.map(|(_, newest)| Timestamp::from_ms(newest)),
            log_segments,
            log_bytes,
            sync_failures,
        }
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
        self.head.read().expect("BUG: a change of the head panicked")
    }

    fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        self.head.write().expect("BUG: a change of the head panicked")
    }

    fn log(&self) -> MutexGuard<'_, Wal> {
        self.log.lock().expect("BUG: a commit panicked")
    }
}

impl Storage for Db {
    fn appender(&self) -> Box<dyn Append + '_> {
        Box::new(Appender::new(self))
    }
}
