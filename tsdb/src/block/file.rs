//! A block's file but for the windows: its head, its footer, and the facts about it.
//!
//! ```text
//! head    "INFRMBLK" | version u32
//! footer  offset u64, length u64, crc32c u32 of each section | "INFRMBLK" | version u32 |
//!         crc32c u32 of the footer before it
//! ```

use std::ops::Range;

use crc32c::crc32c;

use super::fixed::{bytes, number32, number64, put_span, time};
use super::{NO_TIME, Span};
use crate::codec::{Input, Malformed};

const MAGIC: &[u8; 8] = b"INFRMBLK";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// Length of the head.
pub(super) const HEAD_BYTES: usize = 12;
/// Number of index sections.
pub(super) const SECTIONS: usize = 7;
const SECTION_BYTES: usize = 20;
/// Length of the footer.
pub(super) const FOOTER_BYTES: usize = SECTIONS * SECTION_BYTES + HEAD_BYTES + 4;

/// What a block is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Log segments with lower numbers are wholly in blocks.
    pub(crate) log_start: u64,
    /// The numbers of the blocks that it replaces; empty if it was written from the head.
    pub(crate) sources: Vec<u64>,
    /// Where two blocks hold the same timestamp of a series, the lower precedence wins: the
    /// lowest one of the sources, or the block's own number.
    pub(crate) precedence: u64,
    /// How many times it was merged.
    pub(crate) level: u8,
}

/// What a block says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its number.
    pub(crate) number: u64,
    /// Number of samples.
    pub(crate) samples: u64,
    /// Number of columns with samples.
    pub(crate) series: u64,
    /// When the first and the last row was taken; [`NO_TIME`] if there is none.
    pub(crate) span: Span,
    /// What it is made of.
    pub(crate) origin: Origin,
}

impl Facts {
    pub(super) fn new(number: u64, origin: Origin) -> Self {
        Self { number, samples: 0, series: 0, span: NO_TIME, origin }
    }

    pub(super) fn put(&self) -> Vec<u8> {
        let Origin { log_start, sources, precedence, level } = &self.origin;
        let mut out = Vec::new();
        for number in [self.number, self.samples, self.series, *log_start, *precedence] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_span(&mut out, self.span);
        out.push(*level);
        out.extend(sources.iter().flat_map(|source| source.to_le_bytes()));
        out
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let mut number = || number64(&mut input);
        let (own, samples, series) = (number()?, number()?, number()?);
        let (log_start, precedence) = (number()?, number()?);
        let span = (time(&mut input)?, time(&mut input)?);
        let level = input.byte()?;
        let (sources, rest) = input.0.as_chunks();
        let sources = sources.iter().map(|source| u64::from_le_bytes(*source)).collect();
        let origin = Origin { log_start, sources, precedence, level };
        let facts = Self { number: own, samples, series, span, origin };
        rest.is_empty().then_some(facts).ok_or(Malformed("the facts of a block"))
    }
}

/// Where an index section lies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Section {
    pub(super) offset: u64,
    length: u64,
    crc: u32,
}

impl Section {
    /// The section with these bytes.
    pub(super) fn of(offset: u64, bytes: &[u8]) -> Self {
        Self { offset, length: bytes.len() as u64, crc: crc32c(bytes) }
    }

    /// The first byte behind it.
    pub(super) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.length)
    }

    fn range(&self) -> Option<Range<usize>> {
        Some(usize::try_from(self.offset).ok()?..usize::try_from(self.end()?).ok()?)
    }

    /// Its bytes in those of the file.
    pub(super) fn bytes<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let bytes = self.range().and_then(|range| file.get(range));
        bytes.ok_or(Malformed("a section of the index"))
    }

    /// Whether its bytes are those that were written.
    pub(super) fn check(&self, file: &[u8]) -> Result<(), Malformed> {
        let is_good = crc32c(self.bytes(file)?) == self.crc;
        is_good.then_some(()).ok_or(Malformed("a section of the index with its checksum"))
    }
}

/// The first bytes of a block.
pub(super) fn head() -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(MAGIC);
    head[8..].copy_from_slice(&VERSION.to_le_bytes());
    head
}

/// Checks that `file` begins as a block.
pub(super) fn check_head(file: &[u8]) -> Result<(), Malformed> {
    let mut input = Input(file);
    if bytes::<8>(&mut input).ok().as_ref() != Some(MAGIC) {
        return Err(Malformed("a block (it is none, or its first bytes are damaged)"));
    }
    let is_known = number32(&mut input)? == VERSION;
    is_known.then_some(()).ok_or(Malformed("a block of version 1 (the only one that is read)"))
}

/// The last bytes of a block.
pub(super) fn footer(sections: &[Section; SECTIONS]) -> Vec<u8> {
    let mut out = Vec::with_capacity(FOOTER_BYTES);
    for section in sections {
        out.extend_from_slice(&section.offset.to_le_bytes());
        out.extend_from_slice(&section.length.to_le_bytes());
        out.extend_from_slice(&section.crc.to_le_bytes());
    }
    out.extend_from_slice(&head());
    out.extend_from_slice(&crc32c(&out).to_le_bytes());
    out
}

/// The sections that a block's footer names: one behind the other, up to the footer.
pub(super) fn read_footer(file: &[u8]) -> Result<[Section; SECTIONS], Malformed> {
    let start = file.len().checked_sub(FOOTER_BYTES).filter(|start| *start >= HEAD_BYTES);
    let start = start.ok_or(Malformed("a whole block (it was cut off)"))?;
    let mut input = Input(file.get(start..).unwrap_or_default());
    let mut summed = Input(input.take(FOOTER_BYTES - 4)?);
    if crc32c(summed.0) != number32(&mut input)? {
        return Err(Malformed("the footer of a block with its checksum (damaged or cut off)"));
    }
    let mut sections = [Section::default(); SECTIONS];
    for section in &mut sections {
        let (offset, length) = (number64(&mut summed)?, number64(&mut summed)?);
        *section = Section { offset, length, crc: number32(&mut summed)? };
    }
    check_head(summed.0)?;
    let follows = |pair: &[Section]| matches!(pair, [a, b] if a.end() == Some(b.offset));
    let ends = sections.last().and_then(Section::end) == Some(start as u64);
    let is_whole = ends && sections.windows(2).all(follows);
    is_whole.then_some(sections).ok_or(Malformed("sections one behind the other"))
}
