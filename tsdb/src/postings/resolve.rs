//! Matchers to series.
//!
//! 1. A matcher that the empty text does not satisfy names the values it wants: their series are
//!    united, and the result is cut down to them.
//! 2. A matcher that the empty text satisfies also wants the series without the label: the
//!    series of the values it does *not* want are taken away at the end.
//!
//! A pattern is tried once for each value that the label has; equality is one look-up.

use roaring::{MultiOps, RoaringBitmap};

use super::Postings;
use crate::model::{MatchOp, Matcher};

impl Postings {
    /// The series that satisfy all matchers.
    pub(crate) fn resolve(&self, matchers: &[Matcher]) -> RoaringBitmap {
        let (subtracted, wanted): (Vec<_>, Vec<_>) =
            matchers.iter().partition(|matcher| matcher.matches_empty());
        let mut found: Option<RoaringBitmap> = None;
        for matcher in wanted {
            let ids = self.of_values(matcher, true);
            found = Some(match found {
                Some(found) => found & ids,
                None => ids,
            });
            if found.as_ref().is_some_and(RoaringBitmap::is_empty) {
                return RoaringBitmap::new();
            }
        }
        let mut found = found.unwrap_or_else(|| self.all.clone());
        for matcher in subtracted {
            found -= self.of_values(matcher, false);
        }
        found
    }

    /// The series whose value of the matcher's label satisfies it, or does not.
    fn of_values(&self, matcher: &Matcher, satisfies: bool) -> RoaringBitmap {
        let Some(values) = self.names.get(matcher.name()) else { return RoaringBitmap::new() };
        // `a="x"`, and what `a!="x"` does not want, is one value.
        let is_one_value = match matcher.op() {
            MatchOp::Equal => satisfies,
            MatchOp::NotEqual => !satisfies,
            MatchOp::Regex | MatchOp::NotRegex => false,
        };
        if is_one_value {
            return values.get(matcher.value()).cloned().unwrap_or_default();
        }
        let chosen = values.iter().filter(|(value, _)| matcher.matches(value) == satisfies);
        chosen.map(|(_, ids)| ids).union()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use proptest::prelude::*;

    fn any_labels() -> impl Strategy<Value = Labels> {
        prop::collection::vec(("[a-c]", "[xy]{0,2}"), 0..4).prop_map(Labels::from_pairs)
    }

    fn any_matcher() -> impl Strategy<Value = Matcher> {
        let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex];
        let patterns = ["", "x", "y", "xy", "x|y|xy", "x?y*", ".*", ".+", "[xy]|"];
        (prop::sample::select(ops.to_vec()), "[a-d]", prop::sample::select(patterns.to_vec()))
            .prop_map(|(op, name, value)| Matcher::new(op, name, value).unwrap())
    }

    proptest! {
        #[test]
        fn resolve_is_brute_force(
            sets in prop::collection::vec((any_labels(), any::<bool>()), 0..30),
            matchers in prop::collection::vec(any_matcher(), 0..4),
        ) {
            let mut postings = Postings::default();
            let numbered: Vec<_> = (0..).zip(sets.iter().map(|(labels, _)| labels)).collect();
            for batch in numbered.chunks(7) {
                postings.insert_all(batch.iter().copied());
            }
            for (id, (labels, stays)) in sets.iter().enumerate() {
                if !stays {
                    postings.remove(id as u32, labels);
                }
            }
            let kept = || sets.iter().enumerate().filter(|(_, (_, stays))| *stays);
            let satisfying = kept().filter(|(_, (labels, _))| {
                matchers.iter().all(|matcher| matcher.matches_labels(labels))
            });
            let expected: Vec<_> = satisfying.map(|(id, _)| id as u32).collect();
            let found = postings.resolve(&matchers);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);

            let sets = kept().filter(|(id, _)| found.contains(*id as u32)).map(|(_, (labels, _))| labels);
            let pairs: Vec<_> = sets.flat_map(|labels| labels.iter()).collect();
            let names: std::collections::BTreeSet<_> = pairs.iter().map(|(name, _)| *name).collect();
            prop_assert_eq!(postings.names(&found).collect::<Vec<_>>(), Vec::from_iter(names));
            let values: std::collections::BTreeSet<_> =
                pairs.iter().filter(|(name, _)| *name == "a").map(|(_, value)| *value).collect();
            prop_assert_eq!(postings.values("a", &found).collect::<Vec<_>>(), Vec::from_iter(values));
        }
    }
}
