//! Where the samples of a selection's series lie: what [`resolve`](super::resolve) found and
//! [`read`](super::read) follows.
//!
//! A [`Located`] keeps what it names: the blocks stay mapped and the head lets nothing go that
//! these blocks do not have, until it is dropped.

use std::ops::Range;
use std::sync::Arc;

use super::parts::Parts;
use crate::commit::SeriesId;
use crate::head::{Head, Place};

/// One place of a series' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A column of a group of a block; blocks by number in [`Parts::list`].
    Block { part: u32, group: u32, column: u32 },
    /// A column of a group of the head.
    Rows(SeriesId, Place),
    /// The loose samples in the head.
    Loose(SeriesId),
}

impl Source {
    /// The block and group, or the head's group, whose columns are read together.
    pub(super) fn home(self) -> Option<(u32, u32)> {
        match self {
            Self::Block { part, group, .. } => Some((part, group)),
            Self::Rows(_, place) => Some((u32::MAX, place.group.0)),
            Self::Loose(_) => None,
        }
    }

    /// The column's number there.
    pub(super) fn column(self) -> u32 {
        match self {
            Self::Block { column, .. } => column,
            Self::Rows(_, place) => place.column.0,
            Self::Loose(_) => 0,
        }
    }
}

/// A source, and when its first and last sample were taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) source: Source,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The places of many series.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) parts: Arc<Parts>,
    /// Of each series; the blocks in order of precedence, then the head.
    pub(super) series: Vec<Range<u32>>,
    pub(super) spans: Vec<Span>,
}

impl Located {
    /// The places of a series.
    pub(super) fn spans(&self, place: u32) -> &[Span] {
        let range = self.series.get(place as usize).cloned().unwrap_or_default();
        self.spans.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

/// The places in the head of a series' samples that the blocks up to `flush` do not have.
pub(super) fn head_spans(head: &Head, id: SeriesId, flush: u64) -> impl Iterator<Item = Span> + '_ {
    let newest = head.newest(id);
    let series = head.series(id);
    let places = series.into_iter().flat_map(|series| series.places());
    let rows = places.filter_map(move |place| {
        let first = head.group(place.group)?.windows.visible_from(flush);
        let last = newest?;
        let source = Source::Rows(id, place);
        (first <= last).then_some(Span { source, first, last })
    });
    let loose = series.and_then(|series| series.loose.as_ref()?.range(flush));
    let loose = loose.map(|(first, last)| Span { source: Source::Loose(id), first, last });
    rows.chain(loose)
}
