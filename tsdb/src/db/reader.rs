//! The way out: matchers to a selection, a selection to batches.
//!
//! A series whose samples all lie in one column is read with the other columns of its group,
//! window by window, so that they share timestamps and a histogram's buckets come side by side.
//! One that lies in several places, or is loose, is merged and comes alone.
//!
//! Each series is read up to the sample that was its newest when it was resolved: rows only grow
//! at their end, so this is what the store was at that moment, whatever came since.

use super::Db;
use crate::append::GroupRef;
use crate::codec::column::Scratch;
use crate::column::WINDOW_ROWS;
use crate::commit::SeriesId;
use crate::error::Error;
use crate::head::{BatchBuffer, Head};
use crate::model::{Labels, Matcher, TimeRange};
use crate::select::{
    BATCH_BYTES_MAX, Batch, Batches, FamilyId, Generation, Hints, Select, SelectedSeries, Selection,
};
use crate::window::rows_between;

/// Columns of a group that are read together: a window of them fills a batch.
const COLUMNS_MAX: usize = BATCH_BYTES_MAX / (WINDOW_ROWS * size_of::<f64>());
/// Samples of a batch of a series that comes alone (they are gathered one by one, with the
/// head's lock held).
const ALONE_SAMPLES_MAX: usize = 4096;

impl Select for Db {
    fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error> {
        let head = self.head();
        let mut found: Vec<_> = head.resolve(range, matchers).iter().collect();
        let series = |id: &u32| head.series(SeriesId(*id));
        found.sort_by(|a, b| {
            series(a).map(|own| &own.labels).cmp(&series(b).map(|own| &own.labels))
        });
        let selected = found.iter().filter_map(series).map(|series| SelectedSeries {
            labels: series.labels.clone(),
            family: FamilyId(series.family),
            le: series.le,
            hints: Hints::default(),
        });
        let newest = found.iter().filter_map(|id| head.newest(SeriesId(*id)));
        Ok(Selection {
            series: selected.collect(),
            newest: newest.collect(),
            generation: Generation(head.generation()),
            places: found,
        })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        let mut jobs = plan(&self.head(), selection, range);
        jobs.reverse();
        Ok(Box::new(Reader { db: self, jobs, buffer: BatchBuffer::default() }))
    }

    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let head = self.head();
        let ids = resolve_any(&head, range, matchers);
        Ok(head.postings().names(&ids).take(limit).map(str::to_owned).collect())
    }

    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let head = self.head();
        let ids = resolve_any(&head, range, matchers);
        Ok(head.postings().values(name, &ids).take(limit).map(str::to_owned).collect())
    }

    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, Error> {
        let head = self.head();
        let ids = resolve_any(&head, range, matchers);
        let series = ids.iter().filter_map(|id| head.series(SeriesId(id)));
        let mut labels: Vec<_> = series.map(|series| series.labels.clone()).collect();
        labels.sort_unstable();
        labels.truncate(limit);
        Ok(labels)
    }

    fn generation(&self) -> Generation {
        Generation(self.head().generation())
    }
}

/// The series that satisfy one of the sets of matchers, all series if there is no set.
fn resolve_any(head: &Head, range: TimeRange, sets: &[Vec<Matcher>]) -> roaring::RoaringBitmap {
    if sets.is_empty() {
        return head.resolve(range, &[]);
    }
    sets.iter().fold(Default::default(), |found, set| found | head.resolve(range, set))
}

/// A series to read: its index in the selection, where it lies, and up to which time.
struct Wanted {
    index: usize,
    /// Its column, or its number if it comes alone.
    place: u32,
    end: i64,
}

/// Something to read from `start` on.
enum Job {
    Columns { group: GroupRef, wanted: Vec<Wanted>, start: i64 },
    Alone { wanted: Wanted, start: i64 },
}

