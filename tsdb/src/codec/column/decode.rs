//! Bytes back to columns, each one without the others.
//!
//! [`EncodedWindow::open`] looks at the head only. A column is found through the table of
//! offsets, by passing over at most 15 others. A bucket needs the integers of its lower
//! neighbours: [`Decoder`] keeps the last integers it made, so that the buckets of a histogram
//! cost one list each if they are read from the lowest to the highest.

use std::sync::Arc;

use super::floats::{self, Tag};
use super::presence::{self, RowKind};
use super::{
    CHAIN_MAX, COLUMNS_PER_OFFSET, HAS_HISTOGRAMS, HAS_PATTERN, HAS_STARTS, ROWS_MAX, TAG,
    histogram, integers, start, timestamps,
};
use crate::cell::NO_START;
use crate::codec::cell::whole;
use crate::codec::{Input, Malformed};
use crate::model::Histogram;

/// The bytes of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncodedWindow<'a> {
    rows: usize,
    columns: usize,
    timestamps: &'a [u8],
    patterns: &'a [u8],
    offsets: &'a [u8],
    bodies: &'a [u8],
}

/// The bytes of a column.
#[derive(Clone, Copy, Debug)]
struct EncodedColumn<'a> {
    tag: Tag,
    pattern: usize,
    starts: Option<&'a [u8]>,
    histograms: Option<&'a [u8]>,
    floats: Input<'a>,
}

impl<'a> EncodedWindow<'a> {
    /// The window that `bytes` hold.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let (rows, columns) = (input.size()?, input.size()?);
        if rows > ROWS_MAX {
            return Err(Malformed("a window of at most 4096 rows"));
        }
        let length = input.count()?;
        let timestamps = input.take(length)?;
        let length = input.count()?;
        let patterns = input.take(length)?;
        let offsets = input.take(columns.div_ceil(COLUMNS_PER_OFFSET).saturating_mul(4))?;
        Ok(Self { rows, columns, timestamps, patterns, offsets, bodies: input.0 })
    }

    /// Number of rows, at most [`ROWS_MAX`].
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns; those behind have no cells.
    #[cfg(test)]
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The timestamps, rising.
    pub(crate) fn timestamps(&self) -> Result<Vec<i64>, Malformed> {
        let mut out = vec![0; self.rows];
        timestamps::read(&mut Input(self.timestamps), &mut out)?;
        Ok(out)
    }

    /// Finds a column.
    fn column(&self, number: usize) -> Result<EncodedColumn<'a>, Malformed> {
        if number >= self.columns {
            return Err(Malformed("a column of the window"));
        }
        let offset = self.offsets.as_chunks().0.get(number / COLUMNS_PER_OFFSET);
        let offset = offset.map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
        let mut input = Input(self.bodies.get(offset..).ok_or(Malformed("an offset"))?);
        for _ in 0..number % COLUMNS_PER_OFFSET {
            body(&mut input)?;
        }
        let (head, mut input) = body(&mut input)?;
        let tag = Tag::from_number(head & TAG)?;
        let pattern = if head & HAS_PATTERN != 0 { input.size()? } else { 0 };
        let mut part = |flag| {
            let is_there = head & flag != 0;
            is_there.then(|| input.count().and_then(|length| input.take(length))).transpose()
        };
        let (starts, histograms) = (part(HAS_STARTS)?, part(HAS_HISTOGRAMS)?);
        Ok(EncodedColumn { tag, pattern, starts, histograms, floats: input })
    }

    /// Bytes of a column, and the name of its codec.
    #[cfg(test)]
    pub(super) fn column_bytes(&self, number: usize) -> (usize, String) {
        let offset = self.offsets.as_chunks().0[number / COLUMNS_PER_OFFSET];
        let mut input = Input(&self.bodies[u32::from_le_bytes(offset) as usize..]);
        for _ in 0..number % COLUMNS_PER_OFFSET {
            body(&mut input).unwrap();
        }
        let before = input.0.len();
        let (head, _) = body(&mut input).unwrap();
        (before - input.0.len(), format!("{:?}", Tag::from_number(head & TAG).unwrap()))
    }

    /// Whether every column that has cells has a float in every row.
    fn is_plain(&self) -> bool {
        self.patterns.is_empty()
    }

    fn pattern(&self, number: usize, out: &mut [RowKind]) -> Result<(), Malformed> {
        out.fill(RowKind::Float);
        if self.is_plain() && number == 0 {
            return Ok(());
        }
        let mut input = Input(self.patterns);
        if number >= input.count()? {
            return Err(Malformed("a pattern of the window"));
        }
        for _ in 0..number {
            presence::skip(&mut input)?;
        }
        if input.0.first() == Some(&0) {
            return Ok(());
        }
        presence::read(&mut input, out)
    }
}

