//! Handing samples over to a block.
//!
//! 1. [`Head::begin_flush`] draws a line in every group; what is behind it is [`Head::kept`].
//! 2. [`Head::freeze_group`] and [`Head::freeze_loose`], one after the other, make what is before
//!    the line immutable and lend it. It is still read from here.
//! 3. [`Head::end_flush`], when the block is there: who looks from now on finds it in the block.
//! 4. [`Head::retire`], when nobody is left who looked before: the memory is free, in the end that
//!    of definitions too ([`forget`](super::forget)).
//!
//! If the block cannot be written nothing has happened; the next flush takes what this one would
//! have taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Head, NO_SAMPLE};
use crate::append::{ColumnRef, GroupRef};
use crate::cell::StoredCell;
use crate::commit::{Commit, Row, SeriesId};
use crate::family::lower_neighbours;
use crate::model::Labels;
use crate::numbered::Numbered;
use crate::window::Window;

/// What of a group goes into the block.
#[derive(Debug)]
pub(crate) struct FrozenGroup {
    pub(crate) target: Labels,
    /// Family and labels of each column.
    pub(crate) columns: Vec<(Arc<str>, Labels)>,
    /// The lower neighbour of each column.
    pub(crate) lower: Vec<Option<u32>>,
    pub(crate) windows: Vec<Arc<Window>>,
}

/// What of a series' loose samples goes into the block.
#[derive(Debug)]
pub(crate) struct FrozenLoose {
    pub(crate) family: Arc<str>,
    pub(crate) labels: Labels,
    pub(crate) cells: BTreeMap<i64, StoredCell>,
}

impl Head {
    /// Flushes that are done.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes
    }

    /// Whether so many samples are here that they should go to a block.
    pub(crate) fn is_flush_due(&self) -> bool {
        let rows = self.options.flush_rows.saturating_mul(self.postings.len());
        self.samples >= self.options.flush_samples.max(rows)
    }

    /// Draws the line: all but the newest `kept` rows of each group go to the block.
    pub(crate) fn begin_flush(&mut self, kept: usize) {
        for group in self.groups.iter_mut() {
            group.windows.close(kept);
        }
        let (flush, done) = (self.flushes + 1, self.flushes);
        for id in &self.loose {
            if let Some(loose) = &mut self.series.of_mut(*id).loose {
                loose.close(flush, done);
            }
        }
    }

    /// Whether something is before the line that no block has.
    pub(crate) fn has_closed(&self) -> bool {
        let loose = self.loose.iter().filter_map(|id| self.series(*id)?.loose.as_ref());
        self.groups.iter().any(|(_, group)| group.windows.has_closed())
            || loose.into_iter().any(|loose| loose.range(self.flushes).is_some())
    }

    /// The rows behind the line and the exemplars, as what they were once committed as.
    pub(crate) fn kept(&self) -> Commit {
        let mut commit = Commit::default();
        for (number, group) in self.groups.iter() {
            for (timestamp, cells) in group.windows.kept() {
                let start = commit.columns.len();
                let (columns, cells): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
                commit.columns.extend(columns.into_iter().map(ColumnRef));
                cells.into_iter().for_each(|cell| commit.cells.push_stored(cell));
                let columns = start..commit.columns.len();
                commit.push_row(Row { group: number, timestamp, columns });
            }
        }
        commit.exemplars.extend(self.exemplars.iter().cloned());
        commit
    }

    /// What of a group goes to the block; `None` if that is nothing.
    pub(crate) fn freeze_group(&mut self, group: GroupRef) -> Option<FrozenGroup> {
        let (series, own) = (&self.series, self.groups.get_mut(group)?);
        let windows = own.windows.freeze();
        if windows.is_empty() {
            return None;
        }
        let of = |id: &SeriesId| series.of(*id);
        if own.lower.len() < own.columns.len() {
            own.lower =
                lower_neighbours(own.columns.iter().map(of).map(|own| (&own.labels, own.le)));
        }
        let columns = own.columns.iter().map(of);
        let named = columns.map(|own| (self.families.name(own.family).clone(), own.labels.clone()));
        Some(FrozenGroup {
            target: own.target.clone(),
            columns: named.collect(),
            lower: own.lower.clone(),
            windows,
        })
    }

    /// The series that have loose samples.
    pub(crate) fn loose_series(&self) -> Vec<SeriesId> {
        self.loose.iter().copied().collect()
    }

    /// What of a series' loose samples goes to the block; `None` if that is nothing.
    pub(crate) fn freeze_loose(&mut self, id: SeriesId) -> Option<FrozenLoose> {
        let flush = self.flushes + 1;
        let series = self.series.get_mut(id.0 as usize)?;
        let cells = series.loose.as_mut()?.freeze(flush);
        let (family, labels) = (self.families.name(series.family).clone(), &series.labels);
        (!cells.is_empty()).then(|| FrozenLoose { family, labels: labels.clone(), cells })
    }

    /// Takes note that a block has what was frozen.
    pub(crate) fn end_flush(&mut self) {
        self.flushes += 1;
        self.generation += 1;
        for group in self.groups.iter_mut() {
            self.samples -= group.windows.flushed(self.flushes) as u64;
        }
        for id in &self.loose {
            if let Some(loose) = &mut self.series.of_mut(*id).loose {
                self.samples -= loose.flushed(self.flushes) as u64;
            }
        }
        let listed: Vec<u32> = self.postings.all().iter().collect();
        for id in listed {
            self.unlist_flushed(SeriesId(id));
        }
    }

    /// Takes a series out of the index if blocks have all its samples.
    fn unlist_flushed(&mut self, id: SeriesId) {
        let (series, flush) = (self.series.of(id), self.flushes);
        let from = |group: GroupRef| self.groups.of(group).windows.visible_from(flush);
        let newest = *self.newest.of(id);
        let in_rows = series.places().map(|place| from(place.group)).filter(|from| *from <= newest);
        let loose = series.loose.as_ref().and_then(|loose| loose.range(flush));
        let oldest = in_rows.chain(loose.map(|(first, _)| first)).min();
        let own = self.oldest.of_mut(id);
        match oldest {
            Some(oldest) => *own = oldest.max(*own),
            None => {
                *own = NO_SAMPLE;
                self.retired += 1;
                self.postings.remove(id.0, &series.labels);
                self.layout += 1;
            }
        }
    }

    /// Whether there are samples to be let go.
    pub(crate) fn has_flushed(&self) -> bool {
        self.retired_flushes < self.flushes
    }

    /// Lets go all samples that blocks have, and forgets what ended long before.
    pub(crate) fn retire(&mut self) {
        for group in self.groups.iter_mut() {
            group.windows.retire(self.flushes);
        }
        let ids: Vec<_> = self.loose.iter().copied().collect();
        for id in ids {
            let series = self.series.of_mut(id);
            let Some(loose) = &mut series.loose else { continue };
            loose.retire(self.flushes);
            if loose.is_empty() {
                series.loose = None;
                self.layout += 1;
                self.loose.remove(&id);
            }
        }
        self.retired_flushes = self.flushes;
        self.forget_idle();
    }
}
