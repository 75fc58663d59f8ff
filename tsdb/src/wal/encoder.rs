//! Commits to records.
//!
//! The encoder lives as long as its segment and knows what the segment has defined, and the last
//! cell of each column. A row is the runs of its cells that did not change and of those that did:
//! an idle target's row is a handful of bytes.

use std::num::NonZeroU32;

use hashbrown::HashMap;

use super::last_cells::LastCells;
use super::record::{
    COLUMNS, EXEMPLAR, FrontCoding, GROUP, METADATA, ROW, ROW_OF_COLUMNS, SAMPLE, SERIES,
};
use crate::append::{ColumnRef, GroupRef};
use crate::codec::cell::CellState;
use crate::codec::text::{put_pairs, put_text};
use crate::codec::varint::{put_signed, put_varint};
use crate::commit::{Catalog, Commit, Entry, LooseSample, Row, SeriesId};
use crate::group::own_labels;
use crate::model::{Exemplar, Labels, Metadata};
use crate::numbered::{Number, Numbered};
use crate::packed::{Packed, PackedRow};

/// What a segment holds so far.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    groups: HashMap<GroupRef, GroupState>,
    families: HashMap<String, u64>,
    series: HashMap<SeriesId, SeriesState>,
    labels: FrontCoding,
}

#[derive(Debug)]
struct GroupState {
    number: u64,
    /// The segment's number of each of the store's columns, once it is defined, plus one.
    numbers: Vec<Option<NonZeroU32>>,
    cells: LastCells,
    defined: u32,
    /// The columns and the time of the last row.
    shape: Vec<ColumnRef>,
    timestamp: i64,
}

#[derive(Debug)]
struct SeriesState {
    number: u64,
    timestamp: i64,
    cell: CellState,
}

impl Encoder {
    /// Writes a commit's records, and before them what they use and the segment has not yet.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, commit: &Commit, catalog: &dyn Catalog) {
        for (family, metadata) in &commit.metadata {
            put_metadata(out, family, metadata);
        }
        for entry in &commit.entries {
            match entry {
                Entry::Row(row) => self.put_row(out, commit, row, catalog),
                Entry::Sample(sample) => self.put_sample(out, sample, catalog),
            }
        }
        for (labels, exemplar) in &commit.exemplars {
            put_exemplar(out, labels, exemplar);
        }
    }

    fn put_row(&mut self, out: &mut Vec<u8>, commit: &Commit, row: &Row, catalog: &dyn Catalog) {
        let (columns, cells) = commit.row(row);
        self.define_group(out, row.group, catalog);
        let is_same_shape = self.groups.get(&row.group).is_some_and(|group| group.shape == columns);
        if !is_same_shape {
            self.define_columns(out, row.group, columns, catalog);
        }
        let Some(group) = self.groups.get_mut(&row.group) else { return };
        out.push(if is_same_shape { ROW } else { ROW_OF_COLUMNS });
        put_varint(out, group.number);
        put_signed(out, row.timestamp.wrapping_sub(group.timestamp));
        group.timestamp = row.timestamp;
        if !is_same_shape {
            columns.clone_into(&mut group.shape);
            group.put_shape(out);
        }
        group.put_cells(out, cells);
    }

    fn define_group(&mut self, out: &mut Vec<u8>, group: GroupRef, catalog: &dyn Catalog) {
        let number = self.groups.len() as u64;
        self.groups.entry(group).or_insert_with(|| {
            out.push(GROUP);
            put_pairs(out, catalog.target(group).iter());
            let (numbers, cells, shape) = (Vec::new(), LastCells::default(), Vec::new());
            GroupState { number, numbers, cells, defined: 0, shape, timestamp: 0 }
        });
    }

    fn define_columns(
        &mut self,
        out: &mut Vec<u8>,
        group: GroupRef,
        columns: &[ColumnRef],
        catalog: &dyn Catalog,
    ) {
        let Some(state) = self.groups.get_mut(&group) else { return };
        let new: Vec<_> = columns.iter().filter(|column| state.define(**column)).collect();
        if new.is_empty() {
            return;
        }
        out.push(COLUMNS);
        put_varint(out, state.number);
        put_varint(out, new.len() as u64);
        let target = catalog.target(group);
        let mut own = Vec::new();
        for column in new {
            let (family, labels) = catalog.column(group, *column);
            put_family(out, &mut self.families, family);
            own.clear();
            put_pairs(&mut own, own_labels(target, labels).into_iter());
            self.labels.put(out, &own);
        }
    }

    fn put_sample(&mut self, out: &mut Vec<u8>, sample: &LooseSample, catalog: &dyn Catalog) {
        let number = self.series.len() as u64;
        let labels = &mut self.labels;
        let series = self.series.entry(sample.series).or_insert_with(|| {
            let mut own = Vec::new();
            put_pairs(&mut own, catalog.labels(sample.series).iter());
            out.push(SERIES);
            labels.put(out, &own);
            SeriesState { number, timestamp: 0, cell: CellState::NEW }
        });
        out.push(SAMPLE);
        put_varint(out, series.number);
        put_signed(out, sample.timestamp.wrapping_sub(series.timestamp));
        series.timestamp = sample.timestamp;
        series.cell.put(out, &sample.cell);
    }
}

