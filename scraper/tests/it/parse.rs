//! Both formats over rows of data: what a page says, and what is wrong with it.

use proptest::prelude::*;
use scraper::parse::{Entry, Format, Parser, series::unescape};

/// One entry a line, in a notation of its own: `series = value @ms #exemplar`.
fn read(page: &[u8], format: Format) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for entry in Parser::new(page, format) {
        lines.push(match entry.map_err(|error| error.to_string())? {
            Entry::Type { family, kind } => format!("TYPE {family} {}", kind.as_str()),
            Entry::Help { family, text } => {
                format!("HELP {family} {}", unescape(text, format == Format::OpenMetrics))
            }
            Entry::Unit { family, unit } => format!("UNIT {family} {unit}"),
            Entry::Comment => "comment".to_owned(),
            Entry::Sample(sample) => {
                let (name, labels) = sample.series.decode();
                let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
                let labels = labels.collect::<Vec<_>>().join(",");
                let mut line = format!("{name}{{{labels}}} = {}", sample.value);
                if let Some(timestamp) = sample.timestamp {
                    line += &format!(" @{}", timestamp.ms());
                }
                if let Some(exemplar) = sample.exemplar {
                    let labels = exemplar.labels.iter().map(|(n, v)| format!("{n}={v}"));
                    let labels = labels.collect::<Vec<_>>().join(",");
                    let ms = exemplar.timestamp.map(|timestamp| timestamp.ms());
                    line += &format!(" #{{{labels}}} {} {ms:?}", exemplar.value);
                }
                line
            }
        });
    }
    Ok(lines)
}

#[test]
fn text_pages() {
    let rows: &[(&str, &[&str])] = &[
        ("", &[]),
        ("\n\n \t\n", &[]),
        ("a 1", &["a{} = 1"]),
        ("a 1\n", &["a{} = 1"]),
        ("  a\t1  \n", &["a{} = 1"]),
        ("a{} 1\n", &["a{} = 1"]),
        ("a {b=\"c\"} 1\n", &["a{b=c} = 1"]),
        ("a{ b = \"c\" , d=\"e\", } 1 123\n", &["a{b=c,d=e} = 1 @123"]),
        ("a{b=\"c\" d=\"e\"} 1\n", &["a{b=c,d=e} = 1"]),
        ("a{b=\"c\"}1\n", &["a{b=c} = 1"]),
        ("a:b{_c=\"\"} +Inf\n", &["a:b{_c=} = inf"]),
        ("a -Inf\nb NaN\nc nan\nd -0.0\n", &["a{} = -inf", "b{} = NaN", "c{} = NaN", "d{} = -0"]),
        ("a 1.7954941e+09\nb 4.0636e-05\n", &["a{} = 1795494100", "b{} = 0.000040636"]),
        ("a{b=\"\\\\ \\\" \\n \\x\"} 1\n", &["a{b=\\ \" \n \\x} = 1"]),
        ("a{b=\"}{,=\"} 1\n", &["a{b=}{,=} = 1"]),
        ("a{b=\"x\ny\"} 1\n", &["a{b=x\ny} = 1"]),
        ("a{b=\"\u{fc}\"} 1\n", &["a{b=\u{fc}} = 1"]),
        ("{\"a.b\"} 1\n", &["a.b{} = 1"]),
        ("{\"a.b\",c=\"d\"} 1\n", &["a.b{c=d} = 1"]),
        ("{c=\"d\",\"a\\\"b\"} 1\n", &["a\"b{c=d} = 1"]),
        ("a{\"c.d\"=\"e\"} 1\n", &["a{c.d=e} = 1"]),
        ("# HELP a b \\n c\\\\ \\\" \n", &["HELP a b \n c\\ \\\" "]),
        ("# HELP a\n# HELP a \n", &["HELP a ", "HELP a "]),
        ("#HELP a b\n# hello\n#\n# TYPED x\n", &["comment", "comment", "comment", "comment"]),
        ("# TYPE a counter\n# TYPE a gauge\n", &["TYPE a counter", "TYPE a gauge"]),
        ("# \t TYPE \t a untyped\n", &["TYPE a unknown"]),
        ("# TYPE \"a.b\" histogram\n", &["TYPE a.b histogram"]),
        ("# EOF\n", &["comment"]),
        ("# UNIT a s\n", &["comment"]),
    ];
    for (page, expected) in rows {
        let got = read(page.as_bytes(), Format::Text);
        assert_eq!(got.as_deref(), Ok(&expected.map_owned()[..]), "{page:?}");
    }
}

