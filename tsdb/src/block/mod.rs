//! Blocks: immutable files of sealed windows of many groups, with an index.
//!
//! - [`fixed`], [`table`]: numbers and lists that are read where they lie · [`file`]: head, footer
//! - [`draft`], [`names`]: the index while it is written · [`write`]: the file being written
//! - [`index`]: the index being read · [`open`]: a block · [`view`]: what is asked of it ·
//!   [`resolve`]: matchers to series
//! - [`hash`]: a sum over labels · [`plan`]: which blocks to merge
//!
//! Invariants: a file has its name only when it is complete and durable, and never changes after
//! that; every byte is covered by a checksum, that of a window looked at when it is first read.
//! `docs/format/block.md` draws the bytes.

mod draft;
mod file;
mod fixed;
mod index;
mod names;
mod open;
mod plan;
mod resolve;
mod table;
mod view;
mod write;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use file::Facts;
pub(crate) use file::Origin;
pub(crate) use index::WindowEntry;
pub(crate) use open::Block;
pub(crate) use plan::{Candidate, Limits, plan};
pub(crate) use view::View;
pub(crate) use write::BlockWriter;
#[cfg(test)]
pub(crate) use write::Written;

/// A first and a last timestamp (ms), both included; [`NO_TIME`] holds none.
pub(crate) type Span = (i64, i64);

/// The span of what has no cells.
pub(crate) const NO_TIME: Span = (i64::MAX, i64::MIN);

/// The span that covers both.
fn union(a: Span, b: Span) -> Span {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Whether a timestamp can lie in both; in an empty one there is none, even if the other is all
/// of time.
fn overlaps(a: Span, b: Span) -> bool {
    a.0.max(b.0) <= a.1.min(b.1)
}
