//! The contract: draining, time, sameness, bytes cut anywhere, every method in
//! every state.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::{
    Backoff, Client, ConnId, Input, Instant, Output, Reason, RequestOptions, SocketEnd,
};

use crate::support::{
    Act, Call, Node, Reach, START, TICK, UNIX, World, answer, chat, map, ms, one_way, push,
    push_json, received, secs, tcp_config,
};

/// Everything a client says until it waits, as text, bytes included.
fn drain(client: &mut Client, conns: &mut Vec<ConnId>) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        match client.poll_output() {
            Output::Wait { deadline, reason } => {
                let sent = transmit(client, conns, &mut said);
                if !sent && !client.has_output() {
                    said.push(format!("wait {deadline:?} {reason:?}"));
                    return said;
                }
            }
            output => {
                if let Output::Connect { conn, .. } = output {
                    conns.push(conn);
                }
                said.push(format!("{output:?}"));
            }
        }
    }
}

fn transmit(client: &mut Client, conns: &[ConnId], said: &mut Vec<String>) -> bool {
    let before = said.len();
    for conn in conns {
        while let Some(bytes) = client.poll_transmit(*conn) {
            said.push(format!("{conn:?} {bytes:?}"));
        }
    }
    said.len() > before
}

/// What a gate sends until the session is open, and what it sends then.
fn session_bytes() -> [Bytes; 2] {
    let mut login = chat(1, 1, "early").to_vec();
    login.extend_from_slice(&answer(1, &map(&[("ok", true.into())])));
    login.extend_from_slice(&push_json(
        2,
        "pushgroupmsg",
        r#"{"gid":1,"from":2,"mtype":30,"mid":3,"msg":"json"}"#,
    ));
    let mut rest = answer(3, &map(&[("b", 1.into())])).to_vec();
    rest.extend_from_slice(&chat(3, 2, "between"));
    rest.extend_from_slice(&answer(2, &map(&[("a", 1.into())])));
    rest.extend_from_slice(&push(4, "nobody.knows", &map(&[])));
    rest.extend_from_slice(&one_way("ping", &map(&[])));
    rest.extend_from_slice(&push(5, "kickout", &map(&[])));
    [login.into(), rest.into()]
}

/// A whole session whose bytes come in the given pieces; every word and byte
/// of the client.
fn session(pieces: impl Fn(Bytes) -> Vec<Bytes>) -> Vec<String> {
    let mut client = Client::new(tcp_config(), 1, START, UNIX);
    let mut conns = Vec::new();
    client.login(START);
    let mut said = drain(&mut client, &mut conns);
    let conn = conns[0];
    client.handle_input(START, Input::Connected { conn });
    said.extend(drain(&mut client, &mut conns));
    let [login, rest] = session_bytes();
    for piece in pieces(login) {
        client.handle_input(START, received(conn, piece));
    }
    said.extend(drain(&mut client, &mut conns));
    for name in ["a", "b"] {
        let call = client.request(START, &Call(name), RequestOptions::default());
        said.push(format!("{call:?}"));
    }
    said.extend(drain(&mut client, &mut conns));
    for piece in pieces(rest) {
        client.handle_input(START, received(conn, piece));
    }
    said.extend(drain(&mut client, &mut conns));
    said
}

#[test]
fn input_cut_at_any_byte_gives_the_same_words_and_bytes() {
    let whole = session(|bytes| vec![bytes]);
    for wanted in [
        "early",
        "json",
        "between",
        "nobody.knows",
        "Ping",
        "KickedOut",
    ] {
        assert!(whole.iter().any(|said| said.contains(wanted)), "{wanted}");
    }
    let longest = session_bytes().iter().map(Bytes::len).max().unwrap();
    for at in 0..=longest {
        let cut = session(|mut bytes| {
            let tail = bytes.split_off(at.min(bytes.len()));
            vec![bytes, tail]
        });
        assert_eq!(cut, whole, "cut at {at}");
    }
    for size in 1..30 {
        let pieces = session(|bytes| bytes.chunks(size).map(Bytes::copy_from_slice).collect());
        assert_eq!(pieces, whole, "pieces of {size}");
    }
}

#[test]
fn the_same_inputs_give_the_same_words_and_bytes() {
    let run = || session(|bytes| vec![bytes]);
    assert_eq!(run(), run());
    let world = || {
        let config = tcp_config()
            .auto_reconnect(true)
            .backoff(Backoff::default());
        let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
        world.login();
        world.run_for(secs(100));
        format!("{:?}", world.log.events)
    };
    assert_eq!(world(), world());
}

#[test]
fn asking_again_after_wait_is_harmless() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::gate()).online();
    let conn = world.conn();
    for _ in 0..10 {
        assert!(matches!(
            world.client.poll_output(),
            Output::Wait {
                deadline: Some(_),
                reason: Reason::Stable
            }
        ));
        assert!(world.client.poll_transmit(conn).is_none());
    }
}

#[test]
fn nothing_leaves_before_the_socket_is_connected() {
    let mut client = Client::new(tcp_config(), 1, START, UNIX);
    let mut conns = Vec::new();
    client.login(START);
    drain(&mut client, &mut conns);
    assert!(client.poll_transmit(conns[0]).is_none());
    // Bytes that come before that are no reason to panic.
    client.handle_input(START, received(conns[0], chat(1, 1, "odd")));
    assert!(client.poll_transmit(conns[0]).is_none());
}

