//! Every action over rows of data.

use tsdb::model::Labels;

use super::*;

/// A rule with the defaults of the configuration.
fn rule(action: Action, sources: &str, pattern: &str, target: &str, replacement: &str) -> Rule {
    let sources = sources.split(',').filter(|name| !name.is_empty());
    Rule {
        source_labels: sources.map(str::to_owned).collect(),
        separator: ";".into(),
        regex: Anchored::new(pattern).unwrap(),
        pattern: pattern.into(),
        modulus: 1000,
        target_label: target.into(),
        replacement: replacement.into(),
        action,
    }
}

/// `a=1 b=2` as a builder.
fn labels(text: &str) -> LabelsBuilder {
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    Labels::from_pairs(pairs).to_builder()
}

/// What remains, in the same notation; `None` if dropped.
fn outcome(before: &str, rules: &[Rule]) -> Option<String> {
    let mut labels = labels(before);
    let kept = apply(&mut labels, rules);
    let texts = labels.iter().map(|(name, value)| format!("{name}={value}"));
    kept.then(|| texts.collect::<Vec<_>>().join(" "))
}

#[test]
fn each_action() {
    use Action::*;
    let rows = [
        // action, sources, regex, target, replacement, before, after
        (
            Replace,
            "a",
            "f(.*)",
            "d",
            "ch${1}-ch${1}",
            "a=foo b=bar",
            Some("a=foo b=bar d=choo-choo"),
        ),
        (Replace, "a,b", "f(.*);(.*)r", "a", "b${1}${2}m", "a=foo b=bar", Some("a=boobam b=bar")),
        (Replace, "a", "(.*)", "b", "$1", "a=x", Some("a=x b=x")),
        (Replace, "a", "(.*)", "b", "$1", "b=old", Some("")),
        (Replace, "a", "x(.*)", "b", "$1", "a=x b=old", Some("a=x")),
        (Replace, "a", "y", "b", "new", "a=x b=old", Some("a=x b=old")),
        (Replace, "a", "x", "b", "new", "a=xx b=old", Some("a=xx b=old")),
        (Replace, "", "(.*)", "b", "fixed", "a=x", Some("a=x b=fixed")),
        (Replace, "a", "(.*)", "a", "", "a=x b=1", Some("b=1")),
        (Replace, "a", "(?P<first>.).*", "b", "${first}", "a=xyz", Some("a=xyz b=x")),
        (Replace, "a", "(?P<first>.).*", "b", "$first", "a=xyz", Some("a=xyz b=x")),
        (Replace, "a", "(.)(.*)", "${1}_name", "$2", "a=xyz", Some("a=xyz x_name=yz")),
        (Replace, "a", "(.*)", "$2", "v", "a=x", Some("a=x")),
        (Replace, "a", "(.*)", "b", "$1x", "a=y", Some("a=y")),
        (Replace, "a", "(.*)", "b", "${1}x", "a=y", Some("a=y b=yx")),
        (Replace, "a", "(.*)", "b", "$$1", "a=y", Some("a=y b=$1")),
        (Replace, "a", "(.*)", "b", "a$", "a=y", Some("a=y b=a$")),
        (Replace, "a", "(.*)", "b", "${1", "a=y", Some("a=y b=${1")),
        (Replace, "a", "(.*)", "b", "$-$", "a=y", Some("a=y b=$-$")),
        (Replace, "a", "(.*)", "b", "$01", "a=y", Some("a=y")),
        (Replace, "a", "(.*)", "b", "$0!", "a=y", Some("a=y b=y!")),
        (Replace, "a", "(x)?.*", "b", "[$1]", "a=y", Some("a=y b=[]")),
        (Replace, "a", "(.*)", "b.c", "$1", "a=y", Some("a=y b.c=y")),
        (Replace, "a", r"([^:]+)(?::\d+)?;?", "b", "$1:80", "a=h:1", Some("a=h:1 b=h:80")),
        // Patterns of llm-d's guide: the usual one, and one that forgot the colon.
        (Replace, "a,p", r"([^:]+)(?::\d+)?;(\d+)", "a", "$1:$2", "a=h:1 p=9", Some("a=h:9 p=9")),
        (Replace, "a,p", r"([^:]+)(?::\d+)?;(\d+)", "a", "${1}:$2", "a=h p=9", Some("a=h:9 p=9")),
        (Replace, "a,p", r"([^:]+)(?:\d+)?;(\d+)", "a", "$1:$2", "a=h:1 p=9", Some("a=h:1 p=9")),
        (Replace, "a", "([^:]+):.*", "a", "${1}:8000", "a=h:8001", Some("a=h:8000")),
        (Keep, "a", "f|foo", "", "", "a=foo", Some("a=foo")),
        (Keep, "a", "fo", "", "", "a=foo", None),
        (Keep, "nothing", "", "", "", "a=foo", Some("a=foo")),
        (Keep, "a,b", "1;2", "", "", "a=1 b=2", Some("a=1 b=2")),
        (Drop, "a", ".*o.*", "", "", "a=foo", None),
        (Drop, "a", "o", "", "", "a=foo", Some("a=foo")),
        (Drop, "a", "(?i)FOO", "", "", "a=foo", None),
        (KeepEqual, "a", "(.*)", "b", "$1", "a=1 b=1", Some("a=1 b=1")),
        (KeepEqual, "a", "(.*)", "b", "$1", "a=1 b=2", None),
        (KeepEqual, "a", "(.*)", "b", "$1", "c=2", Some("c=2")),
        (DropEqual, "a", "(.*)", "b", "$1", "a=1 b=1", None),
        (DropEqual, "a", "(.*)", "b", "$1", "a=1 b=2", Some("a=1 b=2")),
        (HashMod, "c", "(.*)", "d", "$1", "a=foo b=bar c=baz", Some("a=foo b=bar c=baz d=976")),
        (HashMod, "a", "(.*)", "a", "$1", "a=foo\nbar", Some("a=734")),
        (
            LabelMap,
            "",
            "(b.*)",
            "",
            "bar_$1",
            "a=1 b1=x b2=y",
            Some("a=1 b1=x b2=y bar_b1=x bar_b2=y"),
        ),
        (
            LabelMap,
            "",
            "__meta_(my_bar)",
            "",
            "${1}",
            "__meta_my_bar=aaa",
            Some("__meta_my_bar=aaa my_bar=aaa"),
        ),
        (LabelMap, "", "a(.)", "", "a", "a1=x a2=y", Some("a=y a1=x a2=y")),
        (LabelDrop, "", "(b.*)", "", "", "a=1 b1=x b2=y", Some("a=1")),
        (LabelDrop, "", "b", "", "", "a=1 b1=x", Some("a=1 b1=x")),
        (LabelKeep, "", "(b.*)", "", "", "a=1 b1=x b2=y", Some("b1=x b2=y")),
        (Lowercase, "a", "(.*)", "b", "$1", "a=FoO", Some("a=FoO b=foo")),
        (Uppercase, "a", "(.*)", "b", "$1", "a=FoO b=x", Some("a=FoO b=FOO")),
        (Uppercase, "c", "(.*)", "b", "$1", "a=x b=y", Some("a=x")),
    ];
    for (action, sources, pattern, target, replacement, before, after) in rows {
        let rules = [rule(action, sources, pattern, target, replacement)];
        // The notation splits at white space, so a value with a line break is set by hand.
        let got = match before.contains('\n') {
            false => outcome(before, &rules),
            true => {
                let mut labels = LabelsBuilder::new();
                labels.set("a", "foo\nbar");
                apply(&mut labels, &rules).then(|| format!("a={}", labels.get("a").unwrap()))
            }
        };
        assert_eq!(got.as_deref(), after, "{action:?} {sources} {pattern} on {before}");
    }
}

