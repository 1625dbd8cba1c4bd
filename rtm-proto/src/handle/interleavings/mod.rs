//! The handle under every order of threads that a scheduler can think of.
//!
//! Everything here runs on one system thread: at each lock, wake and park the
//! scheduler picks who goes on, so that a run is repeated exactly. If all
//! tasks of a run wait, a wake-up was lost, and the run fails as a deadlock.
//! The loop, the handle and its futures are the real ones; the network and
//! the clock are not.

use std::env;
use std::fmt::Debug;
use std::str::FromStr;
use std::thread;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

mod calls;
mod clock;
mod endings;
mod events;
mod logins;
mod network;
mod service;
mod uploads;
mod wakers;
mod world;

/// Runs of a scenario with each of the two schedulers, if `RTM_INTERLEAVINGS`
/// does not say how many.
const RUNS: usize = 200;
/// Changes of priority in a run: bugs mostly need few.
const PCT_DEPTH: usize = 3;
const SEED: u64 = 20_260_728;

/// Runs `scenario` under many schedules, or under the one of `RTM_SCHEDULE`.
///
/// Uniformly random choices come to every place soon; random priorities let
/// one task starve for long, which the former hardly ever do.
fn explore(scenario: fn()) {
    let announce = Announce;
    if let Some(schedule) = setting::<String>("RTM_SCHEDULE") {
        run(ReplayScheduler::new_from_encoded(&schedule), scenario);
    } else {
        let runs = setting("RTM_INTERLEAVINGS").unwrap_or(RUNS);
        run(RandomScheduler::new_from_seed(SEED, runs), scenario);
        run(PctScheduler::new_from_seed(SEED, PCT_DEPTH, runs), scenario);
    }
    drop(announce);
}

/// Runs a test of one task only, which the lock needs a scheduler for too.
pub(super) fn alone(test: fn()) {
    run(RandomScheduler::new_from_seed(SEED, 1), test);
}

fn run(scheduler: impl Scheduler + 'static, scenario: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    // A scenario takes some hundred; more is a loop that never sleeps.
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    // What the other tasks do after a failure says nothing about it.
    config
        .ungraceful_shutdown_config
        .immediately_return_on_panic = true;
    Runner::new(scheduler, config).run(scenario);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the core reads no environment, but whoever repeats a failure names its schedule there"
)]
fn setting<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(text.parse().expect("a setting can be read"))
}

/// Says how to repeat a failure.
struct Announce;

impl Drop for Announce {
    fn drop(&mut self) {
        if thread::panicking() {
            let test = thread::current();
            let test = test.name().unwrap_or("interleavings");
            eprintln!(
                "again: RTM_SCHEDULE=<the schedule above> \
                 cargo test -p rtm-proto --features handle --lib {test}"
            );
        }
    }
}
