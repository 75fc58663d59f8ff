//! Label sets are their pairs, however they are held.

use super::*;
use proptest::prelude::*;

#[test]
fn a_set_is_sorted_unique_and_without_empty_values() {
    let labels = Labels::from_pairs([("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
    assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
    assert_eq!(labels.get("b"), Some("3"));
    assert_eq!(labels.get("c"), None);
}

#[test]
fn texts_are_sorted_if_they_are_not() {
    for pairs in [
        vec![("a", "1"), ("b", "2")],
        vec![("b", "2"), ("a", "1")],
        vec![("a", "0"), ("a", "1"), ("b", "2"), ("c", "")],
    ] {
        assert_eq!(Labels::from_texts(&pairs).to_string(), r#"{a="1", b="2"}"#);
    }
}

#[test]
fn order_is_pairwise() {
    let rows = [
        (vec![], vec![("a", "1")]),
        (vec![("a", "1")], vec![("a", "1"), ("b", "1")]),
        (vec![("a", "1"), ("b", "9")], vec![("a", "2")]),
        (vec![("a", "2")], vec![("aa", "1")]),
    ];
    for (less, more) in rows {
        assert!(Labels::from_pairs(less.clone()) < Labels::from_pairs(more.clone()));
    }
}

fn any_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec!["__name__", "A", "a", "ab", "b"]);
    let value = prop::sample::select(vec![
        "",
        "x",
        "xy",
        "y",
        "a\0b",
        "0123456789abcdefXghi",
        "0123456789abcdefYghi",
    ]);
    let pair = (name, value).prop_map(|(name, value)| (name.to_owned(), value.to_owned()));
    prop::collection::vec(pair, 0..5)
}

proptest! {
    /// A set that shares another one's texts is a set like any other.
    #[test]
    fn sets_compare_as_their_pairs(a in any_pairs(), b in any_pairs(), without in 0..3_usize) {
        let drop = |name: &str| ["", "__name__", "A"][without] != name;
        let kept = |pairs: &[(String, String)]| {
            let kept = pairs.iter().filter(|(name, _)| drop(name)).cloned();
            Labels::from_pairs(kept.collect::<Vec<_>>())
        };
        let hash = |labels: &Labels| {
            let mut state = std::hash::DefaultHasher::new();
            labels.hash(&mut state);
            state.finish()
        };
        let (whole, other) = (Labels::from_pairs(a.clone()), kept(&b));
        let own = whole.filtered(drop);
        prop_assert_eq!(&own, &kept(&a));
        prop_assert_eq!(hash(&own), hash(&kept(&a)));
        prop_assert_eq!(own.hash64(), kept(&a).hash64());
        prop_assert_eq!(own.to_string(), kept(&a).to_string());
        prop_assert_eq!(own.len(), own.iter().count());
        for set in [&whole, &own] {
            prop_assert_eq!(set.cmp(&other), set.iter().cmp(other.iter()));
            prop_assert_eq!(set == &other, set.iter().eq(other.iter()));
        }
    }
}

proptest! {
    /// However a set is held, it is the same, as are what is left of it and how it compares.
    #[test]
    fn joined_sets_are_sets(
        all in prop::collection::vec((any_pairs(), any_pairs()), 1..4),
        without in 0..4_usize,
    ) {
        let drop = |name: &str| ["", "__name__", "A", "a"][without] != name;
        // Sets that share lists with each other, and the same in one piece.
        let targets: Vec<_> = all.iter().map(|(target, _)| Labels::from_pairs(target.clone())).collect();
        let owns: Vec<_> = all.iter().map(|(_, own)| Labels::from_pairs(own.clone())).collect();
        let mut sets = Vec::new();
        for (target, own) in targets.iter().flat_map(|target| owns.iter().map(move |own| (target, own))) {
            let mut builder = target.to_builder();
            own.iter().for_each(|(name, value)| drop_self(builder.set(name, value)));
            let (joined, flat) = (Labels::joined(target, own), builder.build());
            sets.push((joined.filtered(drop), flat.filtered(drop).in_one_piece()));
            sets.push((joined, flat));
        }
        for (joined, flat) in &sets {
            prop_assert_eq!(joined.iter().collect::<Vec<_>>(), flat.iter().collect::<Vec<_>>());
            prop_assert_eq!((joined.len(), joined.iter().len()), (flat.len(), flat.len()));
            prop_assert_eq!(joined.pairs_hash(), flat.pairs_hash());
            prop_assert_eq!(joined.hash64(), flat.hash64());
            for (other, flat_other) in &sets {
                let order = flat.iter().cmp(flat_other.iter());
                let pairs = [(joined, other), (joined, flat_other), (flat, other), (flat, flat_other)];
                for (a, b) in pairs {
                    prop_assert_eq!(a.cmp(b), order);
                    prop_assert_eq!(a == b, order.is_eq());
                }
            }
        }
    }

    /// Sets that lost the same texts are as different as they were.
    #[test]
    fn hidden_text_is_what_is_missing(target in any_pairs(), own in any_pairs()) {
        let joined = Labels::joined(&Labels::from_pairs(target), &Labels::from_pairs(own));
        for hidden in 0..=joined.len() {
            let names: Vec<_> = joined.iter().take(hidden).map(|(name, _)| name).collect();
            let rest = joined.filtered(|name| !names.contains(&name));
            prop_assert_eq!(rest.iter().collect::<Vec<_>>(), joined.iter().skip(hidden).collect::<Vec<_>>());
            let text: String = joined.iter().take(hidden).flat_map(|(n, v)| [n, v]).collect();
            prop_assert!([&text, ""].contains(&rest.hidden_text()));
        }
    }
}

fn drop_self(_: &mut LabelsBuilder) {}

#[test]
fn display_quotes_as_go() {
    let rows = [
        (vec![], "{}"),
        (vec![("__name__", "up"), ("job", "a\"b\\\n")], r#"{__name__="up", job="a\"b\\\n"}"#),
        (vec![("a.b", "\u{7f}ü\u{ad}")], r#"{"a.b"="\x7fü\u00ad"}"#),
    ];
    for (pairs, text) in rows {
        assert_eq!(Labels::from_pairs(pairs).to_string(), text);
    }
}

#[test]
fn hash_is_that_of_the_length_prefixed_encoding() {
    let labels = Labels::from_pairs([("a", "x".repeat(300))]);
    let mut encoded = vec![1, b'a', 255, 44, 1, 0];
    encoded.extend_from_slice("x".repeat(300).as_bytes());
    assert_eq!(labels.hash64(), XxHash64::oneshot(0, &encoded));
    assert_eq!(Labels::empty().hash64(), 0xef46_db37_51d8_e999);
}
