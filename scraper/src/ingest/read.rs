//! Reading a page: lines become series numbers and values. Nothing here touches the store.

use std::collections::HashMap;

use tsdb::FamilyColumns;
use tsdb::model::labels::Quoted;
use tsdb::model::{Labels, METRIC_NAME, Metadata, Timestamp};

use super::series::Fate;
use super::{Ingest, IngestError, overlay};
use crate::parse::series::decode;
use crate::parse::{Entry, Label, Parser, Sample, format_of};

/// Prometheus's words for a series without `__name__`.
const NO_NAME: &str = "missing metric name (__name__ label)";

/// What was read of a page; empty between pages.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// All samples but those that a rule drops.
    pub(super) samples: Vec<ReadSample>,
    pub(super) exemplars: Vec<ReadExemplar>,
    /// The new series by family, in the page's order: what to register, and as which series.
    pub(super) fresh: Vec<(FamilyColumns, Vec<u32>)>,
    /// Where each family stands in `fresh`.
    fresh_by_name: HashMap<String, usize>,
    pub(super) scraped: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ReadSample {
    pub(super) series: u32,
    pub(super) value: f64,
    /// Its own timestamp, if that counts.
    pub(super) timestamp: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct ReadExemplar {
    pub(super) series: u32,
    pub(super) labels: Labels,
    pub(super) value: f64,
    /// Its own timestamp or its sample's.
    pub(super) timestamp: Option<Timestamp>,
}

impl Reading {
    /// Empties it, and keeps the memory that every page needs.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.exemplars.clear();
        self.fresh.clear();
        self.fresh_by_name.clear();
        self.scraped = 0;
    }

    pub(super) fn fresh_series(&self) -> impl Iterator<Item = u32> + '_ {
        self.fresh.iter().flat_map(|(_, series)| series).copied()
    }

    fn add_fresh(
        &mut self,
        series: u32,
        (family, metadata): (String, Metadata),
        own: Vec<(String, String)>,
    ) {
        let next = self.fresh.len();
        let at = *self.fresh_by_name.entry(family.clone()).or_insert(next);
        if at == next {
            let columns = FamilyColumns { name: family, metadata, columns: Vec::new() };
            self.fresh.push((columns, Vec::new()));
        }
        let (columns, numbers) = &mut self.fresh[at];
        columns.columns.push(own);
        numbers.push(series);
    }
}

impl Ingest {
    pub(super) fn read(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
    ) -> Result<(), IngestError> {
        let format = format_of(content_type)?;
        let same_format = self.format.replace(format) == Some(format);
        self.families.begin();
        let mut parser = Parser::new(body, format);
        let mut previous = None;
        loop {
            let guess = self.series.guess(previous).filter(|_| same_format);
            let expected = guess.map_or(&b""[..], |guess| &self.series.get(guess).text);
            match parser.next(expected)? {
                Some(Entry::Sample(sample)) => {
                    let series = self.identify(&sample, guess, previous);
                    self.sample(series, sample)?;
                    previous = Some(series);
                }
                Some(comment) => self.families.learn(&comment, format),
                None => return Ok(()),
            }
        }
    }

    /// The number of a sample's series; a new one gets a number.
    fn identify(&mut self, sample: &Sample<'_>, guess: Option<u32>, previous: Option<u32>) -> u32 {
        if let Some(guess) = guess.filter(|_| sample.as_expected) {
            return guess;
        }
        let text = sample.series.bytes();
        let found = self.series.find(text);
        let series = found.unwrap_or_else(|| self.series.add(text, Fate::Undecided));
        self.series.follow(previous, series);
        series
    }

    fn sample(&mut self, series: u32, sample: Sample<'_>) -> Result<(), IngestError> {
        self.reading.scraped += 1;
        let timestamp = sample.timestamp.filter(|_| self.job.honor_timestamps);
        if timestamp.is_some() || sample.exemplar.is_some() {
            self.keep_labels(series)?;
        }
        if timestamp.is_none() && self.series.get(series).fate == Fate::Undecided {
            self.make_fresh(series)?;
        }
        if self.series.get(series).fate == Fate::Dropped {
            self.series.get_mut(series).seen = self.page + 1;
            return Ok(());
        }
        self.reading.samples.push(ReadSample { series, value: sample.value, timestamp });
        if let Some(exemplar) = sample.exemplar {
            self.reading.exemplars.push(ReadExemplar {
                series,
                labels: Labels::from_pairs(exemplar.labels),
                value: exemplar.value,
                timestamp: exemplar.timestamp.or(timestamp),
            });
        }
        Ok(())
    }

    /// Sees to it that the whole label set of a series is at hand, unless a rule drops it.
    fn keep_labels(&mut self, series: u32) -> Result<(), IngestError> {
        if self.series.get(series).fate == Fate::Dropped || self.labels.contains_key(&series) {
            return Ok(());
        }
        if let Some((_, labels)) = self.resolve(series)? {
            self.labels.insert(series, labels);
        }
        Ok(())
    }

    /// Puts a series among those to register, unless a rule drops it.
    fn make_fresh(&mut self, series: u32) -> Result<(), IngestError> {
        if let Some((name, labels)) = self.resolve(series)? {
            let renamed = labels.metric_name().unwrap_or_default();
            let family = self.families.of(&name, renamed);
            let own = overlay::difference(&self.target, &labels);
            self.reading.add_fresh(series, family, own);
            self.series.get_mut(series).fate = Fate::Fresh;
        }
        Ok(())
    }

    /// The name of a series on the page, and its labels in the store. If a rule drops it, that
    /// is noted.
    fn resolve(&mut self, series: u32) -> Result<Option<(String, Labels)>, IngestError> {
        let (name, mut page) = decode(&self.series.get(series).text);
        refuse_repeated_names(&page)?;
        overlay::normalize(self.families.kind(), &mut page);
        let (honor, rules) = (self.job.honor_labels, &self.job.metric_relabel);
        let merged = overlay::merge(&self.target, &name, &page, honor, rules);
        let Some(labels) = merged.filter(|labels| !labels.is_empty()) else {
            self.series.get_mut(series).fate = Fate::Dropped;
            return Ok(None);
        };
        if labels.metric_name().is_none() {
            return Err(IngestError::Labels(NO_NAME.to_owned()));
        }
        Ok(Some((name.into_owned(), labels)))
    }
}

fn refuse_repeated_names(page: &[Label<'_>]) -> Result<(), IngestError> {
    let mut names: Vec<&str> = page.iter().map(|(name, _)| name.as_ref()).collect();
    names.push(METRIC_NAME);
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => {
            let name = Quoted(pair[0]);
            Err(IngestError::Labels(format!("label name {name} is not unique: invalid sample")))
        }
    }
}
