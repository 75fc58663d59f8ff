//! The store of Inferometer: whole scrapes, kept as rows of a group and stored as columns.
//!
//! Reading order: [`model`] is the vocabulary; [`Append`] and [`Select`] are the two ports that
//! everybody else leans on; [`Db`] is the store behind them. Inside, each module uses only what
//! stands above it:
//!
//! - [`options`], [`error`], `layout`, [`disk`]: what a store may use, what goes wrong, file
//!   names, the disk (and a simulated one for tests) · `sync`: locks
//! - `cell`, `codec`: a value, and its bytes
//! - `numbered`: lists whose places are numbers that were given out
//! - `column`, `sealed`, `window`, `windows`, `family`, `group`, `loose`: how samples lie in memory
//! - `postings`: labels to series · `commit`: what is checked, logged and applied as a whole
//! - `block`: immutable files of windows, with an index
//! - `wal`: commits to files and back · `head`: what no block has yet (neither knows the other)
//! - `db`: the only place that knows them all

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod append;
#[doc(hidden)]
pub mod bench;
mod block;
mod cell;
mod codec;
mod column;
mod commit;
mod db;
pub mod disk;
pub mod error;
mod family;
mod floats;
#[doc(hidden)]
pub mod fuzz;
mod group;
mod head;
mod layout;
mod loose;
pub mod model;
mod numbered;
pub mod options;
mod packed;
mod postings;
mod sealed;
pub mod select;
mod sync;
mod wal;
mod window;
mod windows;

pub use append::{Append, Cell, CellValue, ColumnRef, FamilyColumns, GroupRef, RowReport, Storage};
pub use db::{BlockFacts, Cardinality, Db, Dropped, Recovery, Stats};
pub use error::{Error, Rejected};
pub use options::Options;
pub use select::{Batch, BatchColumn, Batches, Select, Selection};
