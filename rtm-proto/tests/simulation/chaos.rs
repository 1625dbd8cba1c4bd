//! Applications that do what they like over networks that do what they can:
//! the contract holds, and once the trouble is over all is as it should be.

use std::time::Duration;

use rtm_proto::{Backoff, Config, State, UserId};

use crate::dice::Dice;
use crate::seeds::{Seeds, each_seed};
use crate::user::Tally;
use crate::world::{START, World};

const DEFAULT_SEEDS: u64 = 1000;
const TROUBLE: Duration = Duration::from_secs(45);
/// Longer than the longest pause, the longest silence and the longest answer.
const CALM: Duration = Duration::from_secs(150);

fn config(dice: &mut Dice) -> Config {
    let scheme = ["tcp", "ws"][dice.roll(2) as usize];
    let endpoint = |host: &str| format!("{scheme}://{host}:1").parse().unwrap();
    let config = Config::new(7, UserId(1), "the token")
        .ssl(false)
        .auto_reconnect(true)
        .connection_timeout(Duration::from_secs(5));
    let config = match dice.roll(3) {
        0 => config.backoff(Backoff::fixed(Duration::from_millis(100))),
        _ => config,
    };
    match dice.roll(3) {
        0 => config.dispatch(endpoint("dispatch")),
        1 => config.dispatch(endpoint("dispatch")).gate(endpoint("gate")),
        _ => config.gate(endpoint("gate")),
    }
}

/// One thing that goes wrong, or comes in.
fn trouble(world: &mut World) {
    let user = world.dice.roll(world.users.len() as u64) as usize;
    let newest = world.links_of(user).last();
    match world.dice.roll(27) {
        0..=1 => newest.into_iter().for_each(|key| world.reset(key)),
        2 => newest.into_iter().for_each(|key| {
            let link = world.link_mut(key);
            link.up.is_deaf = true;
            link.down.is_deaf = true;
        }),
        3 => newest
            .into_iter()
            .for_each(|key| world.link_mut(key).down.is_deaf = true),
        4 => newest.into_iter().for_each(|key| {
            let pause = world.dice.below_ms(8000);
            world.stall(key, pause);
        }),
        5 => world.take_down(),
        6..=7 => world.service.is_up = true,
        8 if world.dice.one_in(3) => world.push(user, "kickout"),
        9..=15 => {
            let mid = world.next_mid();
            for _ in 0..=world.dice.roll(3) {
                world.push_message(user, mid);
            }
        }
        16..=17 => {
            // An old one again, perhaps on another connection.
            let mid = world.next_mid();
            let before = 1 + world.dice.roll(mid as u64) as i64;
            world.push_message(user, before);
        }
        18 => world.push_out_of_room(user),
        20 if world.dice.one_in(3) => {
            // Much at once, of which not even the answers may get through.
            if let (Some(key), true) = (newest, world.dice.one_in(2)) {
                let pause = world.dice.below_ms(8000);
                world.stall(key, pause);
            }
            for _ in 0..world.dice.roll(150) {
                let mid = world.next_mid();
                world.push_message(user, mid);
            }
        }
        19 => newest.into_iter().for_each(|key| {
            let (is_up, rate) = (world.dice.one_in(2), world.dice.rate());
            let link = world.link_mut(key);
            let lane = if is_up { &mut link.up } else { &mut link.down };
            lane.rate = Some(rate);
        }),
        _ => world.push(user, "ping"),
    }
}

fn play(seed: u64) -> World {
    let mut world = World::new(seed);
    world.is_rough = true;
    world.service.is_troubled = true;
    for _ in 0..=world.dice.roll(3) {
        let config = config(&mut world.dice);
        // Room for a few packages, and for the answers to pushes read at once.
        let is_tight = world.dice.one_in(4);
        let room = 300 + world.dice.roll(1000) as usize;
        world.add(if is_tight {
            config.max_unsent(room)
        } else {
            config
        });
        world.users.last_mut().expect("a user").is_tight = is_tight;
    }
    let end = START + TROUBLE;
    while world.now < end {
        let pause = world.dice.below_ms(900);
        world.run_for(pause);
        let user = world.dice.roll(world.users.len() as u64) as usize;
        world.with(user, |user, now, dice| user.act(now, dice));
        trouble(&mut world);
    }
    settle_down(&mut world);
    world
}

