//! Which seeds run, and which one failed.

use std::env;
use std::ops::Range;
use std::thread;

/// How many seeds a test plays.
#[derive(Clone, Copy)]
pub(crate) enum Seeds {
    /// So many, unless `RTM_SIM_SEEDS` asks for another number.
    AsAsked(u64),
    /// So many and no more: each world of them is large.
    Few(u64),
}

/// Runs `play` for each seed, or for the only one that `RTM_SIM_SEED` names;
/// gives how many ran.
pub(crate) fn each_seed(seeds: Seeds, mut play: impl FnMut(u64)) -> u64 {
    let range = range(seeds);
    let count = range.end - range.start;
    for seed in range {
        let guard = Announce(seed);
        play(seed);
        drop(guard);
    }
    count
}

fn range(seeds: Seeds) -> Range<u64> {
    if let Some(seed) = number("RTM_SIM_SEED") {
        return seed..seed + 1;
    }
    match seeds {
        Seeds::AsAsked(default) => 0..number("RTM_SIM_SEEDS").unwrap_or(default),
        Seeds::Few(count) => 0..count,
    }
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
        if thread::panicking() {
            let seed = self.0;
            // The thread of a test has its name.
            let thread = thread::current();
            let test = thread.name().filter(|name| *name != "main");
            let only = test.map(|name| format!(" -- --exact {name}"));
            let only = only.unwrap_or_default();
            eprintln!("again: RTM_SIM_SEED={seed} cargo test -p rtm-proto --test simulation{only}");
        }
    }
}
