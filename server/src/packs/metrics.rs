//! The metrics that an expression reads, as far as it names them.

use std::collections::BTreeSet;

use promql::ast::{Expr, ExprKind};

/// Adds the names of the selectors in `expr`; one that has a pattern for a name adds none.
pub(super) fn of(expr: &Expr, names: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => {}
        ExprKind::Vector(selector) => names.extend(selector.name.clone()),
        ExprKind::Matrix(matrix) => names.extend(matrix.selector.name.clone()),
        ExprKind::Subquery(subquery) => of(&subquery.expr, names),
        ExprKind::Unary(_, expr) | ExprKind::Paren(expr) => of(expr, names),
        ExprKind::Call(call) => call.args.iter().for_each(|argument| of(argument, names)),
        ExprKind::Aggregate(aggregate) => {
            of(&aggregate.expr, names);
            aggregate.param.iter().for_each(|param| of(param, names));
        }
        ExprKind::Binary(binary) => {
            of(&binary.left, names);
            of(&binary.right, names);
        }
    }
}
