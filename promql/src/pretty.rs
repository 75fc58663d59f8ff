//! From the tree to text on several lines: what fits into [`LINE_CHARS_MAX`] stays on one line as
//! [`print`](mod@crate::print) writes it, what does not is broken at its operators and parentheses.
//!
//! The layout is Prometheus's (`promql/parser/prettier.go`), which `/api/v1/format_query` gives.

use std::fmt::Display;

use crate::ast::{Aggregate, Binary, Call, Expr, ExprKind, Grouping, Subquery};

/// Bytes that one line may have before it is broken.
pub const LINE_CHARS_MAX: usize = 100;

const INDENT: &str = "  ";

/// `expr` on as many lines as it needs.
pub fn pretty(expr: &Expr) -> String {
    at_level(expr, 0)
}

/// `expr`, each of its lines indented at least that deep.
fn at_level(expr: &Expr, level: usize) -> String {
    let (line, indent) = (expr.to_string(), INDENT.repeat(level));
    if let ExprKind::Unary(op, inner) = &expr.kind {
        return format!("{indent}{op}{}", at_level(inner, level).trim());
    }
    let is_short = line.len() <= LINE_CHARS_MAX;
    match &expr.kind {
        // Prometheus does not indent one that fits.
        ExprKind::Subquery(_) if is_short => line,
        ExprKind::Subquery(subquery) => broken_subquery(subquery, level),
        ExprKind::Aggregate(aggregate) if !is_short => broken_aggregate(aggregate, level),
        ExprKind::Binary(binary) if !is_short => broken_binary(binary, level),
        ExprKind::Call(call) if !is_short => broken_call(call, level),
        ExprKind::Paren(inner) if !is_short => enclosed("", [at_level(inner, level + 1)], level),
        _ => format!("{indent}{line}"),
    }
}

/// `head(`, a line or more for each argument, `)`.
fn enclosed(head: impl Display, args: impl IntoIterator<Item = String>, level: usize) -> String {
    let args: Vec<_> = args.into_iter().collect();
    let indent = INDENT.repeat(level);
    format!("{indent}{head}(\n{}\n{indent})", args.join(",\n"))
}

fn broken_aggregate(aggregate: &Aggregate, level: usize) -> String {
    let args = aggregate.param.iter().chain([&aggregate.expr]);
    let head = match &aggregate.grouping {
        Grouping::By(labels) if labels.is_empty() => aggregate.op.as_str().to_owned(),
        grouping => format!("{}{grouping} ", aggregate.op.as_str()),
    };
    enclosed(head, args.map(|arg| at_level(arg, level + 1)), level)
}

fn broken_binary(binary: &Binary, level: usize) -> String {
    let [left, right] = [&binary.left, &binary.right].map(|side| at_level(side, level + 1));
    let matching = binary.matching.as_ref().map(ToString::to_string).unwrap_or_default();
    let only_bool = if binary.returns_bool { " bool" } else { "" };
    format!("{left}\n{}{}{only_bool}{matching}\n{right}", INDENT.repeat(level), binary.op.as_str())
}

fn broken_call(call: &Call, level: usize) -> String {
    enclosed(call.function.name, call.args.iter().map(|arg| at_level(arg, level + 1)), level)
}

fn broken_subquery(subquery: &Subquery, level: usize) -> String {
    format!("{}{}", at_level(&subquery.expr, level), subquery.suffix())
}
