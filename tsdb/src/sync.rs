//! Locks and atomics of the store: the standard library's, or those of the `shuttle` crate, which
//! choose at each step which thread goes on.
//!
//! The crate in `shuttle/` compiles these sources with `--cfg shuttle`; nobody else does. Whatever
//! may decide between two threads is named from here: a lock of the standard library would be no
//! step for `shuttle`, and would hold up all its threads if one had to wait.

#[cfg(shuttle)]
pub(crate) use shuttle::sync::*;
#[cfg(not(shuttle))]
pub(crate) use std::sync::*;
