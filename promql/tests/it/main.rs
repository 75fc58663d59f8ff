//! The integration tests of this crate, one module each.

mod budget;
mod cache;
mod database;
mod parse;
mod parse_corpus;
mod parse_errors;
mod parse_property;
mod parse_series;
mod reference;
mod rows;
mod suite;
mod threads;
mod twin;
