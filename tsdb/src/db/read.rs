//! Reading a selection, batch by batch.
//!
//! Series that lie together (in the same column groups of the same blocks, one after the other in
//! time, then in the same group of the head) are read together, window by window. A series whose
//! places overlap in time is merged and comes alone: of a time that several of them have, the
//! first one counts, in order of precedence. The head's lock is held, shared, only while one batch
//! is copied out of it.

use super::Db;
use super::located::{ALONE, Located, Resolved, Source, Span};
use super::merge::MERGED_ROWS_MAX;
use super::parts::{Part, Parts};
use crate::append::GroupRef;
use crate::block::View;
use crate::cell::StoredCell;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::error::Error;
use crate::head::BatchBuffer;
use crate::model::TimeRange;
use crate::sealed::{SealedColumns, in_memory};
use crate::select::{BATCH_BYTES_MAX, Batch, Batches, Selection};
use crate::window::{Columns, rows_between};

/// Columns that are read together: so many of the longest window fill a batch.
const COLUMNS_MAX: usize = BATCH_BYTES_MAX / (MERGED_ROWS_MAX * size_of::<f64>());
/// Samples of a batch of a series that comes alone.
pub(super) const ALONE_SAMPLES_MAX: usize = 4096;

/// A cell and its time.
pub(super) type TimedCell = (i64, StoredCell);

/// A series that is read: its number in the selection, and its place.
pub(super) type Wanted = (usize, u32);

/// Something to read from `start` on.
pub(super) enum Job {
    /// Series that lie together; the places before `at` are read.
    Together { wanted: Vec<Wanted>, at: usize, start: i64 },
    /// One that is merged.
    Alone { wanted: Wanted, start: i64 },
}

/// Reads a selection.
pub(super) struct Reader<'a> {
    db: &'a Db,
    located: Option<&'a Located>,
    start: i64,
    end: i64,
    /// What is still to be read, the next one last.
    jobs: Vec<Job>,
    views: BlockViews<'a>,
    buffer: BatchBuffer,
    scratch: Scratch,
}

/// Batches for which a block is looked at once: a view that is old is not to be trusted.
const BATCHES_OF_A_VIEW: usize = 64;

/// The blocks that were looked at: number, view, and for how many batches more it is. Series that
/// lie together are read through all blocks before the next ones are.
#[derive(Default)]
pub(super) struct BlockViews<'a>(Vec<(u32, View<'a>, usize)>);

impl<'a> BlockViews<'a> {
    /// A look at a block.
    pub(super) fn of(&mut self, number: u32, part: &'a Part) -> Result<View<'a>, Error> {
        let known = self.0.iter().position(|(own, ..)| *own == number);
        if let Some((_, view, rest)) = known.and_then(|at| self.0.get_mut(at))
            && *rest > 0
        {
            *rest -= 1;
            return Ok(*view);
        }
        let view = part.block.view()?;
        self.0.retain(|(own, ..)| *own != number);
        self.0.push((number, view, BATCHES_OF_A_VIEW));
        Ok(view)
    }
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
        let jobs = located.map(|located| plan(selection, &located.resolved, start));
        let (buffer, scratch) = (BatchBuffer::default(), Scratch::default());
        Self {
            db,
            located,
            start,
            end,
            jobs: jobs.unwrap_or_default(),
            views: BlockViews::default(),
            buffer,
            scratch,
        }
    }
}

