//! From the text of a series to its labels in the store, and what becomes of it.

use std::borrow::Cow;

use tsdb::model::labels::{Quoted, is_legacy_metric_name, is_legacy_name};
use tsdb::model::{Labels, METRIC_NAME};

use super::layout::Fate;
use super::reading::Reading;
use super::{Ingest, IngestError, Loose, overlay};
use crate::job::{Job, Limits, Validation};
use crate::parse::Label;
use crate::parse::series::decode;

/// Prometheus's words for a series without `__name__`.
const NO_NAME: &str = "missing metric name (__name__ label)";
/// Characters of a name or value that an error shows (Prometheus's number).
const SHOWN_MAX: usize = 50;

impl Ingest {
    /// What becomes of a sample whose series had `fate` on the last page.
    pub(super) fn decide(
        &mut self,
        fate: Fate,
        line: usize,
        series: &[u8],
        own_time: bool,
        reading: &mut Reading,
    ) -> Result<Fate, IngestError> {
        match fate {
            Fate::Fresh => {}
            Fate::Loose(_) if !own_time => {}
            Fate::Dropped | Fate::Column(_) | Fate::Loose(_) => return Ok(fate),
        }
        let (name, page) = self.decoded(series)?;
        if !own_time && let Some(own) = self.own_labels(&name, &page) {
            let family = self.families.of(&name, &name);
            reading.add_fresh(line, family, own);
            return Ok(Fate::Fresh);
        }
        let Some(labels) = self.labels_of(&name, &page)? else {
            return Ok(Fate::Dropped);
        };
        if own_time {
            let next = u32::try_from(self.loose.len()).expect("BUG: 4 G series of one target");
            self.loose.push(Loose { labels, seen: 0, live: false });
            return Ok(Fate::Loose(next));
        }
        let renamed = labels.metric_name().unwrap_or_default();
        let family = self.families.of(&name, renamed);
        let own = overlay::difference(&self.target, &labels);
        reading.add_fresh(line, family, own);
        Ok(Fate::Fresh)
    }

    /// Sees to it that the whole label set of a line's column is at hand.
    pub(super) fn keep_labels(
        &mut self,
        (line, fate): (usize, Fate),
        series: &[u8],
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let is_there = match fate {
            Fate::Column(place) => self.labels.contains_key(&place),
            Fate::Fresh => false,
            Fate::Dropped | Fate::Loose(_) => true,
        };
        if is_there {
            return Ok(());
        }
        let (name, page) = self.decoded(series)?;
        let Some(labels) = self.labels_of(&name, &page)? else { return Ok(()) };
        match fate {
            Fate::Column(place) => _ = self.labels.insert(place, labels),
            _ => _ = reading.fresh_labels.insert(line, labels),
        }
        Ok(())
    }

