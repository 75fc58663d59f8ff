//! Matchers to series, over the head and all blocks.
//!
//! 1. Under the head's lock, shared: the head's series, and which blocks there are.
//! 2. Each block's series are found in its own index, and joined with those that have the same
//!    labels: by a sum of hashes, then compared.
//! 3. The series are sorted by their labels, each with the places of its samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::Db;
use super::located::{Located, Source, Span, head_spans};
use super::parts::{Part, Parts};
use crate::block::Block;
use crate::commit::SeriesId;
use crate::error::Error;
use crate::head::Head;
use crate::model::number::parse_float;
use crate::model::{BUCKET_LABEL, Labels, Matcher, TimeRange};
use crate::select::{FamilyId, Generation, Hints, SelectedSeries, Selection};

/// Series that were found, and where.
struct Found {
    series: Vec<SelectedSeries>,
    /// Series and place, in order of precedence for each series.
    spans: Vec<(u32, Span)>,
    /// The newest number of a family that only blocks know.
    families: HashMap<String, FamilyId>,
}

impl Db {
    /// What [`Select::resolve`](crate::Select::resolve) gives.
    pub(super) fn resolve_all(
        &self,
        range: TimeRange,
        matchers: &[Matcher],
    ) -> Result<Selection, Error> {
        let head = self.head();
        let parts = self.parts();
        let ids = head.resolve(range, matchers);
        let floor = head.floor();
        let mut found = Found { series: Vec::new(), spans: Vec::new(), families: HashMap::new() };
        let mut hashes = Vec::new();
        let mut in_head = Vec::new();
        for id in ids.iter().map(SeriesId) {
            let Some(series) = head.series(id) else { continue };
            let number = found.series.len() as u32;
            found.series.push(SelectedSeries {
                labels: series.labels.clone(),
                family: FamilyId(series.family),
                le: series.le,
                hints: Hints::default(),
            });
            hashes.push(series.hash);
            in_head.extend(head_spans(&head, id, parts.flush).map(|span| (number, span)));
        }
        let generation = Generation(head.generation());
        let families = head.family_count();
        drop(head);
        let start = range.start.ms().max(floor);
        found.add_blocks(&parts, (start, range.end.ms()), matchers, &hashes, families)?;
        found.spans.extend(in_head);
        Ok(found.into_selection(parts, generation))
    }
}

impl Found {
    fn add_blocks(
        &mut self,
        parts: &Parts,
        range: (i64, i64),
        matchers: &[Matcher],
        hashes: &[u64],
        families: u32,
    ) -> Result<(), Error> {
        let is_inside = |part: &Part| {
            let (first, last) = part.block.facts().span;
            first <= range.1 && range.0 <= last
        };
        let mut by_hash: Option<HashMap<u64, Vec<u32>>> = None;
        for (number, part) in (0..).zip(&parts.list).filter(|(_, part)| is_inside(part)) {
            let by_hash = by_hash.get_or_insert_with(|| {
                let mut map = HashMap::<_, Vec<u32>>::with_capacity(hashes.len());
                for (series, hash) in (0..).zip(hashes) {
                    map.entry(*hash).or_default().push(series);
                }
                map
            });
            for (group, column) in part.block.resolve(range, matchers)? {
                let (first, last) = part.block.span(group, column)?;
                if part.deleted.of(group, column).iter().any(|own| own.0 <= first && last <= own.1)
                {
                    continue;
                }
                let same = by_hash.entry(part.block.label_hash(group, column)?).or_default();
                let mut series = None;
                for own in same.iter().copied() {
                    let Some(selected) = self.series.get(own as usize) else { continue };
                    if part.block.has_labels(group, column, &selected.labels)? {
                        series = Some(own);
                        break;
                    }
                }
                let series = match series {
                    Some(series) => series,
                    None => {
                        let own = self.add_series(part, group, column, families)?;
                        same.push(own);
                        own
                    }
                };
                let source = Source::Block { part: number, group, column };
                self.spans.push((series, Span { source, first, last }));
            }
        }
        Ok(())
    }

