//! Storing a page that was read to its end.

use tsdb::model::{Exemplar, Timestamp};
use tsdb::{Append, Cell, GroupRef, Rejected};

use super::read::{ReadExemplar, ReadSample};
use super::series::Fate;
use super::{Counts, Ingest, IngestError};

/// Series that are remembered beyond twice the number on the last page, before those that are
/// gone are forgotten (Prometheus's number).
const SERIES_SPARE: usize = 1000;

/// How far a timestamp on a page may be ahead of the scrape (Prometheus's number). One far in
/// the future would make all later samples of its series out of order.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

impl Ingest {
    pub(super) fn store(
        &mut self,
        group: GroupRef,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<Counts, IngestError> {
        self.register(group, append)?;
        let scraped = self.reading.scraped;
        let after_relabel = self.reading.samples.len();
        let mut counts = Counts { scraped, after_relabel, ..Counts::default() };
        let latest = at.plus_ms(AHEAD_MAX_MS);
        for index in 0..after_relabel {
            self.place(self.reading.samples[index], latest, &mut counts, append)?;
        }
        counts.ended = self.row.finish();
        let report = append.row(group, at, self.row.columns(), self.row.cells())?;
        counts.refused += report.rejected();
        for exemplar in std::mem::take(&mut self.reading.exemplars) {
            self.exemplar(exemplar, at, &mut counts, append)?;
        }
        for (family, metadata) in self.families.untold() {
            append.metadata(family, metadata)?;
        }
        self.row.settle();
        self.families.end();
        self.page += 1;
        if self.series.len() > 2 * after_relabel + SERIES_SPARE {
            self.prune();
        }
        Ok(counts)
    }

    /// Makes columns of the new series.
    fn register(&mut self, group: GroupRef, append: &mut dyn Append) -> Result<(), Rejected> {
        if self.reading.fresh.is_empty() {
            return Ok(());
        }
        let fresh = std::mem::take(&mut self.reading.fresh);
        let (families, series): (Vec<_>, Vec<_>) = fresh.into_iter().unzip();
        let columns = append.columns(group, &families);
        // Kept for the way back, should the page fail after all.
        self.reading.fresh = families.into_iter().zip(series).collect();
        for (series, column) in self.reading.fresh_series().zip(columns?) {
            self.series.get_mut(series).fate = Fate::Column(self.row.place(column));
        }
        Ok(())
    }

    /// Puts a sample into the row or, with its own timestamp (`latest` at the most), beside it.
    fn place(
        &mut self,
        sample: ReadSample,
        latest: Timestamp,
        counts: &mut Counts,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let page = self.page + 1;
        let series = self.series.get_mut(sample.series);
        let new = series.seen < self.page || series.seen == 0;
        let fate = series.fate;
        series.seen = page;
        let stored = match (sample.timestamp, fate) {
            (None, Fate::Column(place)) => {
                let first = self.row.fill(place, sample.value);
                counts.repeated += usize::from(!first);
                first
            }
            (None, _) => false,
            (Some(timestamp), _) if timestamp > latest => {
                counts.refused += 1;
                false
            }
            (Some(timestamp), _) => {
                let labels = self.labels.get(&sample.series).cloned().unwrap_or_default();
                let cell = Cell::float(sample.value);
                tolerate(append.sample(&labels, timestamp, cell), counts)?
            }
        };
        counts.added += usize::from(new && stored);
        Ok(())
    }

    fn exemplar(
        &mut self,
        read: ReadExemplar,
        at: Timestamp,
        counts: &mut Counts,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let Some(labels) = self.labels.get(&read.series) else { return Ok(()) };
        let timestamp = read.timestamp.unwrap_or(at);
        let exemplar = Exemplar { labels: read.labels, value: read.value, timestamp };
        tolerate(append.exemplar(labels, exemplar), counts).map(|_| ())
    }

    /// Forgets the series and columns that the page just stored does not have.
    fn prune(&mut self) {
        self.series.retain_seen(self.page);
        let moved = self.row.retain_live();
        self.series.move_columns(|place| moved.get(place as usize).copied().flatten());
        self.labels.clear();
    }
}

/// Whether one sample was stored. What is wrong with it alone is counted; only what is wrong with
/// all of them is an error.
fn tolerate(result: Result<(), Rejected>, counts: &mut Counts) -> Result<bool, Rejected> {
    match result {
        Ok(()) => Ok(true),
        Err(Rejected::OutOfOrder | Rejected::Duplicate | Rejected::TooOld) => {
            counts.refused += 1;
            Ok(false)
        }
        Err(other) => Err(other),
    }
}
