//! What callers found, and the figures it comes to.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::histogram::Histogram;
use super::{ratio, rounded, usage};

/// Counts calls.
#[derive(Default)]
pub(super) struct Tally {
    latency: Histogram,
    errors: AtomicU64,
    first_error: OnceLock<String>,
}

impl Tally {
    pub(super) fn answered(&self, after: Duration) {
        self.latency.record(after);
    }

    pub(super) fn failed(&self, error: impl ToString) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.first_error.get_or_init(|| error.to_string());
    }
}

impl Tally {
    pub(super) fn calls(&self) -> u64 {
        self.latency.count()
    }

    pub(super) fn quantile_us(&self, part: f64) -> f64 {
        self.latency.quantile_us(part)
    }

    /// How many failed; the first error goes to stderr.
    pub(super) fn errors(&self) -> u64 {
        if let Some(error) = self.first_error.get() {
            eprintln!("load: first error: {error}");
        }
        self.errors.load(Ordering::Relaxed)
    }
}

/// What was used up to a moment.
pub(super) struct Mark {
    cpu: Duration,
    at: Instant,
}

impl Mark {
    pub(super) fn now() -> Self {
        Mark {
            cpu: usage::cpu_time(),
            at: Instant::now(),
        }
    }

    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    /// The figures of what was counted since then.
    pub(super) fn figures(&self, tally: &Tally) -> Json {
        let took = self.at.elapsed().as_secs_f64();
        let cpu = (usage::cpu_time() - self.cpu).as_secs_f64();
        let calls = tally.calls() as f64;
        json!({
            "qps": rounded(ratio(calls, took), 1),
            "p50_us": rounded(tally.quantile_us(0.5), 1),
            "p99_us": rounded(tally.quantile_us(0.99), 1),
            "p999_us": rounded(tally.quantile_us(0.999), 1),
            "cpu_us_per_call": rounded(ratio(cpu * 1e6, calls), 3),
            "errors": tally.errors(),
        })
    }
}
