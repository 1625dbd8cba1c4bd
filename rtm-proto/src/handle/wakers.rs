//! Tasks that wait for the same thing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::task::Waker;

/// Wakers of those who wait: one each, that of the last poll.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    waiting: BTreeMap<u64, Waker>,
    last_seat: u64,
}

/// The place of one who waits, taken when it first has to.
#[derive(Debug, Default)]
pub(super) struct Seat(Option<u64>);

impl Seat {
    pub(super) const fn new() -> Self {
        Seat(None)
    }

    pub(super) const fn is_taken(&self) -> bool {
        self.0.is_some()
    }
}

impl Wakers {
    /// Notes whom to wake. The waker that gives way may run foreign code when
    /// dropped, so the caller drops it once no lock is held.
    #[must_use]
    pub(super) fn register(&mut self, seat: &mut Seat, waker: &Waker) -> Option<Waker> {
        let last = &mut self.last_seat;
        let place = *seat.0.get_or_insert_with(|| {
            *last += 1;
            *last
        });
        match self.waiting.get_mut(&place) {
            Some(known) if known.will_wake(waker) => None,
            Some(known) => Some(core::mem::replace(known, waker.clone())),
            None => self.waiting.insert(place, waker.clone()),
        }
    }

    /// Forgets who waited there; the waker is dropped as in
    /// [`register`](Self::register).
    #[must_use]
    pub(super) fn leave(&mut self, seat: &Seat) -> Option<Waker> {
        seat.0.and_then(|place| self.waiting.remove(&place))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Moves all to `woken`, to be called once no lock is held.
    pub(super) fn take_into(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(core::mem::take(&mut self.waiting).into_values());
    }
}
