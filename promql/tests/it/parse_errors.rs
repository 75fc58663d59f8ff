//! Refused queries and the exact text of their errors, as Prometheus words them.

use promql::parse::{Features, parse};

#[test]
fn every_bad_query_says_where_and_why() {
    for (text, message) in ROWS {
        match parse(text, &Features::ALL) {
            Ok(expr) => panic!("{text} parsed as {expr}"),
            Err(error) => assert_eq!(error.to_string(), *message, "{text}"),
        }
    }
}

#[test]
fn lines_are_counted() {
    let rows = [
        ("a\n +\n  $", "3:3: parse error: unexpected character: '$'"),
        ("foo\nbar", "2:1: parse error: unexpected identifier \"bar\""),
        ("# one\n# two\nfoo{", "3:5: parse error: unexpected end of input inside braces"),
        ("\"ü\" +\n\n rate(ü)", "3:7: parse error: unexpected character: 'ü'"),
        ("foo{a=\"ü\"} ü", "1:13: parse error: unexpected character: 'ü'"),
    ];
    for (text, message) in rows {
        assert_eq!(parse(text, &Features::ALL).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn a_bad_pattern_points_at_its_matcher() {
    let error = parse("foo{b=\"\", a=~\"(\"}", &Features::ALL).unwrap_err();
    assert_eq!((error.span.start, error.span.end), (10, 16));
    assert!(error.to_string().starts_with("1:11: parse error: error parsing regexp: "), "{error}");
}

/// Query → error.
const ROWS: &[(&str, &str)] = &[
    ("", "unknown position: parse error: no expression found in input"),
    ("   ", "1:1: parse error: no expression found in input"),
    ("# just a comment", "1:1: parse error: no expression found in input"),
    ("foo $ bar", "1:5: parse error: unexpected character: '$'"),
    ("foo ! bar", "1:5: parse error: unexpected character after '!': ' '"),
    (r#"foo =~ "x""#, "1:5: parse error: unexpected character after '=': '~'"),
    (".", "1:1: parse error: unexpected character: '.'"),
    ("2.5.", r#"1:1: parse error: bad number or duration syntax: "2.5.""#),
    ("100..4", r#"1:1: parse error: bad number or duration syntax: "100..""#),
    ("0deadbeef", r#"1:1: parse error: bad number or duration syntax: "0de""#),
    ("1mm", r#"1:1: parse error: bad number or duration syntax: "1mm""#),
    ("0x1e", r#"1:1: parse error: bad number or duration syntax: "0x1e""#),
    ("1e+", r#"1:1: parse error: bad number or duration syntax: "1e+""#),
    ("1__0", r#"1:1: parse error: bad number or duration syntax: "1__""#),
    (
        "099999999999999999999x",
        r#"1:1: parse error: bad number or duration syntax: "099999999999999999999""#,
    ),
    (
        "1e400",
        r#"1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range"#,
    ),
    (r#""a"#, "1:1: parse error: unterminated quoted string"),
    ("'a", "1:1: parse error: unterminated quoted string"),
    ("`a", "1:1: parse error: unterminated raw string"),
    (r#""a\q""#, "1:1: parse error: unknown escape sequence U+0071 'q'"),
    (r#""a\x4""#, r#"1:1: parse error: illegal character U+0022 '"' in escape sequence"#),
    (r#""a\x4g""#, "1:1: parse error: illegal character U+0067 'g' in escape sequence"),
    (r#""\400""#, "1:1: parse error: escape sequence is an invalid Unicode code point"),
    (r#""\ud800""#, "1:1: parse error: escape sequence is an invalid Unicode code point"),
    (r#""a\"#, "1:1: parse error: escape sequence not terminated"),
    (r#"foo{a="b"#, "1:7: parse error: unterminated quoted string"),
    (r#"foo{a="b""#, "1:10: parse error: unexpected end of input inside braces"),
    ("foo{a", "1:6: parse error: unexpected end of input inside braces"),
    ("foo{a=}", r#"1:7: parse error: unexpected "}" in label matching, expected string"#),
    (
        "foo{a=b}",
        r#"1:7: parse error: unexpected identifier "b" in label matching, expected string"#,
    ),
    (r#"foo{a:b="c"}"#, "1:6: parse error: unexpected character inside braces: ':'"),
    (
        r#"foo{"a" "b"}"#,
        r#"1:9: parse error: unexpected string "\"b\"" in label matching, expected "," or "}""#,
    ),
    (
        r#"foo{a="b" c="d"}"#,
        r#"1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}""#,
    ),
    ("foo{,}", r#"1:5: parse error: unexpected "," in label matching, expected identifier or "}""#),
    (
        r#"foo{a="b",,}"#,
        r#"1:11: parse error: unexpected "," in label matching, expected identifier or "}""#,
    ),
    (r#"foo{1="b"}"#, "1:5: parse error: unexpected character inside braces: '1'"),
    ("foo{a!b}", "1:6: parse error: unexpected character after '!' inside braces: 'b'"),
    (r#"foo{a>"b"}"#, "1:6: parse error: unexpected character inside braces: '>'"),
    ("foo{{", "1:5: parse error: unexpected left brace '{'"),
    (
        r#"foo{__name__="bar"}"#,
        r#"1:1: parse error: metric name must not be set twice: "foo" or "bar""#,
    ),
    (r#"foo{"bar"}"#, r#"1:1: parse error: metric name must not be set twice: "foo" or "bar""#),
    ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    (r#"{a=""}"#, "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    (
        r#"{a=~".*"}"#,
        "1:1: parse error: vector selector must contain at least one non-empty matcher",
    ),
    (
        r#"{__name__=~".*"}"#,
        "1:1: parse error: vector selector must contain at least one non-empty matcher",
    ),
    ("foo}", "1:4: parse error: unexpected character: '}'"),
    ("foo]", "1:4: parse error: unexpected right bracket ']'"),
    ("foo)", "1:5: parse error: unexpected right parenthesis ')'"),
    ("(foo", "1:5: parse error: unclosed left parenthesis"),
    ("foo[", "1:5: parse error: unexpected end of input in duration expression"),
    (
        "foo[]",
        r#"1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()"#,
    ),
    ("foo[5m", "1:7: parse error: unclosed left bracket"),
    ("foo[5x]", r#"1:5: parse error: bad number or duration syntax: "5""#),
    ("foo[-5m]", "1:5: parse error: duration must be greater than 0"),
    ("foo[0]", "1:5: parse error: duration must be greater than 0"),
    ("foo[1h30m5h]", r#"1:5: parse error: not a valid duration string: "1h30m5h""#),
    ("foo[5m1m]", r#"1:5: parse error: not a valid duration string: "5m1m""#),
    (r#"foo["5m"]"#, r#"1:5: parse error: unexpected character in duration expression: '"'"#),
    ("foo[bar]", "1:5: parse error: unexpected character in duration expression: 'b'"),
    ("foo[5m bar]", "1:8: parse error: unexpected character: 'b', expected ':'"),
    ("foo[5m:", "1:8: parse error: unclosed left bracket"),
    ("foo[5m:1m", "1:10: parse error: unclosed left bracket"),
    ("foo[:1m]", "1:6: parse error: unexpected colon before duration in duration expression"),
    ("foo[5m:1m:1m]", "1:10: parse error: unexpected colon ':'"),
    ("foo[5m:0s]", "1:8: parse error: duration must be greater than 0"),
    ("foo[[5m]]", "1:5: parse error: unexpected character in duration expression: '['"),
    ("foo[5m / 0]", "1:8: parse error: division by zero"),
    ("foo[5m % 0s]", "1:8: parse error: modulo by zero"),
    ("foo[300y]", "1:5: parse error: duration out of range"),
    (
        "foo[5m 5m]",
        r#"1:8: parse error: unexpected duration "5m" in subquery or range, expected ":" or "]""#,
    ),
    (
        "foo[(5m]",
        r#"1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()"#,
    ),
    (
        "foo[step]",
        r#"1:9: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()"#,
    ),
    (
        "foo[min_of(5m)]",
        r#"1:14: parse error: unexpected ")" in subquery or range selector, expected number, duration, step(), or range()"#,
    ),
    ("foo[5m][5m]", "1:8: parse error: ranges only allowed for vector selectors"),
    (
        "foo[5m] offset",
        "1:15: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    ),
    ("foo offset 5m[5m]", "1:14: parse error: no offset modifiers allowed before range"),
    ("foo @ 0[5m]", "1:8: parse error: no @ modifiers allowed before range"),
    ("foo offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"),
    (
        "foo offset bar",
        r#"1:12: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()"#,
    ),
    (
        "foo offset",
        "1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    ),
    ("foo @", "1:6: parse error: unexpected end of input in @, expected timestamp"),
    ("foo @ bar", r#"1:7: parse error: unexpected identifier "bar" in @, expected timestamp"#),
    ("foo @ start", "1:12: parse error: unexpected end of input in @, expected timestamp"),
    ("foo @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"),
    (
        "foo @ 1e19",
        "1:1: parse error: timestamp out of bounds for @ modifier: 10000000000000000000.000000",
    ),
    ("foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
    ("foo @ start() @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
    (
        "1 offset 5m",
        "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    (
        "(foo) offset 5m",
        "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    (
        "sum(foo) offset 5m",
        "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    (
        "(foo) @ 5",
        "1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    (
        "1 @ 5",
        "1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    ("sum(foo)[5m]", "1:9: parse error: ranges only allowed for vector selectors"),
    ("1[5m]", "1:2: parse error: ranges only allowed for vector selectors"),
    ("1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
    (
        r#""a"[5m:]"#,
        "1:1: parse error: subquery is only allowed on instant vector, got string instead",
    ),
    (
        "foo[5m][5m:1m]",
        "1:1: parse error: subquery is only allowed on instant vector, got matrix instead",
    ),
    (
        "foo anchored smoothed",
        "1:1: parse error: anchored and smoothed modifiers cannot be used together",
    ),
    ("foo[5m:] anchored", "1:1: parse error: anchored modifier is not supported for subqueries"),
    ("sum(foo) smoothed", "1:1: parse error: smoothed modifier not implemented"),
    ("1+", "1:3: parse error: unexpected end of input"),
    ("+", "1:2: parse error: unexpected end of input"),
    ("*1", "1:1: parse error: unexpected <op:*>"),
    ("1 *", "1:4: parse error: unexpected end of input"),
    ("foo bar", r#"1:5: parse error: unexpected identifier "bar""#),
    ("foo or", "1:7: parse error: unexpected end of input"),
    ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
    ("1 and 1", r#"1:1: parse error: set operator "and" not allowed in binary scalar expression"#),
    (
        "foo and 1",
        r#"1:1: parse error: set operator "and" not allowed in binary scalar expression"#,
    ),
    (
        "1 unless foo",
        r#"1:1: parse error: set operator "unless" not allowed in binary scalar expression"#,
    ),
    (
        r#"foo + "a""#,
        "1:7: parse error: binary expression must contain only scalar and instant vector types",
    ),
    (
        "foo[5m] + 1",
        "1:1: parse error: binary expression must contain only scalar and instant vector types",
    ),
    ("foo == on(a) 5", "1:1: parse error: vector matching only allowed between instant vectors"),
    ("1 + on(a) foo", "1:1: parse error: vector matching only allowed between instant vectors"),
    (
        "foo + fill(1) 5",
        "1:1: parse error: filling in missing series only allowed between instant vectors",
    ),
    (
        "foo and fill(1) bar",
        "1:1: parse error: filling in missing series not allowed for set operators",
    ),
    ("foo + fill bar", r#"1:12: parse error: unexpected identifier "bar""#),
    ("foo + fill() bar", r#"1:12: parse error: unexpected ")""#),
    ("foo + fill(x) bar", r#"1:12: parse error: unexpected identifier "x""#),
    ("foo + group_left bar", "1:7: parse error: unexpected <group_left>"),
    (
        "foo + on bar",
        r#"1:10: parse error: unexpected identifier "bar" in grouping opts, expected "(""#,
    ),
    (
        "foo + on() group_left ^ bar",
        r#"1:23: parse error: unexpected <op:^> in grouping opts, expected "(""#,
    ),
    ("foo + on(a,,b) bar", r#"1:12: parse error: unexpected "," in grouping opts, expected label"#),
    (
        "foo + on(a b) bar",
        r#"1:12: parse error: unexpected identifier "b" in grouping opts, expected "," or ")""#,
    ),
    (
        "foo + on(a) group_left(a) bar",
        r#"1:5: parse error: label "a" must not occur in ON and GROUP clause at once"#,
    ),
    (
        "foo and on(a) group_left bar",
        r#"1:1: parse error: no grouping allowed for "and" operation"#,
    ),
    (
        "foo and on(a) group_right(b) bar",
        r#"1:1: parse error: no grouping allowed for "and" operation"#,
    ),
    ("foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"),
    (
        "foo and bool bar",
        "1:5: parse error: bool modifier can only be used on comparison operators",
    ),
    ("foo == bool bool bar", "1:13: parse error: unexpected <bool>"),
    (
        r#"-"a""#,
        r#"1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string""#,
    ),
    (
        "-foo[5m]",
        r#"1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector""#,
    ),
    ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
    ("sum(", "1:5: parse error: unclosed left parenthesis"),
    ("sum(foo", "1:8: parse error: unclosed left parenthesis"),
    ("sum(foo,)", "1:8: parse error: trailing commas not allowed in function call args"),
    ("sum(foo,*)", "1:8: parse error: trailing commas not allowed in function call args"),
    ("sum(foo bar)", r#"1:9: parse error: unexpected identifier "bar" in aggregation"#),
    (
        "sum(foo, bar)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2",
    ),
    (
        "sum by foo",
        r#"1:8: parse error: unexpected identifier "foo" in grouping opts, expected "(""#,
    ),
    ("sum by (foo)", "1:13: parse error: unexpected end of input in aggregation"),
    (
        "sum by (5) (foo)",
        r#"1:9: parse error: unexpected number "5" in grouping opts, expected label"#,
    ),
    (
        "sum by (a b) (foo)",
        r#"1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")""#,
    ),
    (r#"sum by ("") (foo)"#, r#"1:9: parse error: invalid label name for grouping: """#),
    ("sum by (a) (foo) by (b)", "1:18: parse error: unexpected <by>"),
    ("sum(foo) by", r#"1:12: parse error: unexpected end of input in grouping opts, expected "(""#),
    (
        "sum(1)",
        "1:5: parse error: expected type instant vector in aggregation expression, got scalar",
    ),
    (
        r#"sum("a")"#,
        "1:5: parse error: expected type instant vector in aggregation expression, got string",
    ),
    (
        "sum(foo[5m])",
        "1:5: parse error: expected type instant vector in aggregation expression, got range vector",
    ),
    (
        "sum(rate(foo))",
        r#"1:10: parse error: expected type range vector in call to function "rate", got instant vector"#,
    ),
    (
        "topk(foo)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    ),
    (
        "topk(foo, 1)",
        "1:11: parse error: expected type instant vector in aggregation expression, got scalar",
    ),
    (
        "topk(foo, bar)",
        "1:6: parse error: expected type scalar in aggregation parameter, got instant vector",
    ),
    (
        r#"topk("a", foo)"#,
        "1:6: parse error: expected type scalar in aggregation parameter, got string",
    ),
    (
        "count_values(1, foo)",
        "1:14: parse error: expected type string in aggregation parameter, got scalar",
    ),
    (
        "quantile(1, foo, bar)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 3",
    ),
    (
        "rate(foo)",
        r#"1:6: parse error: expected type range vector in call to function "rate", got instant vector"#,
    ),
    (
        "rate(1)",
        r#"1:6: parse error: expected type range vector in call to function "rate", got scalar"#,
    ),
    ("rate()", r#"1:1: parse error: expected 1 argument(s) in call to "rate", got 0"#),
    ("rate(foo[5m], 1)", r#"1:1: parse error: expected 1 argument(s) in call to "rate", got 2"#),
    ("rate(foo[5m]) [5m]", "1:15: parse error: ranges only allowed for vector selectors"),
    ("time(1)", r#"1:1: parse error: expected 0 argument(s) in call to "time", got 1"#),
    (
        "abs(1)",
        r#"1:5: parse error: expected type instant vector in call to function "abs", got scalar"#,
    ),
    ("round()", r#"1:1: parse error: expected at least 1 argument(s) in call to "round", got 0"#),
    (
        "round(foo, 1, 2)",
        r#"1:1: parse error: expected at most 2 argument(s) in call to "round", got 3"#,
    ),
    (
        r#"round(foo, "a")"#,
        r#"1:12: parse error: expected type scalar in call to function "round", got string"#,
    ),
    (
        r#"label_join(foo, "a")"#,
        r#"1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2"#,
    ),
    (
        r#"label_replace(foo, 1, "a", "b", "c")"#,
        r#"1:20: parse error: expected type string in call to function "label_replace", got scalar"#,
    ),
    (
        "vector(foo)",
        r#"1:8: parse error: expected type scalar in call to function "vector", got instant vector"#,
    ),
    (
        r#"scalar("a")"#,
        r#"1:8: parse error: expected type instant vector in call to function "scalar", got string"#,
    ),
    ("foo(bar)", r#"1:1: parse error: unknown function with name "foo""#),
    ("RATE(foo[5m])", r#"1:1: parse error: unknown function with name "RATE""#),
    ("rates(foo[5m])", r#"1:1: parse error: unknown function with name "rates""#),
    ("a:b(foo)", r#"1:4: parse error: unexpected "(""#),
    (
        "info(foo, bar)",
        "1:11: parse error: expected label selectors only, got vector selector instead",
    ),
    ("info(foo, sum(bar))", "1:11: parse error: expected label selectors only"),
    (
        "info(foo, 1)",
        r#"1:1: parse error: expected type instant vector in call to function "info", got scalar"#,
    ),
    (
        r#"info(1, {a="b"})"#,
        r#"1:6: parse error: expected type instant vector in call to function "info", got scalar"#,
    ),
    ("sum(foo) by (a) without (b)", "1:17: parse error: unexpected <without>"),
    ("bool", "1:1: parse error: unexpected <bool>"),
    ("on", "1:1: parse error: unexpected <on>"),
    ("foo by (a)", "1:5: parse error: unexpected <by>"),
    (
        "foo[5m] == foo[5m]",
        "1:1: parse error: binary expression must contain only scalar and instant vector types",
    ),
    ("time()[5m:1m][1m]", "1:14: parse error: ranges only allowed for vector selectors"),
    (r#"{a="b"}{c="d"}"#, r#"1:8: parse error: unexpected "{""#),
    (r#""foo"{a="b"}"#, r#"1:6: parse error: unexpected "{""#),
    ("foo offset 1m @", "1:16: parse error: unexpected end of input in @, expected timestamp"),
    ("\"a\nb\"", "1:1: parse error: unterminated quoted string"),
    (r#""�""#, "1:1: parse error: invalid UTF-8 rune"),
    ("ü", "1:1: parse error: unexpected character: 'ü'"),
    (r#"foo{ü="a"}"#, "1:5: parse error: unexpected character inside braces: 'ü'"),
    ("foo[5m].", "1:8: parse error: unexpected character: '.'"),
    (r#""\xff""#, r#"1:1: parse error: error unquoting string "\xff": invalid UTF-8"#),
];
