//! The index of a block, read where it lies.
//!
//! ```text
//! definition  family u32 | own pairs: name u32, value u32, sorted; value "" hides the group's
//! shape       definitions u32
//! group       shape u32 | first window's number u32 | lengths u32 of the four lists |
//!             target pairs | identity pairs | windows | column u32 and span of those columns
//!             that do not begin and end with the group
//! window      first i64, last i64, samples u64, offset u64, rows u32, length u32, crc32c u32
//! ```
//!
//! Texts are symbols: their numbers in a sorted list, so that the order of symbols is theirs.

use std::iter::Peekable;

use super::fixed::{number32, number64, pair, put_span, rows, time};
use super::names::Names;
use super::table::Table;
use super::{NO_TIME, Span};
use crate::codec::{Input, Malformed};

const WINDOW_BYTES: usize = 44;
const SPAN_BYTES: usize = 20;

/// A window, as the index tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowEntry {
    /// Its number in the block.
    pub(super) number: u32,
    /// When its first and last row was taken.
    pub(crate) span: Span,
    /// Number of cells.
    pub(crate) samples: u64,
    pub(super) offset: u64,
    /// Number of rows.
    pub(crate) rows: u32,
    /// Number of bytes.
    pub(crate) length: u32,
    pub(super) crc: u32,
}

impl WindowEntry {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_span(out, self.span);
        out.extend_from_slice(&self.samples.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        for number in [self.rows, self.length, self.crc] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(number: u32, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let span = (time(&mut input)?, time(&mut input)?);
        let (samples, offset) = (number64(&mut input)?, number64(&mut input)?);
        let (rows, length) = (number32(&mut input)?, number32(&mut input)?);
        Ok(Self { number, span, samples, offset, rows, length, crc: number32(&mut input)? })
    }

    /// The first byte behind it.
    pub(super) fn end(&self) -> Option<u64> {
        self.offset.checked_add(u64::from(self.length))
    }
}

/// The sections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Index<'a> {
    symbols: Table<'a>,
    definitions: Table<'a>,
    shapes: Table<'a>,
    pub(super) groups: Table<'a>,
    pub(super) by_own: Names<'a>,
    pub(super) by_target: Names<'a>,
}

impl<'a> Index<'a> {
    /// The index with these sections.
    pub(super) fn open(sections: [&'a [u8]; 6]) -> Result<Self, Malformed> {
        let [symbols, definitions, shapes, groups, by_own, by_target] = sections;
        Ok(Self {
            symbols: Table::open(symbols)?,
            definitions: Table::open(definitions)?,
            shapes: Table::open(shapes)?,
            groups: Table::open(groups)?,
            by_own: Names::open(by_own)?,
            by_target: Names::open(by_target)?,
        })
    }

    /// The text of a symbol.
    pub(super) fn text(&self, symbol: u32) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.symbols.get(symbol)?).map_err(|_| Malformed("UTF-8"))
    }

    /// The symbol of a text, if it has one.
    pub(super) fn symbol(&self, text: &str) -> Result<Option<u32>, Malformed> {
        self.symbols.search(|own| Ok(own.cmp(text.as_bytes())))
    }

    /// Number of definitions.
    pub(super) fn definitions(&self) -> u32 {
        self.definitions.len()
    }

    /// A definition: its family, and its own pairs.
    pub(super) fn definition(&self, number: u32) -> Result<(u32, &'a [[u8; 8]]), Malformed> {
        let mut input = Input(self.definitions.get(number)?);
        Ok((number32(&mut input)?, input.0.as_chunks().0))
    }

    /// The definitions of a shape.
    pub(super) fn shape(&self, number: u32) -> Result<&'a [[u8; 4]], Malformed> {
        Ok(self.shapes.get(number)?.as_chunks().0)
    }

    /// A group.
    pub(super) fn group(&self, number: u32) -> Result<GroupEntry<'a>, Malformed> {
        GroupEntry::read(self.groups.get(number)?)
    }

    /// The number of a column's definition.
    pub(super) fn column(&self, group: &GroupEntry<'a>, column: u32) -> Result<u32, Malformed> {
        let number = self.shape(group.shape)?.get(column as usize);
        number.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Malformed("a column of the group"))
    }

    /// The symbols of the labels of a column's series, sorted by name.
    pub(super) fn labels(
        &self,
        group: &GroupEntry<'a>,
        column: u32,
    ) -> Result<impl Iterator<Item = (u32, u32)> + use<'a>, Malformed> {
        let (_, own) = self.definition(self.column(group, column)?)?;
        let hiding = self.symbol("")?;
        let pairs = Overlay { target: pairs(group.target).peekable(), own: pairs(own).peekable() };
        Ok(pairs.filter(move |(_, value)| Some(*value) != hiding))
    }
}

