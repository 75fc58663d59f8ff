//! Compressing windows that are full.

use super::Head;
use crate::append::GroupRef;
use crate::commit::SeriesId;
use crate::family::lower_neighbours;
use crate::numbered::Numbered;

impl Head {
    /// Seals the windows of a group that are full.
    pub(super) fn seal_group(&mut self, group: GroupRef) {
        let (series, group) = (&self.series, self.groups.of_mut(group));
        if !group.windows.has_full() {
            return;
        }
        if group.lower.len() < group.columns.len() {
            let own = |id: &SeriesId| series.of(*id);
            let columns = group.columns.iter().map(own).map(|own| (&own.labels, own.le));
            group.lower = lower_neighbours(columns);
        }
        group.windows.seal_full(&group.lower);
    }
}
