//! Tasks that wait for the same thing.

use alloc::vec::Vec;
use core::task::Waker;

/// Wakers of tasks that wait; a task is listed once.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(super) fn register(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    /// Moves all to `woken`, to be called once no lock is held.
    pub(super) fn take_into(&mut self, woken: &mut Vec<Waker>) {
        woken.append(&mut self.0);
    }
}
