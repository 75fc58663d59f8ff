//! The real store under the conformance scripts: filled row by row, as scrapes do, or sample by
//! sample, as backfill does.

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
}

pub(crate) struct Database {
    db: Db,
    way: Way,
}

impl Database {
    pub(crate) fn open(way: Way) -> Result<Self, String> {
        let disk = Arc::new(SimDisk::new(0));
        let (db, _) = Db::open(disk, Path::new("/data"), Options::default())
            .map_err(|error| error.to_string())?;
        Ok(Self { db, way })
    }
}

impl TestStore for Database {
    fn load(&mut self, series: &[LoadedSeries]) -> Result<(), String> {
        let mut appender = self.db.appender();
        match self.way {
            Way::Rows => add_rows(&mut *appender, series)?,
            Way::Samples => add_samples(&mut *appender, series)?,
        }
        appender.commit().map_err(|error| error.to_string())?;
        Ok(())
    }

    fn select(&self) -> &dyn Select {
        &self.db
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

fn add_rows(appender: &mut dyn Append, series: &[LoadedSeries]) -> Result<(), String> {
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
    let times: BTreeSet<Timestamp> =
        series.iter().flat_map(|own| own.samples.iter().map(|sample| sample.timestamp)).collect();
    for time in times {
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
