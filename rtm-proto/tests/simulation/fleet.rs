//! Ten thousand clients that lose their service all at once.

use std::time::Duration;

use rtm_proto::{Config, Instant, UserId};

use crate::seeds::{Seeds, each_seed};
use crate::world::World;

const CLIENTS: usize = 10_000;
const SEEDS: Seeds = Seeds::Few(5);

/// Everybody has been online long enough for the session to count.
fn fleet(seed: u64) -> World {
    let mut world = World::new(seed);
    for user in 0..CLIENTS {
        let gate = "tcp://gate:1".parse().unwrap();
        let config = Config::new(7, UserId(user as i64), "the token")
            .gate(gate)
            .auto_reconnect(true);
        world.add(config);
        world.with(user, |user, now, _| user.login(now));
    }
    world.run_for(Duration::from_secs(15));
    assert_eq!(online(&world), CLIENTS);
    world.dialed.clear();
    world
}

fn online(world: &World) -> usize {
    let users = world.users.iter();
    users.filter(|user| user.client.state().is_online()).count()
}

/// The most attempts in any `window`.
fn most_within(times: &[Instant], window: Duration) -> usize {
    let starts = times.iter().enumerate();
    let within = starts.map(|(index, start)| {
        let end = *start + window;
        times[index..].partition_point(|at| *at < end)
    });
    within.max().unwrap_or(0)
}

fn attempts(world: &World, from: Instant) -> Vec<Instant> {
    let times = world.dialed.iter().map(|(at, _)| *at);
    times.filter(|at| *at >= from).collect()
}

#[test]
fn after_ten_seconds_away_a_service_is_not_stormed_and_soon_has_everybody_back() {
    each_seed(SEEDS, check_long_absence);
}

fn check_long_absence(seed: u64) {
    let mut world = fleet(seed);
    world.take_down();
    world.run_for(Duration::from_secs(10));
    world.service.is_up = true;
    let back = world.now;
    world.run_for(Duration::from_secs(20));
    let most = most_within(&attempts(&world, back), Duration::from_millis(100));
    let returned = online(&world);
    println!("at most {most} attempts in 100 ms; {returned} back after 20 s");
    assert!(most * 100 <= CLIENTS * 3, "{most} attempts in 100 ms");
    assert!(returned * 100 >= CLIENTS * 95, "{returned} are back");
}

#[test]
fn after_a_moment_away_the_first_attempts_spread_over_half_a_second() {
    each_seed(SEEDS, check_short_absence);
}

fn check_short_absence(seed: u64) {
    let mut world = fleet(seed);
    let lost = world.now;
    world.take_down();
    world.service.is_up = true;
    world.run_for(Duration::from_secs(2));
    let times = attempts(&world, lost);
    assert_eq!(times.len(), CLIENTS, "one attempt each");
    let spread = *times.last().unwrap() - times[0];
    println!("spread over {spread:?}");
    assert!(spread >= Duration::from_millis(490), "{spread:?}");
    let last = *times.last().unwrap() - lost;
    assert!(
        last <= Duration::from_millis(500 + world.latency_ms),
        "{last:?}"
    );
    // Evenly: a tenth of the time holds about a tenth of the attempts.
    let most = most_within(&times, Duration::from_millis(50));
    assert!(most <= CLIENTS * 13 / 100, "{most} attempts in 50 ms");
    assert_eq!(online(&world), CLIENTS);
}
