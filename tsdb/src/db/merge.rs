//! The rows of one group from several blocks, put together to longer windows.
//!
//! 1. [`Merger::new`] unites the columns and sorts them: by family, then the buckets of a histogram
//!    from the lowest to the highest. Groups of equal targets so get equal lists of columns.
//! 2. [`Merger::write`] goes through the windows in order of time. A window that is long enough is
//!    copied as it is; shorter ones are decoded and gathered; windows that overlap in time are
//!    merged row by row, where the block of lower precedence wins.
//!
//! What is deleted is left out.

use std::collections::HashMap;
use std::sync::Arc;

use super::parts::Part;
use crate::block::{BlockWriter, NO_TIME, WindowEntry};
use crate::codec::Malformed;
use crate::codec::column::{EncodedWindow, Pattern, RowKind, Scratch, encode_window};
use crate::error::Error;
use crate::family::lower_neighbours;
use crate::model::number::parse_float;
use crate::model::{BUCKET_LABEL, Labels};
use crate::numbered::Numbered;
use crate::sealed::{Decoded, SealedColumns};

use super::gather::Gathered;

/// Rows from which on a window is long enough.
const ROWS_ENOUGH: usize = 384;
/// Rows of a merged window at most: not quite enough, and a window that was not enough.
pub(super) const MERGED_ROWS_MAX: usize = 2 * ROWS_ENOUGH;
/// Cells that are gathered at most before they are written: 64 MiB of floats.
const CELLS_MAX: usize = 8 << 20;

/// Stands for the merged column of one that has no cells.
const NO_COLUMN: u32 = u32::MAX;

/// A group of a block, and which merged column each of its columns is.
struct Source<'a> {
    part: &'a Part,
    group: u32,
    columns: Vec<u32>,
}

/// The rows of one group.
pub(super) struct Merger<'a> {
    target: Labels,
    /// Family and labels of each merged column.
    columns: Vec<(String, Labels)>,
    lower: Vec<Option<u32>>,
    /// In order of precedence.
    sources: Vec<Source<'a>>,
}

