//! The engine: a query, a store and times → an answer.
//!
//! [`lower`] makes the plan, an [`Evaluator`] its values; here they get the shape that was asked
//! for. The engine has no state: it is its options; what a [`QueryCache`] keeps is its owner's.

use tsdb::Select;
use tsdb::model::Timestamp;

use crate::ast::{Expr, ValueType};
use crate::budget::Budget;
use crate::cache::{self, QueryCache};
use crate::error::EvalError;
use crate::eval::{Evaluator, RawSeries, StepVector, drop_delayed_names, point, sharing};
use crate::notes::Notes;
use crate::plan::{Context, Node, NodeKind, lower};
use crate::profile::Phase;
use crate::range::RangeQuery;
use crate::value::{Answer, InstantSample, RangeSeries, Steps, Value};

/// What holds for all queries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EngineOptions {
    /// How long a sample counts in an instant selector, in milliseconds.
    pub lookback_ms: i64,
    /// Step of a subquery that names none, in milliseconds (the global evaluation interval).
    pub subquery_step_ms: i64,
    /// Samples that one query may hold in memory at a time.
    pub samples_max: usize,
    /// Threads that one query may use at a time, at least 1. The answer does not depend on it.
    pub threads: usize,
    /// Parts of a query that are equal are evaluated once. The answer does not depend on it.
    pub share_equal: bool,
    /// `promql-delayed-name-removal`: metric names are dropped at the end of a query only.
    pub delayed_name_removal: bool,
    /// `use-start-timestamps`: `rate` and its like use the start timestamps of counters.
    pub use_start_timestamps: bool,
}

impl Default for EngineOptions {
    /// Prometheus's defaults; one thread.
    fn default() -> Self {
        Self {
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
            samples_max: 50_000_000,
            threads: 1,
            share_equal: true,
            delayed_name_removal: false,
            use_start_timestamps: false,
        }
    }
}

/// A parsed query and its text, which the positions of annotations point into.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// As it was written.
    pub text: &'a str,
    /// What was parsed from it.
    pub expr: &'a Expr,
}

/// Evaluates queries.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// What holds for all of them.
    pub options: EngineOptions,
}

impl Engine {
    /// An engine with these options.
    pub fn new(options: EngineOptions) -> Self {
        Self { options }
    }

    /// A budget that is never stopped, with the samples of the options.
    pub fn budget(&self) -> Budget<'static> {
        Budget::samples(self.options.samples_max)
    }

    /// The value at one time. A range vector gives a [`Value::Matrix`] of its samples.
    pub fn instant(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        time: Timestamp,
        budget: &Budget<'_>,
    ) -> Result<Answer, EvalError> {
        let steps = Steps::instant(time);
        let context = Context::of_instant(&self.options, time);
        let mut notes = Notes::default();
        let plan = || lower(query.expr, &context, &mut notes);
        let node = budget.timed(Phase::Preparation, plan)?;
        let new = || Evaluator::new(&self.options, store, budget, notes.clone());
        sharing(&node, new, |evaluator| {
            let value = || self.value(&node, &steps, evaluator);
            let value = budget.timed(Phase::Evaluation, value)?;
            Ok(answer(value, query, evaluator))
        })
    }

    /// The value at the one step.
    fn value(
        &self,
        node: &Node,
        steps: &Steps,
        evaluator: &mut Evaluator<'_>,
    ) -> Result<Value, EvalError> {
        let time = steps.start;
        Ok(match (&node.kind, node.value_type) {
            (NodeKind::Text(text), _) => Value::Text(text.clone(), time),
            (NodeKind::Range(range), _) => {
                let series = evaluator.matrix(range, steps)?;
                Value::Matrix(raw_matrix(series)?)
            }
            (_, ValueType::Scalar) => {
                let values = evaluator.scalar(node, steps)?;
                Value::Scalar(values.first().copied().unwrap_or(f64::NAN), time)
            }
            _ => Value::Vector(samples(self.finish(evaluator.vector(node, steps)?)?, time)),
        })
    }

    /// The values at each step, in label order.
    pub fn range(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        steps: Steps,
        budget: &Budget<'_>,
    ) -> Result<Answer, EvalError> {
        let asked = RangeQuery::new(self, query, store, steps, budget)?;
        Ok(asked.evaluate(&steps, 0)?.into_answer(query))
    }

    /// The samples that each step looks at if it is evaluated alone, as Prometheus counts them. That
    /// is done here, so it takes longer than the query.
    pub fn samples_per_step(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        steps: Steps,
        budget: &Budget<'_>,
    ) -> Result<Vec<u64>, EvalError> {
        let budget = Budget { profile: None, ..*budget };
        let asked = RangeQuery::new(self, query, store, steps, &budget)?;
        let samples = |time| asked.evaluate(&Steps::instant(time), 0).map(|part| part.samples);
        steps.times().map(samples).collect()
    }

    /// As [`Engine::range`], the same bits, but steps that `cache` has and that nothing changed
    /// since are not computed again. [`Answer::samples`] are those that were looked at now.
    ///
    /// `cache` belongs to this store, and to one set of [`Features`](crate::Features).
    pub fn range_cached(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        steps: Steps,
        budget: &Budget<'_>,
        cache: &QueryCache,
    ) -> Result<Answer, EvalError> {
        let asked = RangeQuery::new(self, query, store, steps, budget)?;
        Ok(cache::evaluate(&asked, cache)?.into_answer(query))
    }

    fn finish(&self, vector: StepVector) -> Result<StepVector, EvalError> {
        if self.options.delayed_name_removal { drop_delayed_names(vector) } else { Ok(vector) }
    }
}

fn answer(value: Value, query: Query<'_>, evaluator: &Evaluator<'_>) -> Answer {
    let (warnings, infos) = evaluator.notes.render(query.text);
    Answer { value, warnings, infos, samples: evaluator.meter.looked_at }
}

fn samples(vector: StepVector, time: Timestamp) -> Vec<InstantSample> {
    let samples = vector.into_iter().filter_map(|series| {
        let point = point(time.ms(), series.column.get(0)?);
        Some(InstantSample { labels: series.labels, point })
    });
    samples.collect()
}

/// Samples of a range vector in label order; names that were kept until the end are dropped.
fn raw_matrix(series: Vec<RawSeries>) -> Result<Vec<RangeSeries>, EvalError> {
    let mut matrix: Vec<_> = series.into_iter().map(RawSeries::finish).collect();
    matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
    if matrix.windows(2).any(|pair| pair[0].labels == pair[1].labels) {
        return Err(EvalError::same_labelset());
    }
    Ok(matrix)
}
