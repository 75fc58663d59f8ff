//! Pure bytes: how numbers, texts, label sets, cells and histograms are written down.
//!
//! Reading takes bytes from an [`Input`] and never panics or allocates more than the bytes that
//! are there could name; `docs/format/wal.md` draws the results.

pub(crate) mod cell;
pub(crate) mod column;
pub(crate) mod frame;
pub(crate) mod histogram;
pub(crate) mod pack;
pub(crate) mod text;
pub(crate) mod varint;

pub(crate) use varint::{Input, Malformed};
