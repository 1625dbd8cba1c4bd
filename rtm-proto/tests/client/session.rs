//! An open session: kickout, logout, liveness, slow peers, the server's
//! defect, the proxy, plain FPNN.

use std::time::Duration;

use rtm_proto::error::{Cause, LostReason, RequestErrorKind};
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::{
    CallId, Client, Config, ConnId, Event, Input, Output, Reason, RequestOptions, State,
};

use crate::support::{
    Act, Call, Node, START, TICK, UNIX, World, answer, bare_config, endpoint, map, ms, one_way,
    push, secs, tcp_config, ws_config,
};

fn online(config: Config) -> World {
    World::tcp(config).node("gate", Node::quiet_gate()).online()
}

fn cause(world: &World) -> Cause {
    match world.client.state() {
        State::Closed { cause } | State::Backoff { cause, .. } => cause.clone(),
        state => panic!("{state}"),
    }
}

#[test]
fn a_kickout_is_told_then_the_client_closes_and_never_comes_back() {
    let kicks = [
        push(1, "kickout", &map(&[])),
        one_way("kickout", &map(&[("reason", "x".into())])),
    ];
    for kick in kicks {
        let mut world = online(tcp_config().auto_reconnect(true));
        world.send(kick);
        let last_two: Vec<&Event> = world
            .log
            .events
            .iter()
            .map(|(_, e)| e)
            .rev()
            .take(2)
            .collect();
        assert!(matches!(last_two[1], Event::KickedOut(_)));
        assert!(matches!(last_two[0], Event::State(State::Closed { .. })));
        assert_eq!(cause(&world), Cause::KickedOut);
        world.input(Input::NetworkChanged);
        world.run_for(secs(100));
        assert_eq!(world.log.dialed.len(), 1);
        assert_eq!(world.log.hung_up.len(), 1);
    }
}

#[test]
fn a_kickout_during_the_goodbye_takes_back_a_login_asked_for_meanwhile() {
    let mut world = online(tcp_config());
    world.logout();
    world.login();
    world.send(push(1, "kickout", &map(&[])));
    assert_eq!(cause(&world), Cause::KickedOut);
    world.run_for(secs(10));
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn a_kickout_with_the_goodbye_s_answer_behind_it_is_still_a_kickout() {
    let mut world = online(tcp_config());
    world.logout();
    let mut both = push(1, "kickout", &map(&[])).to_vec();
    both.extend_from_slice(&answer(2, &map(&[])));
    world.act(world.conn(), Act::Raw(both.into()));
    let closed = world
        .log
        .states()
        .into_iter()
        .filter(State::is_closed)
        .collect::<Vec<_>>();
    assert_eq!(
        closed,
        [State::Closed {
            cause: Cause::KickedOut
        }]
    );
}

#[test]
fn what_arrives_behind_a_kickout_in_the_same_bytes_still_counts() {
    for encoded in [0, 1] {
        let mut world = online(tcp_config());
        let call = world.call(&Call("a"));
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&push(1, "kickout", &map(&[])));
        bytes.extend_from_slice(&message(2, 50, "last words"));
        bytes.extend_from_slice(&answer(2, &map(&[])));
        world.piece = [usize::MAX, 1][encoded];
        world.act(world.conn(), Act::Raw(bytes.into()));
        if encoded == 0 {
            assert_eq!(world.log.texts(), ["last words"]);
            assert_eq!(world.log.end_of(call), Ok(()));
        }
        let answered: Vec<u32> = world.log.push_answers.iter().map(|a| a.1.seq).collect();
        // Whatever was delivered was answered.
        assert_eq!(answered.len(), 1 + world.log.texts().len());
    }
}

fn message(seq: u32, mid: i64, text: &str) -> bytes::Bytes {
    let body = map(&[
        ("from", 1.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", text.into()),
        ("attrs", "".into()),
    ]);
    push(seq, "pushmsg", &body)
}

#[test]
fn pushes_behind_a_refused_auth_are_answered_before_they_are_delivered() {
    for config in [tcp_config(), tcp_config().provide_tokens(true)] {
        let refusal = map(&[("ok", false.into())]);
        let mut bytes = answer(1, &refusal).to_vec();
        bytes.extend_from_slice(&message(9, 50, "behind"));
        let gate = Node::new(move |_| vec![Act::Raw(bytes.clone().into())]);
        let mut world = World::tcp(config).node("gate", gate);
        world.login();
        world.run_for(ms(0));
        assert_eq!(world.log.texts(), ["behind"]);
        assert_eq!(world.log.push_answers.len(), 1);
        assert_eq!(world.log.push_answers[0].1.seq, 9);
    }
}

#[test]
fn a_logout_says_bye_waits_for_its_answer_and_closes() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        _ => vec![Act::after(secs(2), Act::done())],
    });
    let mut world = World::tcp(tcp_config().auto_reconnect(true))
        .node("gate", gate)
        .online();
    world.logout();
    world.logout();
    assert_eq!(*world.client.state(), State::Closing);
    world.run_for(secs(2));
    assert_eq!(cause(&world), Cause::LoggedOut);
    assert_eq!(world.log.methods("gate"), ["auth", "bye"]);
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (None, Reason::None));
}

