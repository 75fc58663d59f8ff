//! The integration tests of the server, one module each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod admin;
mod api;
mod bad_input;
mod cache;
mod check;
mod config;
mod crash;
mod exemplars;
mod explain;
mod features;
mod federate;
mod fuzz;
mod metadata;
mod monitors;
mod notify;
mod openapi;
mod packs;
mod prometheus;
mod query_log;
mod real_input;
mod reload;
mod remote_write;
mod requests;
mod rules;
mod running;
mod self_scrape;
mod service;
mod serving;
mod stats;
mod syntax;
mod targets;
mod tidy;
mod tools;
mod tsdb;
mod upkeep;
