//! The write-ahead log: what makes a commit survive.
//!
//! - [`record`]: the kinds of records · [`encoder`], [`decoder`]: commits to bytes and back
//! - [`segment`]: the file that is written · [`replay`]: reading one back
//!
//! A commit is one frame, written with one call before anybody sees the commit, so that the end
//! of the process loses nothing and no part of a commit is ever replayed. Segments are closed at
//! a size; each stands alone ([`record`]). After a failed write the segment ends: nothing good
//! ever follows a torn frame. `docs/format/wal.md` draws the bytes.

mod decoder;
mod encoder;
mod last_cells;
mod record;
mod replay;
mod segment;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use replay::{Replayed, replay};
use segment::{Segment, SyncTask};

use crate::codec::frame::{FRAME_HEAD_BYTES, PAYLOAD_BYTES_MAX, frame_head};
use crate::codec::pack::Packer;
use crate::commit::{Catalog, Commit};
use crate::disk::Disk;
use crate::error::{Error, io_error};
use crate::layout;
use encoder::{Encoder, put_metadata};

/// Ended segments whose fsync is still to come; from that many on, a commit that needs a new
/// segment syncs them itself.
const UNSYNCED_SEGMENTS_MAX: usize = 2;
/// From that many on, while a sync goes on, a full segment is written further.
const WAITING_SEGMENTS_MAX: usize = 8;
/// From that many on, while a sync goes on, a commit that must have a new segment (a write failed,
/// or a flush has drawn its line) fails: the disk does not keep up.
const STUCK_SEGMENTS_MAX: usize = 64;

/// A segment that is durable and only read any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedSegment {
    /// Length in bytes.
    pub(crate) len: u64,
    /// Time of the newest row or sample.
    pub(crate) newest: Option<i64>,
}

/// The log.
pub(crate) struct Wal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    segment_bytes_max: u64,
    /// The number of the next segment.
    next: u64,
    current: Option<Segment>,
    encoder: Encoder,
    /// The frame of the commit that is being written.
    frame: Vec<u8>,
    packer: Packer,
    /// Segments that are written and wait for their fsync.
    ended: Vec<Segment>,
    /// Segments of earlier processes that wait for theirs.
    reopened: Vec<Segment>,
    closed: BTreeMap<u64, ClosedSegment>,
    /// Whether names were made or removed since the directory was synced.
    has_new_names: bool,
    /// Whether somebody is between [`Wal::begin_sync`] and [`Wal::end_sync`]. A second fsync of
    /// the same file could get the good answer to which the first one has the bad.
    is_syncing: bool,
    /// Failed fsyncs so far.
    sync_failures: u64,
}

/// What [`Wal::begin_sync`] found to do.
pub(crate) struct SyncTasks {
    tasks: Vec<SyncTask>,
    names: bool,
}

