//! The series that the scraper writes about a target itself. They live in the target's row and
//! have real values also when the scrape failed.

use tsdb::model::{METRIC_NAME, Metadata, MetricType};
use tsdb::{Cell, FamilyColumns};

use super::Counts;

/// What is told about a scrape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Whether it went well.
    pub up: bool,
    /// How long it took.
    pub duration_seconds: f64,
    /// What was on the page; all zero if the scrape failed before it was read.
    pub counts: Counts,
}

/// Number of series.
pub(super) const SERIES: usize = 5;

/// Names and help texts; the names are Prometheus's.
const NAMES: [(&str, &str, &str); SERIES] = [
    ("up", "", "1 if the last scrape of the target went well, 0 if not."),
    ("scrape_duration_seconds", "seconds", "How long the last scrape took."),
    ("scrape_samples_scraped", "", "Samples on the page."),
    (
        "scrape_samples_post_metric_relabeling",
        "",
        "Samples on the page that metric relabelling left.",
    ),
    ("scrape_series_added", "", "Series on the page that were not on the one before."),
];

/// The families as the store wants them, one column each.
pub(super) fn families() -> Vec<FamilyColumns> {
    let family = |(name, unit, help): (&str, &str, &str)| FamilyColumns {
        name: name.to_owned(),
        metadata: Metadata { kind: MetricType::Gauge, unit: unit.into(), help: help.into() },
        columns: vec![vec![(METRIC_NAME.to_owned(), name.to_owned())]],
    };
    NAMES.map(family).into()
}

impl Report {
    /// The cells of [`families`].
    pub(super) fn cells(&self) -> [Cell<'static>; SERIES] {
        let Counts { scraped, after_relabel, added, .. } = self.counts;
        let up = if self.up { 1.0 } else { 0.0 };
        let counts = [scraped, after_relabel, added].map(|count| count as f64);
        [up, self.duration_seconds, counts[0], counts[1], counts[2]].map(Cell::float)
    }
}
