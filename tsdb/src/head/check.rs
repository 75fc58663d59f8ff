//! Which cells may be stored.
//!
//! A series grows at its end. A cell that is older than the newest sample of its series, stored or
//! pending in the same commit, is refused, unless it is within the out-of-order window. Where there
//! is a cell of that time, another value is refused as a duplicate; the same value once more is
//! fine and not stored again.
//!
//! The newest pending sample of a series is kept in one slot: that of its home column, in a list
//! for each group that is indexed by column; in a map for the series that had no column when
//! their first pending sample came. The first row of a group needs no slots, unless a column
//! stands in it twice or lives elsewhere too: what it holds is put into them when a second one
//! comes. So a scrape compares one number for each cell.

use hashbrown::{HashMap, HashSet};

use super::{Head, NO_SAMPLE};
use crate::append::{ColumnRef, GroupRef, RowReport};
use crate::cell::{Stored, StoredCell};
use crate::commit::{Commit, LooseSample, Row, SeriesId};
use crate::error::Rejected;
use crate::numbered::Numbered;

/// What became of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Store,
    /// Out of order, and allowed.
    StoreLate,
    /// Stored already with the same value.
    Repeat,
    Reject(Rejected),
}

/// The newest pending sample of a series.
#[derive(Clone, Debug)]
struct Pending {
    timestamp: i64,
    cell: PendingCell,
}

#[derive(Clone, Debug)]
enum PendingCell {
    None,
    /// Index into [`Commit::cells`].
    OfRow(usize),
    Loose(Box<StoredCell>),
}

impl Pending {
    const NONE: Self = Self { timestamp: NO_SAMPLE, cell: PendingCell::None };

    fn of_row(row: &Row, at: usize) -> Self {
        Self { timestamp: row.timestamp, cell: PendingCell::OfRow(at) }
    }
}

/// The pending samples of a group's columns.
#[derive(Debug, Default)]
struct Slots {
    /// A row whose cells are not in `by_column` yet.
    first: Option<Row>,
    by_column: Vec<Pending>,
}

impl Slots {
    /// Makes a slot for each column and puts the first row in.
    fn fill(&mut self, columns: usize, commit: &Commit) {
        self.by_column.resize(columns.max(self.by_column.len()), Pending::NONE);
        let Some(row) = self.first.take() else { return };
        let (columns, cells) = commit.row(&row);
        for ((at, column), cell) in row.columns.clone().zip(columns).zip(cells.cells) {
            if !cell.is_absent() {
                *self.by_column.of_mut(*column) = Pending::of_row(&row, at);
            }
        }
    }
}

/// Remembers what a commit holds so far.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// Whether everything was checked when it was logged, and may be there twice.
    is_replay: bool,
    of_columns: HashMap<GroupRef, Slots>,
    of_series: HashMap<SeriesId, Pending>,
    /// Samples that come late. Of two of one time the second is left out, and nobody is told.
    late: HashSet<(SeriesId, i64)>,
}

impl Check {
    /// A check of what was checked when it was logged, and may be there already.
    pub(crate) fn replay() -> Self {
        Self { is_replay: true, ..Self::default() }
    }

    /// Takes note of the newest cell of a series, which only a block has.
    pub(crate) fn know(
        &mut self,
        head: &Head,
        commit: &Commit,
        (id, timestamp): (SeriesId, i64),
        cell: StoredCell,
    ) {
        let slot = self.slot(head, commit, id);
        if slot.timestamp < timestamp {
            *slot = Pending { timestamp, cell: PendingCell::Loose(Box::new(cell)) };
        }
    }

    /// Checks the cells of a row, the last one of the commit so far; those that are not to be
    /// stored become absent.
    pub(crate) fn row(&mut self, head: &Head, commit: &mut Commit, row: &Row) -> RowReport {
        let group = head.groups.of(row.group);
        let (columns, _) = commit.row(row);
        let is_alone = !group.is_shared && columns.is_sorted_by(|a, b| a < b);
        if is_alone && self.of_series.is_empty() && !self.of_columns.contains_key(&row.group) {
            let slots = Slots { first: Some(row.clone()), by_column: Vec::new() };
            self.of_columns.insert(row.group, slots);
            return self.first_row(head, commit, row, &group.columns);
        }
        let mut report = RowReport::default();
        let is_replay = self.is_replay;
        for at in row.columns.clone() {
            let (column, cell) = commit.cell(at);
            if cell.is_absent() {
                continue;
            }
            let id = *group.columns.of(column);
            let slot = self.slot(head, commit, id);
            let verdict = verdict(head, id, slot, row.timestamp, &cell, commit, is_replay);
            match verdict {
                Verdict::Store => *slot = Pending::of_row(row, at),
                Verdict::StoreLate if self.late.insert((id, row.timestamp)) => {}
                Verdict::StoreLate | Verdict::Repeat | Verdict::Reject(_) => commit.leave_out(at),
            }
            count(&mut report, verdict);
        }
        report
    }

