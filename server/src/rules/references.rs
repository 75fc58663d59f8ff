//! What an expression asks the store for: its selectors, and what they say of the metric's name.

use promql::ast::{BinaryOp, Expr, ExprKind, VectorSelector};
use tsdb::model::{METRIC_NAME, MatchOp, Matcher};

/// Functions whose point is that there may be nothing.
const OF_ABSENCE: [&str; 2] = ["absent", "absent_over_time"];

/// The parts of an expression.
fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Vector(_) | ExprKind::Matrix(_) => {
            Vec::new()
        }
        ExprKind::Subquery(subquery) => vec![&subquery.expr],
        ExprKind::Aggregate(aggregate) => aggregate.param.iter().chain([&aggregate.expr]).collect(),
        ExprKind::Binary(binary) => vec![&binary.left, &binary.right],
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => vec![inner],
        ExprKind::Call(call) => call.args.iter().collect(),
    }
}

fn selector(expr: &Expr) -> Option<&VectorSelector> {
    match &expr.kind {
        ExprKind::Vector(selector) => Some(selector),
        ExprKind::Matrix(matrix) => Some(&matrix.selector),
        _ => None,
    }
}

/// All selectors of an expression, from left to right.
pub(super) fn selectors(expr: &Expr) -> Vec<&VectorSelector> {
    let own = selector(expr).into_iter();
    own.chain(children(expr).into_iter().flat_map(selectors)).collect()
}

/// What a selector demands of the metric's name; `None` if it leaves it open.
pub(super) fn name_matcher(selector: &VectorSelector) -> Option<&Matcher> {
    let of_name = selector.matchers.iter().filter(|matcher| matcher.name() == METRIC_NAME);
    let mut positive = of_name.filter(|matcher| !matcher.matches_empty());
    positive.find(|matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex))
}

/// The demands on names that `is_met` says no to, each once. Of `a or b` one side is enough, and
/// what is asked for to learn that it is absent may be.
pub(super) fn unmet<'a>(expr: &'a Expr, is_met: &dyn Fn(&Matcher) -> bool) -> Vec<&'a Matcher> {
    let mut found: Vec<&Matcher> = Vec::new();
    if let Some(matcher) = selector(expr).and_then(name_matcher).filter(|own| !is_met(own)) {
        found.push(matcher);
    }
    let parts = match &expr.kind {
        ExprKind::Call(call) if OF_ABSENCE.contains(&call.function.name) => Vec::new(),
        ExprKind::Binary(binary) if binary.op == BinaryOp::Or => {
            let sides = [&binary.left, &binary.right].map(|side| unmet(side, is_met));
            if sides.iter().any(Vec::is_empty) { Vec::new() } else { sides.concat() }
        }
        _ => children(expr).into_iter().flat_map(|child| unmet(child, is_met)).collect(),
    };
    for matcher in parts {
        if !found.contains(&matcher) {
            found.push(matcher);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing() {
        let living = ["a", "b:c", "up"];
        let rows: [(&str, &[&str]); 13] = [
            ("a + up", &[]),
            ("rate(x[5m]) / sum by (job) (a)", &["x"]),
            ("x + x", &["x"]),
            ("{__name__=\"x\", job=\"j\"}", &["x"]),
            ("{__name__=~\"b:.*\"}", &[]),
            ("{__name__=~\"x|y\"}", &["x|y"]),
            ("{job=\"j\"}", &[]),
            ("{__name__!=\"a\", job=\"j\"}", &[]),
            ("a or x", &[]),
            ("x or (y or a)", &[]),
            ("x or y", &["x", "y"]),
            ("absent(x) or absent_over_time(y[5m])", &[]),
            ("topk(scalar(x), max_over_time(y[1h:5m])) > -z", &["x", "y", "z"]),
        ];
        for (text, expected) in rows {
            let expr = promql::parse::parse(text, &promql::parse::Features::default()).unwrap();
            let is_met = |matcher: &Matcher| living.iter().any(|name| matcher.matches(name));
            let missing: Vec<_> = unmet(&expr, &is_met).iter().map(|own| own.value()).collect();
            assert_eq!(missing, expected, "{text}");
        }
    }
}
