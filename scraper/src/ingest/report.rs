//! The series that the scraper writes about a target itself. They live in the target's row and
//! have real values also when the scrape failed.

use tsdb::model::{METRIC_NAME, Metadata, MetricType, Timestamp};
use tsdb::{Append, Cell, FamilyColumns, GroupRef, Rejected};

use super::{Counts, Ingest};
use crate::job::Job;

/// What is told about a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Whether it went well.
    pub up: bool,
    /// How long it took.
    pub duration_seconds: f64,
    /// What was on the page; all zero if the scrape failed before it was read.
    pub counts: Counts,
    /// Bytes of the page, decompressed; −1 if there were too many.
    pub body_bytes: i64,
}

/// Names, units and help texts of a job's series; the names are Prometheus's.
fn names(job: &Job) -> &'static [(&'static str, &'static str, &'static str)] {
    const NAMES: [(&str, &str, &str); 8] = [
        ("up", "", "1 if the last scrape of the target went well, 0 if not."),
        ("scrape_duration_seconds", "seconds", "How long the last scrape took."),
        ("scrape_samples_scraped", "", "Samples on the page."),
        (
            "scrape_samples_post_metric_relabeling",
            "",
            "Samples on the page that metric relabelling left.",
        ),
        ("scrape_series_added", "", "Series on the page that were not on the one before."),
        ("scrape_timeout_seconds", "seconds", "After what time a scrape of the target fails."),
        ("scrape_sample_limit", "", "Most samples that a page may have, 0 if there is no limit."),
        (
            "scrape_body_size_bytes",
            "bytes",
            "Size of the page, decompressed; -1 if it was over the limit.",
        ),
    ];
    if job.extra_metrics { &NAMES } else { &NAMES[..5] }
}

/// Number of series.
pub(super) fn series(job: &Job) -> usize {
    names(job).len()
}

/// The families as the store wants them, one column each.
pub(super) fn families(job: &Job) -> Vec<FamilyColumns> {
    let family = |(name, unit, help): &(&str, &str, &str)| FamilyColumns {
        name: (*name).to_owned(),
        metadata: Metadata {
            kind: MetricType::Gauge,
            unit: (*unit).to_owned(),
            help: (*help).to_owned(),
        },
        columns: vec![vec![(METRIC_NAME.to_owned(), (*name).to_owned())]],
    };
    names(job).iter().map(family).collect()
}

impl Report {
    /// The cells of [`families`].
    pub(super) fn cells(&self, job: &Job) -> Vec<Cell<'static>> {
        let Counts { scraped, after_relabel, added, .. } = self.counts;
        let values = [
            if self.up { 1.0 } else { 0.0 },
            self.duration_seconds,
            scraped as f64,
            after_relabel as f64,
            added as f64,
            job.timeout_ms as f64 / 1000.0,
            job.limits.samples.unwrap_or_default() as f64,
            self.body_bytes as f64,
        ];
        values.into_iter().take(series(job)).map(Cell::float).collect()
    }
}

impl Ingest {
    /// Writes what is told about the scrape at `at`.
    pub fn report(
        &mut self,
        report: &Report,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        self.report_cells(&report.cells(&self.job), at, append)
    }

    /// Sees to it that the report's columns are there; they are the first ones.
    pub(super) fn prepare(
        &mut self,
        group: GroupRef,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        if self.row.len() == 0 {
            for column in append.columns(group, &families(&self.job))? {
                self.row.place(column);
            }
        }
        Ok(())
    }

    /// Number of series of the report.
    pub(super) fn report_series(&self) -> usize {
        series(&self.job)
    }

    pub(super) fn report_cells(
        &mut self,
        cells: &[Cell<'_>],
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let group = self.group(append)?;
        self.prepare(group, append)?;
        // Refused cells are no news: another scraper of these labels was there first.
        append.row(group, at, &self.row.columns()[..cells.len()], cells)?;
        Ok(())
    }
}