    /// Checks a loose sample; `Ok(false)` if it is stored already.
    pub(crate) fn sample(
        &mut self,
        head: &Head,
        commit: &Commit,
        sample: &LooseSample,
    ) -> Result<bool, Rejected> {
        let LooseSample { series, timestamp, cell } = sample;
        let is_replay = self.is_replay;
        let slot = self.slot(head, commit, *series);
        match verdict(head, *series, slot, *timestamp, cell, commit, is_replay) {
            Verdict::Store => {
                let cell = PendingCell::Loose(Box::new(sample.cell.clone()));
                *slot = Pending { timestamp: sample.timestamp, cell };
                Ok(true)
            }
            Verdict::StoreLate => Ok(self.late.insert((*series, *timestamp))),
            Verdict::Repeat => Ok(false),
            Verdict::Reject(why) => Err(why),
        }
    }

    fn slot(&mut self, head: &Head, commit: &Commit, id: SeriesId) -> &mut Pending {
        let home = head.series.of(id).home;
        let Some(home) = home.filter(|_| !self.of_series.contains_key(&id)) else {
            return self.of_series.entry(id).or_insert(Pending::NONE);
        };
        let columns = head.groups.of(home.group).columns.len();
        let slots = self.of_columns.entry(home.group).or_default();
        slots.fill(columns, commit);
        slots.by_column.of_mut(home.column)
    }
}

impl Check {
    /// The only pending row of its group, whose columns are series of their own: nothing pending can
    /// be in its way.
    fn first_row(
        &mut self,
        head: &Head,
        commit: &mut Commit,
        row: &Row,
        ids: &[SeriesId],
    ) -> RowReport {
        let (columns, cells) = commit.row(row);
        let is_newer = |column: &ColumnRef| row.timestamp > *head.newest.of(*ids.of(*column));
        if row.timestamp >= head.floor && columns.iter().all(is_newer) {
            let stored = cells.cells.iter().filter(|cell| !cell.is_absent()).count();
            return RowReport { stored, ..RowReport::default() };
        }
        let mut report = RowReport::default();
        for at in row.columns.clone() {
            let (column, cell) = commit.cell(at);
            if cell.is_absent() {
                continue;
            }
            let id = *ids.of(column);
            let (none, time) = (&Pending::NONE, row.timestamp);
            let verdict = verdict(head, id, none, time, &cell, commit, self.is_replay);
            match verdict {
                Verdict::Store => {}
                Verdict::StoreLate if self.late.insert((id, time)) => {}
                Verdict::StoreLate | Verdict::Repeat | Verdict::Reject(_) => commit.leave_out(at),
            }
            count(&mut report, verdict);
        }
        report
    }
}

fn verdict(
    head: &Head,
    id: SeriesId,
    pending: &Pending,
    timestamp: i64,
    cell: &StoredCell,
    commit: &Commit,
    is_replay: bool,
) -> Verdict {
    let newest = pending.timestamp.max(*head.newest.of(id));
    if timestamp < head.floor {
        return Verdict::Reject(Rejected::TooOld);
    }
    if timestamp > newest {
        return Verdict::Store;
    }
    if timestamp < newest {
        return late_verdict(head, id, timestamp, cell, is_replay);
    }
    // A pending cell may be a late one.
    let is_pending = pending.timestamp == newest;
    let is_same = match if is_pending { &pending.cell } else { &PendingCell::None } {
        PendingCell::OfRow(at) => commit.cell(*at).1.value.is_same(&cell.value),
        PendingCell::Loose(other) => other.value.is_same(&cell.value),
        PendingCell::None => head.cell(head.series.of(id), timestamp).value.is_same(&cell.value),
    };
    if is_same { Verdict::Repeat } else { Verdict::Reject(Rejected::Duplicate) }
}

/// A cell that is older than the newest of its series.
fn late_verdict(
    head: &Head,
    id: SeriesId,
    timestamp: i64,
    cell: &StoredCell,
    is_replay: bool,
) -> Verdict {
    if head.options.out_of_order_ms == 0 && !is_replay {
        return Verdict::Reject(Rejected::OutOfOrder);
    }
    if !head.is_recent(timestamp) && !is_replay {
        return Verdict::Reject(Rejected::TooOld);
    }
    let own = head.cell(head.series.of(id), timestamp);
    match own.value {
        Stored::Absent => Verdict::StoreLate,
        value if value.is_same(&cell.value) => Verdict::Repeat,
        _ => Verdict::Reject(Rejected::Duplicate),
    }
}

fn count(report: &mut RowReport, verdict: Verdict) {
    let counter = match verdict {
        Verdict::Store | Verdict::StoreLate | Verdict::Repeat => &mut report.stored,
        Verdict::Reject(Rejected::Duplicate) => &mut report.duplicate,
        Verdict::Reject(Rejected::TooOld) => &mut report.too_old,
        Verdict::Reject(_) => &mut report.out_of_order,
    };
    *counter += 1;
}
