//! The one port through which everybody above the engine asks: HTTP, later rules and the doctor.
//!
//! [`LocalQueries`] answers from this process's store. Texts are parsed here, so that all askers
//! get the same errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use promql::ast::Expr;
use promql::explain::Explanation;
use promql::parse::{Features, ParseError};
use promql::value::{Answer, Steps};
use promql::{
    Budget, CacheStats, Engine, EngineOptions, EvalError, MemoryPool, OperatorProfile, Phases,
    Profile, Query, QueryCache, Stop,
};
use thiserror::Error;
use tsdb::Select;
use tsdb::model::{Labels, Matcher, TimeRange, Timestamp};

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The text is no PromQL.
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// It failed on the way.
    #[error("{0}")]
    Eval(#[from] EvalError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] tsdb::Error),
}

/// What one query may do and take.
#[derive(Clone, Copy, Debug)]
pub struct QueryOptions {
    /// How long it may take.
    pub timeout: Duration,
    /// How far back an instant selector looks, in ms; `None`: the server's setting.
    pub lookback_ms: Option<i64>,
    /// Compute everything, whatever is kept of earlier queries.
    pub is_fresh: bool,
    /// How much is told about what it took.
    pub stats: StatsLevel,
}

/// How much is told about what a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsLevel {
    /// Nothing.
    #[default]
    Off,
    /// Of the whole query.
    Whole,
    /// Also of each operator and each step.
    All,
}

/// What a query took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryStats {
    /// The parts of answering it.
    pub phases: Phases,
    /// All of it.
    pub total: Duration,
    /// Samples that were looked at.
    pub samples: u64,
    /// The most that were held at a time.
    pub peak: usize,
    /// Samples of each step, if asked for.
    pub per_step: Vec<(Timestamp, u64)>,
    /// Each operator, if asked for.
    pub operators: Vec<OperatorProfile>,
}

/// An answer, and what it took if that was asked for.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// What it took.
    pub stats: Option<QueryStats>,
}

/// Asks a store.
pub trait Queries: Send + Sync {
    /// The value of `text` at one time.
    fn instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Reply, QueryError>;

    /// The values of `text` at each step.
    fn range(&self, text: &str, steps: Steps, options: QueryOptions) -> Result<Reply, QueryError>;

    /// What [`Queries::instant`] would do.
    fn explain_instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Explanation, QueryError>;

    /// What [`Queries::range`] would do.
    fn explain_range(
        &self,
        text: &str,
        steps: Steps,
        options: QueryOptions,
    ) -> Result<Explanation, QueryError>;

    /// The tree of `text`, without evaluating it.
    fn parse(&self, text: &str) -> Result<Expr, ParseError>;

    /// Bytes that running queries hold.
    fn held_bytes(&self) -> usize;

    /// Figures about what is kept of range queries.
    fn cache_stats(&self) -> CacheStats;

    /// As [`Select::label_names`].
    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, QueryError>;

    /// As [`Select::label_values`].
    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, QueryError>;

    /// As [`Select::series`].
    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, QueryError>;
}

/// Answers from a store in this process.
pub struct LocalQueries {
    /// But for the step of a subquery that names none.
    options: EngineOptions,
    subquery_step_ms: AtomicI64,
    features: Features,
    samples_max: usize,
    pool: MemoryPool,
    cache: QueryCache,
    store: Arc<dyn Select>,
}

/// What queries may take.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    /// Samples that one of them may hold at once.
    pub samples_max: usize,
    /// Bytes that all of them may hold.
    pub bytes_max: usize,
    /// Bytes that are kept of what range queries gave, about.
    pub cache_bytes: usize,
}

impl LocalQueries {
    /// Over `store`.
    pub fn new(
        options: EngineOptions,
        features: Features,
        limits: QueryLimits,
        store: Arc<dyn Select>,
    ) -> Self {
        Self {
            subquery_step_ms: AtomicI64::new(options.subquery_step_ms),
            options,
            features,
            samples_max: limits.samples_max,
            pool: MemoryPool::new(limits.bytes_max),
            cache: QueryCache::new(limits.cache_bytes),
            store,
        }
    }

    /// From now on a subquery that names no step has this one, in milliseconds.
    pub fn set_subquery_step(&self, ms: i64) {
        self.subquery_step_ms.store(ms, Ordering::Relaxed);
    }

