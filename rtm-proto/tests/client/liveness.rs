//! Silence, probes, and the end of a connection.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::error::{Cause, LostReason, RequestErrorKind};
use rtm_proto::{Config, Reason, RequestOptions, State};

use crate::support::{
    Act, Call, Node, TICK, World, cause, chat, endpoint, map, ms, one_way, received, secs,
    tcp_config, ws_config,
};

fn online(config: Config) -> World {
    World::tcp(config).node("gate", Node::quiet_gate()).online()
}

fn silence(world: &World) -> Duration {
    match cause(world) {
        Cause::Lost(LostReason::Silent(span)) => span,
        cause => panic!("{cause}"),
    }
}

#[test]
fn a_websocket_is_dead_after_sixty_seconds_of_silence_to_the_tick() {
    let mut world = World::ws(ws_config())
        .node("gate", Node::quiet_gate())
        .online();
    world.run_to(secs(40));
    world.send(chat(1, 50, "alive"));
    world.run_to(secs(100) - TICK);
    world.tick();
    assert!(world.client.state().is_online());
    world.run_to(secs(100));
    assert_eq!(silence(&world), secs(60));
    assert_eq!(world.log.hung_up.len(), 1);
    // No probe was sent: a gate pings by itself.
    assert_eq!(world.log.methods("gate"), ["auth"]);
}

#[test]
fn any_received_byte_proves_life() {
    let mut world = World::ws(ws_config())
        .node("gate", Node::quiet_gate())
        .online();
    world.run_to(secs(59));
    // The first bytes of a frame that never becomes whole.
    world.act(world.conn(), Act::Raw(b"\x82\x05F"[..].into()));
    world.run_to(secs(119) - TICK);
    assert!(world.client.state().is_online());
    world.run_to(secs(119));
    assert_eq!(silence(&world), secs(60));
}

#[test]
fn the_limit_of_silence_is_a_setting_and_can_be_off() {
    let config = ws_config().max_ping_interval(Some(secs(7)));
    let mut world = World::ws(config).node("gate", Node::quiet_gate()).online();
    world.run_to(secs(7) - TICK);
    assert!(world.client.state().is_online());
    world.run_to(secs(7));
    assert_eq!(silence(&world), secs(7));

    for mut world in [
        World::ws(ws_config().max_ping_interval(None)),
        World::tcp(tcp_config().max_ping_interval(None)),
    ]
    .map(|world| world.node("gate", Node::quiet_gate()).online())
    {
        world.run_to(secs(10_000));
        assert!(world.client.state().is_online());
        assert_eq!(world.log.methods("gate"), ["auth"]);
        assert_eq!(world.wait(), (None, Reason::None));
    }
}

#[test]
fn a_stream_is_probed_after_twenty_seconds_and_dead_five_later() {
    let mut world = online(tcp_config());
    world.run_to(secs(20) - TICK);
    world.tick();
    assert_eq!(world.log.methods("gate"), ["auth"]);
    world.run_to(secs(20));
    assert_eq!(world.log.methods("gate"), ["auth", "*ping"]);
    world.run_to(secs(25) - TICK);
    world.tick();
    assert!(world.client.state().is_online());
    world.run_to(secs(25));
    assert_eq!(silence(&world), secs(25));
    assert_eq!(world.log.methods("gate"), ["auth", "*ping"]);
}

#[test]
fn a_probe_that_is_answered_keeps_the_stream_alive() {
    for latency in [ms(0), ms(1), secs(1)] {
        let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
        world.latency = latency;
        world.login();
        world.run_to(secs(200));
        assert!(world.client.state().is_online(), "latency {latency:?}");
        assert!(world.log.times("*ping").len() >= 8);
    }
}

#[test]
fn traffic_makes_probes_unnecessary() {
    let mut world = online(tcp_config());
    for n in 1..20 {
        world.run_to(secs(15 * n));
        world.send(one_way("ping", &map(&[])));
    }
    assert_eq!(world.log.methods("gate"), ["auth"]);
    assert_eq!(world.log.pushes().len(), 19);
}

#[test]
fn a_dead_connection_leads_to_the_next_attempt_and_its_calls_end() {
    let mut world = online(tcp_config().auto_reconnect(true));
    let options = RequestOptions::default().timeout(secs(100));
    let call = world.try_call(&Call("a"), options).unwrap();
    world.run_to(secs(25));
    assert!(matches!(world.client.state(), State::Backoff { .. }));
    let lost = RequestErrorKind::ConnectionLost { sent: true };
    assert_eq!(world.log.end_of(call), Err(lost));
    world.run_for(secs(1));
    assert!(world.client.state().is_online());
}

#[test]
fn a_close_frame_of_the_peer_ends_the_session_at_once() {
    let mut world = World::ws(ws_config())
        .node("gate", Node::quiet_gate())
        .online();
    let call = world.call(&Call("a"));
    let conn = world.conn();
    // The frame alone: the peer neither reads our reply nor drops the socket.
    let data = Bytes::from_static(b"\x88\x02\x03\xe8");
    world.input(received(conn, data));
    assert!(world.log.has_ended(call));
    assert_eq!(cause(&world), Cause::Lost(LostReason::PeerClosed));
    assert_eq!(world.log.hung_up.len(), 1);
}

#[test]
fn a_plain_fpnn_client_over_websocket_probes_because_no_pings_come() {
    let config = Config::fpnn(endpoint("ws://gate:1"));
    let mut world = World::ws(config).node("gate", Node::quiet_gate()).online();
    world.run_to(secs(25));
    assert_eq!(world.log.methods("gate"), ["*ping"]);
    assert_eq!(silence(&world), secs(25));
}
