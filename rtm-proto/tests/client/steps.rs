//! The steps of a login: their deadlines, losses at each of them, late news.

use std::time::Duration;

use rtm_proto::error::{ErrorCode, LoginErrorKind, LoginStep};
use rtm_proto::{Config, ConnId, Input, Reason, RequestOptions, SocketEnd, State};

use crate::support::{
    Act, Call, Node, Reach, TICK, World, bare_config, endpoint, failure, map, ms, push, secs,
    tcp_config, ws_config,
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

#[test]
fn each_step_has_its_deadline_to_the_tick() {
    let silent = || Node::that_is(Reach::Served);
    let cases: [(World, Duration, LoginStep); 4] = [
        (
            with_gate(tcp_config()).node("gate", Node::that_is(Reach::Lost)),
            secs(30),
            LoginStep::Connect,
        ),
        (
            World::ws(ws_config()).node("gate", Node::that_is(Reach::Mute)),
            secs(30),
            LoginStep::Connect,
        ),
        (
            with_gate(dispatched()).node("dispatch", silent()),
            secs(30),
            LoginStep::Lookup,
        ),
        (
            with_gate(tcp_config()).node("gate", silent()),
            secs(20),
            LoginStep::Auth,
        ),
    ];
    for (mut world, limit, step) in cases {
        world.login();
        world.run_to(limit - TICK);
        world.tick();
        assert!(!world.client.state().is_closed(), "{step:?}");
        world.run_to(limit);
        let expected = LoginErrorKind::TimedOut(step);
        assert_eq!(failure(&world), (expected, ErrorCode::CORE_TIMEOUT));
        world.run_for(secs(2));
        assert_eq!(world.wait(), (None, Reason::None), "{step:?}");
        assert_eq!(world.log.hung_up.len(), 1);
    }
}

/// What an adapter can report of a connection at any step.
fn ends(conn: ConnId) -> [Input; 3] {
    [
        Input::ConnectFailed {
            conn,
            reason: "no".into(),
        },
        Input::Disconnected {
            conn,
            reason: SocketEnd::Eof,
        },
        Input::Disconnected {
            conn,
            reason: SocketEnd::Failed("reset".into()),
        },
    ]
}

#[test]
fn a_loss_at_every_step_of_the_login_leads_to_the_next_attempt() {
    for kind in 0..3 {
        // With a latency of 10 ms each step lasts some of them.
        for at in (0..90).step_by(5) {
            let config = bare_config()
                .dispatch(endpoint("ws://dispatch:1"))
                .auto_reconnect(true);
            let mut world = World::ws(config)
                .node("dispatch", Node::dispatch("gate:1"))
                .node("gate", Node::gate());
            world.latency = ms(10);
            world.login();
            world.run_to(ms(at));
            let conn = world.conn();
            world.input(ends(conn)[kind].clone());
            assert!(
                matches!(world.client.state(), State::Backoff { .. }),
                "{at}"
            );
            world.run_for(secs(1));
            assert!(
                world.client.state().is_online(),
                "{at}: {}",
                world.client.state()
            );
        }
    }
}

#[test]
fn a_disconnect_reported_by_the_socket_is_not_asked_for_again() {
    let mut world = with_gate(retrying()).online();
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    assert_eq!(world.log.hung_up, []);
    assert_eq!(world.log.closed, ["gate"]);
}

#[test]
fn late_news_of_connections_that_are_gone_changes_nothing() {
    let mut world = with_gate(dispatched().auto_reconnect(true)).online();
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    let current = world.conn();
    let stale: Vec<ConnId> = world.log.dialed.iter().map(|dialed| dialed.2).collect();
    let call = world
        .try_call(&Call("x"), RequestOptions::default())
        .unwrap();
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
    let events = world.log.events.len();
    for conn in stale.into_iter().filter(|conn| *conn != current) {
        let data = push(1, "kickout", &map(&[]));
        world.input(Input::Connected { conn });
        world.input(Input::Received { conn, data });
        for end in ends(conn) {
            world.input(end);
        }
        assert!(world.client.poll_transmit(conn).is_none());
    }
    assert_eq!(world.log.events.len(), events);
    assert!(world.client.state().is_online());
}

#[test]
fn connection_names_are_never_used_twice() {
    let mut world = World::tcp(retrying()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(10));
    let mut conns: Vec<ConnId> = world.log.dialed.iter().map(|dialed| dialed.2).collect();
    let count = conns.len();
    conns.dedup();
    assert!(count > 50 && conns.len() == count);
}

#[test]
fn limits_of_any_length_are_taken() {
    let config = tcp_config()
        .connection_timeout(Duration::MAX)
        .request_timeout(Duration::MAX)
        .duplicate_lifetime(Duration::MAX)
        .max_ping_interval(Some(Duration::MAX));
    let mut world = World::tcp(config).node("gate", Node::gate()).online();
    let options = RequestOptions::default().timeout(Duration::MAX);
    let call = world.try_call(&Call("x"), options).unwrap();
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
}
