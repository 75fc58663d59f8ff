//! Making groups, columns and series. What is made here has no samples yet, so nobody sees it.

use std::hash::BuildHasher;
use std::sync::Arc;

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
        self.by_target.get(target).copied()
    }

    /// The group with these target labels, made if there is none.
    pub(crate) fn define_group(&mut self, target: &Labels) -> Result<GroupRef, Rejected> {
        if let Some(group) = self.find_group(target) {
            return Ok(group);
        }
        if pairs_bytes(target) > LABELS_BYTES_MAX {
            return Err(Rejected::LabelsTooLong);
        }
        if self.groups.len() >= self.options.series_max {
            return Err(Rejected::SeriesLimit);
        }
        let number = u32::try_from(self.groups.len()).map_err(|_| Rejected::SeriesLimit)?;
        self.groups.push(Group::new(target.clone(), self.options.window_rows));
        self.by_target.insert(target.clone(), GroupRef(number));
        Ok(GroupRef(number))
    }

    /// The columns of the families, in order; those that are not there yet are made.
    pub(crate) fn define_columns(
        &mut self,
        group: GroupRef,
        families: &[FamilyColumns],
    ) -> Result<Vec<ColumnRef>, Rejected> {
        let target = self.group(group).ok_or(Rejected::UnknownRef)?.target.clone();
        let mut columns = Vec::with_capacity(families.iter().map(|f| f.columns.len()).sum());
        for family in families.iter().filter(|family| !family.columns.is_empty()) {
            let number = self.define_family(&family.name);
            for own in &family.columns {
                let id = self.define_series(&overlay(&target, own), |_| number)?;
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

    /// The number of a metric family.
    fn define_family(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_family.get(name) {
            return *number;
        }
        // Made with its first series only, so this number fits as theirs do.
        let number = self.families.len() as u32;
        let name: Arc<str> = name.into();
        self.families.push(name.clone());
        self.by_family.insert(name, number);
        number
    }

    /// The series with these labels, if there is one.
    pub(crate) fn find_series(&self, labels: &Labels) -> Option<SeriesId> {
        let hash = self.hasher.hash_one(labels);
        let is_it = |id: &SeriesId| self.series.of(*id).labels == *labels;
        self.by_labels.find(hash, is_it).copied()
    }

    /// The series with these labels for loose samples, made if there is none.
    pub(crate) fn define_loose(&mut self, labels: &Labels) -> Result<SeriesId, Rejected> {
        self.define_series(labels, |head| {
            let name = labels.metric_name().unwrap_or_default();
            let is_bucket = labels.get(BUCKET_LABEL).is_some();
            let family = name.strip_suffix("_bucket").filter(|_| is_bucket).unwrap_or(name);
            head.define_family(family)
        })
    }

    fn define_series(
        &mut self,
        labels: &Labels,
        family: impl FnOnce(&mut Self) -> u32,
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
        if self.series.len() - self.retired >= self.options.series_max {
            return Err(Rejected::SeriesLimit);
        }
        let id = SeriesId(u32::try_from(self.series.len()).map_err(|_| Rejected::SeriesLimit)?);
        let family = family(self);
        let le = labels.get(BUCKET_LABEL).and_then(parse_float);
        self.series.push(Series::new(labels.clone(), family, le));
        self.newest.push(NO_SAMPLE);
        self.oldest.push(NO_SAMPLE);
        let (series, hasher) = (&self.series, &self.hasher);
        let rehash = |id: &SeriesId| hasher.hash_one(&series.of(*id).labels);
        self.by_labels.insert_unique(hasher.hash_one(labels), id, rehash);
        Ok(id)
    }
}