/// Groups in the order in which the selection names them first, then what comes alone.
fn plan(head: &Head, selection: &Selection, range: TimeRange) -> Vec<Job> {
    let start = range.start.ms();
    let mut groups: Vec<(GroupRef, Vec<Wanted>)> = Vec::new();
    let mut numbers = std::collections::HashMap::new();
    let mut alone = Vec::new();
    for (index, id) in selection.places.iter().copied().enumerate() {
        let Some(series) = head.series(SeriesId(id)) else { continue };
        let newest = selection.newest.get(index).copied().unwrap_or(i64::MAX);
        let end = range.end.ms().min(newest);
        let Some(place) = series.only_place() else {
            alone.push(Job::Alone { wanted: Wanted { index, place: id, end }, start });
            continue;
        };
        let number = *numbers.entry(place.group).or_insert(groups.len());
        if number == groups.len() {
            groups.push((place.group, Vec::new()));
        }
        groups[number].1.push(Wanted { index, place: place.column.0, end });
    }
    let mut jobs = Vec::new();
    for (group, mut wanted) in groups {
        // A histogram's buckets are stored as differences to their neighbours.
        wanted.sort_by_key(|wanted| wanted.place);
        while !wanted.is_empty() {
            let rest = wanted.split_off(wanted.len().min(COLUMNS_MAX));
            jobs.push(Job::Columns { group, wanted, start });
            wanted = rest;
        }
    }
    jobs.extend(alone);
    jobs
}

struct Reader<'a> {
    db: &'a Db,
    /// What is still to be read, the next one last.
    jobs: Vec<Job>,
    buffer: BatchBuffer,
}

impl Batches for Reader<'_> {
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error> {
        while let Some(job) = self.jobs.last_mut() {
            let has_more = job.step(&self.db.head(), &mut self.buffer);
            if !has_more {
                self.jobs.pop();
            }
            if !self.buffer.is_empty() {
                self.buffer.lend(sink);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Job {
    /// Fills the buffer with the next batch (an empty one if there is none in the next window);
    /// whether there may be another one.
    fn step(&mut self, head: &Head, buffer: &mut BatchBuffer) -> bool {
        let last = match self {
            Self::Columns { group, wanted, start } => {
                columns_step(head, *group, wanted, (*start).max(head.floor()), buffer)
            }
            Self::Alone { wanted, start } => {
                alone_step(head, wanted, (*start).max(head.floor()), buffer)
            }
        };
        let (Self::Columns { start, .. } | Self::Alone { start, .. }) = self;
        let next = last.and_then(|last| last.checked_add(1));
        *start = next.unwrap_or(*start);
        next.is_some()
    }
}

/// Copies the rows of the first window that has one from `start` on; the time of its last row, if
/// there may be others behind it.
fn columns_step(
    head: &Head,
    group: GroupRef,
    wanted: &[Wanted],
    start: i64,
    buffer: &mut BatchBuffer,
) -> Option<i64> {
    buffer.begin([]);
    let end = wanted.iter().map(|wanted| wanted.end).max()?;
    let window = head.group(group)?.windows.window_from(start)?;
    let timestamps = window.timestamps();
    let rows = rows_between(&timestamps, start, end);
    let last = *timestamps[rows.clone()].last()?;
    buffer.begin(timestamps[rows.clone()].iter().copied());
    let mut scratch = Scratch::default();
    let mut columns = window.columns(&mut scratch);
    for wanted in wanted {
        let Some(column) = columns.column(wanted.place as usize) else { continue };
        let end = timestamps.partition_point(|own| *own <= wanted.end);
        buffer.push_column(wanted.index, &column, rows.clone(), end);
    }
    Some(last)
}

/// Merges the next samples of a series; the time of the last one, if there may be others.
fn alone_step(head: &Head, wanted: &Wanted, start: i64, buffer: &mut BatchBuffer) -> Option<i64> {
    buffer.begin([]);
    let series = head.series(SeriesId(wanted.place))?;
    let cells = head.merged_cells(series, start, wanted.end, ALONE_SAMPLES_MAX);
    let (last, _) = cells.last()?;
    buffer.fill_alone(wanted.index, &cells);
    (cells.len() == ALONE_SAMPLES_MAX).then_some(*last)
}