/// Takes a column: its first byte, and what follows it.
fn body<'a>(input: &mut Input<'a>) -> Result<(u8, Input<'a>), Malformed> {
    let head = input.byte()?;
    if head == Tag::None as u8 || head == Tag::Zero as u8 {
        return Ok((head, Input(&[])));
    }
    let length = input.count()?;
    Ok((head, Input(input.take(length)?)))
}

/// The column that column `own` names.
fn reference(input: &mut Input<'_>, own: usize) -> Result<usize, Malformed> {
    let other = (own as i64).wrapping_sub(input.signed()?);
    usize::try_from(other).map_err(|_| Malformed("a column of the window"))
}

/// Buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    integers: Vec<i64>,
    more: Vec<i64>,
    /// The column that `integers` are, of the window that is being decoded.
    column: Option<usize>,
}

/// What a column has beside its floats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// What each row holds; empty if all hold floats.
    pub(crate) kinds: Vec<RowKind>,
    /// The histograms with their rows, rising.
    pub(crate) histograms: Vec<(u16, Arc<Histogram>)>,
    /// Each start timestamp with the row from which on it holds, rising.
    pub(crate) starts: Vec<(u16, i64)>,
}

impl Beside {
    /// What a row holds.
    pub(crate) fn kind(&self, row: usize) -> RowKind {
        self.kinds.get(row).copied().unwrap_or(RowKind::Float)
    }

    /// The histogram of a row, if it holds one.
    pub(crate) fn histogram(&self, row: usize) -> Option<Arc<Histogram>> {
        let at = self.histograms.binary_search_by_key(&row, |(own, _)| usize::from(*own)).ok()?;
        self.histograms.get(at).map(|(_, histogram)| histogram.clone())
    }

    /// The start timestamp that holds at a row, or [`NO_START`].
    pub(crate) fn start(&self, row: usize) -> i64 {
        let later = self.starts.partition_point(|(from, _)| usize::from(*from) <= row);
        let own = later.checked_sub(1).and_then(|at| self.starts.get(at));
        own.map_or(NO_START, |(_, start)| *start)
    }
}

/// Decodes columns of one window.
#[derive(Debug)]
pub(crate) struct Decoder<'a, 's> {
    window: EncodedWindow<'a>,
    /// The first timestamp.
    base: i64,
    scratch: &'s mut Scratch,
}

impl<'a, 's> Decoder<'a, 's> {
    /// A decoder of a window whose first timestamp is `base`.
    pub(crate) fn new(window: EncodedWindow<'a>, base: i64, scratch: &'s mut Scratch) -> Self {
        scratch.column = None;
        scratch.integers.resize(window.rows, 0);
        scratch.more.resize(window.rows, 0);
        Self { window, base, scratch }
    }

    /// Decodes a column: its floats to `floats`, one for each row (anything where a row holds
    /// none). `None`, and nothing decoded, if the column has no cells.
    ///
    /// # Panics
    ///
    /// If `floats` is not as long as the window.
    pub(crate) fn read(
        &mut self,
        number: usize,
        floats: &mut [f64],
    ) -> Result<Option<Beside>, Malformed> {
        assert_eq!(floats.len(), self.window.rows, "BUG: a float for each row");
        if number >= self.window.columns {
            return Ok(None);
        }
        let column = self.window.column(number)?;
        if column.tag == Tag::None {
            return Ok(None);
        }
        self.read_floats(number, column, floats)?;
        self.beside(column).map(Some)
    }

