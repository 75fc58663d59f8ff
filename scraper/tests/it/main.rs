//! The integration tests of this crate, one module each.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bad_input;
mod cache;
mod client;
mod converted;
mod corpus;
mod discover;
mod fixtures;
mod found;
mod ingest;
mod jobs;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lifecycle;
mod limits;
mod parse;
mod protobuf;
mod recording;
mod server;
mod shared;
mod speed;
mod tls;
