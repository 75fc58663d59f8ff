//! Expression → plan.
//!
//! One walk. Each node comes back with two facts: whether its value is the same at each step, and
//! whether it is worth to say so by wrapping it (a number or a range selector is not: it is cheap,
//! or its function takes care of it). A node that is not invariant wraps those of its children
//! that are; so the highest invariant nodes are wrapped, and no others.

use std::cell::Cell;

use tsdb::model::Timestamp;

use super::duration::{length_ms, offset_ms};
use super::{
    Aggregate, Binary, Call, Node, NodeKind, Range, RangeSource, Select, Shift, Subquery, share,
};
use crate::ast::{self, At, BinaryOp, Expr, ExprKind, UnaryOp};
use crate::engine::EngineOptions;
use crate::error::EvalError;
use crate::notes::Notes;
use crate::value::Steps;

/// Functions whose value depends on the step's time although their arguments do not, or on the
/// time of their argument's samples (Prometheus: `AtModifierUnsafeFunctions`).
const TIME_DEPENDENT: [&str; 15] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
    "year",
];

/// Whether a call of function `name` depends on when it is evaluated.
pub(crate) fn is_time_dependent(name: &str) -> bool {
    TIME_DEPENDENT.contains(&name)
}

/// What a plan is resolved against: the whole query's times.
pub(crate) struct Context<'a> {
    pub(crate) options: &'a EngineOptions,
    start: Timestamp,
    end: Timestamp,
    /// 0 for an instant query.
    pub(super) step_ms: i64,
    is_range_query: bool,
    /// Whether somebody asked when the query starts or ends.
    is_bounded: Cell<bool>,
}

impl<'a> Context<'a> {
    /// Of an instant query.
    pub(crate) fn of_instant(options: &'a EngineOptions, time: Timestamp) -> Self {
        let steps = Steps { start: time, end: time, step_ms: 0 };
        Self { is_range_query: false, ..Self::of_range(options, &steps) }
    }

    /// Of a range query.
    pub(crate) fn of_range(options: &'a EngineOptions, steps: &Steps) -> Self {
        let Steps { start, end, step_ms } = *steps;
        let is_bounded = Cell::new(false);
        Self { options, start, end, step_ms, is_range_query: true, is_bounded }
    }

    /// Whether the plan depends on when the query starts or ends.
    pub(crate) fn is_bounded(&self) -> bool {
        self.is_bounded.get()
    }

    fn start(&self) -> Timestamp {
        self.is_bounded.set(true);
        self.start
    }

    fn end(&self) -> Timestamp {
        self.is_bounded.set(true);
        self.end
    }

    pub(super) fn range_seconds(&self) -> f64 {
        self.end().ms_since(self.start()) as f64 / 1000.0
    }
}

/// Makes the plan of `expr`. What can be said without looking at data is noted.
pub(crate) fn lower(
    expr: &Expr,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Result<Node, EvalError> {
    let mut lowering = Lowering { context, notes, around: Around::default() };
    let mut node = lowering.lower(expr)?.finish();
    share::number(&mut node);
    Ok(node)
}

/// A node and what its parent needs to know.
struct Lowered {
    node: Node,
    invariant: bool,
    wrap: bool,
}

impl Lowered {
    /// For a parent that is not invariant, or none.
    fn finish(self) -> Node {
        let Node { span, value_type, id, .. } = self.node;
        match self.wrap {
            true => Node { kind: NodeKind::Invariant(Box::new(self.node)), span, value_type, id },
            false => self.node,
        }
    }
}

/// What is done with native histograms around a node.
#[derive(Clone, Copy, Default)]
struct Around {
    /// Somebody asks for their counts or sums.
    counts: bool,
    /// Somebody looks at their buckets; a subquery does, to find resets.
    buckets: bool,
}

impl Around {
    /// Within a call of function `name`.
    fn within(self, name: &str) -> Self {
        match name {
            "histogram_count" | "histogram_sum" | "histogram_avg" => Self { counts: true, ..self },
            "histogram_quantile" | "histogram_quantiles" | "histogram_fraction" => {
                self.with_buckets()
            }
            _ => self,
        }
    }

    fn with_buckets(self) -> Self {
        Self { buckets: true, ..self }
    }
}

struct Lowering<'a> {
    context: &'a Context<'a>,
    notes: &'a mut Notes,
    around: Around,
}

