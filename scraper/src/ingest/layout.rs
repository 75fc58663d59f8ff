//! How a target's page looked last time, and what became of each of its series.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::part::{Draft, Part};
use crate::parse::PageFormat;

/// What becomes of a series' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A rule drops them.
    Dropped,
    /// They go to this place of the row.
    Column(u32),
    /// They have timestamps of their own and go in beside the row, as this loose series.
    Loose(u32),
    /// The page at hand has brought it; a column is about to be registered.
    Fresh,
}

/// The lines of the last stored page.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) format: Option<PageFormat>,
    parts: Vec<Arc<Part>>,
    /// One for each line.
    pub(super) fates: Vec<Fate>,
    /// What stood behind the last line: comments, usually none.
    pub(super) tail: Vec<u8>,
}

/// A line of a layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    part: usize,
    line: usize,
    /// Its number among all lines.
    pub(super) number: usize,
}

impl Layout {
    /// All lines in order, as [`Part::lines`] has them.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.parts.iter().flat_map(|part| part.lines())
    }

    /// The line at `place`, as [`Part::lines`] has it; `None` behind the last one.
    pub(super) fn line(&self, place: Place) -> Option<(&[u8], usize)> {
        Some(self.parts.get(place.part)?.line(place.line))
    }

    /// The place of the line with that number, which may be the one behind the last.
    pub(super) fn place(&self, number: usize) -> Place {
        let mut line = number;
        for (part, lines) in self.parts.iter().map(|part| part.len()).enumerate() {
            if line < lines {
                return Place { part, line, number };
            }
            line -= lines;
        }
        Place { part: self.parts.len(), line: 0, number }
    }

    /// The place behind `place`.
    fn after(&self, place: Place) -> Place {
        let number = place.number + 1;
        match self.parts.get(place.part) {
            Some(part) if place.line + 1 < part.len() => {
                Place { part: place.part, line: place.line + 1, number }
            }
            _ => Place { part: place.part + 1, line: 0, number },
        }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let count = self.fates.len();
        let next = |place: &Place| Some(self.after(*place));
        std::iter::successors(Some(Place::default()), next).take(count)
    }

    fn series(&self, place: Place) -> &[u8] {
        let (text, series) = self.line(place).unwrap_or_default();
        &text[series..]
    }
}

/// Walks over a layout beside a new page.
pub(super) struct Walk<'l> {
    layout: &'l Layout,
    place: Place,
    index: Option<Index>,
}

impl<'l> Walk<'l> {
    /// From `place` on.
    pub(super) fn new(layout: &'l Layout, place: Place) -> Self {
        Self { layout, place, index: None }
    }

    /// The line that probably comes next, as [`Part::lines`] has it.
    pub(super) fn next(&self) -> Option<(&'l [u8], usize)> {
        self.layout.line(self.place)
    }

    /// That line did come: its fate.
    pub(super) fn pass(&mut self) -> Fate {
        let fate = self.layout.fates.get(self.place.number).copied();
        self.place = self.layout.after(self.place);
        fate.unwrap_or(Fate::Fresh)
    }

    /// Another line came; its fate, and what comes behind it will probably come next.
    pub(super) fn find(&mut self, series: &[u8]) -> Fate {
        let index = self.index.get_or_insert_with(|| Index::of(self.layout));
        match index.find(self.layout, series) {
            None => Fate::Fresh,
            Some(found) => {
                self.place = found;
                self.pass()
            }
        }
    }
}

/// Finds the lines of a layout by their series.
struct Index {
    by_series: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

impl Index {
    fn of(layout: &Layout) -> Self {
        let mut by_series = HashTable::with_capacity(layout.fates.len());
        let hasher = DefaultHashBuilder::default();
        let hash = |place: &Place| hasher.hash_one(layout.series(*place));
        for place in layout.places() {
            by_series.insert_unique(hash(&place), place, hash);
        }
        Self { by_series, hasher }
    }

    /// A line with this series.
    fn find(&self, layout: &Layout, series: &[u8]) -> Option<Place> {
        let is_it = |place: &Place| layout.series(*place) == series;
        self.by_series.find(self.hasher.hash_one(series), is_it).copied()
    }
}

/// The layout of the page at hand, which differs from the last one's.
#[derive(Debug)]
pub(super) struct NewLayout {
    format: PageFormat,
    draft: Draft,
    pub(super) fates: Vec<Fate>,
    pub(super) tail: Vec<u8>,
}

impl NewLayout {
    pub(super) fn new(format: PageFormat) -> Self {
        Self { format, draft: Draft::default(), fates: Vec::new(), tail: Vec::new() }
    }

    /// Adds a line (see [`Draft::push`]) and returns its number.
    pub(super) fn push(&mut self, text: &[u8], series: usize, fate: Fate) -> usize {
        self.draft.push(text, series);
        self.fates.push(fate);
        self.fates.len() - 1
    }

    pub(super) fn finish(self) -> Layout {
        let Self { format, draft, mut fates, tail } = self;
        fates.shrink_to_fit();
        match draft.finish() {
            Some(parts) => Layout { format: Some(format), parts, fates, tail },
            None => Layout::default(),
        }
    }
}
