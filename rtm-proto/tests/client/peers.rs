//! Peers that do not read, servers that frame wrongly, the proxy, plain FPNN
//! services.

use bytes::Bytes;
use rtm_proto::error::{Cause, LostReason, RequestErrorKind};
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::{CallId, Client, Config, ConnId, Input, Output, RequestOptions, State};

use crate::support::{
    Act, Call, Node, START, UNIX, World, answer, bare_config, cause, chat, endpoint, map, ms,
    one_way, tcp_config, ws_config,
};

fn online(config: Config) -> World {
    World::tcp(config).node("gate", Node::quiet_gate()).online()
}

/// The first of a family of packages that has 126 bytes.
fn of_126_bytes(package: impl Fn(String) -> Bytes) -> Bytes {
    let mut family = (0..126).map(|count| package("x".repeat(count)));
    family.find(|package| package.len() == 126).unwrap()
}

/// The frame as the server writes it: without the two bytes of its length.
fn framed_wrongly(package: &[u8]) -> Vec<u8> {
    [b"\x82\x7e", package].concat()
}

#[test]
fn a_push_of_126_bytes_that_the_server_frames_wrongly_is_read_and_what_follows_too() {
    let mut bytes = framed_wrongly(&of_126_bytes(|text| chat(1, 50, &text)));
    let next = one_way("kickoutroom", &map(&[("rid", 5.into())]));
    bytes.extend_from_slice(&[0x82, u8::try_from(next.len()).unwrap()]);
    bytes.extend_from_slice(&next);
    for piece in [usize::MAX, 1, 2, 3, 64] {
        let mut world = World::ws(ws_config())
            .node("gate", Node::quiet_gate())
            .online();
        world.piece = piece;
        world.act(world.conn(), Act::Raw(bytes.clone().into()));
        assert_eq!(world.log.pushes(), ["pushchat", "kickoutroom"]);
        assert_eq!(world.log.push_answers.len(), 1);
    }
}

#[test]
fn the_answers_of_dispatch_and_gate_may_be_framed_wrongly() {
    let welcome = |text: String| answer(1, &map(&[("ok", true.into()), ("x", text.into())]));
    let gate = framed_wrongly(&of_126_bytes(welcome));
    let named = |text: String| {
        let fields = [("endpoint", "gate:1".into()), ("x", text.into())];
        answer(1, &map(&fields))
    };
    let dispatch = framed_wrongly(&of_126_bytes(named));
    let says = |bytes: Vec<u8>| Node::new(move |_| vec![Act::Raw(bytes.clone().into())]);
    let config = bare_config().dispatch(endpoint("ws://dispatch:1"));
    let world = World::ws(config)
        .node("dispatch", says(dispatch))
        .node("gate", says(gate))
        .online();
    assert_eq!(world.log.methods("gate"), ["auth"]);
}

#[test]
fn calls_beyond_the_unsent_limit_get_backpressure_and_room_comes_back() {
    let mut world = online(tcp_config().max_unsent(990));
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
    assert_eq!(accepted.len(), 990 / 18);
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
        world.send(chat(seq, i64::from(seq) + 1, "x"));
        assert!(world.client.state().is_online());
    }
    world.send(chat(10, 99, "one too many"));
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
        world.send(chat(seq, i64::from(seq) + 1, "x"));
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
