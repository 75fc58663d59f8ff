//! The store under schedules that are chosen, not awaited: publish, seal, evict, sync.
//!
//! Each test runs a small workload some thousand times, each time with another order of its steps
//! (a step ends where a lock is taken or left: those of the store, and that of the simulated disk
//! at each operation). A schedule that fails is printed with its seed; `SHUTTLE_RANDOM_SEED` brings
//! it again. `SHUTTLE_TIMES=100` makes all of it a hundred times as long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod evict;
mod explore;
mod gate;
mod io;
mod publish;
mod rows;
mod seal;
#[expect(dead_code, reason = "the store's own tests use all of it")]
#[path = "../../../tsdb/tests/it/store.rs"]
mod store;
mod sync;
