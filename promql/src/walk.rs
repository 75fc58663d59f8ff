//! Walking a tree: the parts of a node, and all selectors of an expression in order of the text.

use crate::ast::{Expr, ExprKind, VectorSelector};

impl Expr {
    /// The expressions directly below.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::Text(_) => Vec::new(),
            ExprKind::Vector(_) | ExprKind::Matrix(_) => Vec::new(),
            ExprKind::Subquery(subquery) => vec![&subquery.expr],
            ExprKind::Aggregate(own) => own.param.iter().chain([&own.expr]).collect(),
            ExprKind::Binary(binary) => vec![&binary.left, &binary.right],
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => vec![inner],
            ExprKind::Call(call) => call.args.iter().collect(),
        }
    }

    /// All selectors in it, those of range vectors among them.
    pub fn selectors(&self) -> Vec<&VectorSelector> {
        match &self.kind {
            ExprKind::Vector(selector) => vec![selector],
            ExprKind::Matrix(matrix) => vec![&matrix.selector],
            _ => self.children().into_iter().flat_map(Self::selectors).collect(),
        }
    }
}
