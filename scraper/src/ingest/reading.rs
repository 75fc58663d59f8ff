//! What was read of a page, before any of it is stored.

use std::collections::{HashMap, HashSet};

use tsdb::model::{Histogram, Labels, Metadata, Timestamp};
use tsdb::{Cell, CellValue, FamilyColumns};

use super::layout::NewLayout;
use super::{Counts, IngestError};
use crate::parse::ExemplarText;

/// What was read of a page.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The row's cells, as far as they are known.
    pub(super) cells: Vec<Cell<'static>>,
    /// Samples for which there is no cell yet or that have timestamps of their own.
    pub(super) late: Vec<Late>,
    pub(super) exemplars: Vec<ReadExemplar>,
    pub(super) histograms: Vec<Histogram>,
    /// The places of cells that are histograms, and which.
    pub(super) histogram_cells: Vec<(u32, usize)>,
    /// When what some lines count has started.
    pub(super) starts: Vec<(usize, Timestamp)>,
    /// Whether a histogram has too many buckets.
    pub(super) is_over_buckets: bool,
    /// The new series by family, in the page's order: what to register, and for which lines.
    pub(super) fresh: Vec<(FamilyColumns, Vec<usize>)>,
    /// Where each family stands in `fresh`.
    fresh_by_name: HashMap<String, usize>,
    /// The labels of new series that have exemplars, by line.
    pub(super) fresh_labels: HashMap<usize, Labels>,
    /// The page's layout, if it is not that of the page before.
    pub(super) layout: Option<NewLayout>,
    pub(super) counts: Counts,
}

/// A sample that is stored at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// The line's number.
    pub(super) line: usize,
    pub(super) value: LateValue,
    /// Its own timestamp, if that counts.
    pub(super) timestamp: Option<Timestamp>,
    /// Whether the page before did not have the series.
    pub(super) is_new: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LateValue {
    Float(f64),
    /// One of [`Reading::histograms`].
    Histogram(usize),
}

#[derive(Debug)]
pub(super) struct ReadExemplar {
    /// The line's number.
    pub(super) line: usize,
    pub(super) labels: Labels,
    pub(super) value: f64,
    /// Its own timestamp or its sample's.
    pub(super) timestamp: Option<Timestamp>,
}

impl Reading {
    pub(super) fn new(columns: usize) -> Self {
        Self { cells: vec![Cell::ABSENT; columns], ..Self::default() }
    }

    /// Sets the cell at `place`, unless this page has set it already.
    pub(super) fn fill(&mut self, place: u32, value: f64) -> bool {
        let Some(cell) = self.cells.get_mut(place as usize) else { return false };
        let first = matches!(cell.value, CellValue::Absent);
        if first {
            *cell = Cell::float(value);
        }
        self.counts.repeated += usize::from(!first);
        first
    }

    pub(super) fn add_fresh(
        &mut self,
        line: usize,
        (family, metadata): (String, Metadata),
        own: Vec<(String, String)>,
    ) {
        let next = self.fresh.len();
        let at = match self.fresh.last() {
            Some((last, _)) if last.name == family => next - 1,
            _ => *self.fresh_by_name.entry(family.clone()).or_insert(next),
        };
        if at == next {
            let columns = FamilyColumns { name: family, metadata, columns: Vec::new() };
            self.fresh.push((columns, Vec::new()));
        }
        let (columns, lines) = &mut self.fresh[at];
        columns.columns.push(own);
        lines.push(line);
    }

    /// Fails a page with more than `limit` samples, those of one series counted once, and one with
    /// a histogram that is too large.
    pub(super) fn refuse_excess(&self, limit: Option<u64>) -> Result<(), IngestError> {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let samples = self.counts.after_relabel - self.counts.repeated;
        if samples > limit {
            let fresh = || self.fresh.iter().flat_map(|(family, _)| &family.columns);
            let repeated = fresh().count() - fresh().collect::<HashSet<_>>().len();
            if samples - repeated > limit {
                return Err(IngestError::SampleLimit);
            }
        }
        if self.is_over_buckets { Err(IngestError::BucketLimit) } else { Ok(()) }
    }

    pub(super) fn add_exemplar(
        &mut self,
        line: usize,
        exemplar: ExemplarText<'_>,
        timestamp: Option<Timestamp>,
    ) {
        self.exemplars.push(ReadExemplar {
            line,
            labels: Labels::from_pairs(exemplar.labels),
            value: exemplar.value,
            timestamp: exemplar.timestamp.or(timestamp),
        });
    }
}
