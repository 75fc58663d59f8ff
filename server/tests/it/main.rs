//! The integration tests of the server, one module each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod api;
mod bad_input;
mod cache;
mod check;
mod config;
mod crash;
mod explain;
mod fuzz;
mod monitors;
mod packs;
mod prometheus;
mod real_input;
mod reload;
mod remote_write;
mod rules;
mod running;
mod stats;
mod targets;
mod tidy;
mod tsdb;
mod upkeep;
