//! Latencies in bounded memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets per power of two, as a power of two: values are exact to 1/64.
const FINE_BITS: u32 = 6;
const FINE: usize = 1 << FINE_BITS;
/// Values from 2^41 ns (36 minutes) on share the last bucket.
const OCTAVES: usize = 36;
const BUCKETS: usize = OCTAVES * FINE;

/// A histogram of durations whose buckets grow with the value.
///
/// All memory (18 KiB) is taken at the start, and recording is one atomic
/// addition, so that measuring does not disturb what is measured.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Histogram { buckets }
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(index(nanos)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .sum()
    }

    /// The duration that this share of all does not exceed, in microseconds;
    /// 0 if none was counted.
    pub fn quantile_us(&self, share: f64) -> f64 {
        // Counts are far below 2^52, and a share is from 0 to 1.
        let rank = (share * self.count() as f64).ceil() as u64;
        let mut seen = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += bucket.load(Ordering::Relaxed);
            if seen > 0 && seen >= rank {
                return middle(index) / 1000.0;
            }
        }
        0.0
    }
}

fn index(nanos: u64) -> usize {
    let octave = (u64::BITS - nanos.leading_zeros()).saturating_sub(FINE_BITS + 1);
    let fine = (nanos >> octave) as usize;
    (octave as usize * FINE + fine).min(BUCKETS - 1)
}

/// The middle of a bucket, in nanoseconds.
fn middle(index: usize) -> f64 {
    let octave = (index / FINE).saturating_sub(1);
    let low = (index - octave * FINE) as f64;
    let width = (1_u64 << octave) as f64;
    low * width + (width - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap_and_stay_within_two_percent() {
        let mut last = 0;
        let mut value = 0_u64;
        while value < 1 << 41 {
            let at = index(value);
            assert!(at == last || at == last + 1, "{value}");
            last = at;
            let error = (middle(at) - value as f64).abs();
            assert!(
                error <= value as f64 / 64.0,
                "{value} is shown as {}",
                middle(at)
            );
            value += 1 + value / 128;
        }
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile_us(0.5), 0.0);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.count(), 1000);
        for (share, exact) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let shown = histogram.quantile_us(share);
            assert!((shown - exact).abs() <= exact / 50.0, "{share}: {shown}");
        }
    }
}