#[test]
fn text_errors() {
    let rows: &[(&[u8], &str)] = &[
        (
            b"a",
            "expected value after metric, got the end of the page while parsing: \"a\" (line 1, column 2)",
        ),
        (
            b"ok 1\nvllm:foo_buck",
            "expected value after metric, got the end of the page while parsing: \"vllm:foo_buck\" (line 2, column 14)",
        ),
        (
            b"a\n",
            "expected value after metric, got \"\\n\" while parsing: \"a\\n\" (line 1, column 2)",
        ),
        (
            b"a{b=\"c\"}\n",
            "expected value after metric, got \"\\n\" while parsing: \"a{b=\\\"c\\\"}\\n\" (line 1, column 9)",
        ),
        (
            b"a{b=\"c",
            "expected label value, got \"\\\"\" while parsing: \"a{b=\\\"\" (line 1, column 5)",
        ),
        (
            b"a{b=",
            "expected label value, got the end of the page while parsing: \"a{b=\" (line 1, column 5)",
        ),
        (
            b"a{b='c'} 1\n",
            "expected label value, got \"'\" while parsing: \"a{b='\" (line 1, column 5)",
        ),
        (
            b"a{=\"c\"} 1\n",
            "expected label name, got \"=\" while parsing: \"a{=\" (line 1, column 3)",
        ),
        (b"a{b\n", "expected equal, got \"\\n\" while parsing: \"a{b\\n\" (line 1, column 4)"),
        (
            b"a{\"x\"} 1\n",
            "metric name already set while parsing: \"a{\\\"x\\\"\" (line 1, column 3)",
        ),
        (
            b"{a=\"b\"} 1\n",
            "metric name not set while parsing: \"{a=\\\"b\\\"}\" (line 1, column 8)",
        ),
        (b"a true\n", "invalid number \"true\" while parsing: \"a true\" (line 1, column 3)"),
        (b"a 1_000\n", "invalid number \"1_000\" while parsing: \"a 1_000\" (line 1, column 3)"),
        (b"a 0x1p-3\n", "invalid number \"0x1p-3\" while parsing: \"a 0x1p-3\" (line 1, column 3)"),
        (b"a 1e999\n", "invalid number \"1e999\" while parsing: \"a 1e999\" (line 1, column 3)"),
        (
            b"a 1 x\n",
            "expected timestamp or new record, got \"x\" while parsing: \"a 1 x\" (line 1, column 5)",
        ),
        (
            b"a 1 1.5\n",
            "expected next entry after timestamp, got \".\" while parsing: \"a 1 1.\" (line 1, column 6)",
        ),
        (
            b"a 1 1 1\n",
            "expected next entry after timestamp, got \"1\" while parsing: \"a 1 1 1\" (line 1, column 7)",
        ),
        (
            b"a 1 99999999999999999999\n",
            "timestamp out of range while parsing: \"a 1 99999999999999999999\" (line 1, column 5)",
        ),
        (b"a{b=\"\xff\"} 1\n", "invalid UTF-8 label value: \"\u{fffd}\" (line 1, column 8)"),
        (
            b"# HELP a \xff\n",
            "help text \"\u{fffd}\" is not a valid utf8 string (line 1, column 11)",
        ),
        (b"# TYPE a foo\n", "invalid metric type \"foo\" (line 1, column 13)"),
        (b"# TYPE a info\n", "invalid metric type \"info\" (line 1, column 14)"),
        (b"# TYPE a\n", "invalid metric type \"\" (line 1, column 9)"),
        (b"# TYPE a  gauge\n", "invalid metric type \" gauge\" (line 1, column 16)"),
        (
            b"# TYPE 5 gauge\n",
            "expected metric name after TYPE, got \"5\" while parsing: \"# TYPE 5\" (line 1, column 8)",
        ),
        (
            b"1 a\n",
            "expected a valid start token, got \"1\" while parsing: \"1\" (line 1, column 1)",
        ),
        (
            b"\xff 1\n",
            "expected a valid start token, got \"\u{fffd}\" while parsing: \"\u{fffd}\" (line 1, column 1)",
        ),
        (
            b"\n<!DOCTYPE html>",
            "expected a valid start token (this looks like HTML, not like metrics), got \"<\" while parsing: \"<\" (line 2, column 1)",
        ),
    ];
    for (page, expected) in rows {
        let got = read(page, Format::Text);
        assert_eq!(got.as_ref().map_err(String::as_str), Err(*expected), "{page:?}");
    }
}

