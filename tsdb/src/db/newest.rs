//! Reading the newest sample of each series of a selection.
//!
//! Instant selectors ask for nothing else, and nearly always it stands in the newest row of its
//! group, which is in memory. So series that lie together are looked for from the newest place
//! back: in the last row before the end of the range, then in the rows of that window before it,
//! then in the windows and places before that; a series that was found is not looked for again.
//! Series that come alone are read as ever.

use std::ops::Range;

use super::Db;
use super::located::{Located, Source, Span};
use super::read::{ALONE_SAMPLES_MAX, BlockViews, Job, TimedCell, Wanted, plan};
use crate::append::GroupRef;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::error::Error;
use crate::head::BatchBuffer;
use crate::model::TimeRange;
use crate::sealed::{SealedColumns, in_memory};
use crate::select::{Batch, Batches, Selection};
use crate::window::{Columns, rows_between};

/// Series that lie together and were not found yet.
struct Search {
    wanted: Vec<Wanted>,
    /// Number of the place that is looked at, and how many there are before it.
    at: usize,
    end: i64,
    /// Whether the last row of the window was looked at; then all others are.
    is_last_row_read: bool,
}

/// Reads the newest samples of a selection.
pub(super) struct NewestReader<'a> {
    db: &'a Db,
    located: Option<&'a Located>,
    range: (i64, i64),
    searches: Vec<Search>,
    /// Series that come alone.
    alone: Vec<Wanted>,
    views: BlockViews<'a>,
    buffer: BatchBuffer,
    scratch: Scratch,
}

impl<'a> NewestReader<'a> {
    /// A reader of the newest samples in the range; of none if the selection is no store's.
    pub(super) fn new(
        db: &'a Db,
        selection: &'a Selection,
        located: Option<&'a Located>,
        range: TimeRange,
    ) -> Self {
        let range = (range.start.ms().max(db.head().floor()), range.end.ms());
        let (mut searches, mut alone) = (Vec::new(), Vec::new());
        let jobs = located.map(|located| plan(selection, &located.resolved, range.0));
        for job in jobs.into_iter().flatten() {
            match job {
                Job::Alone { wanted, .. } => alone.push(wanted),
                Job::Together { wanted, .. } => {
                    let place = wanted.first().map_or(0, |(_, place)| *place);
                    let places = located.map_or(0, |own| own.resolved.spans(place).len());
                    let (end, is_last_row_read) = (range.1, false);
                    searches.push(Search { wanted, at: places, end, is_last_row_read });
                }
            }
        }
        let (buffer, scratch) = (BatchBuffer::default(), Scratch::default());
        Self { db, located, range, searches, alone, views: BlockViews::default(), buffer, scratch }
    }
}