impl Lowering<'_> {
    /// Lowers what stands within `around`.
    fn lower_within(&mut self, around: Around, expr: &Expr) -> Result<Lowered, EvalError> {
        let outside = std::mem::replace(&mut self.around, around);
        let lowered = self.lower(expr);
        self.around = outside;
        lowered
    }

    fn lower(&mut self, expr: &Expr) -> Result<Lowered, EvalError> {
        let (kind, invariant, wrap) = match &expr.kind {
            ExprKind::Paren(inner) => return self.lower(inner),
            ExprKind::Number(number) => (NodeKind::Number(number.value), true, false),
            ExprKind::Text(text) => (NodeKind::Text(text.clone()), true, false),
            ExprKind::Vector(selector) => {
                let select = self.select(selector)?;
                let fixed = select.shift.at.is_some();
                (NodeKind::Select(select), fixed, fixed)
            }
            ExprKind::Matrix(matrix) => {
                let select = self.select(&matrix.selector)?;
                let fixed = select.shift.at.is_some();
                let range_ms = length_ms(&matrix.range, self.context)?;
                let source = RangeSource::Select(select);
                (NodeKind::Range(Range { source, range_ms }), fixed, false)
            }
            ExprKind::Subquery(subquery) => {
                let shift = self.shift(&subquery.modifiers)?;
                (self.subquery(subquery, shift)?, shift.at.is_some(), false)
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                let Lowered { node, invariant, wrap } = self.lower(inner)?;
                (NodeKind::Negate(Box::new(node)), invariant, wrap)
            }
            ExprKind::Unary(UnaryOp::Plus, inner) => {
                let lowered = self.lower(inner)?;
                let NodeKind::Select(_) = lowered.node.kind else { return Ok(lowered) };
                let Lowered { node, invariant, wrap } = lowered;
                (NodeKind::Plus(Box::new(node)), invariant, wrap)
            }
            ExprKind::Aggregate(aggregate) => return self.aggregate(aggregate, expr),
            ExprKind::Binary(binary) => return self.binary(binary, expr),
            ExprKind::Call(call) => return self.call(call, expr),
        };
        let node = Node::new(kind, expr);
        Ok(Lowered { node, invariant, wrap })
    }

    fn shift(&self, modifiers: &ast::Modifiers) -> Result<Shift, EvalError> {
        let at = modifiers.at.map(|at| match at {
            At::Time(time) => time,
            At::Start => self.context.start(),
            At::End => self.context.end(),
        });
        let offset = modifiers.offset.as_ref();
        let offset_ms = offset.map_or(Ok(0), |offset| offset_ms(offset, self.context))?;
        Ok(Shift { at, offset_ms })
    }

    fn select(&self, selector: &ast::VectorSelector) -> Result<Select, EvalError> {
        Ok(Select {
            matchers: selector.matchers.clone(),
            shift: self.shift(&selector.modifiers)?,
            extension: selector.extension,
            counts_only: self.around.counts && !self.around.buckets,
        })
    }

    fn subquery(&mut self, subquery: &ast::Subquery, shift: Shift) -> Result<NodeKind, EvalError> {
        let step_ms = match &subquery.step {
            Some(step) => length_ms(step, self.context)?,
            None => self.context.options.subquery_step_ms.max(1),
        };
        let inner = self.lower_within(self.around.with_buckets(), &subquery.expr)?;
        // Also what is not worth it elsewhere: a subquery has many steps.
        let node = Lowered { wrap: inner.invariant, ..inner }.finish();
        let range_ms = length_ms(&subquery.range, self.context)?;
        let source = RangeSource::Subquery(Box::new(Subquery { node, step_ms, shift }));
        Ok(NodeKind::Range(Range { source, range_ms }))
    }

    fn aggregate(&mut self, from: &ast::Aggregate, expr: &Expr) -> Result<Lowered, EvalError> {
        let input = self.lower(&from.expr)?;
        let param = from.param.as_ref().map(|param| self.lower(param)).transpose()?;
        let invariant = input.invariant && param.as_ref().is_none_or(|param| param.invariant);
        let (input, param) = match invariant {
            true => (input.node, param.map(|param| param.node)),
            false => (input.finish(), param.map(Lowered::finish)),
        };
        let grouping = from.grouping.clone();
        let kind = NodeKind::Aggregate(Box::new(Aggregate { op: from.op, input, param, grouping }));
        let node = Node::new(kind, expr);
        Ok(Lowered { node, invariant, wrap: invariant })
    }

    fn binary(&mut self, from: &ast::Binary, expr: &Expr) -> Result<Lowered, EvalError> {
        let around = match from.op {
            BinaryOp::TrimUpper | BinaryOp::TrimLower => self.around.with_buckets(),
            _ => self.around,
        };
        let left = self.lower_within(around, &from.left)?;
        let right = self.lower_within(around, &from.right)?;
        let invariant = left.invariant && right.invariant;
        let (left, right) = match invariant {
            true => (left.node, right.node),
            false => (left.finish(), right.finish()),
        };
        let (returns_bool, matching) = (from.returns_bool, from.matching.clone());
        let binary = Binary { op: from.op, left, right, returns_bool, matching };
        let kind = NodeKind::Binary(Box::new(binary));
        let node = Node::new(kind, expr);
        Ok(Lowered { node, invariant, wrap: invariant })
    }

    fn call(&mut self, from: &ast::Call, expr: &Expr) -> Result<Lowered, EvalError> {
        let function = from.function;
        if let Some(number) = self.query_number(function.name) {
            let kind = NodeKind::Number(number);
            let node = Node::new(kind, expr);
            return Ok(Lowered { node, invariant: true, wrap: false });
        }
        if self.context.is_range_query && function.name.starts_with("sort") {
            self.notes.sort_in_range_query(expr.span);
        }
        let around = self.around.within(function.name);
        let args = from.args.iter().map(|arg| self.lower_within(around, arg));
        let args: Vec<_> = args.collect::<Result<_, _>>()?;
        let invariant = !is_time_dependent(function.name) && args.iter().all(|arg| arg.invariant);
        // These look at the samples of a selector, not at its values.
        let sees_samples = matches!(function.name, "timestamp" | "start_timestamp");
        let args = args.into_iter().map(|arg| match &arg.node.kind {
            _ if invariant => arg.node,
            NodeKind::Select(_) if sees_samples => arg.node,
            _ => arg.finish(),
        });
        let kind = NodeKind::Call(Call { function, args: args.collect() });
        let node = Node::new(kind, expr);
        Ok(Lowered { node, invariant, wrap: invariant })
    }

    /// Functions without arguments that say something about the query itself, in seconds.
    fn query_number(&self, name: &str) -> Option<f64> {
        match name {
            "start" => Some(self.context.start().seconds()),
            "end" => Some(self.context.end().seconds()),
            "range" => Some(self.context.range_seconds()),
            "step" => Some(self.context.step_ms as f64 / 1000.0),
            _ => None,
        }
    }
}