#[test]
fn open_metrics_pages() {
    let rows: &[(&str, &[&str])] = &[
        ("# EOF", &[]),
        ("# EOF\n", &[]),
        ("a 1\n# EOF\n", &["a{} = 1"]),
        ("a{b=\"c\",d=\"e\",} 1 1.5\n# EOF\n", &["a{b=c,d=e} = 1 @1500"]),
        ("a 1 -0.0015\n# EOF\n", &["a{} = 1 @-1"]),
        (
            "# TYPE a counter\na_total 1\na_created 5\n# EOF\n",
            &["TYPE a counter", "a_total{} = 1", "a_created{} = 5"],
        ),
        (
            "# TYPE a_s gauge\n# UNIT a_s s\n# HELP a_s x \\\" \\n\n# EOF\n",
            &["TYPE a_s gauge", "UNIT a_s s", "HELP a_s x \" \n"],
        ),
        ("# UNIT a \n# HELP a \n# EOF\n", &["UNIT a ", "HELP a "]),
        (
            "# TYPE a unknown\n# TYPE b stateset\n# TYPE \"c.d\" gaugehistogram\n# EOF\n",
            &["TYPE a unknown", "TYPE b stateset", "TYPE c.d gaugehistogram"],
        ),
        ("a_bucket{le=\"1\"} 1 # {} 0.5\n# EOF\n", &["a_bucket{le=1} = 1 #{} 0.5 None"]),
        ("a 1 2 # {t=\"x y\"} 0.5 1.25\n# EOF\n", &["a{} = 1 @2000 #{t=x y} 0.5 Some(1250)"]),
        ("{\"a.b\",c=\"d\"} NaN\n# EOF\n", &["a.b{c=d} = NaN"]),
    ];
    for (page, expected) in rows {
        let got = read(page.as_bytes(), Format::OpenMetrics);
        assert_eq!(got.as_deref(), Ok(&expected.map_owned()[..]), "{page:?}");
    }
}

#[test]
fn open_metrics_errors() {
    let rows: &[(&[u8], &str)] = &[
        (b"", "data does not end with # EOF (line 1, column 1)"),
        (b"a 1\n", "data does not end with # EOF (line 2, column 1)"),
        (b"a 1", "data does not end with # EOF (line 1, column 4)"),
        (b"a", "data does not end with # EOF (line 1, column 2)"),
        (b"a 1 1", "data does not end with # EOF (line 1, column 6)"),
        (b"# TYPE a gauge", "data does not end with # EOF (line 1, column 15)"),
        (b"# EOF\n\n", "unexpected data after # EOF (line 2, column 1)"),
        (
            b"\n# EOF\n",
            "expected a valid start token, got \"\\n\" while parsing: \"\\n\" (line 1, column 1)",
        ),
        (
            b" a 1\n# EOF\n",
            "expected a valid start token, got \" \" while parsing: \" \" (line 1, column 1)",
        ),
        (
            b"a  1\n# EOF\n",
            "expected value after metric, got \" \" while parsing: \"a  \" (line 1, column 3)",
        ),
        (
            b"a {b=\"c\"} 1\n# EOF\n",
            "invalid number \"{b=\\\"c\\\"}\" while parsing: \"a {b=\\\"c\\\"}\" (line 1, column 3)",
        ),
        (
            b"a{b=\"c\" d=\"e\"} 1\n# EOF\n",
            "expected comma or brace close, got \" \" while parsing: \"a{b=\\\"c\\\" \" (line 1, column 8)",
        ),
        (
            b"a{b=\"x\ny\"} 1\n# EOF\n",
            "expected label value, got \"\\\"\" while parsing: \"a{b=\\\"\" (line 1, column 5)",
        ),
        (
            b"a 1 # {\"b\"} 1\n# EOF\n",
            "expected equal, got \"}\" while parsing: \"a 1 # {\\\"b\\\"}\" (line 1, column 11)",
        ),
        (
            b"a 1 # {}\n# EOF\n",
            "expected value after exemplar labels, got \"\\n\" while parsing: \"a 1 # {}\\n\" (line 1, column 9)",
        ),
        (b"a 1 NaN\n# EOF\n", "invalid timestamp while parsing: \"a 1 NaN\" (line 1, column 5)"),
        (
            b"# hello\n# EOF\n",
            "expected # HELP, # TYPE, # UNIT or # EOF, got \"#\" while parsing: \"#\" (line 1, column 1)",
        ),
        (b"# TYPE a untyped\n# EOF\n", "invalid metric type \"untyped\" (line 1, column 17)"),
        (b"# UNIT a s\n# EOF\n", "unit \"s\" not a suffix of metric \"a\" (line 1, column 11)"),
        (
            b"# HELP a \xff\n# EOF\n",
            "help text \"\u{fffd}\" is not a valid utf8 string (line 1, column 11)",
        ),
    ];
    for (page, expected) in rows {
        let got = read(page, Format::OpenMetrics);
        assert_eq!(got.as_ref().map_err(String::as_str), Err(*expected), "{page:?}");
    }
}

