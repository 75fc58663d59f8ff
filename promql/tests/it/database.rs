//! The real store under the conformance scripts: filled row by row, as scrapes do, or sample by
//! sample, as backfill does; with windows so short that nearly all are sealed; opened again from
//! its log after each load; and with everything in blocks, four of each load merged to one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use promql::promqltest::{LoadedSeries, TestStore};
use tsdb::append::Storage;
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Labels, Metadata, Sample, Timestamp, Value};
use tsdb::{Append, Cell, CellValue, Db, FamilyColumns, Options, Select};

/// How samples get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Rows,
    Samples,
    SealedRows,
    ReopenedLog,
    MergedBlocks,
}

pub(crate) struct Database {
    disk: Arc<SimDisk>,
    /// There but while it is opened again: a store has one owner at a time.
    db: Option<Db>,
    way: Way,
}

impl Database {
    pub(crate) fn open(way: Way) -> Result<Self, String> {
        let mut database = Self { disk: Arc::new(SimDisk::new(0)), db: None, way };
        database.reopen()?;
        Ok(database)
    }

    fn reopen(&mut self) -> Result<(), String> {
        drop(self.db.take());
        let usual = Options::default();
        let window_rows = if self.way == Way::SealedRows { 4 } else { usual.window_rows };
        let options = Options { window_rows, ..usual };
        let opened = Db::open(self.disk.clone(), Path::new("/data"), options);
        let (db, recovery) = opened.map_err(|error| error.to_string())?;
        assert!(!recovery.is_damaged());
        self.db = Some(db);
        Ok(())
    }

    fn db(&self) -> &Db {
        self.db.as_ref().expect("the store is open")
    }
}

impl TestStore for Database {
    fn load(&mut self, series: &[LoadedSeries]) -> Result<(), String> {
        let times = times(series);
        let parts = if self.way == Way::MergedBlocks { 4 } else { 1 };
        for part in times.chunks(times.len().div_ceil(parts).max(1)) {
            let mut appender = self.db().appender();
            match self.way {
                Way::Samples => add_samples(&mut *appender, series)?,
                _ => add_rows(&mut *appender, series, part)?,
            }
            appender.commit().map_err(|error| error.to_string())?;
            if self.way == Way::MergedBlocks {
                self.db().flush_all().map_err(|error| error.to_string())?;
                self.db().compact_if_due().map_err(|error| error.to_string())?;
            }
        }
        if self.way == Way::ReopenedLog { self.reopen() } else { Ok(()) }
    }

    fn select(&self) -> &dyn Select {
        self.db()
    }
}

fn cell(sample: &Sample) -> Cell<'_> {
    let value = match &sample.value {
        value if value.is_stale() => CellValue::Stale,
        Value::Float(value) => CellValue::Float(*value),
        Value::Histogram(histogram) => CellValue::Histogram(histogram),
    };
    Cell { value, start: sample.start }
}

fn add_samples(appender: &mut dyn Append, series: &[LoadedSeries]) -> Result<(), String> {
    for own in series {
        for sample in &own.samples {
            appender
                .sample(&own.labels, sample.timestamp, cell(sample))
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// The different times of all samples, rising.
fn times(series: &[LoadedSeries]) -> Vec<Timestamp> {
    let times = series.iter().flat_map(|own| own.samples.iter().map(|sample| sample.timestamp));
    times.collect::<BTreeSet<_>>().into_iter().collect()
}

fn add_rows(
    appender: &mut dyn Append,
    series: &[LoadedSeries],
    times: &[Timestamp],
) -> Result<(), String> {
    let group = appender.group(&Labels::empty()).map_err(|error| error.to_string())?;
    let own = |series: &LoadedSeries| {
        series.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let family = FamilyColumns {
        name: "loaded".into(),
        metadata: Metadata::default(),
        columns: series.iter().map(own).collect(),
    };
    let columns = appender.columns(group, &[family]).map_err(|error| error.to_string())?;
    for time in times.iter().copied() {
        let at = |own: &LoadedSeries| own.samples.binary_search_by_key(&time, |own| own.timestamp);
        let cells: Vec<Cell<'_>> = series
            .iter()
            .map(|own| at(own).map_or(Cell::ABSENT, |index| cell(&own.samples[index])))
            .collect();
        let report =
            appender.row(group, time, &columns, &cells).map_err(|error| error.to_string())?;
        if report.rejected() > 0 {
            return Err(format!("at {time}: {report:?}"));
        }
    }
    Ok(())
}
