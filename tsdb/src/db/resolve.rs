//! Matchers to series, over the head and all blocks.
//!
//! 1. Under the head's lock, shared: which blocks there are, and what is kept from earlier
//!    ([`resolved`](super::resolved)). If that holds, 2 and 3 are left out.
//! 2. The head's series and each block's, found in its own index, are joined: by a sum of hashes
//!    of their labels, then compared.
//! 3. The series are sorted by their labels, each with the places of its samples.
//! 4. Those that may have samples in the time range are the selection, up to the newest samples
//!    that were there in 1: later ones may belong to rows with series that 2 does not know.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::Db;
use super::located::{ALONE, Located, Moment, Resolved, Source, Span, row_spans};
use super::parts::{Part, Parts};
use super::resolved::Key;
use crate::block::{Block, View};
use crate::commit::SeriesId;
use crate::error::Error;
use crate::head::Head;
use crate::model::number::parse_float;
use crate::model::{BUCKET_LABEL, Labels, Matcher, TimeRange};
use crate::numbered::Numbered;
use crate::select::{FamilyId, Generation, Hints, SelectedSeries, Selection};

impl Db {
    /// What [`Select::resolve`](crate::Select::resolve) gives.
    pub(super) fn resolve_all(
        &self,
        range: TimeRange,
        matchers: &[Matcher],
    ) -> Result<Selection, Error> {
        let (start, end) = (range.start.ms(), range.end.ms());
        let head = self.head();
        let (parts, layout) = (self.parts(), head.layout());
        let generation = Generation(head.generation());
        let start = start.max(head.floor());
        let numbers = parts.overlapping((start, end));
        let key = Key::new(matchers, &numbers);
        if let Some(resolved) = self.resolved.get(&key, &parts, layout) {
            let now = Moment::Now(&head, parts.flush);
            return Ok(select(&now, parts, resolved, (start, end), generation));
        }
        let mut found = Found::of_head(&head, matchers, parts.flush);
        let then = Moment::then(&head, parts.flush, found.series.iter().filter_map(|own| own.1));
        drop(head);
        for number in numbers {
            found.add_block(&parts, number, matchers)?;
        }
        let resolved = Arc::new(found.into_resolved(&parts));
        self.resolved.put(key, &parts, layout, &resolved);
        Ok(select(&then, parts, resolved, (start, end), generation))
    }
}

/// The series that may have samples from `start` to `end`, as they were at that moment.
fn select(
    moment: &Moment<'_>,
    parts: Arc<Parts>,
    resolved: Arc<Resolved>,
    (start, end): (i64, i64),
    generation: Generation,
) -> Selection {
    let newest = |id: &Option<SeriesId>| id.map_or(i64::MIN, |id| moment.newest(id));
    let newest: Vec<i64> = resolved.ids.iter().map(newest).collect();
    let (mut alone, mut places) = (HashMap::new(), Vec::with_capacity(newest.len()));
    for place in 0..resolved.series.len() as u32 {
        let (id, newest) = (*resolved.ids.of(place), *newest.of(place));
        let is_inside = |span: &Span| span.first <= end && start <= span.last;
        let now = |span: &Span| match span.source {
            Source::Block { .. } => *span,
            Source::Rows(..) | Source::Loose(_) => Span { last: newest, ..*span },
        };
        let spans = || resolved.spans(place).iter().map(now).filter(|own| own.first <= own.last);
        if *resolved.homes.of(place) == ALONE {
            let loose = id.and_then(|id| moment.loose(id));
            let spans: Vec<_> = spans().chain(loose).filter(is_inside).collect();
            if spans.is_empty() {
                continue;
            }
            alone.insert(place, spans);
        } else if !spans().any(|span| is_inside(&span)) {
            continue;
        }
        places.push(place);
    }
    let series = places.iter().map(|place| resolved.series.of(*place).clone()).collect();
    let ranks = places.iter().map(|place| *resolved.ranks.of(*place)).collect();
    let located = Located { parts, resolved, newest, alone };
    Selection { series, generation, places, ranks, located: Some(Arc::new(located)) }
}

/// Series that were found, and where.
struct Found {
    series: Vec<(SelectedSeries, Option<SeriesId>)>,
    /// Series and place, the blocks' in order of precedence.
    spans: Vec<(u32, Span)>,
    /// Those of the head's rows.
    in_head: Vec<(u32, Span)>,
    /// Series by the sums of their hashes.
    by_hash: HashMap<u64, Vec<u32>>,
    /// Series with samples that are no part of a row.
    loose: Vec<bool>,
    /// The next number of a family that only blocks know, and those that were given out.
    next_family: u32,
    families: HashMap<String, FamilyId>,
}

