//! Records to calls of the port through which the samples once came in.
//!
//! The decoder lives as long as its segment and keeps what its counterpart, the encoder, keeps.
//! It trusts nothing: a number that was not defined, a length beyond the bytes, a tag without
//! meaning end the segment.

use std::sync::Arc;

use super::record::{
    COLUMNS, EXEMPLAR, FrontCoding, GROUP, METADATA, ROW, ROW_CELLS_MAX, ROW_OF_COLUMNS, SAMPLE,
    SERIES,
};
use crate::append::{Append, Cell, CellValue, ColumnRef, FamilyColumns, GroupRef};
use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::cell::CellState;
use crate::codec::text::{labels, pairs, text};
use crate::codec::{Input, Malformed};
use crate::model::{Exemplar, Histogram, Labels, Metadata, MetricType, Timestamp};
use crate::numbered::Numbered;

/// What a segment has said so far.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    groups: Vec<GroupState>,
    families: Vec<String>,
    series: Vec<SeriesState>,
    labels: FrontCoding,
    /// Time of the newest row or sample, if there was one.
    pub(super) newest: Option<i64>,
    /// Cells and samples that the store did not take again.
    pub(super) rejected: u64,
}

#[derive(Debug)]
struct GroupState {
    group: GroupRef,
    /// By the segment's number.
    columns: Vec<ColumnRef>,
    cells: Vec<CellState>,
    /// The columns of the last row, by the segment's number and by the store's.
    shape: Vec<u32>,
    refs: Vec<ColumnRef>,
    timestamp: i64,
}

#[derive(Debug)]
struct SeriesState {
    labels: Labels,
    timestamp: i64,
    cell: CellState,
}

impl Decoder {
    /// Repeats all calls of a commit.
    pub(crate) fn read(&mut self, payload: &[u8], into: &mut dyn Append) -> Result<(), Malformed> {
        let mut input = Input(payload);
        while !input.is_empty() {
            match input.byte()? {
                GROUP => self.group(&mut input, into)?,
                COLUMNS => self.columns(&mut input, into)?,
                SERIES => self.series(&mut input)?,
                ROW => self.row(&mut input, into, false)?,
                ROW_OF_COLUMNS => self.row(&mut input, into, true)?,
                SAMPLE => self.sample(&mut input, into)?,
                METADATA => self.metadata(&mut input, into)?,
                EXEMPLAR => self.exemplar(&mut input, into)?,
                _ => return Err(Malformed("a record's tag")),
            }
        }
        Ok(())
    }

    fn group(&mut self, input: &mut Input<'_>, into: &mut dyn Append) -> Result<(), Malformed> {
        let target = labels(input)?;
        let group = into.group(&target).map_err(|_| Malformed("a group that can be made"))?;
        self.groups.push(GroupState {
            group,
            columns: Vec::new(),
            cells: Vec::new(),
            shape: Vec::new(),
            refs: Vec::new(),
            timestamp: 0,
        });
        Ok(())
    }

    fn columns(&mut self, input: &mut Input<'_>, into: &mut dyn Append) -> Result<(), Malformed> {
        let number = input.size()?;
        let mut families: Vec<FamilyColumns> = Vec::new();
        for _ in 0..input.count()? {
            let name = self.family(input)?;
            let own = pairs(&mut Input(self.labels.read(input)?))?;
            match families.last_mut().filter(|family| family.name == name) {
                Some(family) => family.columns.push(own),
                None => families.push(FamilyColumns {
                    name,
                    metadata: Metadata::default(),
                    columns: vec![own],
                }),
            }
        }
        let group = self.groups.get_mut(number).ok_or(Malformed("a group defined before"))?;
        let columns = into.columns(group.group, &families);
        group.columns.extend(columns.map_err(|_| Malformed("columns that can be made"))?);
        group.cells.resize(group.columns.len(), CellState::NEW);
        Ok(())
    }

    fn family(&mut self, input: &mut Input<'_>) -> Result<String, Malformed> {
        match input.size()? {
            0 => {
                let name = text(input)?.to_owned();
                self.families.push(name.clone());
                Ok(name)
            }
            number => {
                let known = self.families.get(number - 1);
                known.cloned().ok_or(Malformed("a family defined before"))
            }
        }
    }

