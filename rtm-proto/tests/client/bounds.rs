//! Contract, line 5: what one input can cost; and bytes nobody asked for.

use bytes::Bytes;
use rtm_proto::api::SendMessage;
use rtm_proto::error::{Cause, LoginErrorKind, LostReason, RequestErrorKind};
use rtm_proto::{CallId, Event, RequestOptions, State, UserId};

use crate::support::{Act, Call, Node, START, World, answer, chat, map, ms, received, tcp_config};

#[test]
fn one_piece_has_at_most_64_kib_and_the_last_is_followed_by_none() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::gate()).online();
    let conn = world.conn();
    world.stall(conn, true);
    let long = SendMessage::chat(UserId(5), "x".repeat(200_000));
    world.call(&long);
    let mut sizes = Vec::new();
    while let Some(bytes) = world.client.poll_transmit(conn) {
        sizes.push(bytes.len());
    }
    assert!(sizes.len() == 4 && sizes.iter().all(|size| *size <= 65_536));
    assert!(sizes.iter().sum::<usize>() > 200_000);
}

#[test]
fn waiting_calls_are_bounded_in_number_and_in_bytes() {
    let wait = RequestOptions::default().wait_online(true);
    let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
    for _ in 0..1024 {
        world.client.request(START, &Call("a"), wait).unwrap();
    }
    let refused = world.client.request(START, &Call("a"), wait).unwrap_err();
    assert_eq!(*refused.kind(), RequestErrorKind::Backpressure);
    assert_eq!(world.client.in_flight(), 1024);
    world.login();
    world.run_for(ms(0));
    assert_eq!(world.log.ends.len(), 1024);
    assert!(world.log.ends.iter().all(|end| end.3.is_ok()));

    let long = SendMessage::chat(UserId(5), "x".repeat(1000));
    let world = World::tcp(tcp_config().max_unsent(5000));
    let mut client = world.client;
    let accepted: Vec<CallId> = std::iter::from_fn(|| client.request(START, &long, wait).ok())
        .take(100)
        .collect();
    assert_eq!(accepted.len(), 4);
    // Room comes back with every end.
    client.cancel(accepted[0]);
    assert!(client.request(START, &long, wait).is_ok());
    assert!(client.request(START, &long, wait).is_err());
}

#[test]
fn a_declared_length_above_the_limit_ends_the_connection_and_below_waits_for_bytes() {
    let header = |size: u32| {
        let mut header = b"FPNN\x01\x80\x01\x01".to_vec();
        header.extend_from_slice(&size.to_le_bytes());
        header
    };
    for (size, survives) in [(4 << 20, true), (8 << 20, false), (u32::MAX, false)] {
        let mut world = World::tcp(tcp_config()).node("gate", Node::gate()).online();
        let conn = world.conn();
        world.input(received(conn, header(size)));
        assert_eq!(world.client.state().is_online(), survives, "{size}");
    }
    // The limit is a setting.
    for (text, survives) in [("x".repeat(60), true), ("x".repeat(200), false)] {
        let config = tcp_config().max_package(200);
        let mut world = World::tcp(config).node("gate", Node::gate()).online();
        world.send(chat(1, 1, &text));
        assert_eq!(world.client.state().is_online(), survives);
    }
}

#[test]
fn bytes_that_are_no_package_end_the_session_or_the_attempt() {
    let garbage: [&[u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"FPNX",
        b"FPNN\x01\x00\x01\x01\x01\0\0\0\x01\0\0\0m\x80",
        b"FPNN\x01\x80\x07\x01\x01\0\0\0\x01\0\0\0m\x80",
        b"FPNN\x01\x80\x01\x01\x00\0\0\0\x01\0\0\0m",
    ];
    for bytes in garbage {
        let mut world = World::tcp(tcp_config()).node("gate", Node::gate()).online();
        let conn = world.conn();
        world.input(received(conn, Bytes::from_static(bytes)));
        match world.client.state() {
            State::Closed {
                cause: Cause::Lost(LostReason::Corrupt(_)),
            } => {}
            state => panic!("{state}"),
        }
        let mut world = World::tcp(tcp_config()).node(
            "gate",
            Node::new(move |_| vec![Act::Raw(Bytes::from_static(bytes))]),
        );
        world.login();
        world.run_for(ms(0));
        match world.client.state() {
            State::Closed {
                cause: Cause::Login(error),
            } => assert!(matches!(error.kind(), LoginErrorKind::Lost(_))),
            state => panic!("{state}"),
        }
    }
}

/// States wait in events that are never dropped, so what they keep must not be
/// as long as the peer likes.
#[test]
fn the_texts_that_a_server_sends_are_kept_in_part() {
    let long: &str = "x".repeat(100_000).leak();
    for act in [Act::Error(20001, long), Act::redirect(long)] {
        let mut world =
            World::tcp(tcp_config()).node("gate", Node::new(move |_| vec![act.clone()]));
        world.login();
        world.run_for(ms(0));
        let shown = format!("{:?} {}", world.client.state(), world.client.state());
        assert!(shown.len() < 4000, "{} bytes", shown.len());
        assert!(world.client.state().is_closed());
    }
}

/// Bytes may hold a token of a file.
#[test]
fn what_was_received_does_not_show_in_debug_output() {
    let world = World::tcp(tcp_config()).node("gate", Node::gate()).online();
    let input = received(world.conn(), "secret");
    assert!(format!("{input:?}").ends_with("bytes: 6 }"));
    let input = rtm_proto::connection::ConnectionInput::Received("secret".into());
    assert_eq!(format!("{input:?}"), "Received(6 bytes)");
}

#[test]
fn answers_nobody_waits_for_are_ignored() {
    let mut world = World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online();
    for seq in [0, 1, 2, 3, u32::MAX] {
        world.send(answer(seq, &map(&[])));
    }
    let call = world.call(&Call("a"));
    world.send(answer(77, &map(&[])));
    assert!(!world.log.has_ended(call));
    world.send(answer(2, &map(&[])));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_eq!(world.log.ends.len(), 1);
}

#[test]
fn events_carry_no_answer_and_answers_come_in_any_order() {
    let mut world = World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online();
    let calls = [
        world.call(&Call("a")),
        world.call(&Call("b")),
        world.call(&Call("c")),
    ];
    for seq in [4, 2, 3] {
        world.send(answer(seq, &map(&[("seq", seq.into())])));
    }
    for (call, seq) in calls.into_iter().zip([2_u8, 3, 4]) {
        let end = world.log.ends.iter().find(|end| end.1 == call).unwrap();
        let body = end.3.as_ref().unwrap().as_bytes().clone();
        assert_eq!(body[body.len() - 1], seq);
    }
    assert!(
        world
            .log
            .events
            .iter()
            .all(|(_, event)| matches!(event, Event::State(_)))
    );
}
