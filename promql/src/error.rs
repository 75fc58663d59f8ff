//! Why a query was not answered, sorted by what the caller does about it.
//!
//! The texts are Prometheus's.

use thiserror::Error;

/// A query that has no answer.
#[derive(Debug, Error)]
pub enum EvalError {
    /// The query cannot be asked like this (a range query of a range vector, a duration
    /// expression that gives nothing usable).
    #[error("{0}")]
    Invalid(String),
    /// The data and the query do not fit together.
    #[error("{0}")]
    Execution(String),
    /// Somebody stopped it.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// Its time was up.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// It would hold more samples than [`Budget::samples_max`](crate::Budget::samples_max).
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// All queries together would hold more than the [`MemoryPool`](crate::MemoryPool) has.
    #[error(
        "the queries that are running would hold more than {bytes_max} bytes of memory; ask for \
         fewer series or steps, ask later, or raise --query.max-memory"
    )]
    TooMuchMemory {
        /// The pool's size.
        bytes_max: usize,
    },
    /// The store failed.
    #[error("expanding series: {0}")]
    Storage(#[from] tsdb::Error),
}

impl EvalError {
    /// An error of the data.
    pub(crate) fn execution(text: impl Into<String>) -> Self {
        Self::Execution(text.into())
    }

    /// Output series that cannot be told apart.
    pub(crate) fn same_labelset() -> Self {
        Self::execution("vector cannot contain metrics with the same labelset")
    }
}