    fn series(&mut self, input: &mut Input<'_>) -> Result<(), Malformed> {
        let labels = labels(&mut Input(self.labels.read(input)?))?;
        self.series.push(SeriesState { labels, timestamp: 0, cell: CellState::NEW });
        Ok(())
    }

    fn row(
        &mut self,
        input: &mut Input<'_>,
        into: &mut dyn Append,
        names_columns: bool,
    ) -> Result<(), Malformed> {
        let group = self.groups.get_mut(input.size()?);
        let group = group.ok_or(Malformed("a group defined before"))?;
        group.timestamp = group.timestamp.wrapping_add(input.signed()?);
        if names_columns {
            group.read_shape(input)?;
        }
        let mut histograms = Vec::new();
        let mut cells: Vec<Cell<'_>> = group.read_cells(input, &mut histograms)?;
        for (at, histogram) in &histograms {
            let cell = cells.get_mut(*at).ok_or(Malformed("a cell of the row"))?;
            cell.value = CellValue::Histogram(histogram);
        }
        let timestamp = Timestamp::from_ms(group.timestamp);
        self.newest = self.newest.max(Some(group.timestamp));
        let report = into.row(group.group, timestamp, &group.refs, &cells);
        let report = report.map_err(|_| Malformed("a row of known columns"))?;
        self.rejected += report.rejected() as u64;
        Ok(())
    }

    fn sample(&mut self, input: &mut Input<'_>, into: &mut dyn Append) -> Result<(), Malformed> {
        let series = self.series.get_mut(input.size()?);
        let series = series.ok_or(Malformed("a series defined before"))?;
        series.timestamp = series.timestamp.wrapping_add(input.signed()?);
        let cell = series.cell.read(input)?;
        let timestamp = Timestamp::from_ms(series.timestamp);
        self.newest = self.newest.max(Some(series.timestamp));
        if into.sample(&series.labels, timestamp, cell.as_cell()).is_err() {
            self.rejected += 1;
        }
        Ok(())
    }

    fn metadata(&mut self, input: &mut Input<'_>, into: &mut dyn Append) -> Result<(), Malformed> {
        let family = text(input)?;
        let kind = MetricType::from_name(text(input)?).ok_or(Malformed("a metric type"))?;
        let (unit, help) = (text(input)?.to_owned(), text(input)?.to_owned());
        let metadata = Metadata { kind, unit, help };
        into.metadata(family, &metadata).map_err(|_| Malformed("a family's metadata"))
    }

    fn exemplar(&mut self, input: &mut Input<'_>, into: &mut dyn Append) -> Result<(), Malformed> {
        let (series, own) = (labels(input)?, labels(input)?);
        let mut bits = [0; 8];
        bits.copy_from_slice(input.take(8)?);
        let value = f64::from_bits(u64::from_le_bytes(bits));
        let timestamp = Timestamp::from_ms(input.signed()?);
        let exemplar = Exemplar { labels: own, value, timestamp };
        into.exemplar(&series, exemplar).map_err(|_| Malformed("an exemplar of a series"))
    }
}

impl GroupState {
    fn read_shape(&mut self, input: &mut Input<'_>) -> Result<(), Malformed> {
        self.shape.clear();
        self.refs.clear();
        for _ in 0..input.count()? {
            let (first, length) = (input.size()?, input.size()?);
            let columns = first.checked_add(length).and_then(|end| self.columns.get(first..end));
            let columns = columns.ok_or(Malformed("columns defined before"))?;
            if self.shape.len() + length > ROW_CELLS_MAX {
                return Err(Malformed("a row of bearable length"));
            }
            // They fit: the store has numbered them.
            self.shape.extend((first as u32..).take(length));
            self.refs.extend_from_slice(columns);
        }
        Ok(())
    }

