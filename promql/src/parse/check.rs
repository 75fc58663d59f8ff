//! Type checks of a whole tree, with Prometheus's texts and in its order.
//!
//! The walk also settles what depends on types: only operators between two vectors keep their
//! matching, and set operators match many to many.

use tsdb::model::METRIC_NAME;
use tsdb::model::labels::Quoted;

use super::error::{Failure, Parsed};
use super::lex::is_space;
use crate::ast::ValueType::{Matrix, Scalar, Text, Vector};
use crate::ast::{
    Aggregate, AggregateOp, Binary, Call, Cardinality, Expr, ExprKind, MatchingLabels, Span,
    ValueType, VectorMatching, VectorSelector,
};

/// Checks `expr`, which was parsed from `text`; gives its type.
pub(super) fn check(expr: &mut Expr, text: &str) -> Parsed<ValueType> {
    let span = expr.span;
    match &mut expr.kind {
        ExprKind::Number(_) => Ok(Scalar),
        ExprKind::Text(_) => Ok(Text),
        ExprKind::Vector(selector) => check_selector(selector, span).map(|()| Vector),
        ExprKind::Matrix(matrix) => check_selector(&matrix.selector, span).map(|()| Matrix),
        ExprKind::Paren(inner) => check(inner, text),
        ExprKind::Unary(_, inner) => match check(inner, text)? {
            value_type @ (Scalar | Vector) => Ok(value_type),
            other => {
                let message = format!(
                    "unary expression only allowed on expressions of type scalar or instant \
                     vector, got {}",
                    Quoted(other.documented())
                );
                Err(Failure::new(span, message))
            }
        },
        ExprKind::Subquery(subquery) => match check(&mut subquery.expr, text)? {
            Vector => Ok(Matrix),
            other => {
                let message =
                    format!("subquery is only allowed on instant vector, got {other} instead");
                Err(Failure::new(span, message))
            }
        },
        ExprKind::Aggregate(aggregate) => check_aggregate(aggregate, text).map(|()| Vector),
        ExprKind::Binary(binary) => check_binary(binary, span, text),
        ExprKind::Call(call) => check_call(call, span, text),
    }
}

fn expect(expr: &mut Expr, wanted: ValueType, context: &str, text: &str) -> Parsed<()> {
    let got = check(expr, text)?;
    if got == wanted {
        return Ok(());
    }
    Err(Failure::new(expr.span, mismatch(wanted, context, got)))
}

fn mismatch(wanted: ValueType, context: &str, got: ValueType) -> String {
    format!("expected type {} in {context}, got {}", wanted.documented(), got.documented())
}

fn check_aggregate(aggregate: &mut Aggregate, text: &str) -> Parsed<()> {
    expect(&mut aggregate.expr, Vector, "aggregation expression", text)?;
    let wanted = if aggregate.op == AggregateOp::CountValues { Text } else { Scalar };
    match &mut aggregate.param {
        Some(param) => expect(param, wanted, "aggregation parameter", text),
        None => Ok(()),
    }
}

/// At least one condition must exclude the empty text, so that a typo does not select everything.
fn check_selector(selector: &VectorSelector, span: Span) -> Parsed<()> {
    let Some(name) = &selector.name else {
        if selector.matchers.iter().all(|matcher| matcher.matches_empty()) {
            let message = "vector selector must contain at least one non-empty matcher";
            return Err(Failure::new(span, message));
        }
        return Ok(());
    };
    check_name_is_set_once(selector, name, span)
}

fn check_name_is_set_once(selector: &VectorSelector, name: &str, span: Span) -> Parsed<()> {
    let others = selector.matchers.split_last().map_or(&[][..], |(_, others)| others);
    match others.iter().find(|matcher| matcher.name() == METRIC_NAME) {
        None => Ok(()),
        Some(matcher) => {
            let (name, value) = (Quoted(name), Quoted(matcher.value()));
            let message = format!("metric name must not be set twice: {name} or {value}");
            Err(Failure::new(span, message))
        }
    }
}

fn check_binary(binary: &mut Binary, span: Span, text: &str) -> Parsed<ValueType> {
    let left = check(&mut binary.left, text)?;
    let right = check(&mut binary.right, text)?;
    let between = || operator_span(binary.left.span, binary.right.span, text);
    if binary.returns_bool && !binary.op.is_comparison() {
        let message = "bool modifier can only be used on comparison operators";
        return Err(Failure::new(between(), message));
    }
    let scalars = (left, right) == (Scalar, Scalar);
    if binary.op.is_comparison() && !binary.returns_bool && scalars {
        let message = "comparisons between scalars must use BOOL modifier";
        return Err(Failure::new(between(), message));
    }
    if let Some(label) = binary.matching.as_ref().and_then(label_in_both_lists) {
        let label = Quoted(label);
        let message = format!("label {label} must not occur in ON and GROUP clause at once");
        return Err(Failure::new(between(), message));
    }
    for (side, value_type) in [(&binary.left, left), (&binary.right, right)] {
        if !matches!(value_type, Scalar | Vector) {
            let message = "binary expression must contain only scalar and instant vector types";
            return Err(Failure::new(side.span, message));
        }
    }
    if (left, right) == (Vector, Vector) {
        check_vector_operation(binary, span)?;
        return Ok(Vector);
    }
    check_scalar_operation(binary, span)?;
    binary.matching = None;
    Ok(if scalars { Scalar } else { Vector })
}

