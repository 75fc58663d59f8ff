//! Making groups, columns and series. What is made here has no samples yet, so nobody sees it.

use std::hash::BuildHasher;

use super::{Head, NO_SAMPLE, Place, Series};
use crate::append::{ColumnRef, FamilyColumns, GroupRef};
use crate::codec::text::{LABELS_BYTES_MAX, pairs_bytes};
use crate::commit::SeriesId;
use crate::error::Rejected;
use crate::group::{Group, overlay};
use crate::model::number::parse_float;
use crate::model::{BUCKET_LABEL, Labels};
use crate::numbered::Numbered;

impl Head {
    /// The group with these target labels, if there is one.
    pub(crate) fn find_group(&self, target: &Labels) -> Option<GroupRef> {
        let group = *self.by_target.get(target)?;
        self.named_group(group).map(|_| group)
    }

    /// The group with these target labels, made if there is none.
    pub(crate) fn define_group(&mut self, target: &Labels) -> Result<GroupRef, Rejected> {
        if let Some(group) = self.find_group(target) {
            return Ok(group);
        }
        if pairs_bytes(target) > LABELS_BYTES_MAX {
            return Err(Rejected::LabelsTooLong);
        }
        if self.groups() >= self.options.series_max {
            return Err(Rejected::SeriesLimit);
        }
        let number = u32::try_from(self.groups.numbers()).map_err(|_| Rejected::SeriesLimit)?;
        // Its series hold it.
        let target = target.in_one_piece();
        self.groups.push(Group::new(target.clone(), self.options.window_rows));
        self.by_target.insert(target, GroupRef(number));
        Ok(GroupRef(number))
    }

    /// The columns of the families, in order; those that are not there yet are made.
    pub(crate) fn define_columns(
        &mut self,
        group: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected> {
        let target = self.named_group(group).ok_or(Rejected::UnknownRef)?.target.clone();
        let mut columns = Vec::with_capacity(families.iter().map(|f| f.columns.len()).sum());
        for family in families.iter().filter(|family| !family.columns.is_empty()) {
            for own in &family.columns {
                let labels = match self.owns.of(own) {
                    Some(own) => Labels::joined(&target, own),
                    None => overlay(&target, own),
                };
                let id = self.define_series(&labels, || family.name.as_str())?;
                columns.push(self.define_column(group, id)?);
            }
        }
        Ok(columns)
    }

    fn define_column(&mut self, group: GroupRef, id: SeriesId) -> Result<ColumnRef, Rejected> {
        let series = self.series.of_mut(id);
        if let Some(place) = series.places().find(|place| place.group == group) {
            return Ok(place.column);
        }
        let columns = &mut self.groups.of_mut(group).columns;
        let column = u32::try_from(columns.len()).map_err(|_| Rejected::SeriesLimit)?;
        let place = Place { group, column: ColumnRef(column) };
        columns.push(id);
        self.layout += 1;
        if series.home.is_none() {
            series.home = Some(place);
        } else {
            series.others.push(place);
            self.groups.of_mut(group).is_shared = true;
        }
        Ok(place.column)
    }

    /// The series with these labels, if there is one.
    pub(crate) fn find_series(&self, labels: &Labels) -> Option<SeriesId> {
        let is_it = |id: &SeriesId| self.series.of(*id).labels == *labels;
        let id = *self.by_labels.find(self.hash(labels), is_it)?;
        self.series.of(id).idle.end();
        Some(id)
    }

    /// Where a label set stands in the table.
    pub(super) fn hash(&self, labels: &Labels) -> u64 {
        self.hasher.hash_one(labels)
    }

    /// The series with these labels for loose samples, made if there is none.
    pub(crate) fn define_loose(&mut self, labels: &Labels) -> Result<SeriesId, Rejected> {
        let id = self.define_series(labels, || {
            let name = labels.metric_name().unwrap_or_default();
            let is_bucket = labels.get(BUCKET_LABEL).is_some();
            name.strip_suffix("_bucket").filter(|_| is_bucket).unwrap_or(name)
        })?;
        if self.series.of(id).home.is_none() {
            self.homeless.insert(id.0);
        }
        Ok(id)
    }

    fn define_series<'a>(
        &mut self,
        labels: &Labels,
        family: impl FnOnce() -> &'a str,
    ) -> Result<SeriesId, Rejected> {
        if labels.metric_name().is_none() {
            return Err(Rejected::NoMetricName);
        }
        if let Some(id) = self.find_series(labels) {
            return Ok(id);
        }
        if pairs_bytes(labels) > LABELS_BYTES_MAX {
            return Err(Rejected::LabelsTooLong);
        }
        if self.by_labels.len() - self.retired >= self.options.series_max {
            return Err(Rejected::SeriesLimit);
        }
        let id = self.new_series_number()?;
        let family = self.families.join(family());
        let le = labels.get(BUCKET_LABEL).and_then(parse_float);
        *self.series.of_mut(id) = Series::new(labels.clone(), family, le);
        let (series, hasher) = (&self.series, &self.hasher);
        let rehash = |id: &SeriesId| hasher.hash_one(&series.of(*id).labels);
        self.by_labels.insert_unique(hasher.hash_one(labels), id, rehash);
        Ok(id)
    }

    /// A number for a series, with its place in the lists.
    fn new_series_number(&mut self) -> Result<SeriesId, Rejected> {
        if let Some(id) = self.free.pop() {
            return Ok(id);
        }
        let id = SeriesId(u32::try_from(self.series.len()).map_err(|_| Rejected::SeriesLimit)?);
        self.series.push(Series::new(Labels::empty(), 0, None));
        self.newest.push(NO_SAMPLE);
        self.oldest.push(NO_SAMPLE);
        Ok(id)
    }
}
