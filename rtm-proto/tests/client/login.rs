//! States, attempts, pauses between them.

use std::time::Duration;

use rtm_proto::error::{Cause, ErrorCode, LoginErrorKind};
use rtm_proto::{Backoff, Config, Input, Reason, SocketEnd, State, Token};

use crate::support::{
    Act, Node, Reach, TICK, World, bare_config, dialed, endpoint, failure, ms, secs, tcp_config,
};

fn retrying() -> Config {
    tcp_config().auto_reconnect(true)
}

fn dispatched() -> Config {
    bare_config().dispatch(endpoint("tcp://dispatch:1"))
}

fn with_gate(config: Config) -> World {
    World::tcp(config)
        .node("dispatch", Node::dispatch("gate:1"))
        .node("gate", Node::gate())
}

/// States by their names, attempts included.
fn names(world: &World) -> Vec<String> {
    let states = world.log.states();
    states
        .iter()
        .map(|state| match state {
            State::Connecting { attempt } => format!("connecting {attempt}"),
            State::Online { .. } => "online".into(),
            State::Backoff { attempt, .. } => format!("backoff {attempt}"),
            State::Closing => "closing".into(),
            State::Closed { .. } => "closed".into(),
            _ => "idle".into(),
        })
        .collect()
}

#[test]
fn every_change_of_state_is_one_event_and_state_agrees_with_the_last() {
    let mut world = with_gate(retrying());
    assert_eq!(*world.client.state(), State::Idle);
    world.login();
    world.run_for(secs(1));
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    world.logout();
    world.run_for(secs(1));
    assert_eq!(
        names(&world),
        [
            "connecting 1",
            "online",
            "backoff 0",
            "connecting 1",
            "online",
            "closing",
            "closed"
        ]
    );
    assert_eq!(world.log.states().last(), Some(world.client.state()));
}

#[test]
fn the_online_event_names_the_gate_with_its_scheme() {
    let world = with_gate(dispatched()).online();
    match world.client.state() {
        State::Online { session } => assert_eq!(session.gate.to_string(), "tcp://gate:1"),
        state => panic!("{state}"),
    }
}

#[test]
fn a_second_login_joins_and_one_after_closed_starts_afresh() {
    let mut world = with_gate(tcp_config());
    world.login();
    world.login();
    world.run_for(ms(0));
    world.login();
    world.logout();
    world.run_for(ms(0));
    assert_eq!(names(&world).last().unwrap(), "closed");
    world.login();
    world.run_for(ms(0));
    assert_eq!(world.log.dialed.len(), 2);
    assert!(world.client.state().is_online());
}

#[test]
fn a_login_while_closing_starts_when_the_goodbye_is_over() {
    let mut world = World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online();
    world.logout();
    world.run_for(secs(1));
    world.login();
    world.run_for(secs(4) - TICK);
    assert_eq!(*world.client.state(), State::Closing);
    world.run_for(TICK);
    let expected = [
        "connecting 1",
        "online",
        "closing",
        "closed",
        "connecting 1",
        "online",
    ];
    assert_eq!(names(&world), expected);
    // A second thought counts: logging out again takes the login back.
    world.logout();
    world.login();
    world.logout();
    world.run_for(secs(10));
    assert!(world.client.state().is_closed());
    assert_eq!(world.log.dialed.len(), 2);
}

#[test]
fn after_an_abort_nothing_ever_starts_again() {
    let mut world = with_gate(retrying()).online();
    world.client.abort();
    world.settle();
    world.login();
    world.client.set_token(world.now, Token::from("new"));
    world.input(Input::NetworkChanged);
    world.logout();
    world.client.abort();
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (None, Reason::None));
    let aborted = State::Closed {
        cause: Cause::Aborted,
    };
    assert_eq!(*world.client.state(), aborted);
    assert_eq!(
        world.log.states().iter().filter(|s| **s == aborted).count(),
        1
    );
}

#[test]
fn without_auto_reconnect_the_first_failure_and_a_lost_session_are_final() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(100));
    assert_eq!(names(&world), ["connecting 1", "closed"]);

    let mut world = with_gate(tcp_config()).online();
    world.act(world.conn(), Act::Close);
    world.run_for(secs(100));
    assert_eq!(names(&world), ["connecting 1", "online", "closed"]);
    assert_eq!(world.wait(), (None, Reason::None));
}

#[test]
fn attempts_follow_exactly_when_the_backoff_says_and_are_counted() {
    let mut world = World::tcp(retrying()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(ms(100) - TICK);
    world.tick();
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (Some(ms(100)), Reason::Backoff));
    world.run_for(TICK);
    assert_eq!(world.log.dialed.len(), 2);
    world.run_for(ms(100));
    let expected = [
        "connecting 1",
        "backoff 1",
        "connecting 2",
        "backoff 2",
        "connecting 3",
        "backoff 3",
    ];
    assert_eq!(names(&world), expected);
    match world.client.state() {
        State::Backoff { retry_at, .. } => assert_eq!(*retry_at, world.now + ms(100)),
        state => panic!("{state}"),
    }
}

#[test]
fn attempts_that_are_used_up_close_with_the_last_error() {
    let config = retrying().backoff(Backoff::fixed(ms(100)).max_attempts(3));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(10));
    assert_eq!(world.log.dialed.len(), 3);
    assert!(world.client.state().is_closed());
    assert!(matches!(failure(&world).0, LoginErrorKind::Connect { .. }));
}