/// Where the operator stands between its operands.
fn operator_span(left: Span, right: Span, text: &str) -> Span {
    let between = &text[left.end..right.start];
    let start = right.start - between.trim_start_matches(is_space).len();
    Span { start, end: left.end + between.trim_end_matches(is_space).len() }
}

fn label_in_both_lists(matching: &VectorMatching) -> Option<&String> {
    match &matching.labels {
        MatchingLabels::On(labels) => labels.iter().find(|l| matching.include.contains(l)),
        MatchingLabels::Ignoring(_) => None,
    }
}

fn check_vector_operation(binary: &mut Binary, span: Span) -> Parsed<()> {
    let Some(matching) = &mut binary.matching else { return Ok(()) };
    if !binary.op.is_set() {
        return Ok(());
    }
    if matching.cardinality != Cardinality::OneToOne {
        let message = format!("no grouping allowed for {} operation", Quoted(binary.op.as_str()));
        return Err(Failure::new(span, message));
    }
    matching.cardinality = Cardinality::ManyToMany;
    if matching.fill_left.is_some() || matching.fill_right.is_some() {
        let message = "filling in missing series not allowed for set operators";
        return Err(Failure::new(span, message));
    }
    Ok(())
}

fn check_scalar_operation(binary: &Binary, span: Span) -> Parsed<()> {
    let message = match &binary.matching {
        Some(VectorMatching {
            labels: MatchingLabels::On(labels) | MatchingLabels::Ignoring(labels),
            ..
        }) if !labels.is_empty() => "vector matching only allowed between instant vectors",
        Some(
            VectorMatching { fill_left: Some(_), .. } | VectorMatching { fill_right: Some(_), .. },
        ) => "filling in missing series only allowed between instant vectors",
        _ if binary.op.is_set() => {
            let op = Quoted(binary.op.as_str());
            let message = format!("set operator {op} not allowed in binary scalar expression");
            return Err(Failure::new(span, message));
        }
        _ => return Ok(()),
    };
    Err(Failure::new(span, message))
}

fn check_call(call: &mut Call, span: Span, text: &str) -> Parsed<ValueType> {
    check_argument_count(call, span)?;
    let function = call.function;
    let is_info = function.name == "info";
    if is_info {
        check_data_labels(&call.args, span)?;
    }
    for (index, arg) in call.args.iter_mut().enumerate() {
        let wanted = function.args.get(index).or(function.args.last()).copied().unwrap_or(Vector);
        let got = if is_info && index == 1 { arg.value_type() } else { check(arg, text)? };
        if got != wanted {
            let context = format!("call to function {}", Quoted(function.name));
            return Err(Failure::new(arg.span, mismatch(wanted, &context, got)));
        }
    }
    Ok(function.returns)
}

fn check_argument_count(call: &Call, span: Span) -> Parsed<()> {
    let function = call.function;
    let (got, most) = (call.args.len(), function.args.len());
    let least = if function.variadic == 0 { most } else { most - 1 };
    let most = usize::try_from(function.variadic).map_or(usize::MAX, |optional| least + optional);
    let (bound, count) = match function.variadic {
        0 if got != least => ("", least),
        _ if got < least => ("at least ", least),
        _ if got > most => ("at most ", most),
        _ => return Ok(()),
    };
    let name = Quoted(function.name);
    let message = format!("expected {bound}{count} argument(s) in call to {name}, got {got}");
    Err(Failure::new(span, message))
}

/// The second argument of `info` looks like a selector, but only lists conditions on labels; it
/// may match everything.
fn check_data_labels(args: &[Expr], span: Span) -> Parsed<()> {
    let Some(arg) = args.get(1) else { return Ok(()) };
    if arg.value_type() != Vector {
        let context = "call to function \"info\"";
        return Err(Failure::new(span, mismatch(Vector, context, arg.value_type())));
    }
    match &arg.kind {
        ExprKind::Vector(selector) if selector.name.is_none() => Ok(()),
        ExprKind::Vector(_) => {
            let message = "expected label selectors only, got vector selector instead";
            Err(Failure::new(arg.span, message))
        }
        _ => Err(Failure::new(arg.span, "expected label selectors only")),
    }
}
