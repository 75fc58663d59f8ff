//! The integration tests of this crate, one module each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod append;
mod blocks;
mod cardinality;
mod crash;
mod damage;
mod fault;
mod forget;
mod fuzz;
mod history;
mod measure;
mod read;
mod read_only;
mod restart;
mod store;
mod stress;
mod unchanged;
