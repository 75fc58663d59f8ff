//! The one port through which everybody above the engine asks: HTTP, later rules and the doctor.
//!
//! [`LocalQueries`] answers from this process's store. Texts are parsed here, so that all askers
//! get the same errors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use promql::parse::{Features, ParseError};
use promql::value::{Answer, Steps};
use promql::{Budget, CacheStats, Engine, EngineOptions, EvalError, Query, QueryCache, Stop};
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
}

/// Asks a store.
pub trait Queries: Send + Sync {
    /// The value of `text` at one time.
    fn instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Answer, QueryError>;

    /// The values of `text` at each step.
    fn range(&self, text: &str, steps: Steps, options: QueryOptions) -> Result<Answer, QueryError>;

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
    engine: Engine,
    options: EngineOptions,
    features: Features,
    samples_max: usize,
    cache: QueryCache,
    store: Arc<dyn Select>,
}

impl LocalQueries {
    /// Over `store`; a query may hold `samples_max` samples at once, and of range queries
    /// `cache_bytes` are kept at most, about.
    pub fn new(
        options: EngineOptions,
        samples_max: usize,
        cache_bytes: usize,
        store: Arc<dyn Select>,
    ) -> Self {
        let engine = Engine::new(options.clone());
        let (features, cache) = (Features::default(), QueryCache::new(cache_bytes));
        Self { engine, options, features, samples_max, cache, store }
    }

    /// Parses and evaluates within the limits of `options`.
    fn ask(
        &self,
        text: &str,
        options: QueryOptions,
        evaluate: impl FnOnce(&Engine, Query<'_>, &Budget<'_>) -> Result<Answer, EvalError>,
    ) -> Result<Answer, QueryError> {
        let expr = promql::parse(text, &self.features)?;
        let query = Query { text, expr: &expr };
        let began = Instant::now();
        let stop = || (began.elapsed() >= options.timeout).then_some(Stop::Timeout);
        let budget = Budget { samples_max: self.samples_max, stop: &stop };
        let answer = match options.lookback_ms {
            None => evaluate(&self.engine, query, &budget),
            Some(lookback_ms) => {
                let options = EngineOptions { lookback_ms, ..self.options.clone() };
                evaluate(&Engine::new(options), query, &budget)
            }
        };
        Ok(answer?)
    }
}

impl Queries for LocalQueries {
    fn instant(
        &self,
        text: &str,
        time: Timestamp,
        options: QueryOptions,
    ) -> Result<Answer, QueryError> {
        self.ask(text, options, |engine, query, budget| {
            engine.instant(query, &*self.store, time, budget)
        })
    }

    fn range(&self, text: &str, steps: Steps, options: QueryOptions) -> Result<Answer, QueryError> {
        self.ask(text, options, |engine, query, budget| match options.is_fresh {
            true => engine.range(query, &*self.store, steps, budget),
            false => engine.range_cached(query, &*self.store, steps, budget, &self.cache),
        })
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