/// The network and the service are well again, and everybody is logged in.
fn settle_down(world: &mut World) {
    world.is_rough = false;
    world.service.is_troubled = false;
    world.service.is_up = true;
    for key in world.all_links() {
        let link = world.link_mut(key);
        link.up.cut_after = None;
        link.down.cut_after = None;
        (link.up.rate, link.down.rate) = (None, None);
        link.stalled_until = START;
        // What takes minutes to arrive is not calm.
        let busy_until = link.up.busy_until.max(link.down.busy_until);
        if busy_until > world.now + Duration::from_secs(30) {
            world.reset(key);
        }
    }
    for user in 0..world.users.len() {
        world.settle(user);
    }
    // What was said before the calm may still log somebody out.
    world.run_for(Duration::from_secs(10));
    let mut left = CALM;
    while !left.is_zero() {
        let step = Duration::from_secs(15);
        for user in 0..world.users.len() {
            world.with(user, |user, now, _| user.login(now));
            world.push(user, "ping");
        }
        world.run_for(step);
        left -= step;
    }
}

fn check(world: &World) {
    for user in &world.users {
        let name = user.number;
        let state = user.client.state();
        assert!(matches!(state, State::Online { .. }), "{name} is {state}");
        assert!(!user.has_open_calls(), "{name} waits for an answer");
        for text in &user.arrived {
            assert_eq!(
                world.service.stored.get(text),
                Some(&1),
                "{}",
                text.trim_end()
            );
        }
        for text in &user.never_sent {
            assert_eq!(world.service.stored.get(text), None, "{}", text.trim_end());
        }
        let current = world.sessions_of(name).pop().expect("a session");
        let current = world.link(current);
        assert!(current.watch.is_restored(), "{name} misses a room");
        let entered = &current.session.rooms;
        for room in &user.rooms {
            let is_in = entered.contains(room) || user.shaken_rooms.contains(room);
            assert!(is_in, "{name} is not in room {room}");
        }
        for room in entered {
            let known = user.rooms.contains(room) || user.unsure_rooms.contains(room);
            assert!(known, "{name} is in room {room}");
        }
    }
    let twice = world.service.stored.iter().find(|(_, times)| **times > 1);
    assert_eq!(twice, None);
}

#[test]
fn the_contract_holds_in_bad_networks_and_all_is_well_after_them() {
    let mut total = Tally::default();
    let seeds = each_seed(Seeds::AsAsked(DEFAULT_SEEDS), |seed| {
        let world = play(seed);
        check(&world);
        for user in &world.users {
            total.logins += user.tally.logins;
            total.answered += user.tally.answered;
            total.failed += user.tally.failed;
            total.sure_texts += user.tally.sure_texts;
            total.messages += user.tally.messages;
            total.kickouts += user.tally.kickouts;
            total.thrown_out += user.tally.thrown_out;
            total.not_reading += user.tally.not_reading;
            total.no_room += user.tally.no_room;
        }
        for key in world.all_links() {
            let watch = &world.link(key).watch;
            total.restored += watch.restored;
            total.pushes += watch.answered;
        }
    });
    println!("{total:?}");
    // Of few seeds totals mean nothing.
    if seeds >= 100 {
        let each = seeds as u32;
        assert!(total.logins > 3 * each, "{total:?}");
        assert!(total.answered > 8 * each, "{total:?}");
        assert!(total.failed > 2 * each, "{total:?}");
        assert!(total.sure_texts > 5 * each, "{total:?}");
        assert!(total.messages > 4 * each, "{total:?}");
        assert!(total.kickouts > each / 8, "{total:?}");
        assert!(total.thrown_out > each / 8, "{total:?}");
        assert!(total.not_reading >= each / 200, "{total:?}");
        assert!(total.no_room > each / 20, "{total:?}");
        assert!(total.restored > 2 * each, "{total:?}");
        assert!(total.pushes > 20 * each, "{total:?}");
    }
}
