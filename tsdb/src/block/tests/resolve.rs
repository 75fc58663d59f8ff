//! Look-ups equal brute force over full label sets.

use proptest::prelude::*;

use super::*;
use crate::model::{MatchOp, Matcher};

type Drawn = (Labels, Labels, Vec<(Labels, Option<Span>)>);

fn any_labels() -> impl Strategy<Value = Labels> {
    prop::collection::vec(("[a-d]", "[xy]{0,2}"), 0..4).prop_map(Labels::from_pairs)
}

fn any_span() -> impl Strategy<Value = Option<Span>> {
    prop::option::weighted(0.8, (0..50_i64, 0..50_i64).prop_map(|(a, b)| (a.min(b), a.max(b))))
}

/// Identity, target labels, and the columns: full label sets, which override and hide those.
fn any_group() -> impl Strategy<Value = Drawn> {
    let columns = prop::collection::vec((any_labels(), any_span()), 0..8);
    (any_labels(), any_labels(), columns)
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex];
    let patterns = ["", "x", "y", "xy", "x|y|xy", "x?y*", ".*", ".+", "[xy]|"];
    (prop::sample::select(ops.to_vec()), "[a-e]", prop::sample::select(patterns.to_vec()))
        .prop_map(|(op, name, value)| Matcher::new(op, name, value).unwrap())
}

/// A block of such groups, each with one window from 0 to 50; `chooses`: the writer chooses the
/// target labels.
fn block_of(groups: &[Drawn], chooses: bool) -> Block {
    let disk = SimDisk::new(1);
    let mut writer = BlockWriter::create(&disk, dir(), 12).unwrap();
    for (identity, target, columns) in groups {
        let named: Vec<_> = columns.iter().map(|(own, _)| ("f", own)).collect();
        if chooses {
            writer.begin_group(identity, &named);
        } else {
            writer.begin_group_with(identity, target, &named);
        }
        let ranges: Vec<_> = columns.iter().map(|(_, range)| *range).collect();
        writer.window((0, 50), 1, 1, b"rows", &ranges).unwrap();
    }
    writer.finish(origin()).unwrap();
    Block::open(&disk, &path()).unwrap()
}

proptest! {
    #[test]
    fn resolve_is_brute_force(
        groups in prop::collection::vec(any_group(), 0..8),
        matchers in prop::collection::vec(any_matcher(), 0..4),
        range in any_span(),
        chooses in any::<bool>(),
    ) {
        let range = range.unwrap_or((i64::MIN, i64::MAX));
        let block = block_of(&groups, chooses);
        let mut expected = Vec::new();
        for (number, (identity, _, columns)) in (0..).zip(&groups) {
            prop_assert_eq!(&block.view().unwrap().target(number).unwrap(), identity);
            for (column, (own, span)) in (0..).zip(columns) {
                prop_assert_eq!(&block.view().unwrap().labels(number, column).unwrap(), own);
                prop_assert_eq!(block.view().unwrap().pairs_hash(number, column).unwrap(), own.pairs_hash());
                prop_assert_eq!(block.view().unwrap().span(number, column).unwrap(), span.unwrap_or(NO_TIME));
                let in_time = span.is_some_and(|span| overlaps(span, range));
                if in_time && matchers.iter().all(|matcher| matcher.matches_labels(own)) {
                    expected.push((number, column));
                }
                let found = block.find(own).unwrap();
                let is_it = |(group, column): (u32, u32)| {
                    &groups[group as usize].2[column as usize].0 == own
                };
                prop_assert!(found.iter().copied().all(is_it));
                prop_assert!(found.contains(&(number, column)) || span.is_none());
                for (other, _) in columns {
                    let is_same = block.view().unwrap().has_labels(number, column, other).unwrap();
                    prop_assert_eq!(is_same, other == own);
                }
            }
        }
        prop_assert_eq!(block.resolve(range, &matchers).unwrap(), expected);
    }

    #[test]
    fn names_and_values_are_brute_force(groups in prop::collection::vec(any_group(), 0..8)) {
        let block = block_of(&groups, true);
        let sets = || groups.iter().flat_map(|group| &group.2).map(|(own, _)| own);
        let pairs = || sets().flat_map(Labels::iter);
        let names: std::collections::BTreeSet<_> = pairs().map(|(name, _)| name).collect();
        prop_assert_eq!(block.label_names().unwrap(), Vec::from_iter(names));
        for name in ["a", "b", "e"] {
            let values: std::collections::BTreeSet<_> =
                pairs().filter(|(own, _)| *own == name).map(|(_, value)| value).collect();
            prop_assert_eq!(block.label_values(name).unwrap(), Vec::from_iter(values));
        }
    }
}