#[test]
fn rules_see_what_earlier_rules_left() {
    use Action::*;
    let rows = [
        (vec![rule(Replace, "a", "(.*)", "b", "$1"), rule(Drop, "b", "x", "", "")], "a=x", None),
        (
            vec![rule(Drop, "b", "x", "", ""), rule(Replace, "a", "(.*)", "b", "$1")],
            "a=x",
            Some("a=x b=x"),
        ),
        (
            vec![rule(LabelDrop, "", "a", "", ""), rule(Keep, "a", "", "", "")],
            "a=x b=1",
            Some("b=1"),
        ),
        (vec![], "a=x", Some("a=x")),
    ];
    for (rules, before, after) in rows {
        assert_eq!(outcome(before, &rules).as_deref(), after);
    }
}

#[test]
fn a_dot_matches_a_line_break_and_the_separator_can_be_anything() {
    let mut labels = LabelsBuilder::new();
    labels.set("a", "x\ny").set("b", "z");
    let mut join = rule(Action::Replace, "a,b", "(.*)--(.*)", "c", "$2$1");
    join.separator = "--".into();
    assert!(apply(&mut labels, &[join]));
    assert_eq!(labels.get("c"), Some("zx\ny"));
}

/// Digests as `md5sum` prints them.
#[test]
fn hash_mod_takes_the_last_eight_bytes() {
    let rows = [
        ("", 0xe980_0998_ecf8_427e_u64), // d41d8cd98f00b204 e9800998ecf8427e
        ("baz", 0xe44c_f984_c85f_6e88),  // 73feffa4b7f6bb68 e44cf984c85f6e88
    ];
    for (text, low) in rows {
        assert_eq!(hash_mod(text, 0), low.to_string());
        assert_eq!(hash_mod(text, 1000), (low % 1000).to_string());
    }
}