#[test]
fn a_connection_lost_during_the_goodbye_is_the_end_of_it() {
    let mut world = online(tcp_config().auto_reconnect(true));
    world.logout();
    world.act(world.conn(), Act::Reset);
    assert_eq!(cause(&world), Cause::LoggedOut);
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn pushes_are_answered_and_delivered_until_the_goodbye_is_over() {
    let mut world = online(tcp_config());
    world.logout();
    world.send(message(7, 50, "still here"));
    assert_eq!(world.log.texts(), ["still here"]);
    assert_eq!(world.log.push_answers.len(), 1);
}

#[test]
fn a_peer_that_takes_no_last_bytes_is_dropped_after_a_second() {
    let mut world = online(tcp_config());
    let conn = world.conn();
    world.stall(conn, true);
    world.call(&Call("a"));
    world.send(push(1, "kickout", &map(&[])));
    assert_eq!(world.wait(), (Some(secs(1)), Reason::Drain));
    world.run_to(secs(1) - TICK);
    world.tick();
    assert_eq!(world.log.hung_up, []);
    world.run_to(secs(1));
    assert_eq!(world.log.hung_up, [(secs(1), conn)]);
    assert_eq!(world.wait(), (None, Reason::None));
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
    world.send(message(1, 50, "alive"));
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
    let data = b"\x88\x02\x03\xe8"[..].into();
    world.input(Input::Received { conn, data });
    assert!(world.log.has_ended(call));
    assert_eq!(cause(&world), Cause::Lost(LostReason::PeerClosed));
    assert_eq!(world.log.hung_up.len(), 1);
}

#[test]
fn the_package_of_126_bytes_that_a_server_frames_wrongly_is_read() {
    let config = ws_config();
    for method in ["pushmsg", "auth"] {
        let gate = Node::quiet_gate();
        let mut world = World::ws(config.clone()).node("gate", gate);
        if method == "pushmsg" {
            world = world.online();
            let mut filler = 0;
            let package = loop {
                let package = message(1, 50, &"x".repeat(filler));
                if package.len() == 126 {
                    break package;
                }
                filler += 1;
            };
            let mut frame = b"\x82\x7e".to_vec();
            frame.extend_from_slice(&package);
            frame.extend_from_slice(b"\x82\x20");
            let rest = one_way("kickoutroom", &map(&[("rid", 5.into())]));
            frame.truncate(frame.len() - 2);
            frame.push(0x82);
            frame.push(u8::try_from(rest.len()).unwrap());
            frame.extend_from_slice(&rest);
            for piece in [usize::MAX, 1, 2, 3] {
                let mut world = World::ws(config.clone())
                    .node("gate", Node::quiet_gate())
                    .online();
                world.piece = piece;
                world.act(world.conn(), Act::Raw(frame.clone().into()));
                assert_eq!(world.log.pushes(), ["pushchat", "kickoutroom"]);
                assert_eq!(world.log.push_answers.len(), 1);
            }
        } else {
            // The answer of `auth` itself may be the one.
            let mut filler = 0;
            let package = loop {
                let body = map(&[("ok", true.into()), ("x", "y".repeat(filler).into())]);
                let package = answer(1, &body);
                if package.len() == 126 {
                    break package;
                }
                filler += 1;
            };
            let mut frame = b"\x82\x7e".to_vec();
            frame.extend_from_slice(&package);
            let gate = Node::new(move |_| vec![Act::Raw(frame.clone().into())]);
            world = World::ws(config.clone()).node("gate", gate);
            world.login();
            world.run_for(ms(0));
            assert!(world.client.state().is_online());
        }
    }
}

#[test]
fn calls_beyond_the_unsent_limit_get_backpressure_and_room_comes_back() {
    let mut world = online(tcp_config().max_unsent(1000));
    let conn = world.conn();
    world.stall(conn, true);
    let mut accepted: Vec<CallId> = Vec::new();
    let refused = loop {
        match world.try_call(&Call("a"), RequestOptions::default()) {
            Ok(call) => accepted.push(call),
            Err(error) => break error,
        }
    };
    assert_eq!(*refused.kind(), RequestErrorKind::Backpressure);
    // A quest of "a" has 12 + 4 + 1 + 1 bytes.
    assert_eq!(accepted.len(), 1000 / 18);
    world.stall(conn, false);
    world.run_for(ms(0));
    assert!(
        world
            .try_call(&Call("a"), RequestOptions::default())
            .is_ok()
    );
    assert_eq!(world.log.times("a").len(), accepted.len());
}

#[test]
fn a_peer_that_takes_no_answers_to_its_pushes_loses_the_connection() {
    let mut world = online(tcp_config().max_unsent(170));
    let conn = world.conn();
    world.stall(conn, true);
    // An empty answer has 12 + 4 + 1 bytes: ten of them fit.
    for seq in 0..10 {
        world.send(message(seq, i64::from(seq) + 1, "x"));
        assert!(world.client.state().is_online());
    }
    world.send(message(10, 99, "one too many"));
    assert_eq!(cause(&world), Cause::Lost(LostReason::PeerNotReading));
    assert_eq!(world.log.texts().len(), 11);
}

#[test]
fn own_unsent_calls_do_not_count_as_unread_answers() {
    let mut world = online(tcp_config().max_unsent(170));
    world.stall(world.conn(), true);
    for _ in 0..9 {
        world.call(&Call("a"));
    }
    for seq in 0..10 {
        world.send(message(seq, i64::from(seq) + 1, "x"));
    }
    assert!(world.client.state().is_online());
}

#[test]
fn a_plain_fpnn_client_is_online_when_connected_and_reconnects() {
    let config = Config::fpnn(endpoint("tcp://gate:1"))
        .auto_reconnect(true)
        .backoff(rtm_proto::Backoff::fixed(ms(100)));
    let mut world = World::tcp(config).node("gate", Node::gate()).online();
    assert_eq!(world.log.quests.len(), 0);
    let call = world.call(&Call("anything"));
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
    world.act(world.conn(), Act::Reset);
    world.run_for(ms(100));
    assert!(world.client.state().is_online());
    world.logout();
    world.run_for(ms(0));
    assert_eq!(cause(&world), Cause::LoggedOut);
    assert!(!world.log.methods("gate").contains(&"bye"));
}

#[test]
fn a_plain_fpnn_client_over_websocket_probes_because_no_pings_come() {
    let config = Config::fpnn(endpoint("ws://gate:1"));
    let mut world = World::ws(config).node("gate", Node::quiet_gate()).online();
    world.run_to(secs(25));
    assert_eq!(world.log.methods("gate"), ["*ping"]);
    assert_eq!(silence(&world), secs(25));
}

/// Takes all outputs; gives the connections asked for.
fn connects(client: &mut Client) -> Vec<(ConnId, String)> {
    let mut connects = Vec::new();
    loop {
        match client.poll_output() {
            Output::Connect { conn, host, .. } => connects.push((conn, host)),
            Output::Wait { .. } => return connects,
            _ => {}
        }
    }
}

/// Takes one wrapped package apart: the real target and the quest's method.
fn unwrap(client: &mut Client, conn: ConnId) -> (String, String) {
    let bytes = client.poll_transmit(conn).unwrap();
    let wrapped = rmpv::decode::read_value(&mut &bytes[..]).unwrap();
    let fields = wrapped.as_map().unwrap();
    let field = |name: &str| {
        fields
            .iter()
            .find(|(k, _)| k.as_str() == Some(name))
            .unwrap()
    };
    let target = field("endpoint").1.as_str().unwrap().to_owned();
    let package = field("data").1.as_slice().unwrap().to_vec();
    let mut decoder = Decoder::new(1000);
    decoder.push(package.into());
    match decoder.next_frame().unwrap() {
        Some(Frame::Quest(quest)) => (target, quest.method().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn through_a_proxy_every_package_names_the_real_target() {
    let config = bare_config()
        .ssl(true)
        .proxy_endpoint(endpoint("tcp://proxy:9"))
        .dispatch(endpoint("tcp://dispatch:1"));
    let mut client = Client::new(config, 1, START, UNIX);
    client.login(START);
    let (conn, host) = connects(&mut client).remove(0);
    assert_eq!(host, "proxy");
    client.handle_input(START, Input::Connected { conn });
    let expected = ("dispatch:1".to_owned(), "which".to_owned());
    assert_eq!(unwrap(&mut client, conn), expected);
    let data = answer(1, &map(&[("endpoint", "[::1]:7".into())]));
    client.handle_input(START, Input::Received { conn, data });
    let (conn, host) = connects(&mut client).remove(0);
    assert_eq!(host, "proxy");
    client.handle_input(START, Input::Connected { conn });
    let expected = ("[::1]:7".to_owned(), "auth".to_owned());
    assert_eq!(unwrap(&mut client, conn), expected);
    // What comes back is not wrapped.
    let data = answer(1, &map(&[("ok", true.into())]));
    client.handle_input(START, Input::Received { conn, data });
    match client.state() {
        State::Online { session } => assert_eq!(session.gate.to_string(), "tcp://[::1]:7"),
        state => panic!("{state}"),
    }
}

#[test]
fn without_ssl_the_proxy_is_not_used() {
    let config = tcp_config().proxy_endpoint(endpoint("tcp://proxy:9"));
    let mut client = Client::new(config, 1, START, UNIX);
    client.login(START);
    assert_eq!(connects(&mut client)[0].1, "gate");
}
