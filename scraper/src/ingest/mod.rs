//! From a page to a row: the part of a scrape that needs no network.
//!
//! An [`Ingest`] belongs to one target. [`Ingest::page`] works in two steps:
//!
//! 1. **Read** the whole page. Every line is matched with a series that is known by its text
//!    (`series`); a new one is decoded, relabelled and kept aside. A page that cannot be read
//!    to its end changes nothing.
//! 2. **Store**: new series are registered as columns by family, the row is filled in the page's
//!    order (of samples for one series the first one counts), series that were on the page
//!    before and are not on this one get the staleness marker, and the row is appended. Samples
//!    with a timestamp of their own go in beside it.
//!
//! If the scrape failed, [`Ingest::lose`] marks everything stale instead. [`Ingest::report`]
//! adds `up` and its companions to the same row. The caller commits; if that fails it calls
//! [`Ingest::forget`], since column numbers of an appender that was dropped are worth nothing.
//!
//! Each step asks the store for the target's group anew: one that got no row for long is forgotten
//! there, and has another number then. The columns go with it, and the page defines them again.

mod family;
mod overlay;
mod read;
mod report;
mod row;
mod series;
mod store;

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Append, Cell, ColumnRef, GroupRef, Rejected};

pub use report::Report;

use crate::job::Job;
use crate::parse::{ContentTypeError, Format, ParseError};
use crate::target::FamilyMetadata;
use family::Families;
use read::Reading;
use row::Row;
use series::{Fate, SeriesCache};

/// What was on a page and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples on the page.
    pub scraped: usize,
    /// Those that metric relabelling left, repeated ones included.
    pub after_relabel: usize,
    /// Series that were not on the page before.
    pub added: usize,
    /// Samples of a series that had one on this page already; they are dropped.
    pub repeated: usize,
    /// Samples that the store refused, being out of order, too old or contradicting.
    pub refused: usize,
    /// Series that ended: they were on the page before and are not on this one.
    pub ended: usize,
}

/// Why a page is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IngestError {
    /// Its format is not known.
    #[error(transparent)]
    Format(#[from] ContentTypeError),
    /// It cannot be read.
    #[error(transparent)]
    Page(#[from] ParseError),
    /// A series' labels are impossible; the text says why.
    #[error("{0}")]
    Labels(String),
    /// The store refuses it as a whole.
    #[error(transparent)]
    Store(#[from] Rejected),
}

/// Everything that is remembered of one target from page to page.
#[derive(Debug)]
pub struct Ingest {
    target: Labels,
    job: Arc<Job>,
    group: Option<GroupRef>,
    report: Option<Vec<ColumnRef>>,
    series: SeriesCache,
    families: Families,
    row: Row,
    /// Whole label sets of series that needed them: own timestamps, exemplars.
    labels: HashMap<u32, Labels>,
    /// Number of the last stored page.
    page: u64,
    /// The format of the page before.
    format: Option<Format>,
    /// What was read of the page at hand; empty between pages.
    reading: Reading,
}

/// What there was before a page, to go back to.
struct Before {
    series: usize,
    columns: usize,
}

impl Ingest {
    /// For the target with these labels, by the rules of its job.
    pub fn new(target: Labels, job: Arc<Job>) -> Self {
        Self {
            target,
            job,
            group: None,
            report: None,
            series: SeriesCache::default(),
            families: Families::default(),
            row: Row::default(),
            labels: HashMap::new(),
            page: 0,
            format: None,
            reading: Reading::default(),
        }
    }

    /// Stores the page `body`, scraped at `at`. An empty page has no format and no series.
    ///
    /// After an error nothing of the page is remembered, and what was appended must be dropped.
    /// After success it must be committed; if that fails, call [`Ingest::forget`].
    pub fn page(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<Counts, IngestError> {
        let group = self.group(append);
        let (series, columns) = (self.series.len(), self.row.columns().len());
        let before = Before { series, columns };
        let read = if body.is_empty() { Ok(()) } else { self.read(body, content_type) };
        let stored = read.and_then(|()| self.store(group?, at, append));
        if stored.is_err() {
            self.go_back(&before);
        }
        self.reading.clear();
        stored
    }

    /// The scrape at `at` failed: the series of the last page end there.
    pub fn lose(&mut self, at: Timestamp, append: &mut dyn Append) -> Result<(), Rejected> {
        let group = self.group(append)?;
        if self.row.finish() > 0 {
            append.row(group, at, self.row.columns(), self.row.cells())?;
        }
        self.row.settle();
        Ok(())
    }

    /// Writes what is told about the scrape at `at`.
    pub fn report(
        &mut self,
        report: &Report,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        self.report_cells(&report.cells(), at, append)
    }

    /// The target is gone: all its series end at `at`, the report's too (if there are any).
    pub fn end(&mut self, at: Timestamp, append: &mut dyn Append) -> Result<(), Rejected> {
        if self.report.is_none() {
            return Ok(());
        }
        self.lose(at, append)?;
        self.report_cells(&[Cell::STALE; report::SERIES], at, append)
    }

    /// Forgets everything that the store gave out, as after a commit that failed.
    pub fn forget(&mut self) {
        self.group = None;
        self.report = None;
        self.series = SeriesCache::default();
        self.row = Row::default();
        self.labels.clear();
        self.families.forget_telling();
    }

    /// What the target says about its metrics, by name, if that changed since the last call.
    pub fn take_family_changes(&mut self) -> Option<Vec<FamilyMetadata>> {
        self.families.take_changes()
    }

    /// The target's group, which this appender keeps. If the store forgot the one before, so does
    /// this.
    fn group(&mut self, append: &mut dyn Append) -> Result<GroupRef, Rejected> {
        let group = append.group(&self.target)?;
        if self.group.is_some_and(|before| before != group) {
            self.forget();
        }
        Ok(*self.group.insert(group))
    }

    fn report_cells(
        &mut self,
        cells: &[Cell<'_>],
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let group = self.group(append)?;
        let columns = match self.report.take() {
            Some(columns) => columns,
            None => append.columns(group, &report::families())?,
        };
        // Refused cells are no news: another scraper of these labels was there first.
        append.row(group, at, &columns, cells)?;
        self.report = Some(columns);
        Ok(())
    }

    /// Forgets what a page brought that is not stored.
    fn go_back(&mut self, before: &Before) {
        for series in self.reading.fresh_series() {
            self.series.get_mut(series).fate = Fate::Undecided;
        }
        self.labels.retain(|series, _| (*series as usize) < before.series);
        self.series.truncate(before.series);
        self.row.abandon(before.columns);
        self.families.forget_telling();
    }
}
