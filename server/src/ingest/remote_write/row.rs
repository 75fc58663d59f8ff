//! Samples of many series, gathered into rows: equal times of one group make one.

use std::collections::BTreeMap;

use tsdb::model::{Timestamp, is_stale};
use tsdb::{Append, Cell, ColumnRef, GroupRef, Rejected};

use super::WriteError;
use super::column::Place;
use super::message::FloatSample;

/// The rows of all groups of a request.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<GroupRef, GroupRows>);

/// Cells for which a row has room from the start: a part of a target's page.
const CELLS_USUAL: usize = 256;

/// The rows of a group in order of time.
#[derive(Default)]
struct GroupRows {
    times: Vec<i64>,
    rows: Vec<Row>,
}

#[derive(Clone, Default)]
struct Row {
    columns: Vec<ColumnRef>,
    cells: Vec<Cell<'static>>,
}

impl Rows {
    /// Puts the samples of a series into the rows of their times.
    pub(super) fn add(&mut self, (group, column): Place, samples: &[FloatSample]) {
        let rows = self.0.entry(group).or_default();
        let mut next = 0;
        for sample in samples {
            let at = rows.at(sample.timestamp, next);
            rows.rows[at].columns.push(column);
            rows.rows[at].cells.push(cell(sample.value));
            next = at + 1;
        }
    }

    /// Appends all rows, but those of groups that the store has forgotten; which these are, in
    /// order. The first sample that is refused fails the request.
    pub(super) fn append(&self, appender: &mut dyn Append) -> Result<Vec<GroupRef>, WriteError> {
        let mut forgotten = Vec::new();
        for (group, rows) in &self.0 {
            match rows.append(*group, appender) {
                Err(Rejected::UnknownRef) => forgotten.push(*group),
                appended => appended?,
            }
        }
        Ok(forgotten)
    }
}

impl GroupRows {
    fn append(&self, group: GroupRef, appender: &mut dyn Append) -> Result<(), Rejected> {
        for (time, row) in self.times.iter().zip(&self.rows) {
            let time = Timestamp::from_ms(*time);
            let report = appender.row(group, time, &row.columns, &row.cells)?;
            let refusals = [
                (report.out_of_order, Rejected::OutOfOrder),
                (report.duplicate, Rejected::Duplicate),
                (report.too_old, Rejected::TooOld),
            ];
            if let Some((_, refusal)) = refusals.into_iter().find(|(count, _)| *count > 0) {
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// The row at `time`, which is `expected` if the series of the group go in step.
    fn at(&mut self, time: i64, expected: usize) -> usize {
        if self.times.get(expected) == Some(&time) {
            return expected;
        }
        self.times.binary_search(&time).unwrap_or_else(|at| {
            let cells = self.rows.first().map_or(0, |row| row.cells.len()).max(CELLS_USUAL);
            let row = Row { columns: Vec::with_capacity(cells), cells: Vec::with_capacity(cells) };
            self.times.insert(at, time);
            self.rows.insert(at, row);
            at
        })
    }
}

fn cell(value: f64) -> Cell<'static> {
    if is_stale(value) { Cell::STALE } else { Cell::float(value) }
}