    /// The cells of a row, those that are histograms absent and set aside with their numbers.
    fn read_cells(
        &mut self,
        input: &mut Input<'_>,
        histograms: &mut Vec<(usize, Arc<Histogram>)>,
    ) -> Result<Vec<Cell<'static>>, Malformed> {
        let mut cells = Vec::with_capacity(self.shape.len());
        let mut push = |cells: &mut Vec<_>, StoredCell { value, start }| {
            let value = match value {
                Stored::Float(value) => CellValue::Float(value),
                Stored::Absent => CellValue::Absent,
                Stored::Stale => CellValue::Stale,
                Stored::Histogram(histogram) => {
                    histograms.push((cells.len(), histogram));
                    CellValue::Absent
                }
            };
            let start = (start != NO_START).then(|| Timestamp::from_ms(start));
            cells.push(Cell { value, start });
        };
        let (mut columns, states) = (self.shape.iter(), &mut *self.cells);
        while columns.len() > 0 {
            let unchanged = run(input, columns.len())?;
            for column in columns.by_ref().take(unchanged) {
                push(&mut cells, states.of(*column).repeated()?);
            }
            if columns.len() == 0 {
                break;
            }
            let changed = run(input, columns.len())?;
            for column in columns.by_ref().take(changed) {
                push(&mut cells, states.of_mut(*column).read(input)?);
            }
            if changed == 0 {
                return Err(Malformed("a cell that changed"));
            }
        }
        Ok(cells)
    }
}

/// The length of the next run of cells, of which so many are left.
fn run(input: &mut Input<'_>, left: usize) -> Result<usize, Malformed> {
    let length = input.size()?;
    if length <= left { Ok(length) } else { Err(Malformed("as many cells as columns")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::append::Storage;
    use crate::codec::frame::{FRAME_HEAD_BYTES, SEGMENT_HEAD_BYTES};
    use crate::codec::pack::Unpacker;
    use crate::disk::sim::SimDisk;
    use crate::{Db, Options};

    fn store(disk: &SimDisk) -> Db {
        Db::open(Arc::new(disk.clone()), Path::new("/d"), Options::default()).unwrap().0
    }

    /// A commit with each kind of record, as bytes.
    fn payload() -> Vec<u8> {
        let disk = SimDisk::new(1);
        let db = store(&disk);
        let mut appender = db.appender();
        let own = |name: &str| vec![("__name__".to_owned(), name.to_owned())];
        let columns = vec![own("a"), own("b"), own("c")];
        let family = FamilyColumns { name: "f".into(), metadata: Metadata::default(), columns };
        let labels = Labels::from_pairs([("__name__", "loose")]);
        let group = appender.group(&Labels::from_pairs([("job", "j")])).unwrap();
        let columns = appender.columns(group, &[family]).unwrap();
        for at in 0..3 {
            let time = Timestamp::from_ms(at);
            let cells = [Cell::float(at as f64), Cell::float(0.1), Cell::STALE];
            appender.row(group, time, &columns, &cells).unwrap();
            appender.sample(&labels, time, cells[0]).unwrap();
        }
        let metadata = Metadata { unit: "s".into(), ..Metadata::default() };
        appender.metadata("f", &metadata).unwrap();
        let timestamp = Timestamp::from_ms(1);
        let exemplar = Exemplar { labels: Labels::empty(), value: 1.0, timestamp };
        appender.exemplar(&labels, exemplar).unwrap();
        appender.commit().unwrap();
        let bytes = disk.files().into_values().next().unwrap();
        let payload = &bytes[SEGMENT_HEAD_BYTES + FRAME_HEAD_BYTES..];
        Unpacker::default().unpack(payload).unwrap().to_vec()
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            random: Vec<u8>,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let db = store(&SimDisk::new(1));
            let mut changed = payload();
            for (at, byte) in changes {
                let at = at.index(changed.len());
                changed[at] = byte;
            }
            for bytes in [random, changed] {
                let _ = Decoder::default().read(&bytes, &mut *db.appender());
            }
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let db = store(&SimDisk::new(1));
        let (mut decoder, mut appender) = (Decoder::default(), db.appender());
        assert_eq!(decoder.read(&payload(), &mut *appender), Ok(()));
        assert_eq!((decoder.newest, decoder.rejected), (Some(2), 0));
        assert_eq!(appender.commit().unwrap(), 12);
    }
}