impl<'a> Merger<'a> {
    /// The columns of these groups of blocks, which are given in order of precedence.
    pub(super) fn new(target: Labels, groups: &[(&'a Part, u32)]) -> Result<Self, Error> {
        let mut columns: Vec<(String, Labels)> = Vec::new();
        let mut numbers: HashMap<Labels, u32> = HashMap::new();
        let mut sources = Vec::new();
        for (part, group) in groups {
            let mut own = Vec::new();
            let view = part.block.view()?;
            for column in 0..view.columns(*group)? {
                if view.span(*group, column)? == NO_TIME {
                    own.push(NO_COLUMN);
                    continue;
                }
                let labels = view.labels(*group, column)?;
                let next = columns.len() as u32;
                let number = *numbers.entry(labels.clone()).or_insert(next);
                if number == next {
                    columns.push((view.family(*group, column)?.to_owned(), labels));
                }
                own.push(number);
            }
            sources.push(Source { part, group: *group, columns: own });
        }
        let mut merger = Self { target, columns, lower: Vec::new(), sources };
        merger.sort();
        Ok(merger)
    }

    fn sort(&mut self) {
        let le = |labels: &Labels| labels.get(BUCKET_LABEL).and_then(parse_float);
        let key = |(family, labels): &(String, Labels)| {
            let name = labels.metric_name().unwrap_or_default().to_owned();
            (family.clone(), name, labels.filtered(|own| own != BUCKET_LABEL))
        };
        let keys: Vec<_> = self.columns.iter().map(key).collect();
        let les: Vec<_> = self.columns.iter().map(|(_, labels)| le(labels)).collect();
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        order.sort_by(|a, b| {
            let le = |column: u32| les.of(column).unwrap_or(f64::NAN);
            let les = || le(*a).total_cmp(&le(*b));
            let labels = || self.columns.of(*a).1.cmp(&self.columns.of(*b).1);
            keys.of(*a).cmp(keys.of(*b)).then_with(les).then_with(labels)
        });
        let mut places = vec![0; order.len()];
        for (place, column) in (0..).zip(&order) {
            *places.of_mut(*column) = place;
        }
        for column in self.sources.iter_mut().flat_map(|source| &mut source.columns) {
            *column = places.get(*column as usize).copied().unwrap_or(NO_COLUMN);
        }
        self.columns = order.iter().map(|column| self.columns.of(*column).clone()).collect();
        self.lower = lower_neighbours(self.columns.iter().map(|(_, own)| (own, le(own))));
    }

    /// Whether no column has a cell: everything was deleted.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Writes the group.
    pub(super) fn write(&self, writer: &mut BlockWriter<'_>) -> Result<(), Error> {
        let columns: Vec<_> = self.columns.iter().map(|(family, own)| (&**family, own)).collect();
        writer.begin_group(&self.target, &columns);
        let mut windows = Vec::new();
        for (number, source) in (0..).zip(&self.sources) {
            let own = source.part.block.view()?.windows(source.group)?;
            windows.extend(own.into_iter().map(|window| (number, window)));
        }
        windows.sort_by_key(|(number, window)| (window.span.0, *number));
        let mut gathered = Gathered::new(self.columns.len());
        let mut rest = &windows[..];
        while let Some(((source, window), _)) = rest.split_first() {
            let mut end = window.span.1;
            let overlapping = rest.iter().take_while(|(_, other)| {
                let meets = other.span.0 <= end;
                end = end.max(other.span.1);
                meets
            });
            let (together, behind) = rest.split_at(overlapping.count().max(1));
            rest = behind;
            let source = self.sources.of(*source);
            if together.len() == 1 && window.rows as usize >= ROWS_ENOUGH && self.is_copy(source) {
                self.put(writer, &mut gathered)?;
                copy(writer, source, window)?;
                continue;
            }
            let rows: usize = together.iter().map(|(_, window)| window.rows as usize).sum();
            if (gathered.rows() + rows).saturating_mul(self.columns.len()) > CELLS_MAX {
                self.put(writer, &mut gathered)?;
            }
            self.gather(writer, together, &mut gathered)?;
        }
        self.put(writer, &mut gathered)
    }

    /// Whether the windows of a source hold what is to be written.
    fn is_copy(&self, source: &Source<'_>) -> bool {
        let is_same = source.columns.iter().copied().eq(0..source.columns.len() as u32);
        is_same && source.part.deleted.is_empty()
    }

    fn gather(
        &self,
        writer: &mut BlockWriter<'_>,
        windows: &[(u32, WindowEntry)],
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        let mut decoded = Vec::new();
        for (number, window) in windows {
            let source = self.sources.of(*number);
            decoded.push((*number, self.decode(source, window)?));
        }
        if let [(_, (timestamps, columns))] = &mut decoded[..] {
            gathered.extend(timestamps, columns);
            return self.put_enough(writer, gathered);
        }
        // In order of precedence, so that the first cell of a time counts.
        decoded.sort_by_key(|(number, _)| *number);
        let rows = decoded.iter().enumerate().flat_map(|(window, (_, (timestamps, _)))| {
            timestamps.iter().enumerate().map(move |(row, timestamp)| (*timestamp, window, row))
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            let Some((timestamp, ..)) = same.first() else { continue };
            let cell = |column: usize| {
                let cells = same.iter().filter_map(|(_, window, row)| {
                    let (_, (_, columns)) = decoded.get(*window)?;
                    Some(columns.get(column)?.as_ref()?.cell(*row))
                });
                cells.into_iter().find(|cell| !cell.is_absent())
            };
            gathered.push(*timestamp, cell);
            self.put_enough(writer, gathered)?;
        }
        Ok(())
    }

    fn put_enough(
        &self,
        writer: &mut BlockWriter<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        if gathered.rows() >= ROWS_ENOUGH { self.put(writer, gathered) } else { Ok(()) }
    }

    /// The rows of a window, by merged column.
    fn decode(
        &self,
        source: &Source<'_>,
        window: &WindowEntry,
    ) -> Result<(Vec<i64>, Vec<Option<Decoded>>), Error> {
        let bytes = source.part.block.view()?.window_bytes(window)?;
        let read = || -> Result<_, Malformed> {
            let timestamps = EncodedWindow::open(bytes)?.timestamps()?;
            let mut scratch = Scratch::default();
            let mut reader = SealedColumns::open(bytes, window.span.0, &mut scratch)?;
            let mut columns: Vec<Option<Decoded>> = Vec::new();
            columns.resize_with(self.columns.len(), || None);
            for (number, column) in source.columns.iter().enumerate() {
                let Some(place) = columns.get_mut(*column as usize) else { continue };
                let mut floats = vec![0.0; timestamps.len()];
                let beside = reader.read(number, &mut floats)?;
                let decoded = beside.map(|beside| Decoded { floats, beside });
                *place = decoded.map(|mut decoded| {
                    source.hide_deleted(number as u32, &timestamps, &mut decoded);
                    decoded
                });
            }
            Ok((timestamps, columns))
        };
        read().map_err(|malformed| source.part.damaged(malformed))
    }

    fn put(&self, writer: &mut BlockWriter<'_>, gathered: &mut Gathered) -> Result<(), Error> {
        let Some(ends) = gathered.ends() else { return Ok(()) };
        let inputs = gathered.inputs(&self.lower);
        let bytes = encode_window(gathered.timestamps(), &inputs);
        let (ranges, samples) = (gathered.ranges(), gathered.samples());
        writer.window(ends, gathered.rows() as u32, samples, &bytes, &ranges)?;
        gathered.clear();
        Ok(())
    }
}

impl Source<'_> {
    fn hide_deleted(&self, column: u32, timestamps: &[i64], decoded: &mut Decoded) {
        if self.part.deleted.of(self.group, column).is_empty() {
            return;
        }
        let mut kinds = decoded.beside.kinds().to_vec();
        kinds.resize(timestamps.len(), RowKind::Float);
        for (kind, timestamp) in kinds.iter_mut().zip(timestamps) {
            if self.part.deleted.contains(self.group, column, *timestamp) {
                *kind = RowKind::Absent;
            }
        }
        let is_kept = |row: &u16| kinds.get(usize::from(*row)) == Some(&RowKind::Histogram);
        decoded.beside.histograms.retain(|(row, _)| is_kept(row));
        decoded.beside.pattern = Some(Arc::new(Pattern::new(kinds)));
    }
}

/// Copies the bytes of a window.
fn copy(
    writer: &mut BlockWriter<'_>,
    source: &Source<'_>,
    window: &WindowEntry,
) -> Result<(), Error> {
    let view = source.part.block.view()?;
    let bytes = view.window_bytes(window)?;
    let mut ranges = Vec::new();
    for column in 0..source.columns.len() as u32 {
        let (first, last) = view.span(source.group, column)?;
        let cut = (first.max(window.span.0), last.min(window.span.1));
        ranges.push((cut.0 <= cut.1 && (first, last) != NO_TIME).then_some(cut));
    }
    writer.window(window.span, window.rows, window.samples, bytes, &ranges)
}
