//! Storing a page that was read to its end.

use tsdb::model::{Exemplar, Timestamp};
use tsdb::{Append, Cell, CellValue, GroupRef, Rejected};

use super::layout::Fate;
use super::reading::{Late, LateValue, ReadExemplar, Reading};
use super::{Ingest, IngestError};

/// Columns that are remembered beyond twice those that live, before the others are forgotten
/// (Prometheus's number).
const COLUMNS_SPARE: usize = 1000;

/// How far a timestamp on a page may be ahead of the scrape (Prometheus's number). One far in
/// the future would make all later samples of its series out of order.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

impl Ingest {
    /// Registers what is new and completes the row; what is no part of it is appended.
    pub(super) fn store(
        &mut self,
        group: GroupRef,
        reading: &mut Reading,
        at: Timestamp,
        append: &mut dyn Append,
    ) -> Result<(), IngestError> {
        self.prepare(group, append)?;
        reading.refuse_excess(self.job.limits.samples)?;
        self.register(group, reading, append)?;
        reading.cells.resize(self.row.len(), Cell::ABSENT);
        self.page += 1;
        for late in std::mem::take(&mut reading.late) {
            self.place(late, at, reading, append)?;
        }
        reading.counts.ended = self.row.finish(&mut reading.cells);
        for exemplar in std::mem::take(&mut reading.exemplars) {
            self.exemplar(exemplar, at, reading, append)?;
        }
        self.end_loose(at, reading, append)?;
        for (family, metadata) in self.families.untold() {
            append.metadata(family, metadata)?;
        }
        Ok(())
    }

    /// Makes columns of the new series.
    pub(super) fn register(
        &mut self,
        group: GroupRef,
        reading: &mut Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let Some(layout) = reading.layout.as_mut().filter(|_| !reading.fresh.is_empty()) else {
            return Ok(());
        };
        let (families, lines): (Vec<_>, Vec<_>) =
            std::mem::take(&mut reading.fresh).into_iter().unzip();
        let columns = append.columns(group, &families)?;
        for (line, column) in lines.into_iter().flatten().zip(columns) {
            let place = self.row.place(column);
            layout.fates[line] = Fate::Column(place);
            if let Some(labels) = reading.fresh_labels.remove(&line) {
                self.labels.insert(place, labels);
            }
        }
        Ok(())
    }

    /// Puts a sample into the row or, with its own timestamp, beside it.
    fn place(
        &mut self,
        late: Late,
        at: Timestamp,
        reading: &mut Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let stored = match (self.fate(late.line, reading), late.timestamp) {
            (Fate::Column(place), None) => fill(place, late.value, reading) && late.is_new,
            (_, Some(timestamp)) if timestamp > at.plus_ms(AHEAD_MAX_MS) => {
                reading.counts.refused += 1;
                false
            }
            (Fate::Column(place), Some(timestamp)) => {
                let labels = self.labels.get(&place).cloned().unwrap_or_default();
                let stored = append.sample(&labels, timestamp, late.value.cell(reading));
                tolerate(stored, reading)?;
                false
            }
            (Fate::Loose(number), Some(timestamp)) => {
                let Some(loose) = self.loose.get_mut(number as usize) else { return Ok(()) };
                let is_new = loose.seen == 0;
                loose.seen = self.page;
                let stored = append.sample(&loose.labels, timestamp, late.value.cell(reading));
                tolerate(stored, reading)? && is_new
            }
            _ => false,
        };
        reading.counts.added += usize::from(stored);
        Ok(())
    }

    /// Series with timestamps of their own that are no longer on the page end, if that is wanted.
    pub(super) fn end_loose(
        &mut self,
        at: Timestamp,
        reading: &mut Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        for loose in &mut self.loose {
            let was_live = std::mem::replace(&mut loose.live, loose.seen == self.page);
            if was_live && !loose.live && self.job.track_timestamps_staleness {
                let ended = append.sample(&loose.labels, at, Cell::STALE);
                reading.counts.ended += usize::from(tolerate_silently(ended)?);
            }
        }
        Ok(())
    }

