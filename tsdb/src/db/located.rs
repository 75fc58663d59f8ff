//! Where the samples of a selection's series lie: what [`resolve`](super::resolve) found and
//! [`read`](super::read) follows.
//!
//! - A [`Resolved`] holds for as long as the blocks and the head's layout are the same, and is kept
//!   for the next one who asks ([`resolved`](super::resolved)).
//! - A [`Located`] is a selection's. It keeps what it names: the blocks stay mapped and the head
//!   lets nothing go that these blocks do not have, until it is dropped.

use std::sync::Arc;

use hashbrown::HashMap;

use super::parts::Parts;
use crate::commit::SeriesId;
use crate::head::{Head, Place};
use crate::numbered::Numbered;
use crate::select::SelectedSeries;

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

/// The number of places of a series that has to be merged: it comes alone.
pub(super) const ALONE: u32 = u32::MAX;

/// What matchers stand for in some blocks and the head, whatever the time.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// In label order.
    pub(super) series: Vec<SelectedSeries>,
    /// Their numbers in the head, if they are listed there.
    pub(super) ids: Vec<Option<SeriesId>>,
    /// Of each: equal for series that lie together, in the same groups, and [`ALONE`] otherwise.
    pub(super) homes: Vec<u32>,
    /// Of each: where it comes among all of them if those that lie together, in the order of
    /// their columns, are read one after the other.
    pub(super) ranks: Vec<u32>,
    /// Of each: where its places end in `spans`.
    ends: Vec<u32>,
    /// The blocks' in order of time if it lies with others, else in order of precedence, then
    /// those of the head's rows, whose last time is not known here.
    spans: Vec<Span>,
}

impl Resolved {
    /// Adds a series and its places.
    pub(super) fn push(&mut self, series: SelectedSeries, id: Option<SeriesId>, spans: &[Span]) {
        self.series.push(series);
        self.ids.push(id);
        self.spans.extend_from_slice(spans);
        self.ends.push(self.spans.len() as u32);
    }

    /// The places of a series.
    pub(super) fn spans(&self, place: u32) -> &[Span] {
        let place = place as usize;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let range =
            start.unwrap_or(0) as usize..self.ends.get(place).map_or(0, |end| *end as usize);
        self.spans.get(range).unwrap_or_default()
    }

    /// Finds out which series lie together; `alone[i]` says of one that it does with none.
    pub(super) fn finish(&mut self, alone: &[bool]) {
        let mut numbers: HashMap<Vec<(u32, u32)>, u32> = HashMap::new();
        let mut first_columns = Vec::with_capacity(self.series.len());
        for (place, is_alone) in (0..).zip(alone) {
            let spans = self.spans(place);
            first_columns.push(spans.first().map_or(0, |span| span.source.column()));
            let homes = spans.iter().map(|span| span.source.home()).collect::<Option<Vec<_>>>();
            let next = numbers.len() as u32;
            let number = homes.filter(|_| !is_alone);
            self.homes.push(number.map_or(ALONE, |homes| *numbers.entry(homes).or_insert(next)));
        }
        let mut order: Vec<u32> = (0..self.series.len() as u32).collect();
        // A histogram's buckets are stored as differences to their neighbours.
        order.sort_unstable_by_key(|place| {
            (*self.homes.of(*place), *first_columns.of(*place), *place)
        });
        self.ranks = vec![0; order.len()];
        for (rank, place) in (0..).zip(order) {
            *self.ranks.of_mut(place) = rank;
        }
    }
}

/// A selection's series: what they were resolved to, and what was there at that moment.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) parts: Arc<Parts>,
    pub(super) resolved: Arc<Resolved>,
    /// Time of the newest sample of each of `resolved` at that moment, [`i64::MIN`] for what is
    /// not in the head.
    pub(super) newest: Vec<i64>,
    /// The places of those that come alone, in order of precedence.
    pub(super) alone: HashMap<u32, Vec<Span>>,
}

impl Located {
    /// Place number `at` of a series of those that lie together, with its last time.
    pub(super) fn span(&self, place: u32, at: usize) -> Option<Span> {
        let span = self.resolved.spans(place).get(at)?;
        let newest = || self.newest.get(place as usize).copied().unwrap_or(i64::MIN);
        let last = if matches!(span.source, Source::Rows(..)) { newest() } else { span.last };
        Some(Span { last, ..*span })
    }
}

/// The places in the head of the rows of a series that the blocks up to `flush` do not have; when
/// the last was taken is not known.
pub(super) fn row_spans(head: &Head, id: SeriesId, flush: u64) -> impl Iterator<Item = Span> + '_ {
    let places = head.series(id).into_iter().flat_map(|series| series.places());
    places.filter_map(move |place| {
        let first = head.group(place.group)?.windows.first_visible(flush);
        Some(Span { source: Source::Rows(id, place), first, last: i64::MAX })
    })
}

/// What the head had of series at one moment.
pub(super) enum Moment<'a> {
    /// While its lock is held, for a reader of the blocks up to this flush.
    Now(&'a Head, u64),
    /// Before: times of the newest samples, by series; places of loose samples.
    Then { newest: Vec<(SeriesId, i64)>, loose: HashMap<SeriesId, Span> },
}

impl Moment<'_> {
    /// This moment of these series, which come in order, for after the lock is let go.
    pub(super) fn then(head: &Head, flush: u64, ids: impl Iterator<Item = SeriesId>) -> Self {
        let now = Moment::Now(head, flush);
        let (mut newest, mut loose) = (Vec::new(), HashMap::new());
        for id in ids {
            newest.push((id, now.newest(id)));
            loose.extend(now.loose(id).map(|span| (id, span)));
        }
        Self::Then { newest, loose }
    }

    /// Time of the newest sample of a series, [`i64::MIN`] if none is known.
    pub(super) fn newest(&self, id: SeriesId) -> i64 {
        let found = match self {
            Self::Now(head, _) => head.newest(id),
            Self::Then { newest, .. } => {
                let at = newest.binary_search_by_key(&id, |own| own.0).ok();
                at.and_then(|at| newest.get(at)).map(|own| own.1)
            }
        };
        found.unwrap_or(i64::MIN)
    }

    /// The place of the loose samples of a series that the blocks do not have.
    pub(super) fn loose(&self, id: SeriesId) -> Option<Span> {
        match self {
            Self::Now(head, flush) => {
                let (first, last) = head.series(id)?.loose.as_ref()?.range(*flush)?;
                Some(Span { source: Source::Loose(id), first, last })
            }
            Self::Then { loose, .. } => loose.get(&id).copied(),
        }
    }
}
