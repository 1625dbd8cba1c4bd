//! How long to wait before the next login attempt.

use core::time::Duration;

use crate::random::Random;

/// The pause between login attempts.
///
/// The default is exponential with full jitter: before attempt n + 1 the
/// client waits a time drawn uniformly from zero to
/// `min(20 s, 500 ms · 2^n)`, so that a short blip is mended fast and a
/// fleet of clients does not come back in step. There is no limit to the
/// number of attempts unless [`max_attempts`](Backoff::max_attempts) sets one.
///
/// ```
/// use rtm_proto::Backoff;
/// use std::time::Duration;
///
/// // The rhythm of the JavaScript SDK: 100 ms, for ever.
/// let seed = Backoff::fixed(Duration::from_millis(100));
/// // The default, but giving up after ten failures in a row.
/// let bounded = Backoff::default().max_attempts(10);
/// # let _ = (seed, bounded);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    fixed: bool,
    max_attempts: Option<u32>,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::exponential(Duration::from_millis(500), Duration::from_secs(20))
    }
}

impl Backoff {
    /// Full jitter over a range that starts at `first` and doubles with every
    /// failed attempt up to `max`.
    #[must_use]
    pub const fn exponential(first: Duration, max: Duration) -> Self {
        Backoff {
            first,
            max,
            fixed: false,
            max_attempts: None,
        }
    }

    /// Always the same pause, without jitter.
    #[must_use]
    pub const fn fixed(pause: Duration) -> Self {
        Backoff {
            first: pause,
            max: pause,
            fixed: true,
            max_attempts: None,
        }
    }

    /// Gives up after this many failed attempts in a row (default: never). A
    /// session that ends within 10 s counts as one of them. Zero counts as one:
    /// the first attempt is always made.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(if attempts == 0 { 1 } else { attempts });
        self
    }

    pub(crate) fn is_exhausted(&self, failures: u32) -> bool {
        self.max_attempts.is_some_and(|max| failures >= max)
    }

    /// The pause after `failures` attempts have failed in a row since the
    /// last stable session.
    pub(crate) fn pause(&self, failures: u32, random: &mut Random) -> Duration {
        if self.fixed {
            return self.first;
        }
        random.up_to(self.ceiling(failures))
    }

    fn ceiling(&self, failures: u32) -> Duration {
        let factor = 2u32.checked_pow(failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_from_half_a_second_to_twenty() {
        let backoff = Backoff::default();
        let ceilings: alloc::vec::Vec<u128> =
            (0..8).map(|n| backoff.ceiling(n).as_millis()).collect();
        assert_eq!(
            ceilings,
            [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]
        );
        assert_eq!(backoff.ceiling(u32::MAX), Duration::from_secs(20));
    }

    #[test]
    fn pauses_fill_the_whole_range_and_never_leave_it() {
        let backoff = Backoff::default();
        let mut random = Random::new(7);
        let mut low = Duration::MAX;
        let mut high = Duration::ZERO;
        for _ in 0..10_000 {
            let pause = backoff.pause(3, &mut random);
            assert!(pause <= Duration::from_secs(4));
            low = low.min(pause);
            high = high.max(pause);
        }
        assert!(low < Duration::from_millis(40));
        assert!(high > Duration::from_millis(3960));
    }

    #[test]
    fn a_fixed_pause_has_no_jitter() {
        let backoff = Backoff::fixed(Duration::from_millis(100));
        let mut random = Random::new(1);
        for failures in 0..40 {
            assert_eq!(
                backoff.pause(failures, &mut random),
                Duration::from_millis(100)
            );
        }
    }

    #[test]
    fn attempts_are_bounded_only_when_asked() {
        assert!(!Backoff::default().is_exhausted(u32::MAX));
        assert!(!Backoff::default().max_attempts(3).is_exhausted(2));
        assert!(Backoff::default().max_attempts(3).is_exhausted(3));
        assert!(Backoff::default().max_attempts(0).is_exhausted(1));
    }
}