fn pairs(rows: &[[u8; 8]]) -> impl Iterator<Item = (u32, u32)> {
    rows.iter().map(pair)
}

/// Two lists of pairs sorted by name as one; of a name that both have, the own pair stays.
struct Overlay<T: Iterator, O: Iterator> {
    target: Peekable<T>,
    own: Peekable<O>,
}

impl<T: Iterator<Item = (u32, u32)>, O: Iterator<Item = (u32, u32)>> Iterator for Overlay<T, O> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let Some(own) = self.own.peek() else { return self.target.next() };
        match self.target.peek() {
            Some(target) if target.0 < own.0 => return self.target.next(),
            Some(target) if target.0 == own.0 => drop(self.target.next()),
            _ => {}
        }
        self.own.next()
    }
}

/// A group's entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupEntry<'a> {
    pub(super) shape: u32,
    first_window: u32,
    pub(super) target: &'a [[u8; 8]],
    pub(super) identity: &'a [[u8; 8]],
    windows: &'a [[u8; WINDOW_BYTES]],
    spans: &'a [[u8; SPAN_BYTES]],
}

impl<'a> GroupEntry<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let mut number = || number32(&mut input);
        let (shape, first_window) = (number()?, number()?);
        let (targets, identities, windows, spans) = (number()?, number()?, number()?, number()?);
        Ok(Self {
            shape,
            first_window,
            target: rows(&mut input, targets)?,
            identity: rows(&mut input, identities)?,
            windows: rows(&mut input, windows)?,
            spans: rows(&mut input, spans)?,
        })
    }

    /// Its windows in order of time.
    pub(super) fn windows(&self) -> impl Iterator<Item = Result<WindowEntry, Malformed>> + use<'a> {
        let (first, numbered) = (self.first_window, self.windows.iter().zip(0_u32..));
        numbered.map(move |(bytes, number)| WindowEntry::read(first.wrapping_add(number), bytes))
    }

    /// The first window with a row at `timestamp` or later.
    pub(super) fn window_from(&self, timestamp: i64) -> Result<Option<WindowEntry>, Malformed> {
        // A window whose bytes are not read is taken for a later one, and found to be damaged.
        let is_older = |bytes: &[u8; WINDOW_BYTES]| {
            WindowEntry::read(0, bytes).is_ok_and(|window| window.span.1 < timestamp)
        };
        let at = self.windows.partition_point(is_older);
        let number = self.first_window.wrapping_add(at as u32);
        self.windows.get(at).map(|bytes| WindowEntry::read(number, bytes)).transpose()
    }

    /// The last window with a row at `timestamp` or earlier.
    pub(super) fn window_until(&self, timestamp: i64) -> Result<Option<WindowEntry>, Malformed> {
        let is_later = |bytes: &[u8; WINDOW_BYTES]| {
            WindowEntry::read(0, bytes).is_ok_and(|window| window.span.0 > timestamp)
        };
        let Some(at) = self.windows.partition_point(|bytes| !is_later(bytes)).checked_sub(1) else {
            return Ok(None);
        };
        let number = self.first_window.wrapping_add(at as u32);
        self.windows.get(at).map(|bytes| WindowEntry::read(number, bytes)).transpose()
    }

    /// When its first and last row was taken.
    pub(super) fn span(&self) -> Result<Span, Malformed> {
        let (Some(first), Some(last)) = (self.windows.first(), self.windows.last()) else {
            return Ok(NO_TIME);
        };
        Ok((WindowEntry::read(0, first)?.span.0, WindowEntry::read(0, last)?.span.1))
    }

    /// When a column's first and last cell was taken; [`NO_TIME`] if it has none.
    pub(super) fn column_span(&self, column: u32) -> Result<Span, Malformed> {
        let number = |row: &[u8; SPAN_BYTES]| number32(&mut Input(row)).unwrap_or(u32::MAX);
        let Ok(at) = self.spans.binary_search_by_key(&column, number) else { return self.span() };
        let row = self.spans.get(at).ok_or(Malformed("a column's span"))?;
        let mut input = Input(row);
        number32(&mut input)?;
        Ok((time(&mut input)?, time(&mut input)?))
    }
}
