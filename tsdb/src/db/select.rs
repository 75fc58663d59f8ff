//! The way out: the port on top of [`resolve`](super::resolve) and [`read`](super::read).
//!
//! No lock is held across a query: resolving takes the head's lock once, reading once for each
//! batch. Between them the store may change; a selection is read as the store was at that moment,
//! whatever came since.

use std::collections::BTreeSet;

use super::Db;
use super::located::Located;
use super::newest::NewestReader;
use super::read::Reader;
use crate::block::Block;
use crate::error::Error;
use crate::model::{Labels, Matcher, TimeRange};
use crate::select::{Batches, Generation, Select, Selection};

impl Select for Db {
    fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error> {
        self.resolve_all(range, matchers)
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        let located = selection.located.as_ref().and_then(|own| own.downcast_ref::<Located>());
        Ok(Box::new(Reader::new(self, selection, located, range)))
    }

    fn read_newest<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        let located = selection.located.as_ref().and_then(|own| own.downcast_ref::<Located>());
        Ok(Box::new(NewestReader::new(self, selection, located, range)))
    }

    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let of_labels = |labels: &Labels| labels.iter().map(|(name, _)| name.to_owned()).collect();
        let names = self.texts_of_any(
            range,
            matchers,
            |head, ids| head.postings().names(ids).map(str::to_owned).collect(),
            Block::label_names,
            of_labels,
        )?;
        Ok(first(names, limit))
    }

    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let of_labels = |labels: &Labels| labels.get(name).map(str::to_owned).into_iter().collect();
        let values = self.texts_of_any(
            range,
            matchers,
            |head, ids| head.postings().values(name, ids).map(str::to_owned).collect(),
            |block| block.label_values(name),
            of_labels,
        )?;
        Ok(first(values, limit))
    }

    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, Error> {
        let mut labels = self.series_of_any(range, matchers)?;
        labels.truncate(limit);
        Ok(labels)
    }

    fn generation(&self) -> Generation {
        Generation(self.head().generation())
    }

    fn unchanged_since(&self, generation: Generation) -> Option<TimeRange> {
        let head = self.head();
        (generation.0 <= head.generation()).then(|| head.unchanged_since(generation.0))
    }
}

fn first(texts: BTreeSet<String>, limit: usize) -> Vec<String> {
    texts.into_iter().take(limit).collect()
}