/// What to read together; the last one comes first.
pub(super) fn plan(selection: &Selection, resolved: &Resolved, start: i64) -> Vec<Job> {
    let of = |list: &[u32], place: u32| list.get(place as usize).copied().unwrap_or(ALONE);
    let wanted = || (0..).zip(selection.places.iter().copied());
    let (alone, mut together): (Vec<Wanted>, Vec<Wanted>) =
        wanted().partition(|(_, place)| of(&resolved.homes, *place) == ALONE);
    together.sort_unstable_by_key(|(_, place)| of(&resolved.ranks, *place));
    let is_one = |a: &Wanted, b: &Wanted| of(&resolved.homes, a.1) == of(&resolved.homes, b.1);
    let parts = together.chunk_by(is_one).flat_map(|wanted| wanted.chunks(COLUMNS_MAX));
    let parts = parts.map(|wanted| Job::Together { wanted: wanted.to_vec(), at: 0, start });
    let mut jobs: Vec<_> =
        parts.chain(alone.into_iter().map(|wanted| Job::Alone { wanted, start })).collect();
    jobs.reverse();
    jobs
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

impl<'a> Reader<'a> {
    /// Fills the buffer with the next batch (an empty one if there is none in the next window);
    /// whether there may be another one.
    fn step(&mut self, job: &mut Job) -> Result<bool, Error> {
        let Some(located) = self.located else { return Ok(false) };
        match job {
            Job::Together { wanted, at, start } => self.together(located, wanted, at, start),
            Job::Alone { wanted, start } => self.alone(located, *wanted, start),
        }
    }

    fn together(
        &mut self,
        located: &'a Located,
        wanted: &[Wanted],
        at: &mut usize,
        start: &mut i64,
    ) -> Result<bool, Error> {
        let span = |(_, place): &Wanted| located.span(*place, *at);
        let Some(first) = wanted.first().and_then(span) else { return Ok(false) };
        let end = wanted.iter().filter_map(span).map(|span| span.last).max();
        let range = (*start, end.unwrap_or(self.end).min(self.end));
        let last = match first.source {
            Source::Block { part, group, .. } => {
                let columns = wanted.iter().filter_map(|own| Some((own.0, span(own)?)));
                self.block_window(located, part, group, range, columns)?
            }
            Source::Rows(_, place) => {
                let columns = wanted.iter().filter_map(|own| Some((own.0, span(own)?)));
                self.head_window(located, place.group, range, columns)
            }
            Source::Loose(_) => None,
        };
        match last.and_then(|last| last.checked_add(1)) {
            Some(next) if next <= range.1 => *start = next,
            // In the next place, some of the series may begin before others ended in this one.
            _ => (*at, *start) = (*at + 1, self.start),
        }
        Ok(true)
    }

    /// Copies the rows up to `end` of the head's first window that has one from `start` on; the
    /// time of the last one. Of each column: the number of its series, and its place.
    fn head_window(
        &mut self,
        located: &Located,
        group: GroupRef,
        (start, end): (i64, i64),
        columns: impl Iterator<Item = (usize, Span)>,
    ) -> Option<i64> {
        let head = self.db.head();
        let windows = &head.group(group)?.windows;
        let start = start.max(windows.visible_from(located.parts.flush)).max(head.floor());
        let window = windows.window_from(start)?;
        let timestamps = window.timestamps();
        let (rows, inside) = rows_between(&timestamps, start, end);
        let last = *inside.last()?;
        self.buffer.begin(inside.iter().copied());
        let mut own = window.columns_of(rows.clone(), &mut self.scratch);
        for (series, span) in columns {
            // What came after the selection was made is not in it.
            let until = timestamps.partition_point(|own| *own <= span.last);
            let column = span.source.column() as usize;
            in_memory(self.buffer.push(series, &mut own, column, rows.clone(), until));
        }
        Some(last)
    }

    /// The same for a block.
    fn block_window(
        &mut self,
        located: &'a Located,
        number: u32,
        group: u32,
        (start, end): (i64, i64),
        columns: impl Iterator<Item = (usize, Span)>,
    ) -> Result<Option<i64>, Error> {
        let Some(part) = located.parts.list.get(number as usize) else { return Ok(None) };
        let view = self.views.of(number, part)?;
        let window = view.window_from(group, start)?.filter(|window| window.span.0 <= end);
        let Some(window) = window else { return Ok(None) };
        let bytes = view.window_bytes(&window)?;
        let read = || {
            let timestamps = EncodedWindow::open(bytes)?.timestamps()?;
            let (rows, inside) = rows_between(&timestamps, start, end);
            let Some(last) = inside.last() else { return Ok(None) };
            self.buffer.begin(inside.iter().copied());
            let base = window.span.0;
            let own = SealedColumns::open_rows(bytes, base, rows.clone(), &mut self.scratch)?;
            let mut own = Columns::Sealed(own);
            for (series, span) in columns.filter(|(_, span)| span.last >= window.span.0) {
                let column = span.source.column() as usize;
                self.buffer.push(series, &mut own, column, rows.clone(), timestamps.len())?;
            }
            Ok(Some(*last))
        };
        read().map_err(|malformed| part.damaged(malformed))
    }

    /// Merges the next samples of a series.
    fn alone(
        &mut self,
        located: &Located,
        (index, place): Wanted,
        start: &mut i64,
    ) -> Result<bool, Error> {
        let (limit, parts) = (ALONE_SAMPLES_MAX, &located.parts);
        let spans = located.alone.get(&place).map_or(&[][..], Vec::as_slice);
        let (cells, last) = self.db.merged_cells(parts, spans, *start, self.end, limit)?;
        if !cells.is_empty() {
            self.buffer.fill_alone(index, &cells);
        }
        let next = last.and_then(|last| last.checked_add(1));
        *start = next.unwrap_or(*start);
        Ok(next.is_some())
    }
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
                let last = cells.iter().skip(before).map(|(timestamp, _)| *timestamp).max();
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
                out.split_at_mut(before).1.sort_by_key(|(timestamp, _)| *timestamp);
                out.truncate(before + limit);
            }
        }
        Ok(())
    }
}
