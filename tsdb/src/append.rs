//! The port through which samples come in.
//!
//! 1. A writer names its **group** by the target labels, and registers its **columns**: families
//!    of label sets, found or made once and addressed by number from then on.
//! 2. Each scrape is one [`Append::row`]: one timestamp and a cell for each column.
//! 3. What is no row (its own timestamps, backfill) goes in through [`Append::sample`].
//! 4. [`Append::commit`] logs everything, then makes it visible, all at once. An appender that is
//!    dropped before leaves nothing behind.
//!
//! A series' labels are the target labels overlaid by the column's own; a column's label with an
//! empty value hides the target's label of that name. References stay valid in later appenders,
//! until the store forgets a group that got no rows for some flushes: then they are
//! [`Rejected::UnknownRef`], and the group, made anew, has other ones. An appender that is open
//! keeps what it named.

use crate::error::{Error, Rejected};
use crate::model::{Exemplar, Histogram, Labels, Metadata, Timestamp};

/// A group's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupRef(pub u32);

/// A column's number within its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnRef(pub u32);

/// The columns of one metric family of a page, in the page's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyColumns {
    /// The family's name (`http_request_duration_seconds`, without `_bucket`).
    pub name: String,
    /// Its type, unit and help.
    pub metadata: Metadata,
    /// Each column's own labels as `name, value` pairs, `__name__` among them; an empty value
    /// hides the target's label.
    pub columns: Vec<Vec<(String, String)>>,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellValue<'a> {
    /// The series is not on this page; nothing is stored.
    Absent,
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Histogram),
    /// The series ended: the staleness marker is stored.
    Stale,
}

/// One column's part of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell<'a> {
    /// The value.
    pub value: CellValue<'a>,
    /// When the counter behind it started, if the target said so.
    pub start: Option<Timestamp>,
}

impl Cell<'_> {
    /// A cell without a value.
    pub const ABSENT: Self = Self { value: CellValue::Absent, start: None };
    /// A staleness marker.
    pub const STALE: Self = Self { value: CellValue::Stale, start: None };

    /// A float without start timestamp.
    pub const fn float(value: f64) -> Self {
        Self { value: CellValue::Float(value), start: None }
    }
}

/// What became of a row's cells. Rejected cells do not fail the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowReport {
    /// Cells that will be stored at commit (a repetition of the stored value counts).
    pub stored: usize,
    /// Cells older than the newest sample of their series.
    pub out_of_order: usize,
    /// Cells whose series has another value at this time.
    pub duplicate: usize,
    /// Cells older than what may still be written.
    pub too_old: usize,
}

impl RowReport {
    /// Cells that were not stored.
    pub fn rejected(&self) -> usize {
        self.out_of_order + self.duplicate + self.too_old
    }
}

/// Takes rows and samples, and makes them durable and visible together.
pub trait Append {
    /// The group with these target labels, made if there is none.
    fn group(&mut self, target: &Labels) -> Result<GroupRef, Rejected>;

    /// The columns of `families` in `group`, one number for each label set, in the given order;
    /// those that are not there yet are made. A family's metadata replaces what was known.
    fn columns(
        &mut self,
        group: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected>;

    /// Adds one row: `cells[i]` belongs to `columns[i]`, columns not named are absent. A row at
    /// the time of an existing one fills that row's empty cells.
    fn row(
        &mut self,
        group: GroupRef,
        timestamp: Timestamp,
        columns: &[ColumnRef],
        cells: &[Cell<'_>],
    ) -> Result<RowReport, Rejected>;

    /// Adds one sample of a series that is no part of a row.
    fn sample(
        &mut self,
        labels: &Labels,
        timestamp: Timestamp,
        cell: Cell<'_>,
    ) -> Result<(), Rejected>;

    /// Adds an example to the series with these labels.
    fn exemplar(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), Rejected>;

    /// Says type, unit and help of a metric family.
    fn metadata(&mut self, family: &str, metadata: &Metadata) -> Result<(), Rejected>;

    /// Writes everything to the log, then makes it visible, and says how many samples those were.
    fn commit(self: Box<Self>) -> Result<usize, Error>;
}

/// Gives out appenders; what writers hold of a store.
pub trait Storage: Send + Sync {
    /// A new appender.
    fn appender(&self) -> Box<dyn Append + '_>;
}