impl Batches for NewestReader<'_> {
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error> {
        let Some(located) = self.located else { return Ok(false) };
        while let Some(mut search) = self.searches.pop() {
            self.buffer.begin([]);
            let is_more = self.step(located, &mut search)?;
            // Columns were pushed in the order of the series that are wanted.
            let mut found = self.buffer.series().peekable();
            search.wanted.retain(|(series, _)| found.next_if_eq(series).is_none());
            if is_more && !search.wanted.is_empty() {
                self.searches.push(search);
            }
            if !self.buffer.is_empty() {
                self.buffer.lend(sink);
                return Ok(true);
            }
        }
        while let Some((series, place)) = self.alone.pop() {
            let spans = located.alone.get(&place).map_or(&[][..], Vec::as_slice);
            if let Some(newest) = self.merged(located, spans)? {
                self.buffer.fill_alone(series, &[newest]);
                self.buffer.lend(sink);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'a> NewestReader<'a> {
    /// The newest sample of a series that comes alone.
    fn merged(&self, located: &Located, spans: &[Span]) -> Result<Option<TimedCell>, Error> {
        let (mut start, end) = self.range;
        let mut newest = None;
        loop {
            let limit = ALONE_SAMPLES_MAX;
            let (cells, until) = self.db.merged_cells(&located.parts, spans, start, end, limit)?;
            newest = cells.into_iter().next_back().or(newest);
            match until.and_then(|until| until.checked_add(1)) {
                Some(next) => start = next,
                None => return Ok(newest),
            }
        }
    }

    /// Fills the buffer with what is found in the next rows; `false` if there are no more.
    fn step(&mut self, located: &'a Located, search: &mut Search) -> Result<bool, Error> {
        let Some(at) = search.at.checked_sub(1) else { return Ok(false) };
        let place = search.wanted.first().and_then(|(_, place)| located.span(*place, at));
        let looked_at = match place.map(|span| span.source) {
            Some(Source::Block { part, group, .. }) => {
                self.block_rows(located, (part, group), at, search)?
            }
            Some(Source::Rows(_, own)) => self.head_rows(located, own.group, at, search),
            Some(Source::Loose(_)) | None => None,
        };
        match looked_at.and_then(|first| first.checked_sub(1)) {
            Some(before) => {
                (search.end, search.is_last_row_read) = (before, true);
            }
            // In the place before, some of the series may end after others began in this one.
            None => {
                (search.at, search.end, search.is_last_row_read) = (at, self.range.1, false);
            }
        }
        Ok(true)
    }

    /// Of the head's last window before the end of the search: the last row, or the others; the
    /// time of the first row that was looked at.
    fn head_rows(
        &mut self,
        located: &Located,
        group: GroupRef,
        at: usize,
        search: &Search,
    ) -> Option<i64> {
        let head = self.db.head();
        let windows = &head.group(group)?.windows;
        let visible = windows.visible_from(located.parts.flush).max(head.floor());
        let window = windows.window_until(search.end)?;
        let timestamps = window.timestamps();
        let (rows, looked_at) = search.rows(&timestamps, self.range.0.max(visible))?;
        self.buffer.begin(looked_at.iter().copied());
        let mut own = window.columns_of(rows.clone(), &mut self.scratch);
        for (series, span) in search.columns(located, at) {
            // What came after the selection was made is not in it.
            let until = timestamps.partition_point(|own| *own <= span.last);
            let column = span.source.column() as usize;
            in_memory(self.buffer.push(series, &mut own, column, rows.clone(), until));
        }
        looked_at.first().copied()
    }

    /// The same of a block.
    fn block_rows(
        &mut self,
        located: &'a Located,
        (number, group): (u32, u32),
        at: usize,
        search: &Search,
    ) -> Result<Option<i64>, Error> {
        let Some(part) = located.parts.list.get(number as usize) else { return Ok(None) };
        let view = self.views.of(number, part)?;
        let Some(window) = view.window_until(group, search.end)? else { return Ok(None) };
        let bytes = view.window_bytes(&window)?;
        let mut read = || {
            let timestamps = EncodedWindow::open(bytes)?.timestamps()?;
            let looked_at = search.rows(&timestamps, self.range.0);
            let Some((rows, looked_at)) = looked_at else { return Ok(None) };
            self.buffer.begin(looked_at.iter().copied());
            let (base, scratch) = (window.span.0, &mut self.scratch);
            let mut own =
                Columns::Sealed(SealedColumns::open_rows(bytes, base, rows.clone(), scratch)?);
            for (series, span) in search.columns(located, at) {
                let column = span.source.column() as usize;
                self.buffer.push(series, &mut own, column, rows.clone(), timestamps.len())?;
            }
            Ok(looked_at.first().copied())
        };
        read().map_err(|malformed| part.damaged(malformed))
    }
}

impl Search {
    /// The rows to look at in a window with these timestamps, and theirs, if there are any.
    fn rows<'t>(&self, timestamps: &'t [i64], start: i64) -> Option<(Range<usize>, &'t [i64])> {
        let (rows, own) = rows_between(timestamps, start, self.end);
        let before_last = own.len().checked_sub(1)?;
        let passed = if self.is_last_row_read { 0 } else { before_last };
        Some((rows.start + passed..rows.end, own.split_at(passed).1))
    }

    /// The series that are looked for, with their place number `at`.
    fn columns<'s>(
        &'s self,
        located: &'s Located,
        at: usize,
    ) -> impl Iterator<Item = (usize, Span)> + 's {
        self.wanted.iter().filter_map(move |own| Some((own.0, located.span(own.1, at)?)))
    }
}
