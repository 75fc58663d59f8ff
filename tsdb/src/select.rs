//! The port through which samples go out.
//!
//! 1. [`Select::resolve`] turns matchers into a [`Selection`]: the label sets, once, with what
//!    is known about each series without reading it.
//! 2. [`Select::read`] streams the samples in batches of bounded size. A batch has one slice of
//!    timestamps that its columns share, and one slice of values for each column.
//!
//! Each label set is there once, even if its samples lie in several places. A column's batches
//! come in order of time; a query sees a whole row or none of it.

use std::any::Any;
use std::sync::Arc;

use crate::error::Error;
use crate::model::{Histogram, Labels, Matcher, TimeRange, Timestamp};

/// Decoded bytes that a batch holds at most, about (one column of one window is never split
/// below this many rows' worth).
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// Counts what was written; a result computed at one generation is valid while it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// Numbers a metric family (name, labels, buckets) within a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyId(pub u32);

/// What is known about a series in the range without reading it. May be ignored: the result has
/// to be the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hints {
    /// Samples in the range at most, if known.
    pub samples_max: Option<usize>,
    /// All samples of the range are this float.
    pub constant: Option<f64>,
    /// The values never go down.
    pub no_reset: bool,
}

/// One series of a selection.
#[derive(Clone, Debug)]
pub struct SelectedSeries {
    /// Its whole label set.
    pub labels: Labels,
    /// The family it belongs to.
    pub family: FamilyId,
    /// The upper bound that its `le` label names, if that is a number.
    pub le: Option<f64>,
    /// What is known about it.
    pub hints: Hints,
}

/// What a set of matchers stands for at one moment.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The series in label order; batches name them by their index here.
    pub series: Vec<SelectedSeries>,
    /// When this was resolved.
    pub generation: Generation,
    /// How the store finds the series again: one number for each, its own business.
    pub(crate) places: Vec<u32>,
    /// A number for each: those with neighbouring ones are stored together. Or none at all.
    pub(crate) ranks: Vec<u32>,
    /// What the places are: the store's own business. It keeps what was there at the time.
    pub(crate) located: Option<Arc<dyn Any + Send + Sync>>,
}

impl Selection {
    /// A selection that another implementation of [`Select`] made; `places[i]` belongs to
    /// `series[i]` and means something to that implementation alone.
    pub fn new(series: Vec<SelectedSeries>, places: Vec<u32>, generation: Generation) -> Self {
        assert_eq!(series.len(), places.len(), "BUG: a place for each series");
        Self { series, generation, places, ranks: Vec::new(), located: None }
    }

    /// Some of the series, as a selection of the same moment: reading a large selection part by
    /// part bounds what is held at a time. Indexes that the selection does not have are left out.
    pub fn pick(&self, indexes: &[usize]) -> Self {
        let of = |list: &[u32]| indexes.iter().filter_map(|at| list.get(*at)).copied().collect();
        Self {
            series: indexes.iter().filter_map(|at| self.series.get(*at)).cloned().collect(),
            generation: self.generation,
            places: of(&self.places),
            ranks: of(&self.ranks),
            located: self.located.clone(),
        }
    }

    /// The indexes of all series in the order in which they are read with the least work: what is
    /// stored together is decoded together.
    pub fn read_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.series.len()).collect();
        if self.ranks.len() == order.len() {
            order.sort_unstable_by_key(|at| self.ranks.get(*at));
        }
        order
    }

    /// The store's number of series `index`.
    pub fn place(&self, index: usize) -> Option<u32> {
        self.places.get(index).copied()
    }
}

/// A set of rows as bits: bit `i % 64` of word `i / 64` stands for row `i`.
#[derive(Clone, Copy, Debug)]
pub struct RowBits<'a>(pub &'a [u64]);

impl RowBits<'_> {
    /// Whether row `row` is in the set.
    pub fn contains(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

/// The values of a column, one for each timestamp of the batch.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Floats only. A stale cell holds the staleness marker's bits, an absent one anything.
    Floats(&'a [f64]),
    /// Histograms where there are some (a stale or float cell has none), and floats elsewhere.
    Mixed(&'a [f64], &'a [Option<Arc<Histogram>>]),
}

/// One series' part of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchColumn<'a> {
    /// Index into [`Selection::series`].
    pub series: usize,
    /// As many values as the batch has timestamps.
    pub values: Values<'a>,
    /// Rows that have a cell; `None` if all have.
    pub present: Option<RowBits<'a>>,
    /// Rows whose cell is the staleness marker; `None` if there are none.
    pub stale: Option<RowBits<'a>>,
    /// Start timestamps in milliseconds, `i64::MIN` for none; `None` if no cell has one.
    pub starts: Option<&'a [i64]>,
    /// Whether it is known to have the cells of the column before it in the batch (nobody was
    /// slower than `le="5"`), all of them floats. May be ignored.
    pub repeats: bool,
}

/// Rows that share their timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Milliseconds since the epoch, strictly rising.
    pub timestamps: &'a [i64],
    /// The columns, each series at most once.
    pub columns: &'a [BatchColumn<'a>],
}

/// A stream of batches.
pub trait Batches {
    /// Calls `sink` with the next batch; `false` if there is none left. The batch is lent for
    /// the call alone, so that its buffers can be used again.
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error>;
}

/// Finds and reads series.
pub trait Select: Send + Sync {
    /// The series that satisfy all matchers and may have samples in the range (both ends
    /// included).
    fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error>;

    /// The samples of the selection in the range.
    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error>;

    /// As [`Select::read`], for those who only look at the newest sample of each series: that one
    /// comes last of its series, the others may be left out.
    fn read_newest<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        self.read(selection, range)
    }

    /// The label names of the series that satisfy all of at least one of the `matchers` sets
    /// (all series if there is none), sorted, at most `limit` of them.
    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error>;

    /// The values of label `name`, chosen and sorted as in [`Select::label_names`].
    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error>;

    /// The label sets of the series that satisfy all of at least one of the `matchers` sets, in
    /// label order, at most `limit` of them.
    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, Error>;

    /// The generation now: changes whenever a query could see something new or lose something.
    fn generation(&self) -> Generation;

    /// The times (both ends included) at which no query can see anything now that it could not see
    /// at `generation`, nor the other way round: what was seen there is still right. `None` if
    /// there are none, or nothing is known. It may say less than is true, never more.
    ///
    /// Whoever keeps a result takes [`Select::generation`] before the first [`Select::resolve`]:
    /// what is committed in between is seen already, and counts as a change all the same.
    fn unchanged_since(&self, generation: Generation) -> Option<TimeRange> {
        (generation == self.generation()).then_some(TimeRange::ALL)
    }
}

/// The first instant of a timestamp's batch as a [`Timestamp`].
impl Batch<'_> {
    /// When the first row was taken, if there is a row.
    pub fn start(&self) -> Option<Timestamp> {
        self.timestamps.first().copied().map(Timestamp::from_ms)
    }
}
