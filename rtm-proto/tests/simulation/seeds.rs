//! Which seeds run, and which one failed.

use std::env;
use std::ops::Range;

/// Runs `play` for each seed: the one that the environment asks for, or as
/// many as it says, or `default`.
pub(crate) fn each_seed(default: u64, mut play: impl FnMut(u64)) {
    for seed in range(default) {
        let guard = Announce(seed);
        play(seed);
        drop(guard);
    }
}

fn range(default: u64) -> Range<u64> {
    match (number("RTM_SIM_SEED"), number("RTM_SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(default),
    }
}

/// Whether all seeds of the default run, so that totals mean something.
pub(crate) fn is_full_run() -> bool {
    number("RTM_SIM_SEED").is_none() && number("RTM_SIM_SEEDS").is_none()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the core reads no environment, but whoever repeats a failure names its seed there"
)]
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().expect("a seed is a number"))
}

/// Says how to repeat a failure.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!("again: RTM_SIM_SEED={seed} cargo test -p rtm-proto --test simulation");
        }
    }
}
