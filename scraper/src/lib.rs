//! Scraping: targets are found, their pages fetched, parsed and appended as rows.
//!
//! Reading order, the way a sample goes: [`job`] and [`client`] (what was configured), [`discover`] (where it is)
//! and [`relabel`] make a [`target`]; [`cycle`] wakes at its times, [`fetch`] gets a page,
//! [`parse`] reads it, and [`ingest`] appends it as one row. [`manager`] starts and stops the
//! cycles; [`totals`] is what they count.

pub mod client;
pub mod cycle;
pub mod discover;
pub mod fetch;
pub mod fuzz;
pub mod ingest;
pub mod job;
pub mod manager;
pub mod parse;
pub mod relabel;
pub mod target;
pub mod totals;