    fn exemplar(
        &mut self,
        read: ReadExemplar,
        at: Timestamp,
        reading: &mut Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let labels = match self.fate(read.line, reading) {
            Fate::Column(place) => self.labels.get(&place),
            Fate::Loose(number) => self.loose.get(number as usize).map(|loose| &loose.labels),
            Fate::Dropped | Fate::Fresh => None,
        };
        let Some(labels) = labels else { return Ok(()) };
        let timestamp = read.timestamp.unwrap_or(at);
        let exemplar = Exemplar { labels: read.labels, value: read.value, timestamp };
        tolerate(append.exemplar(labels, exemplar), reading).map(|_| ())
    }

    pub(super) fn fate(&self, line: usize, reading: &Reading) -> Fate {
        let fates = reading.layout.as_ref().map_or(&self.layout.fates, |layout| &layout.fates);
        fates.get(line).copied().unwrap_or(Fate::Dropped)
    }

    /// The page was appended: it is what the next one is compared with.
    pub(super) fn settle(&mut self, reading: Reading) {
        self.row.settle(&reading.cells, self.report_series());
        self.families.end();
        if let Some(layout) = reading.layout {
            self.layout = layout.finish();
            self.forget_loose();
        }
        let living = self.row.living();
        if self.row.len() > 2 * living + COLUMNS_SPARE || !self.row.is_sorted() {
            self.tidy();
        }
    }

    /// Forgets the loose series that the page does not have.
    fn forget_loose(&mut self) {
        let mut moved = Vec::with_capacity(self.loose.len());
        let mut kept = 0;
        for loose in &self.loose {
            moved.push(kept);
            kept += u32::from(loose.seen == self.page);
        }
        self.loose.retain(|loose| loose.seen == self.page);
        for fate in &mut self.layout.fates {
            if let Fate::Loose(number) = fate {
                *number = moved.get(*number as usize).copied().unwrap_or_default();
            }
        }
    }

    /// Forgets the columns that do not live, and puts the others in order.
    fn tidy(&mut self) {
        let moved = self.row.tidy(self.report_series());
        for fate in &mut self.layout.fates {
            if let Fate::Column(place) = *fate {
                let place = moved.get(place as usize).copied().flatten();
                *fate = place.map_or(Fate::Fresh, Fate::Column);
            }
        }
        self.labels.clear();
        let row = &self.row;
        self.told.retain(|column, _| row.has(*column));
    }
}

impl LateValue {
    fn cell(self, reading: &Reading) -> Cell<'_> {
        match self {
            Self::Float(value) => Cell::float(value),
            Self::Histogram(number) => {
                let histogram = reading.histograms.get(number);
                let value = histogram.map_or(CellValue::Absent, CellValue::Histogram);
                Cell { value, start: None }
            }
        }
    }
}

/// Sets the cell at `place`; `false` if this page has set it already.
fn fill(place: u32, value: LateValue, reading: &mut Reading) -> bool {
    match value {
        LateValue::Float(value) => reading.fill(place, value),
        LateValue::Histogram(number) => {
            // A float holds the place until the row is appended.
            let first = reading.fill(place, 0.0);
            if first {
                reading.histogram_cells.push((place, number));
            }
            first
        }
    }
}

/// Whether one sample was stored. What is wrong with it alone is counted; only what is wrong with
/// all of them is an error.
fn tolerate(result: Result<(), Rejected>, reading: &mut Reading) -> Result<bool, Rejected> {
    let stored = tolerate_silently(result)?;
    reading.counts.refused += usize::from(!stored);
    Ok(stored)
}

fn tolerate_silently(result: Result<(), Rejected>) -> Result<bool, Rejected> {
    match result {
        Ok(()) => Ok(true),
        Err(Rejected::OutOfOrder | Rejected::Duplicate | Rejected::TooOld) => Ok(false),
        Err(other) => Err(other),
    }
}
