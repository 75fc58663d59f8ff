//! A rule group's outputs as rows of the store.
//!
//! All series of a rule group are columns of one group of the store, which a label names that no
//! column shows. Each rule adds its cells to the row of the evaluation's time with a commit of its
//! own, so that the rules behind it see them.

use std::collections::{BTreeMap, HashMap, HashSet};

use promql::value::{InstantSample, PointValue};
use thiserror::Error;
use tsdb::model::{Labels, Metadata, Timestamp};
use tsdb::{
    Append, Cell, CellValue, ColumnRef, FamilyColumns, GroupRef, Rejected, RowReport, Storage,
};

/// The label that names a rule group's group of the store; every column hides it.
const GROUP_LABEL: &str = "__rule_group__";

/// Why a row was not written.
#[derive(Debug, Error)]
enum RowError {
    #[error(transparent)]
    Rejected(#[from] Rejected),
    #[error(transparent)]
    Store(#[from] tsdb::Error),
}

/// Where a group's outputs go.
#[derive(Debug)]
pub(super) struct Rows {
    target: Labels,
    group: Option<GroupRef>,
    columns: HashMap<Labels, ColumnRef>,
}

impl Rows {
    /// Of the group with this key.
    pub(super) fn new(key: &str) -> Self {
        let target = Labels::from_pairs([(GROUP_LABEL, key)]);
        Self { target, group: None, columns: HashMap::new() }
    }

    /// Writes samples and staleness markers of time `at`; what became of them.
    pub(super) fn write(
        &mut self,
        storage: &dyn Storage,
        at: Timestamp,
        outputs: &[InstantSample],
        stale: &[Labels],
    ) -> Result<RowReport, String> {
        if outputs.is_empty() && stale.is_empty() {
            return Ok(RowReport::default());
        }
        let is_registered = self.group.is_some();
        let mut written = self.try_write(storage, at, outputs, stale);
        if is_registered && matches!(written, Err(RowError::Rejected(Rejected::UnknownRef))) {
            // The store has forgotten the group: its series were deleted.
            self.forget();
            written = self.try_write(storage, at, outputs, stale);
        }
        if written.is_err() {
            // What was registered for a commit that failed is worth nothing.
            self.forget();
        }
        written.map_err(|error| error.to_string())
    }

    fn forget(&mut self) {
        self.group = None;
        self.columns.clear();
    }

    fn try_write(
        &mut self,
        storage: &dyn Storage,
        at: Timestamp,
        outputs: &[InstantSample],
        stale: &[Labels],
    ) -> Result<RowReport, RowError> {
        let mut append = storage.appender();
        let all = outputs.iter().map(|sample| &sample.labels).chain(stale);
        self.register(&mut *append, all)?;
        let values = outputs.iter().map(|sample| cell(&sample.point.value));
        let cells: Vec<Cell<'_>> = values.chain(stale.iter().map(|_| Cell::STALE)).collect();
        let all = outputs.iter().map(|sample| &sample.labels).chain(stale);
        let columns: Vec<ColumnRef> =
            all.filter_map(|labels| self.columns.get(labels).copied()).collect();
        let Some(group) = self.group else { return Ok(RowReport::default()) };
        let report = append.row(group, at, &columns, &cells)?;
        append.commit()?;
        Ok(report)
    }

    /// Finds or makes the columns that are not known yet.
    fn register<'a>(
        &mut self,
        append: &mut dyn Append,
        all: impl Iterator<Item = &'a Labels>,
    ) -> Result<(), Rejected> {
        let group = match self.group {
            Some(group) => group,
            None => *self.group.insert(append.group(&self.target)?),
        };
        let mut families: BTreeMap<&str, Vec<&Labels>> = BTreeMap::new();
        for labels in all.filter(|labels| !self.columns.contains_key(*labels)) {
            families.entry(labels.metric_name().unwrap_or("")).or_default().push(labels);
        }
        let pairs = |labels: &&Labels| {
            let own = labels.iter().chain([(GROUP_LABEL, "")]);
            own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        for (name, series) in families {
            let columns = series.iter().map(pairs).collect();
            let family =
                FamilyColumns { name: name.to_owned(), metadata: Metadata::default(), columns };
            let made = append.columns(group, &[family])?;
            self.columns.extend(series.into_iter().cloned().zip(made));
        }
        Ok(())
    }

    /// Forgets columns that are not among `kept`: what comes back is found again.
    pub(super) fn keep(&mut self, kept: &[&HashSet<Labels>]) {
        self.columns.retain(|labels, _| kept.iter().any(|set| set.contains(labels)));
    }
}

fn cell(value: &PointValue) -> Cell<'_> {
    match value {
        PointValue::Float(value) => Cell::float(*value),
        PointValue::Histogram(histogram) => {
            Cell { value: CellValue::Histogram(histogram), start: None }
        }
    }
}
