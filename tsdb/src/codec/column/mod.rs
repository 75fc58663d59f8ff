//! Windows as bytes: the rows of a group, column by column, each in the codec that suits it.
//!
//! - `bits`, `widths`: bits of bytes; how wide numbers are
//! - `rice`, `packed`, `sparse`: three ways to write small numbers · `integers`: lists of
//!   integers, by whichever is the shortest
//! - `decimal`, `xor`, `floats`: lists of floats · `histogram`: native histograms
//! - `timestamps`, `presence`, `start`: what stands beside the values
//! - [`encode`]: a window to bytes · [`decode`]: single columns back
//!
//! Invariants: every bit comes back, whatever the floats are; a column is decoded without the
//! others, except the source of an alias and the lower neighbours of a bucket; bytes that are
//! damaged give an error or other values, and take no more memory than the limits here allow.
//! `docs/format/window.md` draws the bytes.

mod bits;
mod decimal;
mod decode;
mod encode;
mod floats;
mod histogram;
mod integers;
mod packed;
mod presence;
mod rice;
mod sparse;
mod start;
mod timestamps;
mod widths;
mod xor;

#[cfg(test)]
mod measure;
#[cfg(test)]
mod tests;

pub(crate) use decode::{Beside, Decoder, EncodedWindow, Scratch};
pub(crate) use encode::{ColumnInput, encode_window};
pub(crate) use presence::{Pattern, RowKind};

/// Rows of a window at most.
pub(crate) const ROWS_MAX: usize = 4096;
/// Columns that one column can need before it is decoded: the links from it to one that stands
/// alone.
const CHAIN_MAX: usize = 64;
/// Columns that one entry of the offset table stands for.
const COLUMNS_PER_OFFSET: usize = 16;

/// Bits of a column's first byte: its tag, and what stands before the floats.
const TAG: u8 = 0x0f;
const HAS_HISTOGRAMS: u8 = 0x10;
const HAS_STARTS: u8 = 0x20;
const HAS_PATTERN: u8 = 0x40;