#[test]
fn full_jitter_stays_below_a_ceiling_that_doubles_from_one_second_to_twenty() {
    let ceilings = [1, 2, 4, 8, 16, 20, 20];
    let config = retrying().backoff(Backoff::default());
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(300));
    let at: Vec<Duration> = dialed(&world).into_iter().map(|(at, _)| at).collect();
    let pauses: Vec<Duration> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() > 10);
    for (n, pause) in pauses.iter().enumerate() {
        assert!(
            *pause <= secs(*ceilings.get(n).unwrap_or(&20)),
            "{n}: {pause:?}"
        );
    }
}

#[test]
fn after_a_session_that_lasted_the_pause_is_at_most_half_a_second() {
    let config = retrying().backoff(Backoff::default());
    let mut world = World::tcp(config).node("gate", Node::gate()).online();
    let mut longest = ms(0);
    for _ in 0..50 {
        world.run_for(secs(10));
        world.act(world.conn(), Act::Reset);
        match world.client.state() {
            State::Backoff { retry_at, .. } => longest = longest.max(*retry_at - world.now),
            state => panic!("{state}"),
        }
        world.run_for(ms(500));
        assert!(world.client.state().is_online());
    }
    assert!(longest > ms(400) && longest <= ms(500), "{longest:?}");
}

/// Fails for a while, opens a session, loses it after `lasting`; gives how
/// often the client had to fail until it gave up.
fn failures_left_after(lasting: Duration, told_of_time: bool) -> usize {
    let config = retrying().backoff(Backoff::fixed(ms(100)).max_attempts(3));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(ms(150));
    world.set_node("gate", Node::gate());
    world.run_to(ms(200));
    assert!(world.client.state().is_online());
    let conn = world.conn();
    if told_of_time {
        world.run_for(lasting);
    } else {
        world.now = world.now + lasting;
    }
    world.set_node("gate", Node::that_is(Reach::Refused));
    let reason = SocketEnd::Eof;
    world.input(Input::Disconnected { conn, reason });
    let before = world.log.dialed.len();
    world.run_for(secs(10));
    assert!(world.client.state().is_closed());
    world.log.dialed.len() - before
}

#[test]
fn ten_seconds_online_clear_the_failures_and_less_does_not() {
    for told_of_time in [true, false] {
        // Two failures before; a session that did not last is the third.
        assert_eq!(failures_left_after(secs(10) - TICK, told_of_time), 0);
        assert_eq!(failures_left_after(secs(10), told_of_time), 3);
    }
}

#[test]
fn stop_codes_are_final_and_others_are_retried() {
    for (code, is_final) in [
        (20_013, true),
        (200_001, true),
        (200_002, true),
        (200_021, true),
        (200_024, true),
        (200_025, true),
        (200_026, true),
        (200_027, true),
        (200_049, true),
        (200_010, false),
        (20_001, false),
    ] {
        let node = Node::new(move |_| vec![Act::Error(code, "no")]);
        let mut world = World::tcp(retrying()).node("gate", node);
        world.login();
        world.run_for(ms(50));
        assert_eq!(world.client.state().is_closed(), is_final, "{code}");
        assert_eq!(failure(&world).1, ErrorCode(code));
    }
}

#[test]
fn already_authenticated_is_success() {
    let node = Node::new(|_| vec![Act::Error(200_023, "again")]);
    let world = World::tcp(tcp_config()).node("gate", node).online();
    assert_eq!(names(&world), ["connecting 1", "online"]);
}

#[test]
fn a_network_change_cuts_a_pause_short_once_in_two_seconds() {
    let config = retrying().backoff(Backoff::fixed(secs(10)));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(secs(1));
    world.input(Input::NetworkChanged);
    world.run_to(secs(3) - TICK);
    world.input(Input::NetworkChanged);
    assert_eq!(world.log.dialed.len(), 2);
    world.run_to(secs(3));
    world.input(Input::NetworkChanged);
    let at: Vec<Duration> = dialed(&world).into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, [secs(0), secs(1), secs(3)]);
    // The pause that was cut short does not come back.
    world.run_to(secs(13) - TICK);
    assert_eq!(world.log.dialed.len(), 3);
    world.run_to(secs(13));
    assert_eq!(world.log.dialed.len(), 4);
}

#[test]
fn a_network_change_outside_a_pause_changes_nothing() {
    let mut world = with_gate(retrying());
    world.input(Input::NetworkChanged);
    world.login();
    world.input(Input::NetworkChanged);
    world.run_for(ms(0));
    world.input(Input::NetworkChanged);
    assert_eq!(names(&world), ["connecting 1", "online"]);
}

#[test]
fn a_login_that_exceeds_the_package_limit_is_final_even_with_reconnect_on() {
    let mut config = retrying().max_package(1024);
    config = config.attributes([("key", "v".repeat(2000))]);
    let mut world = with_gate(config);
    world.login();
    world.run_for(secs(1));
    let (kind, code) = failure(&world);
    assert!(matches!(kind, LoginErrorKind::Encode(_)), "{kind:?}");
    assert_eq!(code, ErrorCode::PROTO_INVALID_PACKAGE);
    assert!(world.client.state().is_closed());
}