impl GroupState {
    /// Gives a column the next number; `false` if it has one.
    fn define(&mut self, column: ColumnRef) -> bool {
        if column.index() >= self.numbers.len() {
            self.numbers.resize(column.index() + 1, None);
            self.cells.resize(column.index() + 1);
        }
        let number = self.numbers.of_mut(column);
        let is_new = number.is_none();
        if is_new {
            self.defined += 1;
            *number = NonZeroU32::new(self.defined);
        }
        is_new
    }

    /// The columns as runs of rising numbers: how many runs, then first and length of each.
    fn put_shape(&self, out: &mut Vec<u8>) {
        let number = |column: &ColumnRef| self.numbers.of(*column).map_or(0, |own| own.get() - 1);
        let numbers: Vec<_> = self.shape.iter().map(number).collect();
        let runs = || numbers.chunk_by(|left, right| left + 1 == *right);
        put_varint(out, runs().count() as u64);
        for run in runs() {
            put_varint(out, run.first().copied().map_or(0, u64::from));
            put_varint(out, run.len() as u64);
        }
    }

    /// The cells, by turns: how many are unchanged, how many are not and those.
    fn put_cells(&mut self, out: &mut Vec<u8>, row: PackedRow<'_>) {
        let (mut shape, mut cells, last) = (&*self.shape, row.cells, &mut self.cells);
        let run = |last: &LastCells, shape: &[ColumnRef], cells: &[Packed], is_unchanged: bool| {
            let mut pairs = shape.iter().zip(cells);
            let is_other = |(column, cell): (&ColumnRef, &Packed)| {
                last.is_unchanged(*column, *cell, row) != is_unchanged
            };
            pairs.position(is_other).unwrap_or(cells.len())
        };
        while !cells.is_empty() {
            let unchanged = run(last, shape, cells, true);
            put_varint(out, unchanged as u64);
            (shape, cells) = (shape.split_at(unchanged).1, cells.split_at(unchanged).1);
            if cells.is_empty() {
                return;
            }
            let changed = run(last, shape, cells, false);
            put_varint(out, changed as u64);
            for (column, cell) in shape.iter().zip(cells).take(changed) {
                last.put(*column, *cell, row, out);
            }
            (shape, cells) = (shape.split_at(changed).1, cells.split_at(changed).1);
        }
    }
}

fn put_family(out: &mut Vec<u8>, families: &mut HashMap<String, u64>, family: &str) {
    if let Some(number) = families.get(family) {
        return put_varint(out, number + 1);
    }
    families.insert(family.to_owned(), families.len() as u64);
    put_varint(out, 0);
    put_text(out, family);
}

/// Writes a family's metadata.
pub(super) fn put_metadata(out: &mut Vec<u8>, family: &str, metadata: &Metadata) {
    out.push(METADATA);
    for text in [family, metadata.kind.as_str(), &metadata.unit, &metadata.help] {
        put_text(out, text);
    }
}

fn put_exemplar(out: &mut Vec<u8>, labels: &Labels, exemplar: &Exemplar) {
    out.push(EXEMPLAR);
    put_pairs(out, labels.iter());
    put_pairs(out, exemplar.labels.iter());
    out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
    put_signed(out, exemplar.timestamp.ms());
}