#[test]
fn early_and_repeated_ticks_change_nothing() {
    let mut world = World::tcp(tcp_config().auto_reconnect(true))
        .node("gate", Node::quiet_gate())
        .online();
    world.call(&Call("a"));
    let so_far = |world: &mut World| {
        world.run_for(ms(0));
        let log = &world.log;
        (log.events.len(), log.ends.len(), log.quests.len())
    };
    let mut reasons = Vec::new();
    for _ in 0..6 {
        let (deadline, reason) = world.wait();
        let deadline = deadline.unwrap();
        let before = so_far(&mut world);
        world.run_to(deadline - TICK);
        for _ in 0..3 {
            world.tick();
        }
        assert_eq!(so_far(&mut world), before, "{reason:?}");
        assert_eq!(world.wait(), (Some(deadline), reason));
        world.run_to(deadline);
        let once = so_far(&mut world);
        for _ in 0..3 {
            world.tick();
        }
        assert_eq!(so_far(&mut world), once, "{reason:?}");
        assert_ne!(world.wait(), (Some(deadline), reason));
        reasons.push(reason);
    }
    let expected = [Reason::Stable, Reason::Call, Reason::Call, Reason::Backoff];
    assert_eq!(reasons[..expected.len()], expected);
}

#[test]
fn a_time_that_goes_back_counts_as_the_last_one() {
    let mut world = World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online();
    world.run_to(secs(5));
    world.tick();
    world.now = START;
    let options = RequestOptions::default().timeout(secs(3));
    let call = world.try_call(&Call("a"), options).unwrap();
    world.now = START + (secs(8) - TICK);
    world.tick();
    assert!(!world.log.has_ended(call));
    world.now = START + secs(8);
    world.tick();
    assert!(world.log.has_ended(call));
    for at in [Instant::ZERO, START, START + secs(3)] {
        world.client.handle_input(at, Input::Tick);
        world.client.login(at);
    }
    world.settle();
    assert!(world.client.state().is_online());
}

#[test]
fn the_end_of_time_is_no_end_of_the_client() {
    let config = tcp_config()
        .auto_reconnect(true)
        .backoff(Backoff::fixed(Duration::ZERO));
    let end = Instant::from_duration(Duration::MAX);
    let mut client = Client::new(config, 1, START, UNIX);
    let mut conns = Vec::new();
    client.login(end);
    for _ in 0..3 {
        client.handle_input(end, Input::Tick);
        drain(&mut client, &mut conns);
        let conn = *conns.last().unwrap();
        client.handle_input(end, Input::Connected { conn });
        client.handle_input(end, received(conn, chat(1, 1, "x")));
        let _ = client.request(end, &Call("a"), RequestOptions::default().wait_online(true));
        drain(&mut client, &mut conns);
    }
    client.abort();
    drain(&mut client, &mut conns);
    assert_eq!(client.in_flight(), 0);
}

#[test]
fn every_method_can_be_called_in_every_state() {
    let step_names = [
        "idle",
        "connecting",
        "online",
        "closing",
        "backoff",
        "token",
        "closed",
        "aborted",
    ];
    for state in step_names {
        for method in 0..9 {
            let mut world = in_state(state);
            let now = world.now;
            let conn = world.log.dialed.last().map(|dialed| dialed.2);
            let client = &mut world.client;
            match method {
                0 => client.login(now),
                1 => client.logout(now),
                2 => client.abort(),
                3 => client.set_token(now, "other".into()),
                4 => drop(client.request(
                    now,
                    &Call("a"),
                    RequestOptions::default().wait_online(true),
                )),
                5 => client.handle_input(now, Input::NetworkChanged),
                6 => client.handle_input(now, Input::Tick),
                7 => {
                    if let Some(conn) = conn {
                        client.handle_input(now, Input::Connected { conn });
                        client.handle_input(now, received(conn, chat(1, 1, "x")));
                    }
                }
                _ => {
                    if let Some(conn) = conn {
                        let reason = SocketEnd::Eof;
                        client.handle_input(now, Input::Disconnected { conn, reason });
                    }
                }
            }
            let _ = format!("{client:?} {} {:?}", client.state(), client.config());
            client.abort();
            let mut conns = Vec::new();
            drain(client, &mut conns);
            assert_eq!(client.in_flight(), 0, "{state} {method}");
            assert!(client.state().is_closed());
        }
    }
}

fn in_state(name: &str) -> World {
    let config = tcp_config().auto_reconnect(true).provide_tokens(true);
    let gate = match name {
        "backoff" => Node::that_is(Reach::Refused),
        "connecting" => Node::that_is(Reach::Served),
        "token" => Node::new(|_| vec![Act::refuse()]),
        _ => Node::quiet_gate(),
    };
    let mut world = World::tcp(config).node("gate", gate);
    if name != "idle" {
        world.login();
        world.run_for(ms(1));
    }
    match name {
        "closing" => world.logout(),
        "closed" => {
            world.logout();
            world.run_for(secs(6));
        }
        "aborted" => {
            world.client.abort();
            world.settle();
        }
        _ => {}
    }
    world
}
