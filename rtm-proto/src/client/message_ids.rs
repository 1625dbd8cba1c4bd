//! Generates message ids.

use crate::ids::MessageId;

const COUNTER_BITS: u32 = 12;
const NONCE_BITS: u32 = 9;
const MS_BITS: u32 = 42;
const MAX_MS: u64 = (1 << MS_BITS) - 1;
/// A clock beyond this (March 2109) counts as having stopped there, so that the
/// generator can still run ahead of it, by 2^44 ids.
const LATEST: u64 = MAX_MS - (1 << 32);

/// Makes ids of 42 bits of milliseconds since 1970, 9 bits of a nonce and 12
/// bits of a counter.
///
/// The nonce tells apart two sessions of one user that send in the same
/// millisecond. Ids are positive and strictly increasing, also when the clock
/// steps back or more than 4096 are made in a millisecond: the generator then
/// runs ahead of the clock.
#[derive(Debug)]
pub(super) struct MessageIds {
    nonce: u64,
    ms: u64,
    counter: u64,
}

impl MessageIds {
    pub(super) const fn new(random: u64) -> Self {
        MessageIds {
            nonce: random & ((1 << NONCE_BITS) - 1),
            ms: 0,
            counter: 0,
        }
    }

    /// The next id, at `unix_ms` milliseconds since 1970.
    pub(super) fn next(&mut self, unix_ms: u64) -> MessageId {
        let ms = unix_ms.clamp(1, LATEST);
        if ms > self.ms {
            self.ms = ms;
            self.counter = 0;
        } else {
            self.counter += 1;
            if self.counter >> COUNTER_BITS != 0 {
                self.ms = (self.ms + 1).min(MAX_MS);
                self.counter = 0;
            }
        }
        let id =
            (self.ms << (NONCE_BITS + COUNTER_BITS)) | (self.nonce << COUNTER_BITS) | self.counter;
        MessageId(i64::try_from(id).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_strictly_whatever_the_clock_does() {
        let mut ids = MessageIds::new(u64::MAX);
        let mut last = MessageId(0);
        let clock = [
            1_591_322_544_000,
            1_591_322_544_001,
            5,
            0,
            1_591_322_544_001,
        ];
        for ms in clock.into_iter().flat_map(|ms| [ms; 10_000]) {
            let id = ids.next(ms);
            assert!(id > last, "{id} after {last}");
            last = id;
        }
    }

    #[test]
    fn time_nonce_and_counter_are_where_they_belong() {
        let mut ids = MessageIds::new(0x1ff);
        ids.next(1_591_322_544_123);
        let id = ids.next(1_591_322_544_123).0;
        assert_eq!(id >> 21, 1_591_322_544_123);
        assert_eq!((id >> 12) & 0x1ff, 0x1ff);
        assert_eq!(id & 0xfff, 1);
    }

    #[test]
    fn two_nonces_never_make_the_same_id() {
        let mut a = MessageIds::new(1);
        let mut b = MessageIds::new(2);
        let first: alloc::collections::BTreeSet<_> = (0..5000).map(|_| a.next(7)).collect();
        assert!((0..5000).all(|_| !first.contains(&b.next(7))));
    }
}
