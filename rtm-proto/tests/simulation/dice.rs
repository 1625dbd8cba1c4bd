//! Chance that can be repeated.

use std::time::Duration;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// True one time in `sides`.
    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// A pause shorter than `ms` milliseconds.
    pub(crate) fn below_ms(&mut self, ms: u64) -> Duration {
        Duration::from_micros(self.roll(ms * 1000))
    }

    /// Bytes that pass in a tick: one, some KiB, or anything between.
    pub(crate) fn rate(&mut self) -> usize {
        1 << self.roll(13)
    }
}
