//! Forgetting the definitions of what ended, so that churn does not fill the memory.
//!
//! When samples are let go ([`Head::retire`]), a group without rows in memory is marked as idle, and
//! so is a series that has neither a column nor samples here. A writer who names it takes the mark
//! away. What still has the mark, and nothing, the next time is forgotten.
//!
//! A group that lives on, but most of whose columns have no samples any more, is **replaced**: who
//! asks for its target gets a new group, to which the living columns come again. The old one takes
//! no rows from the next letting go on (then no appender is left that was given its number), and
//! ends as others do.
//!
//! Invariants: nobody can mean what is forgotten. Samples are let go when no selection and no
//! appender is left that began before the last flush: whoever named it before it was marked is gone,
//! and nobody named it since. A group's number is never given out again, for callers keep it; a
//! series' is, one letting go later. So no selection that saw it is left then, and the log has
//! begun a new segment, whose encoder does not know the number either. What comes back is new: its
//! newest sample is looked for in the blocks.

use roaring::RoaringBitmap;

use super::{Head, NO_SAMPLE, Series};
use crate::append::GroupRef;
use crate::commit::SeriesId;
use crate::group::{Age, Group};
use crate::model::Labels;
use crate::numbered::Numbered;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Whether a group or series was not named since it was found to have nothing. Changed with the
/// head's lock held, be it shared: the lock gives the order.
#[derive(Debug, Default)]
pub(crate) struct Idle(AtomicBool);

impl Idle {
    /// It is named.
    pub(crate) fn end(&self) {
        if self.0.load(Ordering::Relaxed) {
            self.0.store(false, Ordering::Relaxed);
        }
    }

    /// It has nothing, or something; whether it had nothing the last time either.
    fn note(&self, has_nothing: bool) -> bool {
        self.0.swap(has_nothing, Ordering::Relaxed) && has_nothing
    }
}

impl Head {
    /// Forgets what was idle since samples were let go last.
    pub(super) fn forget_idle(&mut self) {
        self.replace_groups();
        self.free.append(&mut self.forgotten);
        let groups = self.groups.iter();
        let idle = groups.filter(|(_, own)| own.idle.note(own.windows.is_empty()));
        let idle: Vec<_> = idle.map(|(number, _)| number).collect();
        idle.iter().for_each(|group| self.forget_group(*group));
        let homeless = std::mem::take(&mut self.homeless);
        let homeless = homeless.iter().filter(|id| self.series.of(*id).home.is_none());
        let homeless: RoaringBitmap = homeless.collect();
        let has_nothing = |id: &u32| {
            let own = self.series.of(*id);
            own.idle.note(own.loose.is_none() && *self.oldest.of(*id) == NO_SAMPLE)
        };
        let series: RoaringBitmap = homeless.iter().filter(has_nothing).collect();
        self.homeless = homeless - &series;
        series.iter().for_each(|id| self.forget_series(SeriesId(id)));
        if !idle.is_empty() || !series.is_empty() {
            self.owns.let_go();
            self.layout += 1;
            // A commit that is being gathered may have found a series in a group that is gone.
            self.generation += 1;
        }
    }

    /// Closes the groups that were replaced before, and replaces those most of whose columns have
    /// no samples here.
    fn replace_groups(&mut self) {
        let (oldest, sparse_columns) = (&self.oldest, self.options.sparse_columns);
        let lives = |id: &&SeriesId| *oldest.of(**id) != NO_SAMPLE;
        // Without rows nothing says which columns live.
        let is_sparse = |group: &Group| {
            let columns = group.columns.len();
            let is_large = columns > sparse_columns && !group.windows.is_empty();
            is_large && 2 * group.columns.iter().filter(lives).count() < columns
        };
        for group in self.groups.iter_mut() {
            match group.age {
                Age::Current if is_sparse(group) => {
                    group.age = Age::Replaced;
                    self.by_target.remove(&group.target);
                }
                Age::Current | Age::Closed => {}
                Age::Replaced => group.age = Age::Closed,
            }
        }
    }

    fn forget_group(&mut self, number: GroupRef) {
        let Some(group) = self.groups.take(number) else { return };
        if group.age == Age::Current {
            self.by_target.remove(&group.target);
        }
        let mut new_homes = Vec::new();
        for id in group.columns {
            let series = self.series.of_mut(id);
            new_homes.extend(series.leave(number));
            if series.home.is_none() {
                self.homeless.insert(id.0);
            }
        }
        new_homes.sort_unstable();
        new_homes.dedup();
        for group in new_homes {
            let is_elsewhere =
                |id: &SeriesId| self.series.of(*id).home.is_none_or(|home| home.group != group);
            let is_shared = self.groups.of(group).columns.iter().any(is_elsewhere);
            self.groups.of_mut(group).is_shared = is_shared;
        }
    }

    fn forget_series(&mut self, id: SeriesId) {
        let none = Series::new(Labels::empty(), 0, None);
        let series = std::mem::replace(self.series.of_mut(id), none);
        let hash = self.hash(&series.labels);
        if let Ok(entry) = self.by_labels.find_entry(hash, |own| *own == id) {
            entry.remove();
        }
        *self.newest.of_mut(id) = NO_SAMPLE;
        self.retired -= usize::from(series.was_listed);
        self.families.leave(series.family);
        self.forgotten.push(id);
    }

    /// Number of series that are defined, with samples here or not.
    pub(crate) fn defined_series(&self) -> usize {
        self.by_labels.len()
    }

    /// Number of families that they have.
    pub(crate) fn families(&self) -> usize {
        self.families.len()
    }
}
