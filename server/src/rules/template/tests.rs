//! What templates become, what is refused, and that expanding ends.

use promql::value::{Point, PointValue};
use tsdb::model::{Labels, Timestamp};

use super::*;

fn sample(pairs: &[(&str, &str)], value: f64) -> InstantSample {
    let point = Point { timestamp: Timestamp::from_ms(0), value: PointValue::Float(value) };
    InstantSample { labels: Labels::from_pairs(pairs.iter().copied()), point }
}

fn expander() -> Expander {
    let ask: AskVector = Arc::new(|query| match query {
        "bad" => Err("no such thing".to_owned()),
        "none" => Ok(Vec::new()),
        _ => Ok(vec![
            sample(&[("__name__", "metric"), ("instance", "b")], 21.0),
            sample(&[("__name__", "metric"), ("instance", "a"), ("__value__", "v")], 11.0),
        ]),
    });
    let around = Surroundings {
        external_labels: [("region".to_owned(), "eu".to_owned())].into(),
        external_url: "http://localhost:9090/prefix".to_owned(),
    };
    Expander::new("A", &ask, &around, 1.5)
}

fn expand(text: &str) -> String {
    expander().expand(text, &sample(&[("instance", "host.example:80"), ("job", "x")], 1_234_567.0))
}

#[test]
fn texts() {
    let rows = [
        ("plain", "plain"),
        ("{{ $labels.instance }} of {{ $labels.job }}", "host.example:80 of x"),
        ("[{{ $labels.missing }}] {{ .Labels.missing }}", "[] "),
        ("{{ if eq $labels.missing \"\" }}none{{ end }}", "none"),
        ("{{ index $labels \"missing\" }}{{ index $labels \"job\" }}", "x"),
        ("{{ $value }} {{ .Value }}", "1.234567e+06 1.234567e+06"),
        ("{{ $externalLabels.region }} {{ $externalURL }}", "eu http://localhost:9090/prefix"),
        ("{{ externalURL }} {{ pathPrefix }}", "http://localhost:9090/prefix /prefix"),
        ("{{ $value | humanize }}", "1.235M"),
        ("{{ $value | humanize1024 }}", "1.177Mi"),
        ("{{ humanizeDuration $value }}", "14d 6h 56m 7s"),
        ("{{ humanizePercentage 0.12345 }}", "12.35%"),
        ("{{ \"1435065584.128\" | humanizeTimestamp }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ toTime 0 }} {{ toDuration 90.5 }}", "1970-01-01 00:00:00 +0000 UTC 1m30.5s"),
        ("{{ now }}", "1.5"),
        ("{{ parseDuration \"1h30m\" }}", "5400"),
        ("{{ printf \"%.2f %s %d\" 1.005 \"a\" 3 }}", "1.00 a 3"),
        ("{{ print 1e6 }} {{ 1e-5 }} {{ 100000.5 }}", "1e+06 1e-05 100000.5"),
        ("{{ printf \"%v %.1f %v\" 1e6 1e6 2 }} {{ urlquery 1e6 }}", "1e+06 1000000.0 2 1e%2B06"),
        ("{{ println 1e6 \"a\" 2 }}", "1e+06 a 2\n"),
        ("{{ print 1 2 }}{{ print \"a\" \"b\" }}", "1 2ab"),
        (
            "{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}",
            "host.example host:80",
        ),
        ("{{ stripPort \"[::1]:80\" }} {{ stripDomain \"1.2.3.4:5\" }}", "::1 1.2.3.4:5"),
        ("{{ title \"aa bb-cc\" }} {{ toUpper \"a\" }} {{ toLower \"B\" }}", "Aa Bb-Cc A b"),
        (
            "{{ match \"a+\" \"caab\" }} {{ reReplaceAll \"(a)(b)\" \"$2$1\" \"abxab\" }}",
            "true baxba",
        ),
        ("{{ graphLink \"up == 0\" }}", "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"),
        ("{{ tableLink \"a\" }}", "/graph?g0.expr=a&g0.tab=1"),
        ("{{ urlQueryEscape \"a/b c\" }} {{ safeHtml \"<b>\" }}", "a%2Fb+c <b>"),
        ("{{ with query \"x\" }}{{ . | first | value }}{{ end }}", "21"),
        ("{{ query \"x\" | first | label \"instance\" }}", "b"),
        (
            "{{ range query \"x\" | sortByLabel \"instance\" }}{{ .Labels.instance }}={{ .Value }};{{ end }}",
            "a=11;b=21;",
        ),
        ("{{ query \"x\" | sortByLabel \"instance\" | first | strvalue }}", "v"),
        ("{{ with query \"none\" }}x{{ else }}nothing{{ end }}", "nothing"),
        ("{{ (args \"a\" 2).arg1 }}", "2"),
        ("{{ range $i, $s := query \"x\" }}{{ $i }}{{ $s.Labels.instance }}{{ end }}", "0b1a"),
        ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.job }}", "<x>"),
    ];
    for (text, expanded) in rows {
        assert_eq!(expand(text), expanded, "{text}");
        assert_eq!(check("__alert_A", text), Ok(()), "{text}");
    }
}

