//! PromQL: text → tree → values.
//!
//! Reading order: [`ast`], [`value`], [`functions`]; [`parse`](mod@parse) and [`print`](mod@print) the
//! text, [`pretty`] on several lines; `plan` (what does not depend on data), `eval` (one operator per file), `range` and `cache`
//! (a range query, and what is kept of it), `engine` (the door).
//! [`promqltest`] is the language in which all of it is tested.

pub mod ast;
mod budget;
mod cache;
mod civil;
mod engine;
mod error;
mod eval;
pub mod explain;
pub mod functions;
#[doc(hidden)]
pub mod fuzz;
mod memory;
mod notes;
pub mod parse;
mod plan;
pub mod pretty;
pub mod print;
mod profile;
pub mod promqltest;
mod range;
pub mod value;
mod walk;

pub use budget::{Budget, Stop};
pub use cache::{CacheStats, QueryCache};
pub use engine::{Engine, EngineOptions, Query};
pub use error::EvalError;
pub use memory::{MemoryPool, SAMPLE_BYTES};
pub use parse::{Features, ParseError, parse};
pub use profile::{OperatorProfile, Phases, Profile};
