//! Entrances for fuzzing: one function for each kind of bytes that a store reads, hidden from the
//! documentation because nobody else has a use for them.
//!
//! - `decode`: bytes of a stranger; each function returns, whatever they are
//! - `round_trip`: bytes as a script of what to write; what is read has to be the same
//! - `mend`: checksums made good again, so that changed bytes come past them
//! - `mutate`: changes of valid bytes, for tests
//!
//! Invariant: the functions panic only if the store has a fault.
//! `tsdb/tests/it/fuzz.rs` runs them on stable Rust, the targets of `fuzz` under libFuzzer.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "for tests: a panic is how a fault of the store is told"
)]

mod decode;
mod mend;
mod mutate;
mod round_trip;
mod script;

pub use decode::{block, cells, deleted, log, regex, window};
pub use mutate::{Random, mutate};
pub use round_trip::{encoded_window, rows, store};
