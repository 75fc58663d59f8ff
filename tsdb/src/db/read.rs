//! Reading a selection, batch by batch.
//!
//! Series that lie together (in the same column groups of the same blocks, one after the other in
//! time, then in the same group of the head) are read together, window by window. A series whose
//! places overlap in time is merged and comes alone: of a time that several of them have, the
//! first one counts, in order of precedence. The head's lock is held, shared, only while one batch
//! is copied out of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::Db;
use super::located::{Located, Source, Span};
use super::merge::MERGED_ROWS_MAX;
use super::parts::Parts;
use crate::append::GroupRef;
use crate::cell::StoredCell;
use crate::codec::Malformed;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::error::Error;
use crate::head::BatchBuffer;
use crate::model::TimeRange;
use crate::sealed::SealedColumns;
use crate::select::{BATCH_BYTES_MAX, Batch, Batches, Selection};
use crate::window::{Columns, rows_between};

/// Columns that are read together: so many of the longest window fill a batch.
const COLUMNS_MAX: usize = BATCH_BYTES_MAX / (MERGED_ROWS_MAX * size_of::<f64>());
/// Samples of a batch of a series that comes alone.
const ALONE_SAMPLES_MAX: usize = 4096;

/// A cell and its time.
type TimedCell = (i64, StoredCell);

/// Something to read from `start` on.
enum Job {
    /// Series that lie together: of each its number in the selection and its spans.
    Together { wanted: Vec<(usize, Vec<Span>)>, at: usize, start: i64 },
    /// One that is merged.
    Alone { index: usize, spans: Vec<Span>, start: i64 },
}

/// Reads a selection.
pub(super) struct Reader<'a> {
    db: &'a Db,
    parts: Arc<Parts>,
    end: i64,
    /// What is still to be read, the next one last.
    jobs: Vec<Job>,
    buffer: BatchBuffer,
}

impl<'a> Reader<'a> {
    /// A reader of the selection's samples in the range; of none if the selection is no store's.
    pub(super) fn new(
        db: &'a Db,
        selection: &'a Selection,
        located: Option<&'a Located>,
        range: TimeRange,
    ) -> Self {
        let (start, end) = (range.start.ms().max(db.head().floor()), range.end.ms());
        let mut jobs =
            located.map(|located| plan(selection, located, start, end)).unwrap_or_default();
        jobs.reverse();
        let parts = located.map(|located| located.parts.clone()).unwrap_or_default();
        Self { db, parts, end, jobs, buffer: BatchBuffer::default() }
    }
}

/// What to read together, in the order in which the selection names it first.
fn plan(selection: &Selection, located: &Located, start: i64, end: i64) -> Vec<Job> {
    let mut together: Vec<Vec<(usize, Vec<Span>)>> = Vec::new();
    let mut numbers: HashMap<Vec<(u32, u32)>, usize> = HashMap::new();
    let mut alone = Vec::new();
    for (index, place) in selection.places.iter().enumerate() {
        let is_inside = |span: &&Span| span.first <= end && start <= span.last;
        let mut spans: Vec<_> = located.spans(*place).iter().filter(is_inside).copied().collect();
        if spans.is_empty() {
            continue;
        }
        let homes: Option<Vec<_>> = spans.iter().map(|span| span.source.home()).collect();
        let Some(mut homes) = homes.filter(|_| !located.must_merge(&spans)) else {
            alone.push(Job::Alone { index, spans, start });
            continue;
        };
        if !spans.is_sorted_by_key(|span| span.first) {
            spans.sort_by_key(|span| span.first);
            homes = spans.iter().filter_map(|span| span.source.home()).collect();
        }
        let number = *numbers.entry(homes).or_insert(together.len());
        if number == together.len() {
            together.push(Vec::new());
        }
        together[number].push((index, spans));
    }
    let mut jobs = Vec::new();
    for mut wanted in together {
        // A histogram's buckets are stored as differences to their neighbours.
        wanted.sort_by_key(|(_, spans)| spans.first().map(|span| span.source.column()));
        while !wanted.is_empty() {
            let rest = wanted.split_off(wanted.len().min(COLUMNS_MAX));
            jobs.push(Job::Together { wanted, at: 0, start });
            wanted = rest;
        }
    }
    jobs.extend(alone);
    jobs
}

