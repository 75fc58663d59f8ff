//! Samples of 0 where counters started, if that is wanted: an increase from nothing is then seen by
//! every query, at the price of a row for each time at which some counters started.
//!
//! 1. Of a page's starts those are taken that were not told before and are in the past.
//! 2. Each time is a row of zeros, appended before the page's own.
//!
//! The store takes only what is newer than the newest sample of its series, so a start that is older
//! than what is known makes no sample. That is no fault of the page, and not counted.

use std::collections::{BTreeMap, HashMap};

use tsdb::model::{Histogram, Timestamp};
use tsdb::{Append, Cell, CellValue, ColumnRef, GroupRef, Rejected};

use super::Ingest;
use super::reading::Reading;

/// Rows of zeros that one page may make, the oldest ones; a page of a real program makes a few.
const ROWS_MAX: usize = 1000;

/// What a page says that means nothing.
const NEVER: Timestamp = Timestamp::from_ms(0);

impl Ingest {
    /// Appends zeros at `starts` (by place), for a page of the time `at`.
    pub(super) fn append_zeros(
        &mut self,
        group: GroupRef,
        starts: &[(u32, Timestamp)],
        at: Timestamp,
        reading: &Reading,
        append: &mut dyn Append,
    ) -> Result<(), Rejected> {
        let mut rows: BTreeMap<Timestamp, Vec<(ColumnRef, u32)>> = BTreeMap::new();
        for &(place, start) in starts.iter().filter(|(_, start)| NEVER < *start && *start < at) {
            let Some(column) = self.row.columns().get(place as usize) else { continue };
            if self.told.insert(*column, start) != Some(start) {
                rows.entry(start).or_default().push((*column, place));
            }
        }
        let numbers: HashMap<u32, usize> = match rows.is_empty() {
            true => HashMap::new(),
            false => reading.histogram_cells.iter().copied().collect(),
        };
        for (start, mut row) in rows.into_iter().take(ROWS_MAX) {
            // The store likes them in order.
            row.sort_unstable();
            let own = |place: &u32| reading.histograms.get(*numbers.get(place)?).map(empty);
            let histograms: Vec<_> = row.iter().map(|(_, place)| own(place)).collect();
            let cells: Vec<Cell<'_>> = histograms.iter().map(zero).collect();
            let columns: Vec<ColumnRef> = row.iter().map(|(column, _)| *column).collect();
            append.row(group, start, &columns, &cells)?;
        }
        Ok(())
    }
}

fn zero(histogram: &Option<Histogram>) -> Cell<'_> {
    match histogram {
        Some(histogram) => Cell { value: CellValue::Histogram(histogram), start: None },
        None => Cell::float(0.0),
    }
}

/// A native histogram as it was without observations.
fn empty(own: &Histogram) -> Histogram {
    Histogram {
        zero_count: 0.0,
        count: 0.0,
        sum: 0.0,
        positive_spans: Vec::new(),
        positive_buckets: Vec::new(),
        negative_spans: Vec::new(),
        negative_buckets: Vec::new(),
        ..own.clone()
    }
}
