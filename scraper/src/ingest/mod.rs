//! From a page to a row: the part of a scrape that needs no network.
//!
//! An [`Ingest`] belongs to one target. [`Ingest::scrape`] works in two steps:
//!
//! 1. **Read** the whole page (`read`). It is compared with the page before (`layout`, `part`);
//!    what is new on it is decoded, relabelled and kept aside (`resolve`). A page that cannot be
//!    read to its end, or breaks a limit, changes nothing.
//! 2. **Store** (`store`): new series are registered as columns by family, the row is filled (of
//!    samples for one series the first one counts), series that were on the page before and are
//!    not on this one get the staleness marker, `up` and its companions (`report`) are added, and
//!    the row is appended. Samples with a timestamp of their own go in beside it.
//!
//! If the scrape failed, [`Ingest::lose`] marks everything stale instead, and [`Ingest::report`]
//! tells of it. The caller commits; if that fails it calls [`Ingest::forget`], since column
//! numbers of an appender that was dropped are worth nothing.
//!
//! Each step asks the store for the target's group anew: one that got no row for long is forgotten
//! there, and has another number then; what lived is defined there again (`carry`).

mod carry;
mod family;
mod held_once;
mod histogram;
mod layout;
mod lines;
mod overlay;
mod part;
mod protobuf;
mod read;
mod reading;
mod report;
mod resolve;
mod row;
mod started;
mod store;
mod together;
mod zeros;

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Append, Cell, CellValue, ColumnRef, GroupRef, Rejected};

pub use report::Report;

use crate::job::Job;
use crate::parse::{ContentTypeError, Format, PageFormat, ParseError, ProtobufError, format_of};
use crate::target::FamilyMetadata;
use carry::Former;
use family::Families;
use layout::{Fate, Layout};
use reading::Reading;
use row::Row;

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
    /// It has more samples than the job allows.
    #[error("sample limit exceeded")]
    SampleLimit,
    /// It has a native histogram with more buckets than the job allows, and no coarser one does.
    #[error("histogram bucket limit exceeded")]
    BucketLimit,
    /// It cannot be read.
    #[error(transparent)]
    Protobuf(#[from] ProtobufError),
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
    /// What to go back to if the page at hand, the first in its group, is not stored.
    former: Option<Former>,
    /// The report's columns first, then those of the pages.
    row: Row,
    layout: Layout,
    families: Families,
    /// Whole label sets of columns that needed them (own timestamps, exemplars), by place.
    labels: HashMap<u32, Labels>,
    /// The series on the last page that have timestamps of their own.
    loose: Vec<Loose>,
    /// The starts at which zeros were appended, by column.
    told: HashMap<ColumnRef, Timestamp>,
    /// Number of the last page that was read to its end.
    page: u64,
    /// What was on the last page, also if it failed.
    counted: Counts,
}

/// A series that has timestamps of its own.
#[derive(Debug)]
struct Loose {
    labels: Labels,
    /// The number of the last page with this series, 0 if there was none.
    seen: u64,
    /// Whether the last page had it, so that its end has to be told.
    live: bool,
}

/// What there was before a page, to go back to.
struct Before {
    columns: usize,
    loose: usize,
}

impl Ingest {
    /// For the target with these labels, by the rules of its job.
    pub fn new(target: Labels, job: Arc<Job>) -> Self {
        Self {
            target,
            job,
            group: None,
            former: None,
            row: Row::default(),
            layout: Layout::default(),
            families: Families::default(),
            labels: HashMap::new(),
            loose: Vec::new(),
            told: HashMap::new(),
            page: 0,
            counted: Counts::default(),
        }
    }

    /// Stores the page `body`, scraped at `at`, and with it what `report` makes of its counts. An
    /// empty page has no format and no series.
    ///
    /// After an error nothing of the page is remembered, and what was appended must be dropped.
    /// After success it must be committed; if that fails, call [`Ingest::forget`].
    pub fn scrape(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
        at: Timestamp,
        append: &mut dyn Append,
        report: impl FnOnce(Counts) -> Option<Report>,
    ) -> Result<Counts, IngestError> {
        self.former = None;
        let group = self.group(append);
        let before = Before { columns: self.row.len(), loose: self.loose.len() };
        let mut reading = Reading::new(before.columns);
        let read = self.read_page(body, content_type, &mut reading);
        let stored = read.and_then(|()| {
            let group = group?;
            self.store(group, &mut reading, at, append)?;
            let report = report(reading.counts).map(|report| report.cells(&self.job));
            self.append_row(group, &report.unwrap_or_default(), at, &mut reading, append)?;
            Ok(())
        });
        self.counted = reading.counts;
        match stored {
            Ok(()) => self.settle(reading),
            Err(_) => self.go_back(&before),
        }
        stored.map(|()| self.counted)
    }

