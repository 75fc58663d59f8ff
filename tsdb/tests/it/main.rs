//! The integration tests of this crate, one module each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod append;
mod crash;
mod damage;
mod fault;
mod history;
mod measure;
mod read;
mod restart;
mod store;