impl Found {
    /// The head's.
    fn of_head(head: &Head, matchers: &[Matcher], flush: u64) -> Self {
        let ids = head.postings().resolve(matchers);
        let mut found = Self {
            series: Vec::with_capacity(ids.len() as usize),
            spans: Vec::new(),
            in_head: Vec::new(),
            by_hash: HashMap::with_capacity(ids.len() as usize),
            loose: Vec::new(),
            next_family: head.family_numbers(),
            families: HashMap::new(),
        };
        for id in ids.iter().map(SeriesId) {
            let Some(own) = head.series(id) else { continue };
            let number = found.series.len() as u32;
            let (labels, family, hints) =
                (own.labels.clone(), FamilyId(own.family), Hints::default());
            found.series.push((SelectedSeries { labels, family, le: own.le, hints }, Some(id)));
            found.loose.push(own.loose.is_some());
            found.by_hash.entry(own.labels.pairs_hash()).or_default().push(number);
            found.in_head.extend(row_spans(head, id, flush).map(|span| (number, span)));
        }
        found
    }

    fn add_block(&mut self, parts: &Parts, number: u32, matchers: &[Matcher]) -> Result<(), Error> {
        let Some(part) = parts.list.get(number as usize) else { return Ok(()) };
        let view = part.block.view()?;
        for (group, column) in part.block.resolve((i64::MIN, i64::MAX), matchers)? {
            let (first, last) = view.span(group, column)?;
            if part.deleted.of(group, column).iter().any(|own| own.0 <= first && last <= own.1) {
                continue;
            }
            let series = self.series_of(&view, group, column)?;
            let source = Source::Block { part: number, group, column };
            self.spans.push((series, Span { source, first, last }));
        }
        Ok(())
    }

    /// The number of a column's series, which is added if it is new.
    fn series_of(&mut self, view: &View<'_>, group: u32, column: u32) -> Result<u32, Error> {
        let hash = view.pairs_hash(group, column)?;
        for own in self.by_hash.get(&hash).into_iter().flatten() {
            let Some((selected, _)) = self.series.get(*own as usize) else { continue };
            if view.has_labels(group, column, &selected.labels)? {
                return Ok(*own);
            }
        }
        let labels = view.labels(group, column)?;
        let le = labels.get(BUCKET_LABEL).and_then(parse_float);
        let next = FamilyId(self.next_family + self.families.len() as u32);
        let family = *self.families.entry_ref(view.family(group, column)?).or_insert(next);
        let number = self.series.len() as u32;
        self.series.push((SelectedSeries { labels, family, le, hints: Hints::default() }, None));
        self.loose.push(false);
        self.by_hash.entry(hash).or_default().push(number);
        Ok(number)
    }

    /// Sorts everything.
    fn into_resolved(mut self, parts: &Parts) -> Resolved {
        self.spans.append(&mut self.in_head);
        self.spans.sort_by_key(|(series, _)| *series);
        let of_one = self.spans.chunk_by(|(a, _), (b, _)| a == b);
        let own = of_one.filter_map(|spans| Some((spans.first()?.0, spans)));
        let own: HashMap<u32, &[(u32, Span)]> = own.collect();
        let mut order: Vec<u32> = (0..self.series.len() as u32).collect();
        let labels = |number: &u32| &self.series.of(*number).0.labels;
        order.sort_unstable_by(|a, b| labels(a).cmp(labels(b)));
        let mut resolved = Resolved::default();
        let mut alone = Vec::with_capacity(order.len());
        for number in order {
            let own = own.get(&number).copied().unwrap_or_default();
            let mut spans: Vec<_> = own.iter().map(|(_, span)| *span).collect();
            let is_alone = *self.loose.of(number) || parts.must_merge(&spans);
            if !is_alone {
                spans.sort_by_key(|span| span.first);
            }
            alone.push(is_alone);
            let (series, id) = self.series.of(number);
            resolved.push(series.clone(), *id, &spans);
        }
        resolved.finish(&alone);
        resolved
    }
}

impl Parts {
    /// Positions of the blocks that reach into the time range.
    fn overlapping(&self, (start, end): (i64, i64)) -> Vec<u32> {
        let is_inside = |part: &Part| {
            let (first, last) = part.block.facts().span;
            first <= end && start <= last
        };
        (0..).zip(&self.list).filter(|(_, part)| is_inside(part)).map(|(at, _)| at).collect()
    }

    /// Whether the samples of a series have to be sorted: places overlap in time, or a part is
    /// deleted.
    fn must_merge(&self, spans: &[Span]) -> bool {
        let is_cut = |span: &Span| match span.source {
            Source::Block { part, group, column } => {
                let part = self.list.get(part as usize);
                part.is_some_and(|part| !part.deleted.of(group, column).is_empty())
            }
            Source::Rows(..) => false,
            Source::Loose(_) => true,
        };
        let meets = |(at, span): (usize, &Span)| {
            spans.iter().take(at).any(|other| other.first <= span.last && span.first <= other.last)
        };
        spans.iter().any(is_cut) || (spans.len() > 1 && spans.iter().enumerate().any(meets))
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
            let view = part.block.view()?;
            for set in sets {
                for (group, column) in part.block.resolve(range, set)? {
                    texts.extend(of_labels(&view.labels(group, column)?));
                }
            }
        }
        Ok(texts)
    }
}
