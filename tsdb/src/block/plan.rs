//! Which blocks to merge next: a pure choice.
//!
//! Blocks are put in order of time. Of all runs of [`Limits::fan_in`] neighbours of one level
//! whose merger keeps the limits, the one of the lowest level is taken, and of those the oldest.
//!
//! A run is left alone if its merger could change which of two samples wins: the merged block
//! has the lowest precedence of its sources, so no other block that overlaps it in time may stand
//! between them in precedence.

use super::{NO_TIME, Span, overlaps, union};

/// What the choice depends on, of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// When its first and last row was taken (ms).
    pub(crate) span: Span,
    /// Length of its file.
    pub(crate) bytes: u64,
    /// How many times it was merged.
    pub(crate) level: u8,
    /// Which samples win, see [`Origin`](super::Origin).
    pub(crate) precedence: u64,
}

/// What a merged block may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Blocks that are merged at once, 2 at least.
    pub(crate) fan_in: usize,
    /// From its first to its last timestamp, in ms.
    pub(crate) span_max: u64,
    /// Length of the sources' files together.
    pub(crate) bytes_max: u64,
}

/// The indexes of the blocks to merge, in order of time.
pub(crate) fn plan(blocks: &[Candidate], limits: &Limits) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|at| blocks.get(*at).map(|own| (own.span, own.precedence)));
    let runs = order.windows(limits.fan_in.max(2));
    let fitting = runs.filter(|run| fits(blocks, run, limits));
    // Of equal levels `min_by_key` takes the first, which is the oldest.
    let level = |run: &&[usize]| run.first().and_then(|at| blocks.get(*at)).map(|own| own.level);
    fitting.min_by_key(level).map(<[usize]>::to_vec)
}

fn fits(blocks: &[Candidate], run: &[usize], limits: &Limits) -> bool {
    let sources: Vec<_> = run.iter().filter_map(|at| blocks.get(*at)).collect();
    let mut levels = sources.iter().map(|own| own.level);
    let is_level = levels.next().is_none_or(|first| levels.all(|level| level == first));
    let span = sources.iter().fold(NO_TIME, |span, own| union(span, own.span));
    let bytes = sources.iter().fold(0_u64, |sum, own| sum.saturating_add(own.bytes));
    let lowest = sources.iter().map(|own| own.precedence).min();
    let highest = sources.iter().map(|own| own.precedence).max();
    let is_between = |other: &Candidate| {
        let precedence = Some(other.precedence);
        overlaps(other.span, span) && lowest < precedence && precedence < highest
    };
    let others = (0..).zip(blocks).filter(|(at, _)| !run.contains(at)).map(|(_, own)| own);
    is_level
        && span.1.abs_diff(span.0) <= limits.span_max
        && bytes <= limits.bytes_max
        && !others.into_iter().any(is_between)
}
