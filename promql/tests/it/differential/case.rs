//! One case: series, a query and its steps, and what the engine and the reference say to it.

use std::sync::Arc;

use promql::ast::Expr;
use promql::promqltest::LoadedSeries;
use promql::value::{Steps, Value as Answered};
use promql::{Engine, EngineOptions, Features, Query, parse};
use tsdb::Select;
use tsdb::model::histogram::Span;
use tsdb::model::{Histogram, STALE_NAN, Sample, Timestamp, Value as Stored};

use super::compare::{differing, is_rounded, of_engine, of_reference, order_problem};
use super::data;
use super::grammar;
use crate::random::Random;
use crate::reference::{self, Series, Value};

/// A query over data.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) series: Vec<Series>,
    pub(super) text: String,
    pub(super) steps: Steps,
    /// Asked for one time, not as a range of one step.
    pub(super) is_instant: bool,
    pub(super) lookback_ms: i64,
}

const SUBQUERY_STEP_MS: i64 = 10_000;

impl Case {
    pub(super) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let base = data::BASES[random.weighted(&[3, 1])];
        let (series, steps) = (data::series(&mut random, base), data::steps(&mut random, base));
        let text = grammar::expression(&mut random, base);
        let is_instant = random.once_in(4);
        let steps = if is_instant { Steps::instant(steps.start) } else { steps };
        let lookback_ms = random.of(&[300_000, 300_000, 20_000, 60_000]);
        Self { series, text, steps, is_instant, lookback_ms }
    }

    pub(super) fn expr(&self) -> Expr {
        parse(&self.text, &Features::ALL).unwrap_or_else(|error| panic!("{}: {error}", self.text))
    }

    pub(super) fn loaded(&self) -> Vec<LoadedSeries> {
        let loaded = self.series.iter().filter(|own| !own.samples.is_empty()).map(|own| {
            let sample = |(time, value): &(i64, Option<Value>)| {
                let timestamp = Timestamp::from_ms(*time);
                let value = value.as_ref().map_or(Stored::Float(STALE_NAN), stored);
                Sample { timestamp, value, start: None }
            };
            LoadedSeries {
                labels: own.labels.clone(),
                samples: own.samples.iter().map(sample).collect(),
            }
        });
        loaded.collect()
    }

    /// How the engine's answer differs from the reference's.
    pub(super) fn difference(&self, store: &dyn Select) -> Option<String> {
        let expr = self.expr();
        let expected = reference::evaluate(
            &expr,
            &self.series,
            self.steps,
            self.lookback_ms,
            SUBQUERY_STEP_MS,
        );
        match (self.ask(&expr, store), expected) {
            (Err(_), Err(_)) => None,
            (Ok(_), Err(error)) => Some(format!("the engine answers, the reference: {}", error.0)),
            (Err(error), Ok(_)) => Some(format!("the reference answers, the engine: {error}")),
            (Ok(found), Ok(expected)) => {
                let is_exact = !is_rounded(&self.text);
                let order = self.is_instant.then(|| order_problem(&self.text, &found)).flatten();
                order.or_else(|| {
                    let (found, expected) = (of_engine(found), of_reference(expected, self.steps));
                    differing(&found, &expected, is_exact)
                })
            }
        }
    }

    fn ask(&self, expr: &Expr, store: &dyn Select) -> Result<Answered, promql::EvalError> {
        let engine = Engine::new(EngineOptions {
            lookback_ms: self.lookback_ms,
            subquery_step_ms: SUBQUERY_STEP_MS,
            ..EngineOptions::default()
        });
        let (query, budget) = (Query { text: &self.text, expr }, engine.budget());
        let answer = match self.is_instant {
            true => engine.instant(query, store, self.steps.start, &budget),
            false => engine.range(query, store, self.steps, &budget),
        };
        answer.map(|answer| answer.value)
    }
}

fn stored(value: &Value) -> Stored {
    match value {
        Value::Float(value) => Stored::Float(*value),
        Value::Histogram(own) => {
            let mut spans: Vec<Span> = Vec::new();
            let mut next = 0;
            for index in own.buckets.keys() {
                match spans.last_mut() {
                    Some(last) if *index == next => last.length += 1,
                    _ => spans.push(Span { offset: index - next, length: 1 }),
                }
                next = index + 1;
            }
            Stored::Histogram(Arc::new(Histogram {
                schema: own.schema,
                zero_threshold: 1e-9,
                zero_count: own.zero,
                count: own.count,
                sum: own.sum,
                positive_spans: spans,
                positive_buckets: own.buckets.values().copied().collect(),
                ..Histogram::default()
            }))
        }
    }
}