/// Which rule drops a set, in words, and what there is after each rule.
#[test]
fn refusals_and_steps() {
    let with = |action, source: &[&str], pattern: &str, target: &str, replacement: &str| Rule {
        source_labels: source.iter().map(|name| name.to_string()).collect(),
        separator: ";".into(),
        regex: Anchored::new(pattern).unwrap(),
        pattern: pattern.into(),
        modulus: 0,
        target_label: target.into(),
        replacement: replacement.into(),
        action,
    };
    let rules = [
        with(Action::Replace, &["a"], "(.*)", "c", "<$1>"),
        with(Action::Keep, &["a", "none", "b"], "1;;.*", "", "$1"),
        with(Action::Drop, &["c"], "<1>x?", "", "$1"),
        with(Action::KeepEqual, &["a"], "(.*)", "b", "$1"),
        with(Action::DropEqual, &["a"], "(.*)", "b", "$1"),
    ];
    let set = Labels::from_pairs([("a", "1"), ("b", "2")]);
    let rows: [(&[usize], &str, &str); 6] = [
        (&[0], "", "c"),
        (&[], "", ""),
        (&[1, 0, 2], "rule 3 (drop): c is \"<1>\", which matches \"<1>x?\"", "kc-"),
        (&[3, 0], "rule 1 (keepequal): a is \"1\", and b is \"2\"", "--"),
        (&[0, 4], "", "cc"),
        (&[4, 3, 1], "rule 2 (keepequal): a is \"1\", and b is \"2\"", "k--"),
    ];
    for (chosen, sentence, after) in rows {
        let rules: Vec<Rule> = chosen.iter().map(|index| rules[*index].clone()).collect();
        let mut builder = set.to_builder();
        let checked = check(&mut builder, &rules);
        assert_eq!(checked.is_ok(), apply(&mut set.to_builder(), &rules));
        let said = checked.err().map(|refusal| refusal.sentence(&rules)).unwrap_or_default();
        assert_eq!(said, sentence, "{chosen:?}");
        let steps = steps(&set, &rules);
        let shown = steps.iter().map(|step| match step {
            Some(labels) if labels.get("c").is_some() => 'c',
            Some(_) => 'k',
            None => '-',
        });
        assert_eq!(shown.collect::<String>(), after, "{chosen:?}");
    }
    let printed: Vec<String> = rules[..2].iter().map(Rule::to_string).collect();
    assert_eq!(
        printed,
        [
            "{action: replace, source_labels: [a], target_label: \"c\", replacement: \"<$1>\"}",
            "{action: keep, source_labels: [a, none, b], regex: \"1;;.*\"}",
        ]
    );
}

#[test]
fn what_looks_alike() {
    let rows = [
        ("llm-d-gaie-epp", ".*-epp-service", 4),
        ("kubernetes", ".*-epp-service", 2),
        ("", "x", 0),
        ("x", "", 0),
        ("metrics", "metrics", 7),
        ("äöü", "xöüy", 2),
    ];
    for (value, pattern, expected) in rows {
        assert_eq!(alike(value, pattern), expected, "{value} {pattern}");
    }
}
