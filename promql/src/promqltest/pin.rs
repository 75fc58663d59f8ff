//! Pins an expression to a time: `@` on every selector that has none.

use tsdb::model::Timestamp;

use crate::ast::{At, Expr, ExprKind, Modifiers};
use crate::plan::is_time_dependent;

/// The expression with every selector at `time`; `None` if its value depends on the time of
/// evaluation all the same. What stands in a subquery moves with that.
pub(super) fn pin(expr: &Expr, time: Timestamp) -> Option<Expr> {
    let mut pinned = expr.clone();
    walk(&mut pinned, time).then_some(pinned)
}

/// Returns `false` if the value depends on the time of evaluation.
fn walk(expr: &mut Expr, time: Timestamp) -> bool {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => true,
        ExprKind::Vector(selector) => set(&mut selector.modifiers, time),
        ExprKind::Matrix(matrix) => set(&mut matrix.selector.modifiers, time),
        ExprKind::Subquery(subquery) => set(&mut subquery.modifiers, time),
        ExprKind::Aggregate(aggregate) => {
            let param = aggregate.param.as_mut().is_none_or(|param| walk(param, time));
            walk(&mut aggregate.expr, time) && param
        }
        ExprKind::Binary(binary) => {
            let left = walk(&mut binary.left, time);
            walk(&mut binary.right, time) && left
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => walk(inner, time),
        ExprKind::Call(call) => {
            let free = !is_time_dependent(call.function.name);
            call.args.iter_mut().fold(free, |free, arg| walk(arg, time) && free)
        }
    }
}

fn set(modifiers: &mut Modifiers, time: Timestamp) -> bool {
    if !matches!(modifiers.at, Some(At::Time(_))) {
        modifiers.at = Some(At::Time(time));
    }
    true
}