    /// Parses and evaluates within the limits of `options`.
    fn ask<T>(
        &self,
        text: &str,
        options: QueryOptions,
        evaluate: impl FnOnce(&Engine, Query<'_>, &Budget<'_>) -> Result<T, EvalError>,
    ) -> Result<T, QueryError> {
        let expr = promql::parse(text, &self.features)?;
        let query = Query { text, expr: &expr };
        let began = Instant::now();
        let stop = || (began.elapsed() >= options.timeout).then_some(Stop::Timeout);
        let pool = Some(&self.pool);
        let budget = Budget { pool, stop: &stop, ..Budget::samples(self.samples_max) };
        let engine = Engine::new(EngineOptions {
            lookback_ms: options.lookback_ms.unwrap_or(self.options.lookback_ms),
            subquery_step_ms: self.subquery_step_ms.load(Ordering::Relaxed),
            ..self.options.clone()
        });
        Ok(evaluate(&engine, query, &budget)?)
    }
}

/// Evaluates as `evaluate` does, and measures it. Afterwards the samples of each step are counted.
fn measured(
    level: StatsLevel,
    budget: &Budget<'_>,
    evaluate: impl FnOnce(&Budget<'_>) -> Result<Answer, EvalError>,
    per_step: impl FnOnce() -> Result<Vec<(Timestamp, u64)>, EvalError>,
) -> Result<Reply, EvalError> {
    if level == StatsLevel::Off {
        return Ok(Reply { answer: evaluate(budget)?, stats: None });
    }
    let began = Instant::now();
    let clock = || began.elapsed();
    let profile = Profile::new(&clock);
    let answer = evaluate(&Budget { profile: Some(&profile), ..*budget })?;
    let mut stats = QueryStats {
        phases: profile.phases(),
        total: began.elapsed(),
        samples: answer.samples,
        peak: profile.peak(),
        ..QueryStats::default()
    };
    if level == StatsLevel::All {
        stats.operators = profile.operators();
        stats.per_step = per_step()?;
    }
    Ok(Reply { answer, stats: Some(stats) })
}

impl Queries for LocalQueries {
    fn instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Reply, QueryError> {
        let mut reply = self.ask(text, options, |engine, query, budget| {
            let evaluate = |budget: &Budget<'_>| engine.instant(query, &*self.store, time, budget);
            measured(options.stats, budget, evaluate, || Ok(Vec::new()))
        })?;
        if let Some(stats) = reply.stats.as_mut().filter(|_| options.stats == StatsLevel::All) {
            stats.per_step = vec![(time, stats.samples)];
        }
        Ok(reply)
    }

    fn range(&self, text: &str, steps: Steps, options: QueryOptions) -> Result<Reply, QueryError> {
        let (store, cache) = (&*self.store, &self.cache);
        self.ask(text, options, |engine, query, budget| {
            let evaluate = |budget: &Budget<'_>| match options.is_fresh {
                true => engine.range(query, store, steps, budget),
                false => engine.range_cached(query, store, steps, budget, cache),
            };
            measured(options.stats, budget, evaluate, || {
                let samples = engine.samples_per_step(query, store, steps, budget)?;
                Ok(steps.times().zip(samples).collect())
            })
        })
    }

    fn explain_instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Explanation, QueryError> {
        self.ask(text, options, |engine, query, budget| {
            engine.explain_instant(query, &*self.store, time, budget)
        })
    }

    fn explain_range(
        &self,
        text: &str,
        steps: Steps,
        options: QueryOptions,
    ) -> Result<Explanation, QueryError> {
        self.ask(text, options, |engine, query, budget| {
            engine.explain_range(query, &*self.store, steps, budget)
        })
    }

    fn parse(&self, text: &str) -> Result<Expr, ParseError> {
        promql::parse(text, &self.features)
    }

    fn held_bytes(&self) -> usize {
        self.pool.held()
    }

    fn cache_stats(&self) -> CacheStats {
        self.cache.stats()
    }

    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, QueryError> {
        Ok(self.store.label_names(range, matchers, limit)?)
    }

    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, QueryError> {
        Ok(self.store.label_values(name, range, matchers, limit)?)
    }

    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, QueryError> {
        Ok(self.store.series(range, matchers, limit)?)
    }
}