#[test]
fn refused_when_loaded() {
    let rows = [
        ("{{ $label.x }}", "template: __alert_A:1: undefined variable \"$label\""),
        ("a\n{{ $x }}", "template: __alert_A:2: undefined variable \"$x\""),
        ("{{ nope 1 }}", "template: __alert_A:1: function \"nope\" not defined"),
        ("{{ tmpl \"a\" . }}", "template: __alert_A:1: function \"tmpl\" not defined"),
        ("{{ if $value }}{{ $y := 1 }}{{ end }}{{ $y }}", "undefined variable \"$y\""),
        ("{{ $labels.x ", "unclosed action"),
        ("{{ end }}", "template: __alert_A:1: unexpected {{end}}"),
        (
            "{{/* {{ if */}}{{ `{{ if }}` }}\n{{- if true }}",
            "template: __alert_A:2: unexpected EOF",
        ),
        ("{{ if true }}", "unexpected EOF"),
        ("{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}", "calls itself"),
    ];
    for (text, error) in rows {
        let said = check("__alert_A", text).err().unwrap_or_default();
        assert!(said.contains(error), "{text}: {said}");
    }
}

#[test]
fn expanding_ends() {
    let calls = (0..40).map(|n| {
        let next = format!("{{{{ template \"t{}\" }}}}", n + 1);
        format!("{{{{ define \"t{n}\" }}}}{next}{next}{{{{ end }}}}")
    });
    let calls = calls.collect::<String>() + "{{ define \"t40\" }}x{{ end }}{{ template \"t0\" }}";
    let loops = "{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}";
    let doubling = "{{ $x := \"aa\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}";
    let escaping = "{{ $x := \"'\" }}{{ range 60 }}{{ $x = js $x }}{{ end }}";
    let nested = "{{ $x := args 1 }}{{ range 60 }}{{ $x = args $x $x }}{{ end }}{{ $x }}";
    let long = "{{ range 90000 }}0123456789{{ end }}";
    let wide = "{{ printf \"%99999999d\" 1 }}";
    let replaced =
        "{{ $x := printf \"%0999d\" 1 }}{{ range 20 }}{{ $x = reReplaceAll \"0\" $x $x }}{{ end }}";
    for text in [&calls, loops, doubling, escaping, nested, long, wide, replaced] {
        let expanded = expand(text);
        assert!(expanded.starts_with("<error expanding template: "), "{text}: {}", expanded.len());
        assert!(expanded.len() < 1000, "{}", expanded.len());
    }
}

#[test]
fn errors_are_the_text() {
    let rows = [
        ("{{ query \"bad\" }}", "no such thing"),
        ("{{ query \"none\" | first }}", "first() called on vector with no elements"),
        ("{{ humanize \"x\" }}", "strconv.ParseFloat: parsing \"x\": invalid syntax"),
        ("{{ template \"nope\" }}", "nope"),
        ("{{ reReplaceAll \"(\" \"\" \"\" }}", "error"),
        ("{{ label \"x\" }}", "wrong number of arguments"),
        ("{{ toTime 1e12 }}", "overflows int64"),
    ];
    for (text, error) in rows {
        let said = expand(text);
        let is_error = said.starts_with("<error expanding template: error executing template");
        assert!(is_error && said.contains(error), "{text}: {said}");
    }
}
