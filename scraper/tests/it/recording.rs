//! A store that remembers what was appended, and keeps the promises of the `Append` port: what
//! is not committed leaves nothing behind, of two samples at one time the first one stays.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tsdb::append::Storage;
use tsdb::model::{Exemplar, Histogram, Labels, Metadata, STALE_NAN, Timestamp};
use tsdb::{
    Append, Cell, CellValue, ColumnRef, Error, FamilyColumns, GroupRef, Rejected, RowReport,
};

/// The samples of a series: milliseconds and the bits of the value.
pub(crate) type Samples = Vec<(i64, u64)>;

#[derive(Clone, Default)]
pub(crate) struct State {
    /// `None` for one that is forgotten.
    groups: Vec<Option<Labels>>,
    columns: Vec<Vec<Labels>>,
    pub(crate) series: BTreeMap<Labels, Samples>,
    pub(crate) families: BTreeMap<String, Metadata>,
    /// The family that each series was registered with.
    pub(crate) family_of: BTreeMap<Labels, String>,
    pub(crate) exemplars: Vec<(Labels, Exemplar)>,
    /// When what a series counts has started, at its samples that say so.
    pub(crate) starts: BTreeMap<Labels, Vec<(i64, i64)>>,
    /// Native histograms; among the samples they stand by their counts.
    pub(crate) histograms: Vec<(Labels, Histogram)>,
    /// Rows appended with at least one cell that is not absent.
    pub(crate) rows: usize,
    /// Samples that came in beside rows.
    pub(crate) loose: usize,
}

/// The store.
#[derive(Default)]
pub(crate) struct Recording {
    state: Mutex<State>,
    /// Series that there may be; none are refused if 0.
    pub(crate) series_max: usize,
}

impl Recording {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// Forgets all groups: their numbers mean nothing any more.
    pub(crate) fn forget_groups(&self) {
        self.state().groups.fill(None);
    }

    /// The samples of a series, given as `name{label="value"}` labels; empty if there is none.
    pub(crate) fn samples(&self, labels: &[(&str, &str)]) -> Samples {
        let labels = Labels::from_pairs(labels.iter().copied());
        self.state().series.get(&labels).cloned().unwrap_or_default()
    }

    /// All series as text, with their samples as `time:value`, `stale` for the marker.
    pub(crate) fn dump(&self) -> Vec<String> {
        let state = self.state();
        let line = |(labels, samples): (&Labels, &Samples)| {
            let samples = samples.iter().map(|(ms, bits)| match *bits {
                bits if bits == STALE_NAN.to_bits() => format!("{ms}:stale"),
                bits => format!("{ms}:{}", f64::from_bits(bits)),
            });
            format!("{labels} {}", samples.collect::<Vec<_>>().join(" "))
        };
        state.series.iter().map(line).collect()
    }
}

impl Storage for Recording {
    fn appender(&self) -> Box<dyn Append + '_> {
        let committed = self.state();
        Box::new(Appender { state: committed.clone(), committed, series_max: self.series_max })
    }
}

/// One at a time: the next appender waits.
struct Appender<'s> {
    state: State,
    committed: MutexGuard<'s, State>,
    series_max: usize,
}

impl Appender<'_> {
    fn target(&self, group: GroupRef) -> Result<&Labels, Rejected> {
        self.state.groups.get(group.0 as usize).and_then(Option::as_ref).ok_or(Rejected::UnknownRef)
    }

    fn put(&mut self, labels: &Labels, at: Timestamp, cell: &Cell<'_>) -> Result<(), Rejected> {
        let bits = match cell.value {
            CellValue::Absent => return Ok(()),
            CellValue::Float(value) => value.to_bits(),
            CellValue::Stale => STALE_NAN.to_bits(),
            CellValue::Histogram(histogram) => {
                self.state.histograms.push((labels.clone(), histogram.clone()));
                histogram.count.to_bits()
            }
        };
        let samples = self.state.series.entry(labels.clone()).or_default();
        match samples.last() {
            Some((last, _)) if *last > at.ms() => Err(Rejected::OutOfOrder),
            Some((last, kept)) if *last == at.ms() && *kept != bits => Err(Rejected::Duplicate),
            Some((last, _)) if *last == at.ms() => Ok(()),
            _ => {
                samples.push((at.ms(), bits));
                if let Some(start) = cell.start {
                    let starts = self.state.starts.entry(labels.clone()).or_default();
                    starts.push((at.ms(), start.ms()));
                }
                Ok(())
            }
        }
    }
}

