//! The plan: an expression with everything resolved that does not depend on the data.
//!
//! Parentheses are gone, durations are milliseconds, `@ start()` is a time, `start()` a number,
//! and the highest subtrees whose value is the same at each step stand below a
//! [`NodeKind::Invariant`]: they are evaluated once and repeated.

mod duration;
mod lower;
mod share;
mod sight;

pub(crate) use lower::{Context, is_time_dependent, lower};
pub(crate) use share::uses;
pub(crate) use sight::{Sight, reach};

use tsdb::model::{Matcher, Timestamp};

use crate::ast::{
    AggregateOp, BinaryOp, Expr, Grouping, RangeExtension, Span, ValueType, VectorMatching,
};
use crate::functions::Function;

/// A node of a plan.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// Where it stands in the query, for annotations.
    pub(crate) span: Span,
    pub(crate) value_type: ValueType,
    /// Nodes that mean the same and are evaluated at the same steps have the same number.
    pub(crate) id: usize,
}

impl Node {
    /// What `expr` became; not numbered yet.
    fn new(kind: NodeKind, expr: &Expr) -> Self {
        Self { kind, span: expr.span, value_type: expr.value_type(), id: 0 }
    }

    /// The nodes below it, as they are evaluated.
    pub(crate) fn inputs(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Select(_) => Vec::new(),
            NodeKind::Range(range) => match &range.source {
                RangeSource::Select(_) => Vec::new(),
                RangeSource::Subquery(subquery) => vec![&subquery.node],
            },
            NodeKind::Aggregate(own) => own.param.iter().chain([&own.input]).collect(),
            NodeKind::Binary(binary) => vec![&binary.left, &binary.right],
            NodeKind::Negate(inner) | NodeKind::Plus(inner) | NodeKind::Invariant(inner) => {
                vec![inner]
            }
            NodeKind::Call(call) => call.args.iter().collect(),
        }
    }
}

/// The kinds of nodes.
#[derive(Debug)]
pub(crate) enum NodeKind {
    Number(f64),
    Text(String),
    /// An instant vector of the store's series.
    Select(Select),
    /// A range vector; stands at the root or as an argument only.
    Range(Range),
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Negate(Box<Node>),
    /// `+` before a selector: the same values, but no longer those of samples.
    Plus(Box<Node>),
    Call(Call),
    /// The same at each step.
    Invariant(Box<Node>),
}

/// Which series, and when.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
    pub(crate) extension: Option<RangeExtension>,
    /// Of native histograms, nobody looks at more than count, sum and resets.
    pub(crate) counts_only: bool,
}

/// Moves a step's time to the time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shift {
    /// Instead of the step's time.
    pub(crate) at: Option<Timestamp>,
    /// Milliseconds to go back; negative: ahead.
    pub(crate) offset_ms: i64,
}

impl Shift {
    /// The time to look at for a step at `time`.
    pub(crate) fn apply(&self, time: Timestamp) -> Timestamp {
        let base = self.at.unwrap_or(time);
        Timestamp::from_ms(base.ms().saturating_sub(self.offset_ms))
    }
}

/// Many values of each series.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) source: RangeSource,
    pub(crate) range_ms: i64,
}

/// Where a range vector's values come from.
#[derive(Debug)]
pub(crate) enum RangeSource {
    /// The store.
    Select(Select),
    /// Another expression, evaluated at steps of its own.
    Subquery(Box<Subquery>),
}

impl Range {
    pub(crate) fn shift(&self) -> Shift {
        match &self.source {
            RangeSource::Select(select) => select.shift,
            RangeSource::Subquery(subquery) => subquery.shift,
        }
    }
}

/// An expression with steps of its own.
#[derive(Debug)]
pub(crate) struct Subquery {
    pub(crate) node: Node,
    /// Distance of the steps, which are multiples of it; at least 1.
    pub(crate) step_ms: i64,
    pub(crate) shift: Shift,
}

/// An aggregation.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) op: AggregateOp,
    pub(crate) input: Node,
    pub(crate) param: Option<Node>,
    pub(crate) grouping: Grouping,
}

/// A binary operation.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) op: BinaryOp,
    pub(crate) left: Node,
    pub(crate) right: Node,
    pub(crate) returns_bool: bool,
    pub(crate) matching: Option<VectorMatching>,
}

/// A function call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) args: Vec<Node>,
}

impl Call {
    /// The text that argument `index` is; the parser has checked that it is one.
    pub(crate) fn text(&self, index: usize) -> &str {
        match self.args.get(index).map(|node| &node.kind) {
            Some(NodeKind::Text(text)) => text,
            _ => "",
        }
    }
}
