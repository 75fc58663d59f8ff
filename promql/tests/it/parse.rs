//! What parses, and how it is printed: the canonical text shows how operators were grouped.

use promql::ast::{BinaryOp, Expr, ExprKind};
use promql::parse::{
    Features, HEIGHT_MAX, NESTING_MAX, TEXT_BYTES_MAX, parse, parse_metric, parse_metric_selector,
};
use promql::print::format;

fn parsed(text: &str) -> Expr {
    parse(text, &Features::ALL).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Text → canonical text; the latter parses to the same tree and prints as itself.
fn check_printing(rows: &[(&str, &str)]) {
    for (text, canonical) in rows {
        let expr = parsed(text);
        assert_eq!(format(&expr), *canonical, "{text}");
        assert_eq!(parsed(canonical), expr, "{text}");
    }
}

#[test]
fn literals() {
    check_printing(&[
        ("1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1E-9", "0.000000001"),
        ("0x1F", "31"),
        ("0755", "493"),
        ("089", "89"),
        ("1_000.5", "1000.5"),
        ("0x_1F", "31"),
        ("-0.0", "-0"),
        ("+Inf", "+Inf"),
        ("iNf", "+Inf"),
        ("-inf", "-Inf"),
        ("NaN", "NaN"),
        ("90m", "1h30m"),
        ("-5m", "-5m"),
        ("1s1ms", "1s1ms"),
        ("1y", "1y"),
        ("'a\"b'", r#""a\"b""#),
        ("`a\\n`", r#""a\\n""#),
        (r#""\u00fc\x41\101\xc3\xbc\t""#, "\"üAAü\\t\""),
    ]);
}

#[test]
fn selectors() {
    check_printing(&[
        ("foo", "foo"),
        ("a:b", "a:b"),
        (":b", ":b"),
        ("foo{}", "foo"),
        ("foo { b = 'x', a != `y` , }", r#"foo{a!="y",b="x"}"#),
        (r#"{job=~"a|b", job!~"c"}"#, r#"{job!~"c",job=~"a|b"}"#),
        (r#"{"a.b", "x.y"="z", by="1"}"#, r#"{"x.y"="z",__name__="a.b",by="1"}"#),
        (r#"{"foo"}"#, r#"{__name__="foo"}"#),
        (r#"{"foo", "bar"}"#, r#"{__name__="bar",__name__="foo"}"#),
        ("# about\nfoo # more\n{ # even\n}", "foo"),
        ("sum", "sum"),
        ("Sum", "Sum"),
        ("by + offset + anchored", "by + offset + anchored"),
        ("and and or or unless", "and and or or unless"),
        ("fill + fill_left - fill_right", "fill + fill_left - fill_right"),
        ("start / end % step ^ range", "start / end % step ^ range"),
        ("min_of > max_of", "min_of > max_of"),
        ("offset offset 5m", "offset offset 5m"),
        ("foo[5m]", "foo[5m]"),
        ("foo[ 300 ]", "foo[5m]"),
        ("foo[1.5]", "foo[1s500ms]"),
        ("foo[5m] OFFSET 1h @ 5", "foo[5m] @ 5.000 offset 1h"),
        ("foo offset -90", "foo offset -1m30s"),
        ("foo offset 0", "foo"),
        ("foo @ -1.5", "foo @ -1.500"),
        ("foo @ 5m", "foo @ 300.000"),
        ("foo @ start() offset 5m", "foo @ start() offset 5m"),
        ("foo @ end()[5m]", "foo[5m] @ end()"),
        ("foo[5m] anchored", "foo[5m] anchored"),
        ("foo smoothed @ 1", "foo @ 1.000 smoothed"),
        ("foo[1m] offset 5m smoothed smoothed", "foo[1m] smoothed offset 5m"),
    ]);
}

#[test]
fn subqueries_and_durations() {
    check_printing(&[
        ("foo[5m:]", "foo[5m:]"),
        ("foo[5m:10]", "foo[5m:10s]"),
        ("rate(foo[1m])[30m : 1m] offset 5m @ end()", "rate(foo[1m])[30m:1m] @ end() offset 5m"),
        ("(foo + bar)[5m:1m]", "(foo + bar)[5m:1m]"),
        ("foo[1m+1m*2^3]", "foo[1m + 1m * 2 ^ 3]"),
        ("foo[(5m)]", "foo[(5m)]"),
        ("foo[((5m+1))/2]", "foo[(5m + 1) / 2]"),
        ("foo[-(-5m)]", "foo[-(-5m)]"),
        ("foo[--5m]", "foo[5m]"),
        ("foo[+step()*2:-range()%3]", "foo[step() * 2:-range() % 3]"),
        ("foo[step():range()]", "foo[step():range()]"),
        ("foo[MIN_OF(step()+1,1h)]", "foo[min_of(step() + 1, 1h)]"),
        ("foo[max_of(1m, -2^2)]", "foo[max_of(1m, -2 ^ 2)]"),
        ("foo offset (1m+2m)*3", "foo offset (1m + 2m) * 3"),
        ("foo offset step()", "foo offset step()"),
        ("foo offset -min_of(1m,step())", "foo offset -min_of(1m, step())"),
        ("foo offset - -1 + 2", "foo offset (1 + 2)"),
        ("foo offset -(1m)^2", "foo offset -(1m) ^ 2"),
    ]);
}

#[test]
fn a_bare_offset_ends_before_an_operator() {
    let rows = [
        ("foo offset 5m + 1", Some(BinaryOp::Add)),
        ("foo offset -2^2", Some(BinaryOp::Pow)),
        ("foo offset step() * 2", Some(BinaryOp::Mul)),
        ("foo offset -(5m) * 2", Some(BinaryOp::Mul)),
        ("foo offset max_of(1m, 2m) - 1", Some(BinaryOp::Sub)),
        ("foo offset (5m) * 2", None),
        ("foo offset - -5m * 2", None),
    ];
    for (text, op) in rows {
        let got = match parsed(text).kind {
            ExprKind::Binary(binary) => Some(binary.op),
            _ => None,
        };
        assert_eq!(got, op, "{text}");
    }
}

/// Text → the same with a parenthesis around every operation.
#[test]
fn operators_bind_as_in_prometheus() {
    let rows = [
        ("a or b and c", "(a or (b and c))"),
        ("a or b or c", "((a or b) or c)"),
        ("a unless b and c", "((a unless b) and c)"),
        ("a and b == c", "(a and (b == c))"),
        ("a == b + c", "(a == (b + c))"),
        ("a + b > c", "((a + b) > c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a + b * c", "(a + (b * c))"),
        ("a * b atan2 c / d % e", "((((a * b) atan2 c) / d) % e)"),
        ("a * b ^ c", "(a * (b ^ c))"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("a </ b + c", "(a </ (b + c))"),
        ("a >/ b == c", "((a >/ b) == c)"),
        ("-a ^ b", "(-(a ^ b))"),
        ("-a * b", "((-a) * b)"),
        ("a ^ -b * c", "((a ^ (-b)) * c)"),
        ("- -a", "(-(-a))"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("-1 * 2", "(-1 * 2)"),
        ("a + b offset 5m", "(a + b offset 5m)"),
    ];
    for (text, grouped) in rows {
        assert_eq!(group(&parsed(text)), grouped, "{text}");
    }
}

#[test]
fn a_range_binds_tighter_than_a_sign() {
    let error = parse("-a[5m:]", &Features::ALL).unwrap_err().to_string();
    assert!(error.contains("got \"range vector\""), "{error}");
}

/// The expression with a parenthesis around every operation.
fn group(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Binary(binary) => {
            format!("({} {} {})", group(&binary.left), binary.op.as_str(), group(&binary.right))
        }
        ExprKind::Unary(op, inner) => format!("({op}{})", group(inner)),
        _ => expr.to_string(),
    }
}

#[test]
fn matching_and_aggregations() {
    check_printing(&[
        ("a == bool b", "a == bool b"),
        ("a + on() b", "a + on () b"),
        ("a + ignoring() b", "a + b"),
        ("a * on(x, y,) group_left b", "a * on (x, y) group_left () b"),
        ("a * ignoring() group_right(z) b", "a * ignoring () group_right (z) b"),
        ("a and on(x) b", "a and on (x) b"),
        ("a + on(\"x.y\", by, a:b) b", "a + on (\"x.y\", by, \"a:b\") b"),
        ("1 + on() b", "1 + b"),
        ("a + fill(0) b", "a + fill (0) b"),
        ("a + on(x) group_left fill_right(-1.5) b", "a + on (x) group_left () fill_right (-1.5) b"),
        ("a + fill_right(1) fill_left(Inf) b", "a + fill_left (+Inf) fill_right (1) b"),
        ("a + fill(NaN) b", "a + fill (NaN) b"),
        ("SUM(a)", "sum(a)"),
        ("sum by () (a)", "sum(a)"),
        ("sum(a) by (b, c)", "sum by (b, c) (a)"),
        ("sum without () (a)", "sum without () (a)"),
        ("sum by (sum, by, on, atan2, bool) (a)", "sum by (sum, by, on, atan2, bool) (a)"),
        ("sum by ('without', \"nan\") (a)", "sum by (\"without\", \"nan\") (a)"),
        ("topk by (b) (5, a)", "topk by (b) (5, a)"),
        ("count_values('x', a)", "count_values(\"x\", a)"),
        ("limit_ratio(-.5, a)", "limit_ratio(-0.5, a)"),
        ("time()", "time()"),
        ("start() + end() + step() + range()", "start() + end() + step() + range()"),
        ("max_of(1, min_of(2, 3))", "max_of(1, min_of(2, 3))"),
        ("round(a , 5)", "round(a, 5)"),
        ("label_join(a, 'b', '')", "label_join(a, \"b\", \"\")"),
        ("info(a, {})", "info(a, {})"),
        ("info(a, {b=~'.*'})", "info(a, {b=~\".*\"})"),
        ("Inf ^ 2", "Inf ^ 2"),
    ]);
}

#[test]
fn only_operations_between_vectors_have_a_matching() {
    let rows = [("a + b", true), ("a + 1", false), ("1 + on() a", false), ("1 + 1", false)];
    for (text, expected) in rows {
        let ExprKind::Binary(binary) = parsed(text).kind else { panic!("{text} is no operation") };
        assert_eq!(binary.matching.is_some(), expected, "{text}");
    }
}

#[test]
fn features_switch_parts_of_the_language() {
    let off = Features { duration_expressions: false, ..Features::default() };
    let rows = [
        ("sort_by_label(a, 'b')", "1:1: parse error: function \"sort_by_label\" is not enabled"),
        (
            "limitk(1, a)",
            "1:1: parse error: limitk() is experimental and must be enabled with \
             --enable-feature=promql-experimental-functions",
        ),
        ("a[5m] anchored", "1:1: parse error: anchored modifier is experimental and not enabled"),
        ("a smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"),
        (
            "1 + (a + fill(1) b)",
            "1:6: parse error: binop fill modifiers are experimental and not enabled",
        ),
        ("a[5m + 1]", "1:3: parse error: experimental duration expression is not enabled"),
        ("a[(5m)]", "1:4: parse error: experimental duration expression is not enabled"),
        ("a offset step()", "1:10: parse error: experimental duration expression is not enabled"),
    ];
    for (text, message) in rows {
        parsed(text);
        assert_eq!(parse(text, &off).unwrap_err().to_string(), message, "{text}");
    }
    assert!(parse("a[5m + 1]", &Features::default()).is_ok());
}

#[test]
fn metric_selectors_and_metrics() {
    let matchers = parse_metric_selector(r#"up{job=~"a.*", "x.y"!="z"}"#).unwrap();
    let texts: Vec<_> = matchers.iter().map(ToString::to_string).collect();
    assert_eq!(texts, [r#"job=~"a.*""#, r#""x.y"!="z""#, r#"__name__="up""#]);
    assert!(parse_metric_selector("{}").unwrap().is_empty());
    let rows = [
        ("", "unknown position: parse error: unexpected end of input"),
        ("foo[5m]", "1:4: parse error: unexpected \"[\""),
        ("sum(foo)", "1:4: parse error: unexpected \"(\""),
        ("{a=1}", "1:4: parse error: unexpected character inside braces: '1'"),
        ("1", "1:1: parse error: unexpected number \"1\""),
    ];
    for (text, message) in rows {
        assert_eq!(parse_metric_selector(text).unwrap_err().to_string(), message, "{text}");
    }
    let labels = parse_metric(r#"up{job="a", "x.y"="z",}"#).unwrap();
    assert_eq!(labels.to_string(), r#"{__name__="up", job="a", "x.y"="z"}"#);
    assert_eq!(parse_metric(r#"{"a.b"}"#).unwrap().to_string(), r#"{__name__="a.b"}"#);
    let rows = [
        ("up{job=~\"a\"}", "1:7: parse error: unexpected <op:=~> in label set, expected \"=\""),
        ("up{job=}", "1:8: parse error: unexpected \"}\" in label set, expected string"),
        ("up{,}", "1:4: parse error: unexpected \",\" in label set, expected identifier or \"}\""),
        (
            "up{a=\"b\" c}",
            "1:10: parse error: unexpected identifier \"c\" in label set, expected \",\" or \"}\"",
        ),
    ];
    for (text, message) in rows {
        assert_eq!(parse_metric(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn spans_cover_the_text_of_their_node() {
    let text = " sum by (a) (rate(foo{b=\"c\"}[5m] offset 1m)) / -bar @ 5 ";
    let ExprKind::Binary(binary) = parsed(text).kind else { panic!("no operation") };
    let ExprKind::Aggregate(sum) = &binary.left.kind else { panic!("no aggregation") };
    let ExprKind::Call(rate) = &sum.expr.kind else { panic!("no call") };
    let ExprKind::Unary(_, bar) = &binary.right.kind else { panic!("no sign") };
    let rows = [
        (&binary.left, "sum by (a) (rate(foo{b=\"c\"}[5m] offset 1m))"),
        (&sum.expr, "rate(foo{b=\"c\"}[5m] offset 1m)"),
        (&rate.args[0], "foo{b=\"c\"}[5m] offset 1m"),
        (&binary.right, "-bar @ 5"),
        (&**bar, "bar @ 5"),
    ];
    for (expr, covered) in rows {
        assert_eq!(&text[expr.span.start..expr.span.end], covered);
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let repeat = |text: &str, count| text.repeat(count);
    let nested = |open: &str, inner: &str, close: &str, depth| {
        format!("{}{inner}{}", repeat(open, depth), repeat(close, depth))
    };
    let shapes: [&dyn Fn(usize) -> String; 9] = [
        &|depth| nested("(", "a", ")", depth),
        &|depth| nested("abs(", "a", ")", depth),
        &|depth| nested("sum by (x) (", "a", ")", depth),
        &|depth| nested("a + (", "a", ")", depth),
        &|depth| nested("-", "a", "", depth),
        &|depth| nested("", "a", " + a", depth),
        &|depth| nested("1 ^ ", "1", "", depth),
        &|depth| format!("a[{}]", nested("-(", "1m", ")", depth)),
        &|depth| format!("a[1m{}]", repeat("+1", depth)),
    ];
    for (index, shape) in shapes.iter().enumerate() {
        let expr = parsed(&shape(NESTING_MAX / 3));
        assert_eq!(parsed(&format(&expr)), expr.clone(), "shape {index}");
        for depth in [HEIGHT_MAX + 1, 2 * HEIGHT_MAX, 20_000] {
            let error = parse(&shape(depth), &Features::ALL).unwrap_err().to_string();
            assert!(error.contains("levels"), "shape {index}: {error}");
        }
    }
    let highest = parsed(&nested("", "a", " + a", HEIGHT_MAX - 1));
    assert_eq!(parsed(&format(&highest)), highest);
    let error = parse(&repeat("(", 100_000), &Features::ALL).unwrap_err().to_string();
    assert_eq!(error, "1:129: parse error: expression is nested more than 128 levels deep");
    let error = parse(&nested("", "a", " + a", HEIGHT_MAX), &Features::ALL).unwrap_err();
    assert_eq!(error.message, "expression is a tree of more than 256 levels");
    let error = parse(&repeat(" ", TEXT_BYTES_MAX + 1), &Features::ALL).unwrap_err();
    assert_eq!(error.message, "expression is longer than 262144 bytes");
}