    fn read_floats(
        &mut self,
        number: usize,
        column: EncodedColumn<'a>,
        out: &mut [f64],
    ) -> Result<(), Malformed> {
        let (mut number, mut column) = (number, column);
        for _ in 0..=CHAIN_MAX {
            match column.tag {
                Tag::Alias => {
                    number = reference(&mut column.floats, number)?;
                    column = self.window.column(number)?;
                }
                Tag::Bucket | Tag::Integers => {
                    self.make_integers(number)?;
                    floats::from_integers(&self.scratch.integers, out);
                    return Ok(());
                }
                tag => return floats::read(tag, &mut column.floats, &mut self.scratch.more, out),
            }
        }
        Err(Malformed("a chain of bounded length"))
    }

    /// Makes `scratch.integers` those of a column: goes down to the first one that stands alone
    /// or is there already, and adds what those above it have more.
    fn make_integers(&mut self, number: usize) -> Result<(), Malformed> {
        let mut above = [Input(&[]); CHAIN_MAX];
        let (mut count, mut at) = (0, number);
        for steps in 0.. {
            if self.scratch.column == Some(at) {
                break;
            }
            let mut column = self.window.column(at)?;
            let is_last = !matches!(column.tag, Tag::Alias | Tag::Bucket);
            if is_last {
                self.scratch.column = None;
                read_integers(column, &mut self.scratch.integers)?;
                break;
            }
            if steps >= CHAIN_MAX {
                return Err(Malformed("a chain of bounded length"));
            }
            at = reference(&mut column.floats, at)?;
            if column.tag == Tag::Bucket {
                above[count] = column.floats;
                count += 1;
            }
        }
        self.scratch.column = None;
        for input in above[..count].iter_mut().rev() {
            integers::read(input, &mut self.scratch.more)?;
            for (own, more) in self.scratch.integers.iter_mut().zip(&self.scratch.more) {
                *own = own.wrapping_add(*more);
            }
        }
        self.scratch.column = Some(number);
        Ok(())
    }

    fn beside(&self, column: EncodedColumn<'a>) -> Result<Beside, Malformed> {
        let mut beside = Beside::default();
        if !self.window.is_plain() || column.pattern > 0 {
            beside.kinds.resize(self.window.rows, RowKind::Float);
            self.window.pattern(column.pattern, &mut beside.kinds)?;
        }
        if let Some(starts) = column.starts {
            start::read(&mut Input(starts), self.base, &mut beside.starts)?;
            if beside.starts.last().is_some_and(|(row, _)| usize::from(*row) >= self.window.rows) {
                return Err(Malformed("a row of the window"));
            }
        }
        let kinds = (0..).zip(&beside.kinds);
        let rows = kinds.filter(|(_, kind)| **kind == RowKind::Histogram).map(|(row, _)| row);
        let rows: Vec<u16> = rows.collect();
        match column.histograms {
            None if rows.is_empty() => {}
            None => return Err(Malformed("histograms")),
            Some(bytes) => {
                let read = histogram::read(&mut Input(bytes), rows.len())?;
                beside.histograms = rows.into_iter().zip(read.into_iter().map(Arc::new)).collect();
            }
        }
        Ok(beside)
    }
}

/// Reads the integers of a column that stands alone.
fn read_integers(column: EncodedColumn<'_>, out: &mut [i64]) -> Result<(), Malformed> {
    let mut input = column.floats;
    match column.tag {
        Tag::Integers => return integers::read(&mut input, out),
        Tag::Zero => out.fill(0),
        Tag::Constant => {
            out.fill(whole(floats::constant(&mut input)?).ok_or(Malformed("an integer"))?)
        }
        _ => return Err(Malformed("a column of integers")),
    }
    Ok(())
}