    fn add_series(
        &mut self,
        part: &Part,
        group: u32,
        column: u32,
        families: u32,
    ) -> Result<u32, Error> {
        let labels = part.block.labels(group, column)?;
        let le = labels.get(BUCKET_LABEL).and_then(parse_float);
        let family = part.block.family(group, column)?;
        let next = FamilyId(families + self.families.len() as u32);
        let family = *self.families.entry_ref(family).or_insert(next);
        self.series.push(SelectedSeries { labels, family, le, hints: Hints::default() });
        Ok(self.series.len() as u32 - 1)
    }

    /// Sorts everything.
    fn into_selection(mut self, parts: Arc<Parts>, generation: Generation) -> Selection {
        self.spans.sort_by_key(|(series, _)| *series);
        let mut ranges = vec![0..0; self.series.len()];
        for (at, (series, _)) in (0..).zip(&self.spans) {
            let own: &mut std::ops::Range<u32> = &mut ranges[*series as usize];
            own.start = if own.end == 0 { at } else { own.start };
            own.end = at + 1;
        }
        let spans = self.spans.into_iter().map(|(_, span)| span).collect();
        let mut places: Vec<u32> = (0..self.series.len() as u32).collect();
        let labels = |place: &u32| &self.series[*place as usize].labels;
        places.sort_unstable_by(|a, b| labels(a).cmp(labels(b)));
        let series = places.iter().map(|place| self.series[*place as usize].clone()).collect();
        let located = Located { parts, series: ranges, spans };
        Selection { series, generation, places, located: Some(Arc::new(located)) }
    }
}

impl Db {
    /// The label sets of the series that satisfy one of the sets of matchers, of all series if
    /// there is no set; in label order.
    pub(super) fn series_of_any(
        &self,
        range: TimeRange,
        sets: &[Vec<Matcher>],
    ) -> Result<Vec<Labels>, Error> {
        let none = [Vec::new()];
        let sets = if sets.is_empty() { &none[..] } else { sets };
        let mut labels = Vec::new();
        for set in sets {
            let selection = self.resolve_all(range, set)?;
            labels.extend(selection.series.into_iter().map(|series| series.labels));
        }
        if sets.len() > 1 {
            labels.sort_unstable();
            labels.dedup();
        }
        Ok(labels)
    }

    /// Label names or values: `of_head` gives those of series of the head, `of_block` those of a
    /// block, `of_labels` those of a label set.
    pub(super) fn texts_of_any(
        &self,
        range: TimeRange,
        sets: &[Vec<Matcher>],
        of_head: impl Fn(&Head, &roaring::RoaringBitmap) -> Vec<String>,
        of_block: impl Fn(&Block) -> Result<Vec<&str>, Error>,
        of_labels: impl Fn(&Labels) -> Vec<String>,
    ) -> Result<BTreeSet<String>, Error> {
        let none = [Vec::new()];
        let sets = if sets.is_empty() { &none[..] } else { sets };
        let head = self.head();
        let parts = self.parts();
        let ids = sets
            .iter()
            .fold(roaring::RoaringBitmap::new(), |found, set| found | head.resolve(range, set));
        let mut texts: BTreeSet<String> = of_head(&head, &ids).into_iter().collect();
        let range = (range.start.ms().max(head.floor()), range.end.ms());
        drop(head);
        let is_inside = |part: &&Part| {
            let (first, last) = part.block.facts().span;
            first <= range.1 && range.0 <= last
        };
        for part in parts.list.iter().filter(is_inside) {
            // As Prometheus does, without matchers all that a block knows.
            if sets.iter().any(Vec::is_empty) {
                texts.extend(of_block(&part.block)?.into_iter().map(str::to_owned));
                continue;
            }
            for set in sets {
                for (group, column) in part.block.resolve(range, set)? {
                    texts.extend(of_labels(&part.block.labels(group, column)?));
                }
            }
        }
        Ok(texts)
    }
}