    /// The name and labels of a series as the page has them.
    fn decoded<'s>(&self, series: &'s [u8]) -> Result<(Cow<'s, str>, Vec<Label<'s>>), IngestError> {
        let (name, mut page) = decode(series);
        refuse_repeated_names(&page)?;
        overlay::normalize(self.families.kind(), &mut page);
        Ok((name, page))
    }

    /// What a column of its own has beside the target's labels, if that is plain: no rules, no
    /// limits, and no label of the target's name. It is what `overlay` would find.
    fn own_labels(&self, name: &str, page: &[Label<'_>]) -> Option<Vec<(String, String)>> {
        let Job { metric_relabel, validation, limits, .. } = &*self.job;
        let Limits { labels, label_name_bytes, label_value_bytes, .. } = limits;
        let is_limited = labels.or(*label_name_bytes).or(*label_value_bytes).is_some();
        let is_odd = |own: &str| own.is_empty() || self.target.get(own).is_some();
        if !metric_relabel.is_empty()
            || is_limited
            || *validation != Validation::Utf8
            || name.is_empty()
            || page.iter().any(|(own, _)| is_odd(own))
        {
            return None;
        }
        let mut own = Vec::with_capacity(1 + page.len());
        own.push((METRIC_NAME.to_owned(), name.to_owned()));
        let page = page.iter().filter(|(_, value)| !value.is_empty());
        own.extend(page.map(|(name, value)| (name.to_string(), value.to_string())));
        own.sort_unstable();
        Some(own)
    }

    /// The labels of a series in the store; `None` if a rule drops it.
    fn labels_of(&self, name: &str, page: &[Label<'_>]) -> Result<Option<Labels>, IngestError> {
        let (honor, rules) = (self.job.honor_labels, &self.job.metric_relabel);
        let merged = overlay::merge(&self.target, name, page, honor, rules);
        let Some(labels) = merged.filter(|labels| !labels.is_empty()) else { return Ok(None) };
        if labels.metric_name().is_none() {
            return Err(IngestError::Labels(NO_NAME.to_owned()));
        }
        refuse_names(&labels, self.job.validation)?;
        refuse_excess(&labels, &self.job.limits)?;
        Ok(Some(labels))
    }
}

fn refuse_repeated_names(page: &[Label<'_>]) -> Result<(), IngestError> {
    let is_again = |at: usize, name: &str| {
        name == METRIC_NAME || page[..at].iter().any(|(other, _)| other == name)
    };
    // Few labels are compared each with each, many are sorted first.
    let repeated = if page.len() <= 16 {
        page.iter().enumerate().find(|(at, (name, _))| is_again(*at, name)).map(|(_, (n, _))| &**n)
    } else {
        let mut names: Vec<&str> = page.iter().map(|(name, _)| name.as_ref()).collect();
        names.push(METRIC_NAME);
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    };
    repeated.map_or(Ok(()), |name| {
        let name = Quoted(name);
        Err(IngestError::Labels(format!("label name {name} is not unique: invalid sample")))
    })
}

/// Refuses names that are not good; on a page they may be any text.
fn refuse_names(labels: &Labels, validation: Validation) -> Result<(), IngestError> {
    let is_good = |(name, value): (&str, &str)| match (validation, name == METRIC_NAME) {
        (Validation::Utf8, _) => !name.is_empty(),
        (Validation::Legacy, true) => is_legacy_metric_name(value),
        (Validation::Legacy, false) => is_legacy_name(name),
    };
    match labels.iter().all(is_good) {
        true => Ok(()),
        false => Err(IngestError::Labels(format!("invalid metric name or label names: {labels}"))),
    }
}

/// Refuses label sets that are larger than the job allows.
fn refuse_excess(labels: &Labels, limits: &Limits) -> Result<(), IngestError> {
    let is_over = |length: usize, limit: Option<u64>| limit.filter(|max| length as u64 > *max);
    let metric = start(labels.metric_name().unwrap_or_default());
    if let Some(limit) = is_over(labels.len(), limits.labels) {
        return Err(IngestError::Labels(format!(
            "label_limit exceeded (metric: {metric}, number of labels: {}, limit: {limit})",
            labels.len()
        )));
    }
    for (name, value) in labels.iter() {
        let shown = start(name);
        if let Some(limit) = is_over(name.len(), limits.label_name_bytes) {
            return Err(IngestError::Labels(format!(
                "label_name_length_limit exceeded (metric: {metric}, label name: {shown}, \
                 length: {}, limit: {limit})",
                name.len()
            )));
        }
        if let Some(limit) = is_over(value.len(), limits.label_value_bytes) {
            return Err(IngestError::Labels(format!(
                "label_value_length_limit exceeded (metric: {metric}, label name: {shown}, \
                 value: {}, length: {}, limit: {limit})",
                Quoted(start(value)),
                value.len()
            )));
        }
    }
    Ok(())
}

/// The first characters of `text`.
fn start(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN_MAX).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The short way gives what the long one gives.
        #[test]
        fn own_labels_are_the_difference(
            name in "[ab]?",
            page in prop::collection::btree_map("[xyz]?", "[12]?", 0..4),
            honor_labels: bool,
        ) {
            let target = Labels::from_pairs([("instance", "h:1"), ("x", "own")]);
            let job = Job { honor_labels, ..Job::new("j") };
            let ingest = Ingest::new(target.clone(), Arc::new(job));
            let page: Vec<Label<'_>> =
                page.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            if let Some(own) = ingest.own_labels(&name, &page) {
                let labels = ingest.labels_of(&name, &page).expect("good names");
                let labels = labels.expect("no rules");
                prop_assert_eq!(own, overlay::difference(&target, &labels));
            }
        }
    }
}
