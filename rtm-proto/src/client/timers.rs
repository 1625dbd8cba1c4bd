//! The deadlines of a client that belong to no single call.

use super::io::Reason;
use crate::time::Instant;

/// Each timer is set or not; there is one of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    Connect,
    Attempt,
    Backoff,
    Token,
    Stable,
    Liveness,
    Logout,
}

const ALL: [(Timer, Reason); 7] = [
    (Timer::Connect, Reason::Connect),
    (Timer::Attempt, Reason::Attempt),
    (Timer::Backoff, Reason::Backoff),
    (Timer::Token, Reason::Token),
    (Timer::Stable, Reason::Stable),
    (Timer::Liveness, Reason::Liveness),
    (Timer::Logout, Reason::Logout),
];

/// How many timers there are.
pub(super) const COUNT: usize = ALL.len();

#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: [Option<Instant>; COUNT],
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, deadline: Instant) {
        if let Some(slot) = self.deadlines.get_mut(timer as usize) {
            *slot = Some(deadline);
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(slot) = self.deadlines.get_mut(timer as usize) {
            *slot = None;
        }
    }

    pub(super) fn clear_all(&mut self) {
        *self = Timers::default();
    }

    /// Takes out one timer whose time has come, the earliest first.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (deadline, timer, _) = self.earliest()?;
        if deadline > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    pub(super) fn next(&self) -> Option<(Instant, Reason)> {
        self.earliest()
            .map(|(deadline, _, reason)| (deadline, reason))
    }

    pub(super) fn next_of(&self, timer: Timer) -> Option<Instant> {
        self.deadlines.get(timer as usize).copied().flatten()
    }

    fn earliest(&self) -> Option<(Instant, Timer, Reason)> {
        let set = ALL.iter().zip(&self.deadlines);
        set.filter_map(|((timer, reason), slot)| slot.map(|at| (at, *timer, *reason)))
            .min_by_key(|(at, _, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn due_timers_come_out_once_and_in_order() {
        let at = |secs| Instant::from_duration(Duration::from_secs(secs));
        let mut timers = Timers::default();
        timers.set(Timer::Logout, at(3));
        timers.set(Timer::Connect, at(5));
        timers.set(Timer::Liveness, at(9));
        assert_eq!(timers.next(), Some((at(3), Reason::Logout)));
        assert_eq!(timers.pop_due(at(2)), None);
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Logout));
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Connect));
        assert_eq!(timers.pop_due(at(5)), None);
        timers.clear(Timer::Liveness);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (timer, _)) in ALL.iter().enumerate() {
            assert_eq!(*timer as usize, index);
        }
    }
}
