//! A store that keeps rows, as a store of scrapes does: series share timestamps, cells may be
//! absent or stale, and a read comes in small batches.

use promql::promqltest::LoadedSeries;
use tsdb::model::{Labels, Matcher, STALE_NAN, Sample, TimeRange, Timestamp, Value, is_stale};
use tsdb::select::{
    Batch, BatchColumn, Batches, FamilyId, Generation, Hints, RowBits, SelectedSeries, Values,
};
use tsdb::{Error, Select, Selection};

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Absent,
    Stale,
    Float(f64),
}

/// Rows of cells, one column for each series.
#[derive(Clone, Debug)]
pub(crate) struct RowStore {
    pub(crate) timestamps: Vec<i64>,
    /// In label order.
    pub(crate) columns: Vec<(Labels, Vec<Cell>)>,
    /// Rows and columns of a batch.
    pub(crate) batch_rows: usize,
    pub(crate) batch_columns: usize,
}

impl RowStore {
    /// The samples of each series.
    pub(crate) fn series(&self) -> Vec<LoadedSeries> {
        let series = self.columns.iter().map(|(labels, cells)| {
            let samples = self.timestamps.iter().zip(cells).filter_map(|(time, cell)| {
                let value = match cell {
                    Cell::Absent => return None,
                    Cell::Stale => STALE_NAN,
                    Cell::Float(value) => *value,
                };
                let timestamp = Timestamp::from_ms(*time);
                Some(Sample { timestamp, value: Value::Float(value), start: None })
            });
            LoadedSeries { labels: labels.clone(), samples: samples.collect() }
        });
        series.collect()
    }

    fn rows(&self, range: TimeRange) -> std::ops::Range<usize> {
        let from = self.timestamps.partition_point(|time| *time < range.start.ms());
        let to = self.timestamps.partition_point(|time| *time <= range.end.ms());
        from..to.max(from)
    }
}

impl Select for RowStore {
    fn resolve(&self, _: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error> {
        let matches = |labels: &Labels| matchers.iter().all(|own| own.matches_labels(labels));
        let found = self.columns.iter().enumerate().filter(|(_, (labels, _))| matches(labels));
        let (series, places) = found
            .map(|(place, (labels, _))| {
                let (labels, family) = (labels.clone(), FamilyId(0));
                let hints = Hints::default();
                (SelectedSeries { labels, family, le: None, hints }, place as u32)
            })
            .unzip();
        Ok(Selection::new(series, places, Generation(0)))
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        let rows = self.rows(range);
        let end = rows.end;
        Ok(Box::new(Reader { store: self, selection, row: rows.start, end, column: 0 }))
    }

    fn label_names(
        &self,
        _: TimeRange,
        _: &[Vec<Matcher>],
        _: usize,
    ) -> Result<Vec<String>, Error> {
        unreachable!("queries do not ask for names")
    }

    fn label_values(
        &self,
        _: &str,
        _: TimeRange,
        _: &[Vec<Matcher>],
        _: usize,
    ) -> Result<Vec<String>, Error> {
        unreachable!("queries do not ask for values")
    }

    fn series(&self, _: TimeRange, _: &[Vec<Matcher>], _: usize) -> Result<Vec<Labels>, Error> {
        unreachable!("queries do not ask for series")
    }

    fn generation(&self) -> Generation {
        Generation(0)
    }
}

struct Reader<'a> {
    store: &'a RowStore,
    selection: &'a Selection,
    row: usize,
    end: usize,
    column: usize,
}

/// Floats, present rows and stale rows of a column's part.
type Part = (Vec<f64>, Option<Vec<u64>>, Option<Vec<u64>>);

fn part(cells: &[Cell]) -> Part {
    let bits = |wanted: &dyn Fn(&Cell) -> bool| {
        let mut bits = vec![0_u64; cells.len().div_ceil(64)];
        for (row, _) in cells.iter().enumerate().filter(|(_, cell)| wanted(cell)) {
            bits[row / 64] |= 1 << (row % 64);
        }
        bits
    };
    let floats = cells.iter().map(|cell| match cell {
        // An absent cell may hold anything.
        Cell::Absent => 4711.0,
        Cell::Stale => STALE_NAN,
        Cell::Float(value) => *value,
    });
    let absent = cells.contains(&Cell::Absent);
    let stale = cells.contains(&Cell::Stale);
    (
        floats.collect(),
        absent.then(|| bits(&|cell| *cell != Cell::Absent)),
        stale.then(|| bits(&|cell| *cell == Cell::Stale)),
    )
}

/// Whether both are floats alone, and the same bits.
fn is_same_plain(a: &Part, b: &Part) -> bool {
    let bits = |part: &Part| part.0.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let is_plain = |part: &Part| part.1.is_none() && part.2.is_none();
    is_plain(a) && is_plain(b) && bits(a) == bits(b)
}

impl Batches for Reader<'_> {
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error> {
        if self.row >= self.end {
            return Ok(false);
        }
        let rows = self.row..(self.row + self.store.batch_rows).min(self.end);
        let count = self.selection.series.len();
        let columns = self.column..(self.column + self.store.batch_columns).min(count);
        let parts: Vec<(usize, Part)> = columns
            .clone()
            .map(|series| {
                let place = self.selection.place(series).expect("a place") as usize;
                (series, part(&self.store.columns[place].1[rows.clone()]))
            })
            .collect();
        let batch: Vec<BatchColumn<'_>> = parts
            .iter()
            .enumerate()
            .map(|(at, (series, (floats, present, stale)))| BatchColumn {
                series: *series,
                values: Values::Floats(floats),
                present: present.as_deref().map(RowBits),
                stale: stale.as_deref().map(RowBits),
                starts: None,
                repeats: at > 0 && is_same_plain(&parts[at - 1].1, &parts[at].1),
            })
            .collect();
        sink(Batch { timestamps: &self.store.timestamps[rows.clone()], columns: &batch });
        self.column = columns.end;
        if self.column >= count {
            (self.column, self.row) = (0, rows.end);
        }
        Ok(true)
    }
}

/// The samples of a series as plain pairs, stale markers among them.
pub(crate) fn pairs(series: &LoadedSeries) -> Vec<(i64, f64)> {
    let pairs = series.samples.iter().map(|sample| match &sample.value {
        Value::Float(value) => (sample.timestamp.ms(), *value),
        Value::Histogram(_) => unreachable!("only floats"),
    });
    pairs.collect()
}

/// Whether a value ends its series.
pub(crate) fn ends(value: f64) -> bool {
    is_stale(value)
}
