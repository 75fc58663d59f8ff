//! The index of a block while it is written.
//!
//! 1. Texts, definitions and lists of definitions get numbers in the order in which they come.
//! 2. A group keeps its windows, and those columns' spans that are not the group's own.
//! 3. At the end the texts are sorted, and all is written with their new numbers (symbols).

use std::borrow::Borrow;
use std::hash::Hash;

use hashbrown::HashMap;

use super::fixed::{put_pair, put_span};
use super::index::WindowEntry;
use super::names::NamesWriter;
use super::table::TableWriter;
use super::{NO_TIME, Span, union};
use crate::error::Error;
use crate::group::own_labels;
use crate::model::Labels;
use crate::numbered::Numbered;

/// Numbers for different things, in the order in which they come.
#[derive(Debug)]
struct Interner<T>(HashMap<T, u32>);

impl<T: Hash + Eq> Interner<T> {
    #[expect(clippy::expect_used, reason = "a list of an index has room for far fewer: 4 GiB")]
    fn number<Q>(&mut self, item: &Q) -> u32
    where
        Q: Hash + Eq + ?Sized,
        T: Borrow<Q> + for<'a> From<&'a Q>,
    {
        if let Some(number) = self.0.get(item) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).expect("BUG: 2^32 things in one index");
        self.0.insert(T::from(item), number);
        number
    }

    /// All of them, by number.
    fn into_list(self) -> Vec<T> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(_, number)| *number);
        all.into_iter().map(|(item, _)| item).collect()
    }
}

type Pairs = Vec<(u32, u32)>;

/// A group.
#[derive(Debug)]
struct Group {
    target: Pairs,
    identity: Pairs,
    shape: u32,
    windows: Vec<WindowEntry>,
    /// Of each column while its windows come, then only of those that differ from the group.
    spans: Vec<(u32, Span)>,
}

impl Group {
    fn span(&self) -> Span {
        self.windows.iter().map(|window| window.span).fold(NO_TIME, union)
    }
}

/// The index.
#[derive(Debug)]
pub(super) struct Draft {
    texts: Interner<Box<str>>,
    /// Family, then names and values by turns.
    definitions: Interner<Box<[u32]>>,
    shapes: Interner<Box<[u32]>>,
    groups: Vec<Group>,
    windows: u32,
    /// Columns with cells, of the groups that have ended.
    series: u64,
}

/// The pairs that all label sets have.
fn common<'a>(mut sets: impl Iterator<Item = &'a Labels>) -> Labels {
    let Some(first) = sets.next() else { return Labels::empty() };
    sets.fold(first.clone(), |common, labels| {
        common.filtered(|name| common.get(name) == labels.get(name))
    })
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            texts: Interner(HashMap::new()),
            definitions: Interner(HashMap::new()),
            shapes: Interner(HashMap::new()),
            groups: Vec::new(),
            windows: 0,
            series: 0,
        }
    }

    /// Begins a group; its labels in the index are those that all columns have.
    pub(super) fn begin_group(&mut self, identity: &Labels, columns: &[(&str, &Labels)]) {
        let target = common(columns.iter().map(|(_, labels)| *labels));
        self.begin_group_with(identity, &target, columns);
    }

    /// Begins a group with such target labels; columns may override and hide them.
    pub(super) fn begin_group_with(
        &mut self,
        identity: &Labels,
        target: &Labels,
        columns: &[(&str, &Labels)],
    ) {
        self.end_group();
        let define = |(family, labels): &(&str, &Labels)| self.define(family, target, labels);
        let shape: Vec<u32> = columns.iter().map(define).collect();
        let spans = (0..shape.len() as u32).map(|column| (column, NO_TIME)).collect();
        let shape = self.shapes.number(&shape[..]);
        let (target, identity) = (self.pairs(target.iter()), self.pairs(identity.iter()));
        self.groups.push(Group { target, identity, shape, windows: Vec::new(), spans });
    }

    fn define(&mut self, family: &str, target: &Labels, labels: &Labels) -> u32 {
        let family = self.texts.number(family);
        let mut own = self.pairs(own_labels(target, labels).into_iter());
        // The order of `own_labels` is not that of names; equal sets must be equal lists.
        own.sort_unstable();
        let mut definition = vec![family];
        definition.extend(own.iter().flat_map(|(name, value)| [*name, *value]));
        self.definitions.number(&definition[..])
    }

    fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Pairs {
        pairs.map(|(name, value)| (self.texts.number(name), self.texts.number(value))).collect()
    }

    /// Adds a window to the group that was begun last, and says its number in the block.
    #[expect(
        clippy::expect_used,
        reason = "a group was begun; an index has room for far fewer windows"
    )]
    pub(super) fn window(&mut self, window: WindowEntry, ranges: &[Option<Span>]) {
        let group = self.groups.last_mut().expect("BUG: a window without a group");
        let before = group.windows.last().map(|before| before.span.1);
        let is_next = before.is_none_or(|before| before < window.span.0);
        assert!(is_next && window.span.0 <= window.span.1, "BUG: windows out of order");
        assert!(
            ranges.len() <= group.spans.len(),
            "BUG: a window with more columns than its group"
        );
        for ((_, span), range) in group.spans.iter_mut().zip(ranges) {
            *span = range.map_or(*span, |range| union(*span, range));
        }
        group.windows.push(WindowEntry { number: self.windows, ..window });
        self.windows = self.windows.checked_add(1).expect("BUG: 2^32 windows in a block");
    }

    fn end_group(&mut self) {
        let Some(group) = self.groups.last_mut() else { return };
        let whole = group.span();
        self.series += group.spans.iter().filter(|(_, span)| *span != NO_TIME).count() as u64;
        group.spans.retain(|(_, span)| *span != whole);
        group.spans.shrink_to_fit();
    }

    /// The number of series, and the sections of the index in their order.
    pub(super) fn finish(mut self) -> Result<(u64, [Vec<u8>; 6]), Error> {
        self.end_group();
        let texts = self.texts.into_list();
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_unstable_by_key(|number| texts.of(*number));
        let mut symbols = vec![0; texts.len()];
        let mut table = TableWriter::default();
        for (symbol, number) in (0..).zip(&order) {
            *symbols.of_mut(*number) = symbol;
            table.push(|out| out.extend_from_slice(texts.of(*number).as_bytes()));
        }
        let (definitions, by_own) = put_definitions(&self.definitions.into_list(), &symbols)?;
        let (groups, by_target) = put_groups(&self.groups, &symbols)?;
        let shapes = put_shapes(&self.shapes.into_list())?;
        Ok((self.series, [table.finish()?, definitions, shapes, groups, by_own, by_target]))
    }
}

