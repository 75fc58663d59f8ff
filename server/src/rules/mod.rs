//! Rules: expressions that are evaluated again and again, to record series or to raise alerts.
//!
//! Reading order: `file` reads rule files, [`template`] the texts of alerts in them; `schedule`
//! says when a group is evaluated; `recording`, `alerting` what a rule makes of a vector;
//! `rows` how that is stored; `restore` what a restart must not forget; [`group`] does all of
//! it for one group, [`manager`] for all; [`lookout`] says which metrics rules miss; [`notify`] is where alerts go. [`unit_test`] runs files of
//! tests.
//!
//! Invariants: time, store and queries are parameters ([`group::Context`]). Rules of a group are
//! evaluated in order, each seeing what those before it recorded; those that have nothing to do with
//! each other may be evaluated at the same time ([`concurrency`]). A group's outputs are rows of one
//! group of the store; what a rule no longer gives is marked stale in the same commit.

mod alert;
mod alerting;
pub mod ask;
pub mod concurrency;
mod definition;
pub mod file;
pub mod group;
pub mod lookout;
pub mod manager;
mod metrics;
pub mod notify;
mod recording;
mod references;
mod restore;
mod rows;
mod schedule;
mod section;
mod status;
pub mod template;
pub mod unit_test;

pub use alert::{Alert, AlertState};
