//! A simulated llm-d fleet: what `demo` scrapes when there is no cluster.
//!
//! A pure step function of seed and clock (std only), and beside it the HTTP servers that show its
//! pages. In reading order:
//!
//! - `random`, `number`: dice; numbers as exporters write them
//! - `measure`, `family`, `dialect`: what is counted, how pages are described, the pages as tables
//! - `ledger`, `page`: the cells behind a page; the renderer
//! - `request`, `traffic`: requests and where they come from
//! - `kv`, `batch`, `record`, `engine`: the vLLM engine that serves them
//! - `picker`, `gpu`, `process`: what stands around the engines
//! - `plan`, `scope`, `target`, `fleet`: the demo's fleet as data, its label values, its targets,
//!   and all of it wired together
//! - `serve`: the fleet over HTTP

mod batch;
mod dialect;
mod engine;
mod family;
mod fleet;
mod gpu;
mod kv;
mod ledger;
mod measure;
mod number;
mod page;
mod picker;
mod plan;
mod process;
mod random;
mod record;
mod request;
mod scope;
pub mod serve;
mod target;
mod traffic;

#[cfg(test)]
mod tests;

pub use fleet::{Fleet, LONGEST_JUMP_MS, STEP_MS};
pub use target::{Target, TargetKind};
