//! Bytes back to columns, each one without the others.
//!
//! [`EncodedWindow::open`] looks at the head only. A column is found through the table of
//! offsets, by passing over at most 15 others, or behind the one that was read before. A bucket
//! needs the integers of its lower neighbours: [`Decoder`] keeps the last integers it made, so that
//! the buckets of a histogram cost one list each if they are read from the lowest to the highest.
//! Of all lists only the rows that are asked for are made.

use std::ops::Range;
use std::sync::Arc;

use super::floats::{self, Tag};
use super::presence::{self, Pattern, RowKind};
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

    /// The columns from `number` on, or from the next one before it that has an offset.
    fn bodies_from(&self, number: usize) -> Result<Cursor<'a>, Malformed> {
        let offset = self.offsets.as_chunks().0.get(number / COLUMNS_PER_OFFSET);
        let offset = offset.map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
        let rest = self.bodies.get(offset..).ok_or(Malformed("an offset"))?;
        Ok(Cursor { number: number - number % COLUMNS_PER_OFFSET, rest: Input(rest) })
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

    /// The name of a column's codec; for integers, also that of their list.
    pub(crate) fn codec(&self, number: usize) -> Result<String, Malformed> {
        let column = self.bodies_from(number)?.take(number)?;
        let coder = || column.floats.0.first().map(|flags| integers::coder(*flags));
        let coder = Some(column.tag).filter(|tag| *tag == Tag::Integers).and_then(|_| coder());
        Ok(format!("{:?} {}", column.tag, coder.unwrap_or_default()).trim_end().to_owned())
    }

    /// Whether every column that has cells has a float in every row.
    fn is_plain(&self) -> bool {
        self.patterns.is_empty()
    }

    /// All patterns; none if every column that has cells has a float in every row.
    fn patterns(&self) -> Result<Vec<Option<Arc<Pattern>>>, Malformed> {
        if self.patterns.is_empty() {
            return Ok(Vec::new());
        }
        let mut input = Input(self.patterns);
        let count = input.count()?;
        (0..count).map(|_| self.next_pattern(&mut input)).collect()
    }

    /// `None` if all rows hold floats.
    fn next_pattern(&self, input: &mut Input<'a>) -> Result<Option<Arc<Pattern>>, Malformed> {
        if let [0, rest @ ..] = input.0 {
            input.0 = rest;
            return Ok(None);
        }
        let mut kinds = vec![RowKind::Float; self.rows];
        presence::read(input, &mut kinds)?;
        Ok(Some(Arc::new(Pattern::new(kinds))))
    }
}

/// Columns one after the other, the first one's number and all bytes from there on.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    number: usize,
    rest: Input<'a>,
}

impl<'a> Cursor<'a> {
    /// Passes over columns up to `number`, and takes it.
    fn take(&mut self, number: usize) -> Result<EncodedColumn<'a>, Malformed> {
        while self.number < number {
            body(&mut self.rest)?;
            self.number += 1;
        }
        let (head, mut input) = body(&mut self.rest)?;
        self.number += 1;
        let tag = Tag::from_number(head & TAG)?;
        let pattern = if head & HAS_PATTERN != 0 { input.size()? } else { 0 };
        let mut part = |flag| {
            let is_there = head & flag != 0;
            is_there.then(|| input.count().and_then(|length| input.take(length))).transpose()
        };
        let (starts, histograms) = (part(HAS_STARTS)?, part(HAS_HISTOGRAMS)?);
        Ok(EncodedColumn { tag, pattern, starts, histograms, floats: input })
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
    /// The column that `integers` are, of the window and rows that are being decoded.
    column: Option<usize>,
    /// The window's patterns, once one was asked for.
    patterns: Option<Vec<Option<Arc<Pattern>>>>,
}

/// What a column has beside its floats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// What each row of the window holds; `None` if all hold floats.
    pub(crate) pattern: Option<Arc<Pattern>>,
    /// The histograms with their rows, rising.
    pub(crate) histograms: Vec<(u16, Arc<Histogram>)>,
    /// Each start timestamp with the row from which on it holds, rising.
    pub(crate) starts: Vec<(u16, i64)>,
}

impl Beside {
    /// What each row of the window holds; empty if all hold floats.
    pub(crate) fn kinds(&self) -> &[RowKind] {
        self.pattern.as_ref().map_or(&[], |pattern| pattern.kinds())
    }