impl Wal {
    /// An empty log.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, segment_bytes_max: u64) -> Self {
        Self {
            disk,
            dir,
            segment_bytes_max,
            next: 1,
            current: None,
            encoder: Encoder::default(),
            frame: Vec::new(),
            packer: Packer::default(),
            ended: Vec::new(),
            reopened: Vec::new(),
            closed: BTreeMap::new(),
            has_new_names: true,
            is_syncing: false,
            sync_failures: 0,
        }
    }

    /// Numbers the next segment `start` at least.
    pub(crate) fn continue_from(&mut self, start: u64) {
        self.next = self.next.max(start);
    }

    /// Takes over a segment of an earlier process; the next one is numbered behind it.
    pub(crate) fn reopen(&mut self, number: u64, segment: ClosedSegment) {
        let ClosedSegment { len, newest } = segment;
        self.next = self.next.max(number + 1);
        match Segment::reopen(&*self.disk, &self.dir, number, len, newest) {
            Ok(segment) => self.reopened.push(segment),
            // What cannot be opened was reported by replay, and cannot be made durable.
            Err(_) => drop(self.closed.insert(number, segment)),
        }
    }

    /// Makes sure that there is a segment for the next frame: a new one if the current one is full.
    pub(crate) fn make_room(&mut self) -> Result<(), Error> {
        let is_full = |current: &Segment| current.len() >= self.segment_bytes_max;
        if self.current.as_ref().is_some_and(is_full) && !self.is_behind(WAITING_SEGMENTS_MAX) {
            self.end_current();
        }
        if self.current.is_none() { self.begin_segment() } else { Ok(()) }
    }

    /// Prepares the frame of a commit, for the segment that [`Wal::make_room`] gave. No operation
    /// on the disk: the catalog's lock is held.
    pub(crate) fn encode(&mut self, commit: &Commit, catalog: &dyn Catalog) -> Result<(), Error> {
        self.frame.clear();
        self.frame.resize(FRAME_HEAD_BYTES, 0);
        if self.current.as_ref().is_some_and(Segment::is_empty) {
            for (family, metadata) in catalog.metadata() {
                put_metadata(&mut self.frame, family, metadata);
            }
        }
        self.encoder.put(&mut self.frame, commit, catalog);
        if self.frame.len() - FRAME_HEAD_BYTES > PAYLOAD_BYTES_MAX {
            self.end_current();
            let limit = format!("a commit of more than {PAYLOAD_BYTES_MAX} bytes in the log");
            return Err(Error::Limit(limit));
        }
        if let Some(packed) = self.packer.pack(self.frame.split_at(FRAME_HEAD_BYTES).1) {
            self.frame.truncate(FRAME_HEAD_BYTES);
            self.frame.extend_from_slice(packed);
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> Result<(), Error> {
        if self.ended.len() >= UNSYNCED_SEGMENTS_MAX && !self.is_syncing {
            self.sync()?;
        }
        if self.is_behind(STUCK_SEGMENTS_MAX) {
            return Err(Error::Limit("the log's disk does not finish its fsync".to_owned()));
        }
        let number = self.next;
        self.next += 1;
        self.has_new_names = true;
        self.current = Some(Segment::create(&*self.disk, &self.dir, number)?);
        self.encoder = Encoder::default();
        Ok(())
    }

    /// Whether so many segments wait for a sync that goes on.
    fn is_behind(&self, segments: usize) -> bool {
        self.is_syncing && self.ended.len() >= segments
    }

    fn end_current(&mut self) {
        self.ended.extend(self.current.take());
    }

    /// Writes the frame that was prepared. After an error it is as if it had never been.
    pub(crate) fn write(&mut self, newest: Option<i64>) -> Result<(), Error> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let (head, payload) = self.frame.split_at_mut(FRAME_HEAD_BYTES);
        head.copy_from_slice(&frame_head(current.number, current.len(), payload));
        let result = current.append(&self.frame);
        match result {
            Ok(()) => current.newest = current.newest.max(newest),
            Err(_) => {
                // The encoder believes in the lost frame: only an empty segment can go on.
                self.encoder = Encoder::default();
                if !(current.cut() && current.is_empty()) {
                    self.end_current();
                }
            }
        }
        result
    }

    /// Ends the current segment, so that those before the next one are not needed for what is written
    /// from now on; the number of the next one.
    pub(crate) fn restart(&mut self) -> u64 {
        self.end_current();
        self.next
    }

    /// Removes all segments with lower numbers than `start`.
    pub(crate) fn remove_before(&mut self, start: u64) -> Result<(), Error> {
        let is_old = |segment: &mut Segment| segment.number < start;
        let segments = self.reopened.extract_if(.., is_old);
        let numbers: Vec<_> = segments.map(|segment| segment.number).collect();
        let ended = self.ended.extract_if(.., is_old).map(|segment| segment.number);
        let numbers: Vec<_> = numbers.into_iter().chain(ended).collect();
        let closed: Vec<_> = self.closed.range(..start).map(|(number, _)| *number).collect();
        for number in numbers.into_iter().chain(closed) {
            let path = layout::segment(&self.dir, number);
            self.disk.remove(&path).map_err(io_error("remove", &path))?;
            self.closed.remove(&number);
            self.has_new_names = true;
        }
        Ok(())
    }

    /// Says what has to be synced; the files can be synced without holding the log.
    pub(crate) fn begin_sync(&mut self) -> SyncTasks {
        self.is_syncing = true;
        let segments = self.reopened.iter().chain(&self.ended).chain(&self.current);
        let tasks = segments.filter_map(Segment::sync_task).collect();
        SyncTasks { tasks, names: std::mem::take(&mut self.has_new_names) }
    }

    /// Takes note of what [`SyncTasks::run`] did, and does anew what failed.
    pub(crate) fn end_sync(&mut self, done: SyncTasks, is_synced: &[bool]) -> Result<(), Error> {
        self.is_syncing = false;
        let mut result = Ok(());
        for (task, is_synced) in done.tasks.iter().zip(is_synced) {
            let segments = self.reopened.iter_mut().chain(&mut self.ended);
            let mut segments = segments.chain(&mut self.current);
            let Some(segment) = segments.find(|own| own.number == task.number) else { continue };
            self.has_new_names |= !is_synced;
            self.sync_failures += u64::from(!is_synced);
            let synced = segment.synced(&*self.disk, task, *is_synced);
            result = result.and(synced);
        }
        let is_synced = |segment: &mut Segment| segment.sync_task().is_none();
        let reopened = self.reopened.extract_if(.., is_synced);
        for segment in reopened.chain(self.ended.extract_if(.., is_synced)) {
            let closed = ClosedSegment { len: segment.len(), newest: segment.newest };
            self.closed.insert(segment.number, closed);
        }
        if done.names || self.has_new_names {
            let synced = self.disk.sync_dir(&self.dir).map_err(io_error("sync", &self.dir));
            self.has_new_names = synced.is_err();
            result = result.and(synced);
        }
        result
    }

    /// Makes everything that was written durable.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        let tasks = self.begin_sync();
        let is_synced = tasks.run();
        self.end_sync(tasks, &is_synced)
    }

    /// Removes the closed segments that hold nothing at `timestamp` or later.
    pub(crate) fn drop_before(&mut self, timestamp: i64) -> Result<(), Error> {
        let is_old = |closed: &ClosedSegment| closed.newest.is_none_or(|newest| newest < timestamp);
        let old: Vec<_> = self.closed.iter().filter(|(_, closed)| is_old(closed)).collect();
        for number in old.into_iter().map(|(number, _)| *number).collect::<Vec<_>>() {
            let path = layout::segment(&self.dir, number);
            self.disk.remove(&path).map_err(io_error("remove", &path))?;
            self.closed.remove(&number);
            self.has_new_names = true;
        }
        Ok(())
    }

    /// Number of segments and bytes of the log.
    pub(crate) fn size(&self) -> (usize, u64) {
        let open = self.reopened.iter().chain(&self.ended).chain(&self.current).map(Segment::len);
        let closed = self.closed.values().map(|closed| closed.len);
        open.chain(closed).fold((0, 0), |(count, bytes), len| (count + 1, bytes + len))
    }

    /// Failed fsyncs so far.
    pub(crate) fn sync_failures(&self) -> u64 {
        self.sync_failures
    }
}

impl SyncTasks {
    /// Syncs the files; which ones worked.
    pub(crate) fn run(&self) -> Vec<bool> {
        let sync = |task: &SyncTask| task.file.as_ref().is_some_and(|file| file.sync().is_ok());
        self.tasks.iter().map(sync).collect()
    }
}