    /// Like [`Ingest::scrape`], without a report.
    pub fn page(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<Counts, IngestError> {
        self.scrape(body, content_type, at, append, |_| None)
    }

    /// What was on the last page, as far as it was read.
    pub fn counted(&self) -> Counts {
        self.counted
    }

    /// The scrape at `at` failed: the series of the last page end there.
    pub fn lose(&mut self, at: Timestamp, append: &mut dyn Append) -> Result<(), Rejected> {
        let group = self.group(append)?;
        let mut cells = vec![Cell::ABSENT; self.row.len()];
        if self.row.finish(&mut cells) > 0 {
            append.row(group, at, self.row.columns(), &cells)?;
        }
        self.row.end();
        let mut nothing = Reading::default();
        self.page += 1;
        self.end_loose(at, &mut nothing, append)
    }

    /// The target is gone: all its series end at `at`, the report's too (if there are any).
    pub fn end(&mut self, at: Timestamp, append: &mut dyn Append) -> Result<(), Rejected> {
        if self.row.len() == 0 {
            return Ok(());
        }
        self.lose(at, append)?;
        self.report_cells(&vec![Cell::STALE; self.report_series()], at, append)
    }

    /// Forgets everything that the store gave out, as after a commit that failed.
    pub fn forget(&mut self) {
        self.group = None;
        self.former = None;
        self.row = Row::default();
        self.layout = Layout::default();
        self.labels.clear();
        self.loose.clear();
        self.told.clear();
        self.families.forget_telling();
    }

    /// What the target says about its metrics, by name, if that changed since the last call.
    pub fn take_family_changes(&mut self) -> Option<Vec<Arc<FamilyMetadata>>> {
        self.families.take_changes()
    }

    fn read_page(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        if body.is_empty() {
            return Ok(());
        }
        match format_of(content_type, self.job.fallback)? {
            PageFormat::Lines(format) if self.belong_together(format) => {
                self.read_together(body, format, reading)
            }
            PageFormat::Lines(format) => self.read(body, format, reading),
            PageFormat::Protobuf => self.read_protobuf(body, reading),
        }
    }

    /// Whether lines of pages have to be looked at together.
    fn belong_together(&self, format: Format) -> bool {
        let has_starts = self.job.reads_starts() && format == Format::OpenMetrics;
        self.job.histograms.to_custom || has_starts
    }

    /// The target's group, which this appender keeps. If it is not the one before, what lived there
    /// is carried over.
    fn group(&mut self, append: &mut dyn Append) -> Result<GroupRef, Rejected> {
        let group = append.group(&self.target)?;
        if let Some(before) = self.group.filter(|before| *before != group) {
            self.told.clear();
            match self.carry(before, group, append) {
                Ok(()) => {}
                Err(IngestError::Store(refused)) => return Err(refused),
                // What a series was called then is refused now: nothing of it can be told.
                Err(_) => self.forget(),
            }
        }
        Ok(*self.group.insert(group))
    }

    /// Appends the row with the report's cells, which come first.
    fn append_row(
        &mut self,
        group: GroupRef,
        report: &[Cell<'static>],
        at: Timestamp,
        reading: &mut Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        for (cell, value) in reading.cells.iter_mut().zip(report) {
            // A series of that name on the page was there first.
            if *cell == Cell::ABSENT {
                *cell = *value;
            }
        }
        let starts: Vec<(u32, Timestamp)> = self.starts(at, reading);
        if self.job.start_zeros {
            self.append_zeros(group, &starts, at, reading, append)?;
        }
        for (place, start) in starts.into_iter().filter(|_| self.job.start_timestamps) {
            if let Some(cell) = reading.cells.get_mut(place as usize) {
                cell.start = Some(start);
            }
        }
        let mut cells: Vec<Cell<'_>> = Vec::new();
        if !reading.histogram_cells.is_empty() {
            cells.extend_from_slice(&reading.cells);
            for (place, number) in &reading.histogram_cells {
                let value = CellValue::Histogram(&reading.histograms[*number]);
                cells[*place as usize].value = value;
            }
        }
        let cells = if cells.is_empty() { &reading.cells } else { &cells };
        let row = append.row(group, at, self.row.columns(), cells)?;
        reading.counts.refused += row.rejected();
        Ok(())
    }

    /// When what stands at some places of the row has started.
    fn starts(&self, at: Timestamp, reading: &mut Reading) -> Vec<(u32, Timestamp)> {
        let starts = std::mem::take(&mut reading.starts).into_iter();
        // One in the future is a clock that is wrong.
        let starts = starts.filter(|(_, start)| *start <= at);
        let placed = starts.filter_map(|(line, start)| match self.fate(line, reading) {
            Fate::Column(place) => Some((place, start)),
            _ => None,
        });
        placed.collect()
    }

    /// Forgets what a page brought that is not stored.
    fn go_back(&mut self, before: &Before) {
        self.told.clear();
        if let Some(former) = self.former.take() {
            self.go_back_to(former);
        } else {
            self.row.abandon(before.columns);
            self.labels.retain(|place, _| (*place as usize) < before.columns);
        }
        self.loose.truncate(before.loose);
        self.families.forget_telling();
    }
}
