//! The head: the samples that no block has yet, and what is known of their series.
//!
//! - [`series`]: label sets, their numbers and places · [`define`]: making groups and columns
//! - [`check`]: which cells of a commit may be stored · [`apply`]: storing them
//! - [`seal`]: compressing what is full · [`flush`]: handing over to a block, step by step
//! - [`retain`]: dropping what is old · [`forget`]: and the definitions of what ended
//! - [`groups`], [`families`]: by number · [`batch`]: copying out · [`changes`]: what queries may
//!   see otherwise than before
//!
//! Invariants: a label set is one series; a time of a series has one cell over all its places; a
//! series stands in the index exactly while it has samples that no block has. The head knows
//! neither log nor disk.

mod apply;
mod batch;
mod changes;
mod check;
mod define;
mod families;
mod flush;
mod forget;
mod groups;
mod owns;
mod retain;
mod seal;
mod series;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use hashbrown::{DefaultHashBuilder, HashTable};
use roaring::RoaringBitmap;

pub(crate) use batch::BatchBuffer;
pub(crate) use check::Check;
pub(crate) use flush::{FrozenGroup, FrozenLoose};
pub(crate) use forget::Idle;
pub(crate) use series::{Place, Series};

use crate::append::{ColumnRef, GroupRef};
use crate::cell::StoredCell;
use crate::commit::{Catalog, SeriesId};
use crate::group::{Age, Group};
use crate::model::{Exemplar, Labels, Matcher, Metadata, TimeRange};
use crate::numbered::Numbered;
use crate::options::Options;
use crate::postings::Postings;
use changes::Changes;
use families::Families;
use groups::Groups;
use owns::Owns;

/// Stands for the time of a sample that is not there; no sample can have it.
const NO_SAMPLE: i64 = i64::MIN;

/// All that is in memory.
#[derive(Debug)]
pub(crate) struct Head {
    options: Options,
    series: Vec<Series>,
    /// Time of each series' newest sample, be it in memory or in a block; [`NO_SAMPLE`] if none
    /// is known.
    newest: Vec<i64>,
    /// Time of each series' first sample here, or earlier; [`NO_SAMPLE`] while it does not stand
    /// in the index.
    oldest: Vec<i64>,
    /// The latest of them.
    latest: i64,
    by_labels: HashTable<SeriesId>,
    hasher: DefaultHashBuilder,
    groups: Groups,
    by_target: HashMap<Labels, GroupRef>,
    owns: Owns,
    families: Families,
    postings: Postings,
    metadata: BTreeMap<String, Metadata>,
    exemplars: VecDeque<(Labels, Exemplar)>,
    /// Nothing older is shown or taken any more.
    floor: i64,
    samples: u64,
    /// Series that had samples and have none left here.
    retired: usize,
    /// Series that have loose samples.
    loose: BTreeSet<SeriesId>,
    /// Series that have no column, and some that have one again.
    homeless: RoaringBitmap,
    /// Numbers of forgotten series: those that may be given out again, and the latest.
    free: Vec<SeriesId>,
    forgotten: Vec<SeriesId>,
    /// Flushes that are done, and of them those whose samples were let go.
    flushes: u64,
    retired_flushes: u64,
    generation: u64,
    changes: Changes,
    layout: u64,
}