/// An expected series is taken without being looked at only if it is exactly what is there.
#[test]
fn what_is_expected_has_to_be_there() {
    let rows: &[(&str, &str, bool)] = &[
        ("a{b=\"c\"} 1\n", "a{b=\"c\"}", true),
        ("a 1\n", "a", true),
        ("ab 1\n", "a", false),
        ("a{b=\"c\"} 1\n", "a", false),
        ("a {b=\"c\"} 1\n", "a", false),
        ("a  1\n", "a", false),
        ("b 1\n", "a", false),
        ("a", "a", false),
    ];
    for (page, expected, as_expected) in rows {
        let mut parser = Parser::new(page.as_bytes(), Format::Text);
        let got = match parser.next(expected.as_bytes()) {
            Ok(Some(Entry::Sample(sample))) => sample.as_expected,
            _ => false,
        };
        assert_eq!(got, *as_expected, "{page} {expected}");
    }
}

/// Lines that make pages which are nearly right.
fn near_miss() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just("a"),
        Just("le"),
        Just("{"),
        Just("}"),
        Just("\""),
        Just("="),
        Just(","),
        Just(" "),
        Just("\n"),
        Just("\\"),
        Just("1"),
        Just("NaN"),
        Just("# "),
        Just("TYPE"),
        Just("HELP"),
        Just("UNIT"),
        Just("EOF"),
        Just("counter"),
        Just("\u{fc}"),
        Just("\t"),
        Just("-"),
        Just("# {"),
        Just("9223372036854775807"),
        Just("\0"),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// No page makes a parser panic or go on for ever; a position is always on the page.
    #[test]
    fn any_bytes_are_read_or_refused(
        page in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), near_miss()],
        expected in prop_oneof![Just(vec![]), near_miss()],
        open_metrics: bool,
    ) {
        let format = if open_metrics { Format::OpenMetrics } else { Format::Text };
        let mut parser = Parser::new(&page, format);
        for _ in 0..=page.len() {
            match parser.next(&expected) {
                Ok(Some(Entry::Sample(sample))) => drop(sample.series.decode()),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) => {
                    let lines = page.split(|b| *b == b'\n').count();
                    prop_assert!(error.line >= 1 && error.line <= lines, "{error}");
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "more entries than bytes");
    }

    /// What is written as a text page is read as it was meant.
    #[test]
    fn written_pages_are_read_back(
        series in prop::collection::vec(
            ("[a-z_:][a-z0-9_:]{0,6}", prop::collection::vec(("[a-z_][a-z0-9_]{0,5}", any::<String>()), 0..4), any::<f64>()),
            0..6,
        ),
    ) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let mut page = String::new();
        let mut expected = Vec::new();
        for (name, labels, value) in &series {
            let written = labels.iter().map(|(n, v)| format!("{n}=\"{}\"", escape(v)));
            page += &format!("{name}{{{}}} {value:?}\n", written.collect::<Vec<_>>().join(","));
            let plain = labels.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(",");
            expected.push(format!("{name}{{{plain}}} = {value}"));
        }
        for format in [Format::Text, Format::OpenMetrics] {
            let end = if format == Format::OpenMetrics { "# EOF\n" } else { "" };
            prop_assert_eq!(read(format!("{page}{end}").as_bytes(), format), Ok(expected.clone()));
        }
    }
}

/// `&[&str]` as owned texts.
trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for &[&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}
