//! The lock of the handle.
//!
//! Unit tests have one that hands every decision on who runs next to a
//! scheduler, so it works only where `interleavings` has started one.

#[cfg(test)]
pub(super) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(test))]
pub(super) use std::sync::{Mutex, MutexGuard};
