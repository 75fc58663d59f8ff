//! A range query: its plan, evaluated at any part of its steps.

use tsdb::Select;
use tsdb::model::Labels;

use crate::ast::ValueType;
use crate::budget::Budget;
use crate::engine::{Engine, Query};
use crate::error::EvalError;
use crate::eval::{Cell, Evaluator, StepVector, drop_delayed_names, point, sharing};
use crate::notes::Notes;
use crate::plan::{Context, Node, lower};
use crate::profile::Phase;
use crate::value::{Answer, Point, PointValue, RangeSeries, Steps, Value};

/// A query that was planned for a grid of steps.
pub(crate) struct RangeQuery<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) query: Query<'a>,
    pub(crate) store: &'a dyn Select,
    /// All steps.
    pub(crate) steps: Steps,
    budget: &'a Budget<'a>,
    pub(crate) node: Node,
    /// Whether the plan is of these very steps: it says when the query starts or ends.
    pub(crate) is_bounded: bool,
    /// What was noted without looking at data.
    pub(crate) notes: Notes,
}

/// The values at some steps.
pub(crate) struct Part {
    /// In label order.
    pub(crate) matrix: Vec<RangeSeries>,
    /// What was noted on the way, and before.
    pub(crate) notes: Notes,
    /// Samples that were looked at.
    pub(crate) samples: u64,
}

impl<'a> RangeQuery<'a> {
    /// Plans `query`.
    pub(crate) fn new(
        engine: &'a Engine,
        query: Query<'a>,
        store: &'a dyn Select,
        steps: Steps,
        budget: &'a Budget<'a>,
    ) -> Result<Self, EvalError> {
        let value_type = query.expr.value_type();
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            let name = value_type.documented();
            return Err(EvalError::Invalid(format!(
                "invalid expression type \"{name}\" for range query, must be Scalar or instant \
                 Vector"
            )));
        }
        let context = Context::of_range(&engine.options, &steps);
        let mut notes = Notes::default();
        let plan = || lower(query.expr, &context, &mut notes);
        let node = budget.timed(Phase::Preparation, plan)?;
        let is_bounded = context.is_bounded();
        Ok(Self { engine, query, store, steps, budget, node, is_bounded, notes })
    }

    /// Whether so many samples may be held.
    pub(crate) fn may_hold(&self, samples: usize) -> bool {
        samples <= self.budget.samples_max
    }

    /// The values at `steps`, which are some of the query's, while `held` samples are held beside
    /// them.
    pub(crate) fn evaluate(&self, steps: &Steps, held: usize) -> Result<Part, EvalError> {
        let options = &self.engine.options;
        let new = || Evaluator::new(options, self.store, self.budget, self.notes.clone());
        sharing(&self.node, new, |evaluator| self.evaluate_with(evaluator, steps, held))
    }

    fn evaluate_with(
        &self,
        evaluator: &mut Evaluator<'_>,
        steps: &Steps,
        held: usize,
    ) -> Result<Part, EvalError> {
        evaluator.meter.check_steps(self.steps.count())?;
        evaluator.meter.hold(held)?;
        let matrix = if steps.count() == 0 {
            Vec::new()
        } else if self.node.value_type == ValueType::Scalar {
            let scalar = || evaluator.scalar(&self.node, steps);
            scalar_matrix(self.budget.timed(Phase::Evaluation, scalar)?, steps)
        } else {
            let vector = || evaluator.vector(&self.node, steps);
            let vector = self.budget.timed(Phase::Evaluation, vector)?;
            let delayed = self.engine.options.delayed_name_removal;
            let vector = if delayed { drop_delayed_names(vector)? } else { vector };
            self.budget.timed(Phase::Sorting, || matrix(vector, steps))
        };
        Ok(Part {
            matrix,
            notes: std::mem::take(&mut evaluator.notes),
            samples: evaluator.meter.looked_at,
        })
    }
}

impl Part {
    /// As the whole answer.
    pub(crate) fn into_answer(self, query: Query<'_>) -> Answer {
        let (warnings, infos) = self.notes.render(query.text);
        Answer { value: Value::Matrix(self.matrix), warnings, infos, samples: self.samples }
    }
}

fn matrix(vector: StepVector, steps: &Steps) -> Vec<RangeSeries> {
    let series = vector.into_iter().map(|series| {
        let cells = series.column.cells();
        let points =
            cells.map(|(step, cell): (usize, Cell<'_>)| point(steps.time(step).ms(), cell));
        RangeSeries { points: points.collect(), labels: series.labels }
    });
    let mut series: Vec<_> = series.filter(|series| !series.points.is_empty()).collect();
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}

fn scalar_matrix(values: Vec<f64>, steps: &Steps) -> Vec<RangeSeries> {
    let points = steps.times().zip(values);
    let points =
        points.map(|(timestamp, value)| Point { timestamp, value: PointValue::Float(value) });
    vec![RangeSeries { labels: Labels::empty(), points: points.collect() }]
}
