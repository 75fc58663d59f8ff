//! The head: everything that is in memory, which today is every sample there is.
//!
//! - [`series`]: label sets, their numbers and places · [`define`]: making groups and columns
//! - [`check`]: which cells of a commit may be stored · [`apply`]: storing them
//! - [`seal`]: compressing what is full · [`retain`]: dropping what is old · [`batch`]: copying out
//!
//! Invariants: a label set is one series; the samples of a series are strictly rising in time
//! over all its places; a series stands in the index exactly while it has samples. The head knows
//! neither log nor disk.

mod apply;
mod batch;
mod check;
mod define;
mod retain;
mod seal;
mod series;

use std::collections::{BTreeMap, HashMap, VecDeque};

use hashbrown::{DefaultHashBuilder, HashTable};
use roaring::RoaringBitmap;

pub(crate) use batch::BatchBuffer;
pub(crate) use check::Check;
pub(crate) use series::{Place, Series};

use crate::append::{ColumnRef, GroupRef};
use crate::cell::StoredCell;
use crate::commit::{Catalog, SeriesId};
use crate::group::Group;
use crate::model::{Exemplar, Labels, Matcher, Metadata, TimeRange};
use crate::options::Options;
use crate::postings::Postings;

/// Stands for the time of a sample that is not there; no sample can have it.
const NO_SAMPLE: i64 = i64::MIN;

/// All that is in memory.
#[derive(Debug)]
pub(crate) struct Head {
    options: Options,
    series: Vec<Series>,
    /// Time of each series' newest sample; [`NO_SAMPLE`] if it has none.
    newest: Vec<i64>,
    by_labels: HashTable<SeriesId>,
    hasher: DefaultHashBuilder,
    groups: Vec<Group>,
    by_target: HashMap<Labels, GroupRef>,
    families: Vec<String>,
    by_family: HashMap<String, u32>,
    postings: Postings,
    metadata: BTreeMap<String, Metadata>,
    exemplars: VecDeque<(Labels, Exemplar)>,
    /// Nothing older is shown or taken any more.
    floor: i64,
    samples: u64,
    /// Series that had samples and have none left.
    retired: usize,
    generation: u64,
}

impl Head {
    /// An empty head.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            series: Vec::new(),
            newest: Vec::new(),
            by_labels: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            groups: Vec::new(),
            by_target: HashMap::new(),
            families: Vec::new(),
            by_family: HashMap::new(),
            postings: Postings::default(),
            metadata: BTreeMap::new(),
            exemplars: VecDeque::new(),
            floor: NO_SAMPLE + 1,
            samples: 0,
            retired: 0,
            generation: 0,
        }
    }

    /// Changes how many series are allowed.
    pub(crate) fn set_series_max(&mut self, series_max: usize) {
        self.options.series_max = series_max;
    }

    /// Counts commits and drops.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The oldest timestamp that is shown.
    pub(crate) fn floor(&self) -> i64 {
        self.floor
    }

    /// Number of samples.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// A group, if the number is one.
    pub(crate) fn group(&self, group: GroupRef) -> Option<&Group> {
        self.groups.get(group.0 as usize)
    }

    /// Time of a series' newest sample.
    pub(crate) fn newest(&self, id: SeriesId) -> Option<i64> {
        self.newest.get(id.0 as usize).copied().filter(|newest| *newest != NO_SAMPLE)
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
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
        let outside = |id: &u32| {
            let id = *id as usize;
            self.newest[id] < start || end < self.series[id].oldest
        };
        let outside: RoaringBitmap = found.iter().filter(outside).collect();
        found -= outside;
        found
    }

    /// The label index.
    pub(crate) fn postings(&self) -> &Postings {
        &self.postings
    }

    /// First and last time of all samples, if there are any.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        let newest = self.newest.iter().copied().max().filter(|newest| *newest != NO_SAMPLE)?;
        let series = self.series.iter().zip(&self.newest);
        let listed = series.filter(|(_, newest)| **newest != NO_SAMPLE);
        let oldest = listed.map(|(series, _)| series.oldest).min()?;
        Some((oldest.max(self.floor), newest))
    }

    /// Number of series that have samples.
    pub(crate) fn listed_series(&self) -> u64 {
        self.postings.len()
    }

    /// Bytes of timestamps and cells, about; labels and index are not counted.
    pub(crate) fn cell_bytes(&self) -> usize {
        let groups: usize = self.groups.iter().map(|group| group.windows.heap_bytes()).sum();
        let loose = self.series.iter().filter_map(|series| series.loose.as_ref());
        groups + loose.map(|loose| loose.heap_bytes()).sum::<usize>()
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

    /// A series' samples from `start` to `end` (both included), at most `limit` of the first ones
    /// from all its places, in order of time.
    pub(crate) fn merged_cells(
        &self,
        series: &Series,
        start: i64,
        end: i64,
        limit: usize,
    ) -> Vec<(i64, StoredCell)> {
        let mut cells = Vec::new();
        for place in series.places() {
            let windows = self.group(place.group).map(|group| &group.windows);
            let own = windows
                .into_iter()
                .flat_map(|windows| windows.cells(place.column.0 as usize, start, end));
            cells.extend(own.take(limit));
        }
        let loose = series.loose.iter().flat_map(|loose| loose.cells(start, end));
        cells.extend(loose.take(limit));
        cells.sort_by_key(|(timestamp, _)| *timestamp);
        cells.truncate(limit);
        cells
    }
}

impl Catalog for Head {
    fn target(&self, group: GroupRef) -> &Labels {
        &self.groups[group.0 as usize].target
    }

    fn column(&self, group: GroupRef, column: ColumnRef) -> (&str, &Labels) {
        let id = self.groups[group.0 as usize].columns[column.0 as usize];
        let series = &self.series[id.0 as usize];
        (&self.families[series.family as usize], &series.labels)
    }

    fn labels(&self, series: SeriesId) -> &Labels {
        &self.series[series.0 as usize].labels
    }

    fn metadata(&self) -> &BTreeMap<String, Metadata> {
        &self.metadata
    }
}
