//! Properties of the parser: what is printed parses back to the same tree, and no text at all
//! makes it panic.

use promql::ast::{
    Aggregate, AggregateOp, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, Expr, ExprKind,
    Grouping, MatchingLabels, MatrixSelector, Modifiers, Number, RangeExtension, Span, Subquery,
    UnaryOp, VectorMatching, VectorSelector,
};
use promql::functions::find;
use promql::fuzz;
use promql::parse::{Features, parse};
use promql::print::format;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tsdb::model::{METRIC_NAME, MatchOp, Matcher, Timestamp};

fn node(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

/// An operand in parentheses, unless nothing can go wrong without. An offset that begins with a
/// parenthesis would take the operator after it for its own.
fn operand(expr: Expr) -> Expr {
    let is_bare = match &expr.kind {
        ExprKind::Number(number) => number.value.is_sign_positive() && number.value.is_finite(),
        ExprKind::Vector(selector) => {
            matches!(selector.modifiers.offset, None | Some(DurationExpr::Ms(_)))
        }
        kind => !matches!(kind, ExprKind::Binary(_) | ExprKind::Unary(..)),
    };
    if is_bare { expr } else { node(ExprKind::Paren(Box::new(expr))) }
}

fn texts() -> impl Strategy<Value = String> {
    // U+FFFD is refused in texts: it stands for what is not UTF-8.
    prop_oneof!["[a-z]{1,5}", "\\PC{0,6}", "[\\x00-\\x7f]{0,5}", any::<String>()]
        .prop_map(|text| text.replace('\u{fffd}', ""))
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    let keywords = select(vec!["by", "on", "without", "nan", "bool", "a:b", "step"]);
    let label = prop_oneof!["[a-z_]{1,4}", keywords.prop_map(str::to_owned), texts()];
    vec(label.prop_filter("labels have names", |label| !label.is_empty()), 0..3)
}

fn matchers() -> impl Strategy<Value = Vec<Matcher>> {
    let plain = (select(vec![MatchOp::Equal, MatchOp::NotEqual]), texts());
    let patterns = select(vec!["a|b", ".*", "[0-9]+", "x.\"y", "\\\\d\n", ""]);
    let pattern =
        (select(vec![MatchOp::Regex, MatchOp::NotRegex]), patterns.prop_map(str::to_owned));
    let name = texts().prop_filter("labels have names", |n| !n.is_empty() && n != METRIC_NAME);
    let matcher = (name, prop_oneof![plain, pattern])
        .prop_map(|(name, (op, value))| Matcher::new(op, name, value).expect("a pattern"));
    vec(matcher, 0..3).prop_map(|mut matchers| {
        matchers.sort_by_key(|m| (m.name().to_owned(), m.op() as u8, m.value().to_owned()));
        matchers
    })
}

fn durations() -> impl Strategy<Value = DurationExpr> {
    let leaf = prop_oneof![
        (1..1_000_000_000_i64).prop_map(DurationExpr::Ms),
        (1..1000_u32).prop_map(|seconds| DurationExpr::Seconds(f64::from(seconds) / 4.0)),
        Just(DurationExpr::Step),
        Just(DurationExpr::Range),
    ];
    let ops = vec![BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div, BinaryOp::Pow];
    leaf.prop_recursive(3, 8, 2, move |inner| {
        let pair = (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        prop_oneof![
            (select(ops.clone()), inner.clone(), inner.clone()).prop_map(|(op, left, right)| {
                DurationExpr::Binary(op, Box::new(in_paren(left)), Box::new(in_paren(right)))
            }),
            inner.prop_map(|d| DurationExpr::Unary(UnaryOp::Minus, Box::new(paren(d)))),
            pair.clone().prop_map(|(left, right)| DurationExpr::Min(left, right)),
            pair.prop_map(|(left, right)| DurationExpr::Max(left, right)),
        ]
    })
}

fn paren(duration: DurationExpr) -> DurationExpr {
    match duration {
        DurationExpr::Paren(_) => duration,
        duration => DurationExpr::Paren(Box::new(duration)),
    }
}

fn in_paren(duration: DurationExpr) -> DurationExpr {
    match duration {
        DurationExpr::Binary(..) | DurationExpr::Unary(..) => paren(duration),
        duration => duration,
    }
}

/// A literal that stands alone is always in milliseconds.
fn ranges() -> impl Strategy<Value = DurationExpr> {
    durations().prop_map(|duration| match duration {
        DurationExpr::Seconds(seconds) => DurationExpr::Ms((seconds * 1000.0) as i64),
        duration => duration,
    })
}

fn offsets() -> impl Strategy<Value = DurationExpr> {
    let literal = (-1_000_000_i64..1_000_000).prop_filter("no offset", |ms| *ms != 0);
    prop_oneof![literal.prop_map(DurationExpr::Ms), ranges().prop_map(in_paren)]
}

fn modifiers() -> impl Strategy<Value = Modifiers> {
    let at = prop_oneof![
        (-10_000_000_000_000_i64..10_000_000_000_000)
            .prop_map(|ms| At::Time(Timestamp::from_ms(ms))),
        Just(At::Start),
        Just(At::End),
    ];
    (option::of(offsets()), option::of(at)).prop_map(|(offset, at)| Modifiers { offset, at })
}

fn selectors() -> impl Strategy<Value = VectorSelector> {
    let names = select(vec!["up", "a:b", "sum", "by", "offset", "step", "fill", "min_of"]);
    let extension = option::of(select(vec![RangeExtension::Anchored, RangeExtension::Smoothed]));
    (option::of(names), matchers(), modifiers(), extension).prop_map(
        |(name, mut matchers, modifiers, extension)| {
            // A selector must exclude something.
            let name = name.or(matchers.iter().all(Matcher::matches_empty).then_some("up"));
            let name = name.map(str::to_owned);
            matchers.extend(name.iter().map(|name| Matcher::equal(METRIC_NAME, name)));
            VectorSelector { name, matchers, modifiers, extension }
        },
    )
}

fn numbers() -> impl Strategy<Value = Expr> {
    let float = prop_oneof![any::<f64>(), (0..100_u32).prop_map(f64::from)];
    let number = float.prop_map(|value| Number { value, is_duration: false });
    let duration = (1..10_000_000_000_u64)
        .prop_map(|ms| Number { value: ms as f64 / 1000.0, is_duration: true });
    prop_oneof![number, duration].prop_map(|number| node(ExprKind::Number(number)))
}

fn matching(op: BinaryOp) -> impl Strategy<Value = VectorMatching> {
    let fill = || option::of(prop_oneof![Just(f64::NAN), (-9..9_i32).prop_map(f64::from)]);
    let side = select(vec![Cardinality::OneToOne, Cardinality::ManyToOne, Cardinality::OneToMany]);
    (any::<bool>(), labels(), side, labels(), fill(), fill()).prop_map(
        move |(on, labels, side, mut include, fill_left, fill_right)| {
            let cardinality = if op.is_set() { Cardinality::ManyToMany } else { side };
            let groups = matches!(cardinality, Cardinality::ManyToOne | Cardinality::OneToMany);
            include.retain(|label| groups && !(on && labels.contains(label)));
            let labels =
                if on { MatchingLabels::On(labels) } else { MatchingLabels::Ignoring(labels) };
            let fills = |fill: Option<f64>| fill.filter(|_| !op.is_set());
            let (fill_left, fill_right) = (fills(fill_left), fills(fill_right));
            VectorMatching { cardinality, labels, include, fill_left, fill_right }
        },
    )
}

const OPS: [BinaryOp; 18] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Mod,
    BinaryOp::Pow,
    BinaryOp::Atan2,
    BinaryOp::Equal,
    BinaryOp::NotEqual,
    BinaryOp::Greater,
    BinaryOp::Less,
    BinaryOp::GreaterOrEqual,
    BinaryOp::LessOrEqual,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Unless,
    BinaryOp::TrimUpper,
    BinaryOp::TrimLower,
];

fn call(name: &str, args: Vec<Expr>) -> Expr {
    node(ExprKind::Call(Call { function: find(name).expect("a function"), args }))
}

fn binary(
    op: BinaryOp,
    left: Expr,
    right: Expr,
    matching: Option<VectorMatching>,
    is_bool: bool,
) -> Expr {
    let returns_bool = is_bool && op.is_comparison();
    let (left, right) = (operand(left), operand(right));
    node(ExprKind::Binary(Box::new(Binary { op, left, right, returns_bool, matching })))
}

/// Well-typed expressions that give vectors.
fn vectors() -> impl Strategy<Value = Expr> {
    selectors().prop_map(|selector| node(ExprKind::Vector(selector))).prop_recursive(
        4,
        24,
        3,
        |inner| {
            let operation = select(OPS.to_vec()).prop_flat_map(matching_pair);
            let operation = (inner.clone(), operation, inner.clone(), any::<bool>()).prop_map(
                |(l, (op, matching), r, is_bool)| binary(op, l, r, Some(matching), is_bool),
            );
            let arithmetic: Vec<_> = OPS.into_iter().filter(|op| !op.is_set()).collect();
            let with_number = (inner.clone(), select(arithmetic), numbers(), any::<bool>())
                .prop_map(|(left, op, right, is_bool)| binary(op, left, right, None, is_bool));
            let aggregate = (
                select(AggregateOp::ALL.to_vec()),
                inner.clone(),
                numbers(),
                texts(),
                any::<bool>(),
                labels(),
            )
                .prop_map(|((_, op), expr, number, text, by, labels)| {
                    let text = node(ExprKind::Text(text));
                    let param = if op == AggregateOp::CountValues { text } else { number };
                    let param = op.has_param().then_some(param);
                    let grouping =
                        if by { Grouping::By(labels) } else { Grouping::Without(labels) };
                    node(ExprKind::Aggregate(Box::new(Aggregate { op, expr, param, grouping })))
                });
            let matrix = (selectors(), ranges()).prop_map(|(selector, range)| {
                node(ExprKind::Matrix(MatrixSelector { selector, range }))
            });
            let subquery = (inner.clone(), ranges(), option::of(ranges()), modifiers()).prop_map(
                |(expr, range, step, modifiers)| {
                    let expr = operand(expr);
                    node(ExprKind::Subquery(Box::new(Subquery { expr, range, step, modifiers })))
                },
            );
            let rate = prop_oneof![matrix, subquery].prop_map(|matrix| call("rate", vec![matrix]));
            let sign = (select(vec![UnaryOp::Minus, UnaryOp::Plus]), inner.clone())
                .prop_map(|(op, expr)| node(ExprKind::Unary(op, Box::new(operand(expr)))));
            let round =
                (inner.clone(), numbers()).prop_map(|(expr, to)| call("round", vec![expr, to]));
            let paren = inner.prop_map(|expr| node(ExprKind::Paren(Box::new(expr))));
            prop_oneof![operation, with_number, aggregate, rate, sign, round, paren]
        },
    )
}

fn matching_pair(op: BinaryOp) -> impl Strategy<Value = (BinaryOp, VectorMatching)> {
    matching(op).prop_map(move |matching| (op, matching))
}

/// Pieces of the language in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = vec![
        "foo",
        "a:b",
        "sum",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "bool",
        "offset",
        "@",
        "start",
        "step",
        "min_of",
        "rate",
        "info",
        "fill",
        "anchored",
        "smoothed",
        "and",
        "or",
        "unless",
        "atan2",
        "(",
        ")",
        "()",
        "{",
        "}",
        "[",
        "]",
        "[5m]",
        "[5m:]",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "!=",
        "</",
        ">/",
        "=~",
        "!~",
        "=",
        "\"x\"",
        "'",
        "`",
        "\\",
        "5m",
        "1",
        "0x",
        "1e",
        ".",
        "_",
        "#",
        "\n",
        " ",
        "é",
        "{{",
        "}}",
        "x3",
        "stale",
        "{{count:1}}",
    ];
    vec(select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn trees_print_and_parse_back(expr in vectors()) {
        let printed = format(&expr);
        match parse(&printed, &Features::ALL) {
            Ok(parsed) => prop_assert_eq!(parsed, expr, "printed as {}", printed),
            Err(error) => prop_assert!(false, "{} refused: {}", printed, error),
        }
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        fuzz::text(&text);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
        fuzz::text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_are_survived(text in pieces()) {
        fuzz::text(&text);
    }
}