    /// What a row holds.
    pub(crate) fn kind(&self, row: usize) -> RowKind {
        self.kinds().get(row).copied().unwrap_or(RowKind::Float)
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

/// Decodes columns of one window, or some rows of them.
#[derive(Debug)]
pub(crate) struct Decoder<'a, 's> {
    window: EncodedWindow<'a>,
    /// The first timestamp.
    base: i64,
    rows: Range<usize>,
    /// Behind the column that was found last.
    cursor: Option<Cursor<'a>>,
    scratch: &'s mut Scratch,
}

impl<'a, 's> Decoder<'a, 's> {
    /// A decoder of some rows of a window whose first timestamp is `base`.
    pub(crate) fn new(
        window: EncodedWindow<'a>,
        base: i64,
        rows: Range<usize>,
        scratch: &'s mut Scratch,
    ) -> Self {
        let rows = rows.start.min(window.rows)..rows.end.min(window.rows);
        (scratch.column, scratch.patterns) = (None, None);
        scratch.integers.resize(rows.len(), 0);
        scratch.more.resize(rows.len(), 0);
        Self { window, base, rows, cursor: None, scratch }
    }

    /// The rows that are decoded.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Finds a column.
    fn column(&mut self, number: usize) -> Result<EncodedColumn<'a>, Malformed> {
        if number >= self.window.columns {
            return Err(Malformed("a column of the window"));
        }
        let ahead = number % COLUMNS_PER_OFFSET;
        let is_near = |own: &Cursor<'_>| own.number <= number && number - own.number <= ahead;
        let mut cursor = match self.cursor.filter(is_near) {
            Some(cursor) => cursor,
            None => self.window.bodies_from(number)?,
        };
        let column = cursor.take(number);
        self.cursor = Some(cursor);
        column
    }

    /// Decodes a column: its floats to `floats`, one for each of the rows (anything where a row
    /// holds none). `None`, and nothing decoded, if the column has no cells.
    ///
    /// # Panics
    ///
    /// If `floats` is not as long as the rows are many.
    pub(crate) fn read(
        &mut self,
        number: usize,
        floats: &mut [f64],
    ) -> Result<Option<Beside>, Malformed> {
        assert_eq!(floats.len(), self.rows.len(), "BUG: a float for each row");
        if number >= self.window.columns {
            return Ok(None);
        }
        let column = self.column(number)?;
        if column.tag == Tag::None {
            return Ok(None);
        }
        self.read_floats(number, column, floats)?;
        self.beside(column).map(Some)
    }

    /// Whether a column is an alias of column `other`, and both have floats in all rows, and nothing
    /// else, if `other` has.
    pub(crate) fn repeats(&mut self, number: usize, other: usize) -> Result<bool, Malformed> {
        if number >= self.window.columns {
            return Ok(false);
        }
        let before = self.cursor;
        let mut column = self.column(number)?;
        let is_plain = self.window.is_plain() && column.starts.or(column.histograms).is_none();
        let repeats =
            is_plain && column.tag == Tag::Alias && reference(&mut column.floats, number)? == other;
        if !repeats {
            self.cursor = before;
        }
        Ok(repeats)
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
                    let other = reference(&mut column.floats, number)?;
                    if self.scratch.column == Some(other) {
                        floats::from_integers(&self.scratch.integers, out);
                        return Ok(());
                    }
                    (number, column) = (other, self.column(other)?);
                }
                Tag::Bucket | Tag::Integers => {
                    self.make_integers(number)?;
                    floats::from_integers(&self.scratch.integers, out);
                    return Ok(());
                }
                tag => {
                    let (length, rows) = (self.window.rows, self.rows.clone());
                    let room = &mut self.scratch.more;
                    return floats::read(tag, &mut column.floats, length, rows, room, out);
                }
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
            let mut column = self.column(at)?;
            let is_last = !matches!(column.tag, Tag::Alias | Tag::Bucket);
            if is_last {
                self.scratch.column = None;
                self.read_integers(column)?;
                break;
            }
            if steps >= CHAIN_MAX {
                return Err(Malformed("a chain of bounded length"));
            }
            at = reference(&mut column.floats, at)?;
            if column.tag == Tag::Bucket {
                let next = above.get_mut(count).ok_or(Malformed("a chain of bounded length"))?;
                *next = column.floats;
                count += 1;
            }
        }
        self.scratch.column = None;
        for input in above.iter_mut().take(count).rev() {
            let rows = self.rows.clone();
            integers::read(input, self.window.rows, rows, &mut self.scratch.more)?;
            for (own, more) in self.scratch.integers.iter_mut().zip(&self.scratch.more) {
                *own = own.wrapping_add(*more);
            }
        }
        self.scratch.column = Some(number);
        Ok(())
    }

    /// Reads the integers of a column that stands alone.
    fn read_integers(&mut self, column: EncodedColumn<'_>) -> Result<(), Malformed> {
        let (mut input, out) = (column.floats, &mut self.scratch.integers);
        match column.tag {
            Tag::Integers => {
                return integers::read(&mut input, self.window.rows, self.rows.clone(), out);
            }
            Tag::Zero => out.fill(0),
            Tag::Constant => {
                out.fill(whole(floats::constant(&mut input)?).ok_or(Malformed("an integer"))?)
            }
            _ => return Err(Malformed("a column of integers")),
        }
        Ok(())
    }

    fn pattern(&mut self, number: usize) -> Result<Option<Arc<Pattern>>, Malformed> {
        if self.window.is_plain() && number == 0 {
            return Ok(None);
        }
        if self.scratch.patterns.is_none() {
            self.scratch.patterns = Some(self.window.patterns()?);
        }
        let patterns = self.scratch.patterns.as_deref().unwrap_or_default();
        patterns.get(number).cloned().ok_or(Malformed("a pattern of the window"))
    }

    fn beside(&mut self, column: EncodedColumn<'a>) -> Result<Beside, Malformed> {
        let mut beside = Beside { pattern: self.pattern(column.pattern)?, ..Beside::default() };
        if let Some(starts) = column.starts {
            start::read(&mut Input(starts), self.base, &mut beside.starts)?;
            if beside.starts.last().is_some_and(|(row, _)| usize::from(*row) >= self.window.rows) {
                return Err(Malformed("a row of the window"));
            }
        }
        let is_histogram = |kind: &RowKind| *kind == RowKind::Histogram;
        match column.histograms {
            None if !beside.kinds().iter().any(is_histogram) => {}
            None => return Err(Malformed("histograms")),
            Some(bytes) => {
                let rows = (0..).zip(beside.kinds()).filter(|(_, kind)| is_histogram(kind));
                let rows: Vec<u16> = rows.map(|(row, _)| row).collect();
                let read = histogram::read(&mut Input(bytes), rows.len())?;
                beside.histograms = rows.into_iter().zip(read.into_iter().map(Arc::new)).collect();
            }
        }
        Ok(beside)
    }
}
