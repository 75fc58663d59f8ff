//! The series notation of PromQL tests.

use std::fs;
use std::path::Path;

use promql::parse::series::{SERIES_VALUES_MAX, SeriesValue, parse_series};
use tsdb::model::STALE_NAN;

/// Values as text: floats as Rust prints them, histograms as their count and sum.
fn shown(text: &str) -> String {
    let series = parse_series(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut shown = series.labels.to_string();
    for value in series.values {
        shown.push(' ');
        shown.push_str(&match value {
            SeriesValue::Omitted => "_".to_owned(),
            SeriesValue::Float(value) if value.to_bits() == STALE_NAN.to_bits() => {
                "stale".to_owned()
            }
            SeriesValue::Float(value) => value.to_string(),
            SeriesValue::Histogram { histogram, .. } => {
                format!("h({},{})", histogram.count, histogram.sum)
            }
        });
    }
    shown
}

#[test]
fn values_and_repetitions() {
    let rows = [
        ("up", r#"{__name__="up"}"#),
        ("up 1", r#"{__name__="up"} 1"#),
        ("  a:b{c='d', }  1  2 ", r#"{__name__="a:b", c="d"} 1 2"#),
        ("{} 1", "{} 1"),
        (r#"{"x.y", "a"="b"} 1"#, r#"{__name__="x.y", a="b"} 1"#),
        ("sum{by=\"x\"} 0", r#"{__name__="sum", by="x"} 0"#),
        ("a _ _x3 1", r#"{__name__="a"} _ _ _ _ 1"#),
        ("a _x0 5", r#"{__name__="a"} 5"#),
        ("a 1+2x3 9-1x2", r#"{__name__="a"} 1 3 5 7 9 8 7"#),
        ("a 4x2 stale stalex1", r#"{__name__="a"} 4 4 4 stale stale stale"#),
        ("a -1-1x1 -2+.5x1 1e3 -1.5e-1", r#"{__name__="a"} -1 -2 -2 -1.5 1000 -0.15"#),
        (
            "a NaN Inf -Inf +inf nanx1 -Infx1",
            r#"{__name__="a"} NaN inf -inf inf NaN NaN -inf -inf"#,
        ),
        ("a 0x2 1+0x1", r#"{__name__="a"} 0 0 0 1 1"#),
        ("a {{}} {{ count:4 sum:5 }}x1", r#"{__name__="a"} h(0,0) h(4,5) h(4,5)"#),
        ("a {{count:4}}+{{count:1 sum:-1}}x2", r#"{__name__="a"} h(4,0) h(5,-1) h(6,-2)"#),
        ("a {{count:4}}-{{count:1}}x1 _ 3", r#"{__name__="a"} h(4,0) h(3,0) _ 3"#),
    ];
    for (text, expected) in rows {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn every_key_of_a_histogram() {
    let text = "a {{schema:-1 count:-3.5 sum:Inf z_bucket:2 z_bucket_w:0.001 buckets:[1 2.5 -1 ] \
                offset:-3 n_buckets:[NaN] n_offset:7 custom_values:[ -1 0 1e3] \
                counter_reset_hint:gauge}} {{counter_reset_hint:not_reset}} {{schema:3}}";
    let values = parse_series(text).unwrap().values;
    let shown: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
    assert_eq!(
        shown,
        [
            "Histogram { histogram: Histogram { schema: -1, is_integer: false, \
             counter_reset_hint: Gauge, zero_threshold: 0.001, zero_count: 2.0, count: -3.5, \
             sum: inf, positive_spans: [Span { offset: -3, length: 3 }], \
             positive_buckets: [1.0, 2.5, -1.0], negative_spans: [Span { offset: 7, length: 1 }], \
             negative_buckets: [NaN], custom_values: [-1.0, 0.0, 1000.0] }, names_hint: true }",
            "Histogram { histogram: Histogram { schema: 0, is_integer: false, \
             counter_reset_hint: NotReset, zero_threshold: 0.0, zero_count: 0.0, count: 0.0, \
             sum: 0.0, positive_spans: [], positive_buckets: [], negative_spans: [], \
             negative_buckets: [], custom_values: [] }, names_hint: true }",
            "Histogram { histogram: Histogram { schema: 3, is_integer: false, \
             counter_reset_hint: Unknown, zero_threshold: 0.0, zero_count: 0.0, count: 0.0, \
             sum: 0.0, positive_spans: [], positive_buckets: [], negative_spans: [], \
             negative_buckets: [], custom_values: [] }, names_hint: false }",
        ]
    );
}

#[test]
fn refused_series() {
    let rows = [
        (
            "a b",
            "1:3: parse error: unexpected identifier \"b\" in series values, expected number or \"stale\"",
        ),
        ("a 1+2", "1:6: parse error: unexpected end of input in series values"),
        ("a 1x", "1:5: parse error: unexpected end of input in series values"),
        ("a 1 ?", "1:5: parse error: unexpected character in series sequence: '?'"),
        ("a 1,2", "1:4: parse error: unexpected character in series sequence: ','"),
        ("a{b=1} 1", "1:5: parse error: unexpected character inside braces: '1'"),
        ("a{b='1' 1", "1:9: parse error: unexpected character inside braces: '1'"),
        ("a{b='1'}1", "1:9: parse error: unexpected character in series sequence: '1'"),
        ("a {{foo:1}}", "1:9: parse error: bad histogram descriptor found: \"foo\""),
        ("a {{count 1}}", "1:10: parse error: missing `:` for histogram descriptor"),
        ("a {{count:1 count:2}}", "1:19: parse error: duplicate key \"count\" in histogram"),
        (
            "a {{schema:1.5}}",
            "1:13: parse error: unexpected input in histogram description, expected histogram description key, e.g. buckets:[5 10 7]",
        ),
        ("a {{buckets:[1 x]}}", "1:16: parse error: bad number syntax in histogram description"),
        (
            "a {{counter_reset_hint:maybe}}",
            "1:29: parse error: unknown counter_reset_hint in histogram description",
        ),
        (
            "a {{count:1",
            "1:12: parse error: unexpected input in histogram description, expected histogram description key, e.g. buckets:[5 10 7]",
        ),
        ("a {{}}+{{}}", "1:12: parse error: unexpected end of input in series values"),
        ("a 1x1000000", "1:12: parse error: more than 1000000 series values"),
        ("a 1x600000 1x600000", "1:20: parse error: more than 1000000 series values"),
        ("a _x99999999999999999999", "1:25: parse error: more than 1000000 series values"),
    ];
    for (text, message) in rows {
        assert_eq!(parse_series(text).unwrap_err().to_string(), message, "{text}");
    }
    let most = format!("a 0x{}", SERIES_VALUES_MAX - 1);
    assert_eq!(parse_series(&most).unwrap().values.len(), SERIES_VALUES_MAX);
}

/// Every line below a `load` of the conformance suite is a series.
#[test]
fn series_of_the_conformance_suite_parse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/promqltest");
    if !folder.is_dir() {
        let is_required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
        assert!(!is_required, "../shared is not there");
        // Past the test harness, which shows nothing of a test that passes.
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: ../shared is not there\n",
        ));
        return;
    }
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "test") {
            continue;
        }
        let mut is_load = false;
        for line in fs::read_to_string(&path).unwrap().lines().map(str::trim) {
            is_load = line.starts_with("load") || is_load && !line.is_empty();
            let is_series = is_load && !line.starts_with("load") && !line.starts_with('#');
            // Start timestamps are not read yet.
            if is_series && !line.contains("@st") {
                parse_series(line)
                    .unwrap_or_else(|error| panic!("{}: {line}: {error}", path.display()));
                count += 1;
            }
        }
    }
    println!("{count} series of the conformance suite parse");
    assert!(count > 500);
}
