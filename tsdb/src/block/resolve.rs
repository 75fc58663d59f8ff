//! Matchers to columns.
//!
//! 1. For each matcher: the definitions that have its label as an own one, those of them whose
//!    value satisfies it, and the groups whose value (without the label: the empty text) does.
//! 2. A column satisfies a matcher if its definition has the label and is one of the second, or
//!    has not and its group is one of the third. So what a group contributes is which matchers
//!    it satisfies, and groups of equal shape that satisfy the same ones have the same columns.
//! 3. Of those columns stay the ones that have cells in the time range.

use hashbrown::HashMap;
use roaring::RoaringBitmap;

use super::index::{GroupEntry, Index};
use super::names::{Names, Values};
use super::open::Block;
use super::{Span, overlaps};
use crate::codec::Malformed;
use crate::error::Error;
use crate::model::{MatchOp, Matcher};

/// One matcher against the index.
struct Found {
    /// The definitions that do not satisfy it, whatever the group.
    refused: RoaringBitmap,
    /// Those that do, whatever the group.
    hit: RoaringBitmap,
    /// The groups that satisfy it for the definitions without the label.
    groups: RoaringBitmap,
}

impl Found {
    fn new(index: &Index<'_>, matcher: &Matcher) -> Result<Self, Malformed> {
        let symbol = index.symbol(matcher.name())?;
        let values = |names: Names<'_>| satisfying(index, names, symbol, matcher);
        let (own, hit) = values(index.by_own)?;
        let (has_label, mut groups) = values(index.by_target)?;
        if matcher.matches_empty() {
            let mut without = RoaringBitmap::new();
            without.insert_range(0..index.groups.len());
            groups |= without - has_label;
        }
        Ok(Self { refused: own - &hit, hit, groups })
    }
}

/// The numbers under the matcher's label, and those of them whose value satisfies it.
fn satisfying(
    index: &Index<'_>,
    names: Names<'_>,
    symbol: Option<u32>,
    matcher: &Matcher,
) -> Result<(RoaringBitmap, RoaringBitmap), Malformed> {
    let values = symbol.map(|symbol| names.find(symbol)).transpose()?.flatten();
    let Some(values) = values else { return Ok(Default::default()) };
    let all = values.all()?;
    let hit = match matcher.op() {
        MatchOp::Equal => equal(index, values, matcher.value())?,
        MatchOp::NotEqual => &all - equal(index, values, matcher.value())?,
        MatchOp::Regex | MatchOp::NotRegex => {
            values.filter(|value| Ok(matcher.matches(index.text(value)?)))?
        }
    };
    Ok((all, hit))
}

fn equal(index: &Index<'_>, values: Values<'_>, text: &str) -> Result<RoaringBitmap, Malformed> {
    index.symbol(text)?.map_or_else(|| Ok(RoaringBitmap::new()), |symbol| values.of(symbol))
}

/// The definitions that satisfy all matchers in a group that satisfies those.
fn definitions(index: &Index<'_>, found: &[Found], by_group: &[bool]) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    all.insert_range(0..index.definitions());
    for (found, is_satisfied) in found.iter().zip(by_group) {
        if *is_satisfied {
            all -= &found.refused;
        } else {
            all &= &found.hit;
        }
    }
    all
}

/// The columns that each shape has of definitions that depend on the group.
struct Columns<'a> {
    index: Index<'a>,
    found: Vec<Found>,
    definitions: HashMap<Vec<bool>, RoaringBitmap>,
    columns: HashMap<(u32, Vec<bool>), Vec<u32>>,
}

impl Columns<'_> {
    fn of(&mut self, number: u32, group: &GroupEntry<'_>) -> Result<&[u32], Malformed> {
        let satisfied: Vec<_> = self.found.iter().map(|own| own.groups.contains(number)).collect();
        let key = (group.shape, satisfied);
        if !self.columns.contains_key(&key) {
            let wanted = self.definitions.entry(key.1.clone());
            let wanted = wanted.or_insert_with(|| definitions(&self.index, &self.found, &key.1));
            let shape = (0_u32..).zip(self.index.shape(group.shape)?);
            let columns = shape.filter(|(_, own)| wanted.contains(u32::from_le_bytes(**own)));
            let columns = columns.map(|(column, _)| column).collect();
            self.columns.insert(key.clone(), columns);
        }
        Ok(self.columns.get(&key).map_or(&[], Vec::as_slice))
    }
}

impl Block {
    /// The columns, as group and column, whose labels satisfy all matchers and whose first and
    /// last cell enclose a part of the time range (both ends included); in order.
    pub(crate) fn resolve(
        &self,
        range: Span,
        matchers: &[Matcher],
    ) -> Result<Vec<(u32, u32)>, Error> {
        self.view()?.read(|index| {
            let index = *index;
            let found = matchers.iter().map(|matcher| Found::new(&index, matcher));
            let found = found.collect::<Result<_, _>>()?;
            let (definitions, columns) = (HashMap::new(), HashMap::new());
            let mut columns = Columns { index, found, definitions, columns };
            let mut out = Vec::new();
            for number in 0..index.groups.len() {
                let group = index.group(number)?;
                if !overlaps(group.span()?, range) {
                    continue;
                }
                for column in columns.of(number, &group)? {
                    if overlaps(group.column_span(*column)?, range) {
                        out.push((number, *column));
                    }
                }
            }
            Ok(out)
        })
    }

    /// The label names of all series, those of columns without cells included, in order.
    pub(crate) fn label_names(&self) -> Result<Vec<&str>, Error> {
        self.view()?.read(|index| {
            let names = index.by_own.symbols().chain(index.by_target.symbols());
            texts(index, names)
        })
    }

    /// The values that a label has in any series, those of columns without cells included, in
    /// order.
    pub(crate) fn label_values(&self, name: &str) -> Result<Vec<&str>, Error> {
        self.view()?.read(|index| {
            let Some(symbol) = index.symbol(name)? else { return Ok(Vec::new()) };
            let (own, target) = (index.by_own.find(symbol)?, index.by_target.find(symbol)?);
            texts(index, own.into_iter().chain(target).flat_map(Values::symbols))
        })
    }
}

/// The different texts of symbols, in order, without the empty one.
fn texts<'a>(
    index: &Index<'a>,
    symbols: impl Iterator<Item = Result<u32, Malformed>>,
) -> Result<Vec<&'a str>, Malformed> {
    let symbols: RoaringBitmap = symbols.collect::<Result<_, _>>()?;
    let texts = symbols.iter().map(|symbol| index.text(symbol));
    texts.filter(|text| *text != Ok("")).collect()
}