impl Head {
    /// An empty head.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            series: Vec::new(),
            newest: Vec::new(),
            oldest: Vec::new(),
            latest: NO_SAMPLE,
            by_labels: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            groups: Groups::default(),
            by_target: HashMap::new(),
            owns: Owns::default(),
            families: Families::default(),
            postings: Postings::default(),
            metadata: BTreeMap::new(),
            exemplars: VecDeque::new(),
            floor: NO_SAMPLE + 1,
            samples: 0,
            retired: 0,
            loose: BTreeSet::new(),
            homeless: RoaringBitmap::new(),
            free: Vec::new(),
            forgotten: Vec::new(),
            flushes: 0,
            retired_flushes: 0,
            generation: 0,
            changes: Changes::default(),
            layout: 0,
        }
    }

    /// Takes note, after replay, of how many series are allowed from now on, and of the newest
    /// sample of all blocks.
    pub(crate) fn opened(&mut self, series_max: usize, newest: Option<i64>) {
        self.options.series_max = series_max;
        self.latest = newest.unwrap_or(NO_SAMPLE).max(self.latest);
    }

    /// Counts commits and drops.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Counts what changes which series are listed here, or where a listed one has its samples.
    pub(crate) fn layout(&self) -> u64 {
        self.layout
    }

    /// Of these series those of which no sample is known and nobody asked the blocks.
    pub(crate) fn unknown(&self, ids: &[SeriesId]) -> Vec<(SeriesId, Labels)> {
        let is_unknown = |id: &&SeriesId| {
            self.newest(**id).is_none() && self.series(**id).is_some_and(|own| !own.is_looked_up)
        };
        let unknown = ids.iter().filter(is_unknown);
        unknown.filter_map(|id| Some((*id, self.series(*id)?.labels.clone()))).collect()
    }

    /// Of these series those whose newest sample is of that time and no longer here.
    pub(crate) fn flushed_at(&self, ids: &[SeriesId], timestamp: i64) -> Vec<(SeriesId, Labels)> {
        let is_gone = |series: &Series| self.cell(series, timestamp).is_absent();
        let newest = ids.iter().filter(|id| self.newest(**id) == Some(timestamp));
        let gone = newest.filter_map(|id| Some((*id, self.series(*id)?)));
        gone.filter(|(_, own)| is_gone(own)).map(|(id, own)| (id, own.labels.clone())).collect()
    }

    /// Takes note of what the blocks know of series.
    pub(crate) fn learn(&mut self, newest: &[(SeriesId, Option<i64>)]) {
        for (id, newest) in newest {
            let Some(series) = self.series.get_mut(id.0 as usize) else { continue };
            series.is_looked_up = true;
            let own = self.newest.of_mut(*id);
            *own = newest.unwrap_or(NO_SAMPLE).max(*own);
            self.latest = self.latest.max(*own);
        }
    }

    /// The times at which nothing was added, changed or removed after `generation`.
    pub(crate) fn unchanged_since(&self, generation: u64) -> TimeRange {
        self.changes.unchanged_since(generation)
    }

    /// Samples of blocks that are no older than `timestamp` were deleted.
    pub(crate) fn note_deleted_from(&mut self, timestamp: i64) {
        self.generation += 1;
        self.changes.changed_from(timestamp, self.generation);
    }

    /// Samples of blocks that are no newer than `timestamp` were dropped.
    pub(crate) fn note_dropped_up_to(&mut self, timestamp: i64) {
        self.generation += 1;
        self.changes.changed_up_to(timestamp, self.generation);
    }

    /// No number of a family is as large as this.
    pub(crate) fn family_numbers(&self) -> u32 {
        self.families.numbers()
    }

    /// The oldest timestamp that is shown.
    pub(crate) fn floor(&self) -> i64 {
        self.floor
    }

    /// Number of samples.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// A group, if the number is one and it is not forgotten.
    pub(crate) fn group(&self, group: GroupRef) -> Option<&Group> {
        self.groups.get(group)
    }

    /// The same for a writer, who may be going to add to it.
    pub(crate) fn named_group(&self, group: GroupRef) -> Option<&Group> {
        let group = self.group(group).filter(|own| own.age != Age::Closed)?;
        group.idle.end();
        Some(group)
    }

    /// Time of a series' newest sample.
    pub(crate) fn newest(&self, id: SeriesId) -> Option<i64> {
        self.newest.get(id.0 as usize).copied().filter(|newest| *newest != NO_SAMPLE)
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.by_target.len()
    }

    /// No group has a number as large as this.
    pub(crate) fn group_numbers(&self) -> u32 {
        self.groups.numbers() as u32
    }

    /// A series, if the number is one.
    pub(crate) fn series(&self, id: SeriesId) -> Option<&Series> {
        self.series.get(id.0 as usize)
    }

    /// The metadata of all families.
    pub(crate) fn family_metadata(&self) -> &BTreeMap<String, Metadata> {
        &self.metadata
    }

    /// The exemplars that are kept, oldest first.
    pub(crate) fn exemplars(&self) -> impl Iterator<Item = &(Labels, Exemplar)> {
        self.exemplars.iter()
    }

    /// Numbers of the series that satisfy all matchers and may have samples in the range.
    pub(crate) fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> RoaringBitmap {
        let mut found = self.postings.resolve(matchers);
        let (start, end) = (range.start.ms().max(self.floor), range.end.ms());
        let outside = |id: &u32| *self.newest.of(*id) < start || end < *self.oldest.of(*id);
        let outside: RoaringBitmap = found.iter().filter(outside).collect();
        found -= outside;
        found
    }

    /// The label index.
    pub(crate) fn postings(&self) -> &Postings {
        &self.postings
    }

    /// First and last time of the samples here, if there are any.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        let times = self.oldest.iter().zip(&self.newest);
        let listed = times.filter(|(oldest, _)| **oldest != NO_SAMPLE);
        let ranges = listed.map(|(oldest, newest)| (*oldest, *newest));
        let (oldest, newest) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some((oldest.max(self.floor), newest))
    }

    /// Number of series that have samples here.
    pub(crate) fn listed_series(&self) -> u64 {
        self.postings.len()
    }

    /// Bytes of timestamps and cells, about; labels and index are not counted.
    pub(crate) fn cell_bytes(&self) -> usize {
        let groups: usize = self.groups.iter().map(|(_, group)| group.windows.heap_bytes()).sum();
        let loose = self.series.iter().filter_map(|series| series.loose.as_ref());
        groups + loose.map(|loose| loose.heap_bytes()).sum::<usize>()
    }

    /// Runs of cells of one series that are compressed together. Looks at every window.
    pub(crate) fn chunks(&self) -> u64 {
        let groups: usize = self.groups.iter().map(|(_, group)| group.windows.chunks()).sum();
        let loose = self.loose.iter().filter_map(|id| self.series(*id)?.loose.as_ref());
        (groups + loose.map(|loose| loose.chunks()).sum::<usize>()) as u64
    }

    /// A series' cell at a time, absent where there is none.
    fn cell(&self, series: &Series, timestamp: i64) -> StoredCell {
        let of_place = |place: Place| match self.group(place.group) {
            Some(group) => group.windows.cell(place.column.0 as usize, timestamp),
            None => StoredCell::ABSENT,
        };
        let loose = series.loose.iter().map(|loose| loose.cell(timestamp));
        let mut cells = series.places().map(of_place).chain(loose);
        cells.find(|cell| !cell.is_absent()).unwrap_or(StoredCell::ABSENT)
    }

    /// The samples of a series from `start` to `end` (both included) in one of its columns that
    /// the blocks up to `flush` do not have, in order of time.
    pub(crate) fn column_cells(
        &self,
        place: Place,
        start: i64,
        end: i64,
        flush: u64,
    ) -> impl Iterator<Item = (i64, StoredCell)> + '_ {
        let windows = self.group(place.group).map(|group| &group.windows);
        windows.into_iter().flat_map(move |windows| {
            let start = start.max(windows.visible_from(flush));
            windows.cells(place.column.0 as usize, start, end)
        })
    }
}

impl Catalog for Head {
    fn target(&self, group: GroupRef) -> &Labels {
        &self.groups.of(group).target
    }

    fn column(&self, group: GroupRef, column: ColumnRef) -> (&str, &Labels) {
        let series = self.series.of(*self.groups.of(group).columns.of(column));
        (self.families.name(series.family), &series.labels)
    }

    fn labels(&self, series: SeriesId) -> &Labels {
        &self.series.of(series).labels
    }

    fn metadata(&self) -> &BTreeMap<String, Metadata> {
        &self.metadata
    }
}