impl Located {
    /// Whether the samples of a series have to be sorted: places overlap in time, or a part is
    /// deleted.
    fn must_merge(&self, spans: &[Span]) -> bool {
        let is_cut = |span: &Span| match span.source {
            Source::Block { part, group, column } => {
                let part = self.parts.list.get(part as usize);
                part.is_some_and(|part| !part.deleted.of(group, column).is_empty())
            }
            Source::Rows(..) => false,
            Source::Loose(_) => true,
        };
        let meets = |(at, span): (usize, &Span)| {
            spans[..at].iter().any(|other| other.first <= span.last && span.first <= other.last)
        };
        spans.iter().any(is_cut) || (spans.len() > 1 && spans.iter().enumerate().any(meets))
    }
}

impl Batches for Reader<'_> {
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error> {
        while let Some(mut job) = self.jobs.pop() {
            self.buffer.begin([]);
            if self.step(&mut job)? {
                self.jobs.push(job);
            }
            if !self.buffer.is_empty() {
                self.buffer.lend(sink);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Reader<'_> {
    /// Fills the buffer with the next batch (an empty one if there is none in the next window);
    /// whether there may be another one.
    fn step(&mut self, job: &mut Job) -> Result<bool, Error> {
        match job {
            Job::Together { wanted, at, start } => self.together(wanted, at, start),
            Job::Alone { index, spans, start } => self.alone(*index, spans, start),
        }
    }

    fn together(
        &mut self,
        wanted: &[(usize, Vec<Span>)],
        at: &mut usize,
        start: &mut i64,
    ) -> Result<bool, Error> {
        let spans = || wanted.iter().filter_map(|(index, spans)| Some((*index, spans.get(*at)?)));
        let Some((_, first)) = spans().next() else { return Ok(false) };
        let end = spans().map(|(_, span)| span.last).max().unwrap_or(self.end).min(self.end);
        let range = (*start, end);
        let last = match first.source {
            Source::Block { part, group, .. } => self.block_window(part, group, range, spans())?,
            Source::Rows(_, place) => self.head_window(place.group, range, spans()),
            Source::Loose(_) => None,
        };
        match last.and_then(|last| last.checked_add(1)) {
            Some(next) if next <= end => *start = next,
            _ => *at += 1,
        }
        Ok(true)
    }

    /// Copies the rows up to `end` of the head's first window that has one from `start` on; the
    /// time of the last one.
    fn head_window<'s>(
        &mut self,
        group: GroupRef,
        (start, end): (i64, i64),
        wanted: impl Iterator<Item = (usize, &'s Span)>,
    ) -> Option<i64> {
        let head = self.db.head();
        let windows = &head.group(group)?.windows;
        let start = start.max(windows.visible_from(self.parts.flush)).max(head.floor());
        let window = windows.window_from(start)?;
        let timestamps = window.timestamps();
        let mut scratch = Scratch::default();
        let mut columns = window.columns(&mut scratch);
        let filled = fill(&mut self.buffer, &timestamps, start, end, &mut columns, wanted);
        filled.expect("BUG: a column in memory is read")
    }

    /// The same for a block.
    fn block_window<'s>(
        &mut self,
        part: u32,
        group: u32,
        (start, end): (i64, i64),
        wanted: impl Iterator<Item = (usize, &'s Span)>,
    ) -> Result<Option<i64>, Error> {
        let Some(part) = self.parts.list.get(part as usize) else { return Ok(None) };
        let windows = part.block.windows(group)?;
        let next = windows.partition_point(|window| window.span.1 < start);
        let Some(window) = windows.get(next) else { return Ok(None) };
        let bytes = part.block.window_bytes(window)?;
        let read = || {
            let timestamps = EncodedWindow::open(bytes)?.timestamps()?;
            let mut scratch = Scratch::default();
            let columns = SealedColumns::open(bytes, window.span.0, &mut scratch)?;
            let mut columns = Columns::Sealed(columns);
            fill(&mut self.buffer, &timestamps, start, end, &mut columns, wanted)
        };
        read().map_err(|malformed| part.damaged(malformed))
    }

    /// Merges the next samples of a series.
    fn alone(&mut self, index: usize, spans: &[Span], start: &mut i64) -> Result<bool, Error> {
        let limit = ALONE_SAMPLES_MAX;
        let (cells, last) = self.db.merged_cells(&self.parts, spans, *start, self.end, limit)?;
        if !cells.is_empty() {
            self.buffer.fill_alone(index, &cells);
        }
        let next = last.and_then(|last| last.checked_add(1));
        *start = next.unwrap_or(*start);
        Ok(next.is_some())
    }
}

/// Copies the rows of a window from `start` to `end`; the time of the last one.
fn fill<'s>(
    buffer: &mut BatchBuffer,
    timestamps: &[i64],
    start: i64,
    end: i64,
    columns: &mut Columns<'_>,
    wanted: impl Iterator<Item = (usize, &'s Span)>,
) -> Result<Option<i64>, Malformed> {
    let rows = rows_between(timestamps, start, end);
    let Some(last) = timestamps[rows.clone()].last() else { return Ok(None) };
    buffer.begin(timestamps[rows.clone()].iter().copied());
    for (index, span) in wanted {
        // What came after the selection was made is not in it.
        let end = timestamps.partition_point(|own| *own <= span.last);
        buffer.push(index, columns, span.source.column() as usize, rows.clone(), end)?;
    }
    Ok(Some(*last))
}

impl Db {
    /// The next samples of a series from `start` to `end` (both included), about `limit` of each
    /// place; and the time of the last one, if there may be others.
    pub(super) fn merged_cells(
        &self,
        parts: &Parts,
        spans: &[Span],
        start: i64,
        end: i64,
        limit: usize,
    ) -> Result<(Vec<TimedCell>, Option<i64>), Error> {
        let mut cells = Vec::new();
        let mut until = None;
        for span in spans {
            let before = cells.len();
            self.place_cells(parts, span, start, end.min(span.last), limit, &mut cells)?;
            if cells.len() - before >= limit {
                let last = cells[before..].iter().map(|(timestamp, _)| *timestamp).max();
                until = until.min(last).or(last);
            }
        }
        // Stable: the first place of a time counts.
        cells.sort_by_key(|(timestamp, _)| *timestamp);
        cells.dedup_by_key(|(timestamp, _)| *timestamp);
        if let Some(until) = until {
            cells.truncate(cells.partition_point(|(timestamp, _)| *timestamp <= until));
        }
        Ok((cells, until))
    }

    /// Adds the first `limit` samples of one place, all of loose ones.
    fn place_cells(
        &self,
        parts: &Parts,
        span: &Span,
        start: i64,
        end: i64,
        limit: usize,
        out: &mut Vec<TimedCell>,
    ) -> Result<(), Error> {
        let flush = parts.flush;
        match span.source {
            Source::Block { part, group, column } => {
                let Some(part) = parts.list.get(part as usize) else { return Ok(()) };
                return part.cells(group, column, start, end, limit, out);
            }
            Source::Rows(_, place) => {
                let head = self.head();
                out.extend(head.column_cells(place, start, end, flush).take(limit));
            }
            Source::Loose(id) => {
                let head = self.head();
                let loose = head.series(id).and_then(|series| series.loose.as_ref());
                let before = out.len();
                out.extend(loose.into_iter().flat_map(|own| own.cells(start, end, flush)));
                out[before..].sort_by_key(|(timestamp, _)| *timestamp);
                out.truncate(before + limit);
            }
        }
        Ok(())
    }
}
