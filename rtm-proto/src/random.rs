//! Reproducible randomness from a seed the caller gives.

use core::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014). It spreads jitter and makes session nonces;
/// nothing secret hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A duration drawn uniformly from zero to `max`, both included.
    pub(crate) fn up_to(&mut self, max: Duration) -> Duration {
        let span = u128::from(u64::try_from(max.as_nanos()).unwrap_or(u64::MAX)) + 1;
        // Multiply-shift keeps the draw even without a division.
        let drawn = (u128::from(self.next()) * span) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}
