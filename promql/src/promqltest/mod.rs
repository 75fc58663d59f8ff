//! The language in which PromQL is tested, and its runner.
//!
//! ```text
//! load 5m
//!   requests_total{pod="a"} 0+10x5 _ stale
//!
//! eval instant at 20m rate(requests_total[10m])
//!   {pod="a"} 0.0333333
//! ```
//!
//! A file is a list of commands: `clear`, `load`, `eval` (`script` reads it). [`run`] executes
//! them against any store that can be loaded and asked ([`TestStore`]); each `eval` becomes a
//! [`Case`] of the [`Report`]. Instant cases are run several times: as written, with `@` on each
//! selector at other times, and as the middle of a range query; all have to agree.

mod annotation;
mod classic;
mod compare;
mod memory;
mod pin;
mod report;
mod runner;
mod script;
mod start;
#[cfg(test)]
mod twice;

pub use memory::MemoryStore;
pub use report::{Case, Report};
pub use runner::{Settings, run};
pub use script::ScriptError;

use tsdb::Select;
use tsdb::model::{Labels, Sample};

/// A series with its samples, as `load` writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedSeries {
    /// Which series.
    pub labels: Labels,
    /// Its samples, in order of time.
    pub samples: Vec<Sample>,
}

/// A store under test.
pub trait TestStore {
    /// Adds samples; fails with the store's words.
    fn load(&mut self, series: &[LoadedSeries]) -> Result<(), String>;

    /// The store as queries see it.
    fn select(&self) -> &dyn Select;
}
