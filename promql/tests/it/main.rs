//! The integration tests of this crate, one module each.

mod allocations;
mod budget;
mod cache;
mod columns;
mod database;
mod differential;
mod explain;
mod fuzz;
mod parse;
mod parse_corpus;
mod parse_errors;
mod parse_property;
mod parse_series;
mod profile;
mod random;
mod reference;
mod rows;
mod shared;
mod suite;
mod threads;
mod twin;
