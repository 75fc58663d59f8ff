//! Evaluation: a plan and a grid of steps → values.
//!
//! Each operator computes all steps at once, column by column:
//! 1. selectors turn samples into columns ([`select`], [`runs`], [`window`]);
//! 2. range functions turn windows into columns ([`range`]), over samples or a [`subquery`];
//! 3. functions ([`instant`]), operators ([`binary`]) and aggregations ([`aggregate`]) turn columns
//!    into columns.
//!
//! Native histograms are values like floats; what sums them up is [`gather`].
//!
//! Addends of an output are added in label order, so that a result does not depend on the store.

mod aggregate;
mod binary;
mod column;
mod gather;
mod instant;
mod interpolate;
mod number;
mod numbering;
mod observe;
mod parallel;
mod quantile;
mod range;
mod runs;
mod select;
mod series;
mod shared;
mod subquery;
mod window;

pub(crate) use column::Cell;
pub(crate) use number::almost_equal;
pub(crate) use series::{StepVector, drop_delayed_names};
pub(crate) use shared::sharing;
pub(crate) use subquery::{RawSeries, own_steps, point};

use std::time::Duration;

use tsdb::Select;
use tsdb::model::Labels;

use crate::ast::ValueType;
use crate::budget::{Budget, Meter};
use crate::engine::EngineOptions;
use crate::error::EvalError;
use crate::notes::Notes;
use crate::plan::{Node, NodeKind, Range};
use crate::value::Steps;
use select::SamplePart;
use series::{StepSeries, merge_same_labels, weight, without_metadata};
use shared::Shared;

/// What all operators of an evaluation share.
pub(crate) struct Evaluator<'a> {
    options: &'a EngineOptions,
    store: &'a dyn Select,
    pub(crate) meter: Meter<'a>,
    pub(crate) notes: Notes,
    shared: Shared,
    /// What the operators took whose values the present one takes, if that is measured.
    inner_time: Duration,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        options: &'a EngineOptions,
        store: &'a dyn Select,
        budget: &'a Budget<'a>,
        notes: Notes,
    ) -> Self {
        let (meter, shared) = (Meter::new(budget), Shared::default());
        Self { options, store, meter, notes, shared, inner_time: Duration::ZERO }
    }

    /// One for a part of the work, on another thread.
    fn fork(&self) -> Self {
        let Self { options, store, .. } = *self;
        let (meter, notes, shared) = (self.meter.fork(), Notes::default(), Shared::default());
        Self { options, store, meter, notes, shared, inner_time: Duration::ZERO }
    }

    /// Takes over what a fork has counted and noted.
    fn absorb(&mut self, fork: Self) {
        self.meter.looked_at += fork.meter.looked_at;
        self.notes.absorb(fork.notes);
    }

    /// The value of a node that is an instant vector.
    pub(crate) fn vector(&mut self, node: &Node, steps: &Steps) -> Result<StepVector, EvalError> {
        match self.meter.budget().profile {
            None => self.shared(node, steps),
            Some(profile) => self.observed(profile, node, steps),
        }
    }

    fn computed(&mut self, node: &Node, steps: &Steps) -> Result<StepVector, EvalError> {
        self.meter.check()?;
        let held = self.meter.held() - self.shared.weight();
        let vector = match &node.kind {
            NodeKind::Select(select) => {
                select::vector(self, select, SamplePart::Value, node.span, steps)
            }
            NodeKind::Aggregate(aggregate) => aggregate::evaluate(self, aggregate, node, steps),
            NodeKind::Binary(binary) => binary::evaluate(self, binary, node.span, steps),
            NodeKind::Negate(inner) => self.negate(inner, steps),
            NodeKind::Plus(inner) => self.vector(inner, steps),
            NodeKind::Call(call) => instant::call(self, call, steps),
            NodeKind::Invariant(inner) => self.repeat(inner, steps),
            NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Range(_) => {
                unreachable!("BUG: not a vector: {node:?}")
            }
        }?;
        self.meter.release_to(held + self.shared.weight());
        self.meter.hold(weight(&vector))?;
        Ok(vector)
    }

    /// The value of a node that is a scalar: a number for each step. It is held until the vector
    /// or scalar that it is a part of is there.
    pub(crate) fn scalar(&mut self, node: &Node, steps: &Steps) -> Result<Vec<f64>, EvalError> {
        self.meter.check()?;
        let held = self.meter.held();
        let values = self.unheld_scalar(node, steps)?;
        self.meter.release_to(held);
        self.meter.hold(values.len())?;
        Ok(values)
    }

    fn unheld_scalar(&mut self, node: &Node, steps: &Steps) -> Result<Vec<f64>, EvalError> {
        match &node.kind {
            NodeKind::Number(number) => Ok(vec![*number; steps.count()]),
            NodeKind::Binary(binary) => {
                let left = self.scalar(&binary.left, steps)?;
                let right = self.scalar(&binary.right, steps)?;
                let pairs = left.into_iter().zip(right);
                Ok(pairs.map(|(left, right)| number::scalar(binary.op, left, right)).collect())
            }
            NodeKind::Negate(inner) => {
                Ok(self.scalar(inner, steps)?.into_iter().map(|value| -value).collect())
            }
            NodeKind::Call(call) => instant::scalar_call(self, call, steps),
            NodeKind::Invariant(inner) => {
                let once = self.scalar(inner, &Steps::instant(steps.start))?;
                Ok(once.repeat(steps.count()))
            }
            _ => unreachable!("BUG: not a scalar: {node:?}"),
        }
    }

    /// The raw values of a range vector in the window of the one step at `steps.start`.
    pub(crate) fn matrix(
        &mut self,
        range: &Range,
        steps: &Steps,
    ) -> Result<Vec<RawSeries>, EvalError> {
        subquery::raw(self, range, steps)
    }

    fn negate(&mut self, inner: &Node, steps: &Steps) -> Result<StepVector, EvalError> {
        let vector = self.vector(inner, steps)?;
        let negative = |column: column::Column| {
            column.map_all(|value| -value, |histogram| histogram.mul(-1.0))
        };
        let negated = vector.into_iter().map(|series| self.derived(series, negative));
        merge_same_labels(negated.collect())
    }

    fn repeat(&mut self, inner: &Node, steps: &Steps) -> Result<StepVector, EvalError> {
        let mut vector = self.vector(inner, &Steps::instant(steps.start))?;
        for series in &mut vector {
            series.column = series.column.repeat(steps.count());
        }
        Ok(vector)
    }

    /// A series whose values are no longer those of its metric.
    fn derived(
        &self,
        series: StepSeries,
        change: impl FnOnce(column::Column) -> column::Column,
    ) -> StepSeries {
        let labels = self.derived_labels(&series.labels);
        StepSeries { labels, drop_name: true, column: change(series.column) }
    }

    /// Labels of values that are no longer those of their metric: without its name, unless names
    /// are dropped at the end.
    fn derived_labels(&self, labels: &Labels) -> Labels {
        if self.options.delayed_name_removal { labels.clone() } else { without_metadata(labels) }
    }
}

/// Whether a node's values are numbers for each step rather than series.
fn is_scalar(node: &Node) -> bool {
    node.value_type == ValueType::Scalar
}