fn symbol_pairs(pairs: impl Iterator<Item = (u32, u32)>, symbols: &[u32]) -> Pairs {
    let symbols = pairs.map(|(name, value)| (*symbols.of(name), *symbols.of(value)));
    let mut pairs: Pairs = symbols.collect();
    pairs.sort_unstable();
    pairs
}

fn put_definitions(all: &[Box<[u32]>], symbols: &[u32]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let (mut table, mut names) = (TableWriter::default(), NamesWriter::default());
    for (number, definition) in (0..).zip(all) {
        let (family, own) = definition.split_at(1);
        let own = own.as_chunks().0.iter().map(|[name, value]| (*name, *value));
        let own = symbol_pairs(own, symbols);
        names.insert(number, &own);
        table.push(|out| {
            out.extend(family.iter().flat_map(|family| symbols.of(*family).to_le_bytes()));
            own.iter().for_each(|pair| put_pair(out, *pair));
        });
    }
    Ok((table.finish()?, names.finish()?))
}

fn put_shapes(all: &[Box<[u32]>]) -> Result<Vec<u8>, Error> {
    let mut table = TableWriter::default();
    for shape in all {
        table.push(|out| out.extend(shape.iter().flat_map(|number| number.to_le_bytes())));
    }
    table.finish()
}

fn put_groups(all: &[Group], symbols: &[u32]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let (mut table, mut names) = (TableWriter::default(), NamesWriter::default());
    for (number, group) in (0..).zip(all) {
        let target = symbol_pairs(group.target.iter().copied(), symbols);
        let identity = symbol_pairs(group.identity.iter().copied(), symbols);
        names.insert(number, &target);
        table.push(|out| put_group(out, group, &target, &identity));
    }
    Ok((table.finish()?, names.finish()?))
}

fn put_group(out: &mut Vec<u8>, group: &Group, target: &Pairs, identity: &Pairs) {
    let lengths = [target.len(), identity.len(), group.windows.len(), group.spans.len()];
    let first_window = group.windows.first().map_or(0, |window| window.number);
    put_pair(out, (group.shape, first_window));
    // Each of them is bounded: labels by their own limit, windows and columns by their numbers.
    out.extend(lengths.iter().flat_map(|length| (*length as u32).to_le_bytes()));
    target.iter().chain(identity).for_each(|pair| put_pair(out, *pair));
    group.windows.iter().for_each(|window| window.put(out));
    for (column, span) in &group.spans {
        out.extend_from_slice(&column.to_le_bytes());
        put_span(out, *span);
    }
}
