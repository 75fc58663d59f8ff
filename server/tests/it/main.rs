//! The integration tests of the server, one module each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod bad_input;
mod config;
mod crash;
mod real_input;
mod running;
mod tidy;