impl Append for Appender<'_> {
    fn group(&mut self, target: &Labels) -> Result<GroupRef, Rejected> {
        let groups = &mut self.state.groups;
        let at =
            groups.iter().position(|group| group.as_ref() == Some(target)).unwrap_or_else(|| {
                groups.push(Some(target.clone()));
                self.state.columns.push(Vec::new());
                groups.len() - 1
            });
        Ok(GroupRef(at as u32))
    }

    fn columns(
        &mut self,
        group: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected> {
        let target = self.target(group)?.clone();
        let mut refs = Vec::new();
        for family in families {
            for own in &family.columns {
                let mut labels = target.to_builder();
                for (name, value) in own {
                    labels.set(name.as_str(), value.as_str());
                }
                let labels = labels.build();
                assert!(labels.metric_name().is_some(), "a column without a name: {labels}");
                self.state.family_of.insert(labels.clone(), family.name.clone());
                let columns = &mut self.state.columns[group.0 as usize];
                let at = columns.iter().position(|column| *column == labels).unwrap_or_else(|| {
                    columns.push(labels);
                    columns.len() - 1
                });
                refs.push(ColumnRef(at as u32));
                if self.series_max > 0 && columns.len() > self.series_max {
                    return Err(Rejected::SeriesLimit);
                }
            }
            self.state.families.insert(family.name.clone(), family.metadata.clone());
        }
        Ok(refs)
    }

    fn row(
        &mut self,
        group: GroupRef,
        timestamp: Timestamp,
        columns: &[ColumnRef],
        cells: &[Cell<'_>],
    ) -> Result<RowReport, Rejected> {
        assert_eq!(columns.len(), cells.len());
        self.target(group)?;
        let known = self.state.columns.get(group.0 as usize).ok_or(Rejected::UnknownRef)?.clone();
        let mut report = RowReport::default();
        for (column, cell) in columns.iter().zip(cells) {
            let labels = known.get(column.0 as usize).ok_or(Rejected::UnknownRef)?;
            match self.put(labels, timestamp, cell) {
                Ok(()) => report.stored += usize::from(cell.value != CellValue::Absent),
                Err(Rejected::OutOfOrder) => report.out_of_order += 1,
                Err(_) => report.duplicate += 1,
            }
        }
        self.state.rows += usize::from(report.stored > 0);
        Ok(report)
    }

    fn sample(
        &mut self,
        labels: &Labels,
        timestamp: Timestamp,
        cell: Cell<'_>,
    ) -> Result<(), Rejected> {
        labels.metric_name().ok_or(Rejected::NoMetricName)?;
        self.put(labels, timestamp, &cell)?;
        self.state.loose += 1;
        Ok(())
    }

    fn exemplar(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), Rejected> {
        self.state.exemplars.push((labels.clone(), exemplar));
        Ok(())
    }

    fn metadata(&mut self, family: &str, metadata: &Metadata) -> Result<(), Rejected> {
        self.state.families.insert(family.to_owned(), metadata.clone());
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<usize, Error> {
        let samples = |state: &State| state.series.values().map(Vec::len).sum::<usize>();
        let before = samples(&self.committed);
        *self.committed = self.state;
        Ok(samples(&self.committed) - before)
    }
}
