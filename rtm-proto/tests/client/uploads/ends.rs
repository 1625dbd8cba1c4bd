//! A file call ends exactly once, in whatever step it is, and what happens to
//! it never touches the session.

use super::*;

fn lost(sent: bool) -> Result<(), RequestErrorKind> {
    Err(RequestErrorKind::ConnectionLost { sent })
}

fn late(sent: bool) -> Result<(), RequestErrorKind> {
    Err(RequestErrorKind::TimedOut { sent })
}

/// Every socket that was asked for is closed.
fn assert_no_socket_is_left(world: &World) {
    let hung_up: Vec<ConnId> = world.log.hung_up.iter().map(|(_, conn)| *conn).collect();
    for (_, host, conn) in &world.log.dialed {
        assert!(hung_up.contains(conn), "{host} {conn:?}");
    }
}

#[test]
fn a_cancelled_file_closes_its_connection_at_once_and_is_never_heard_of_again() {
    for step in STEPS {
        let (mut world, call) = stuck(step);
        world.client.cancel(call);
        world.settle();
        let now = world.elapsed();
        let hung_up: Vec<ConnId> = world.log.hung_up.iter().map(|(_, conn)| *conn).collect();
        assert_eq!(hung_up, file_conns(&world), "{step:?}");
        assert!(world.log.hung_up.iter().all(|(at, _)| *at == now));
        world.run_for(secs(200));
        assert!(world.log.ends.is_empty(), "{step:?}");
        world.set_node("gate", gate());
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn late_answers_after_a_cancel_mean_nothing() {
    let (mut world, call) = stuck(Step::Token);
    let gate = world.conn();
    world.client.cancel(call);
    let token = [("token", "T".into()), ("endpoint", "files:1".into())];
    world.act(gate, Act::Send(answer(2, &map(&token))));
    world.run_for(secs(1));
    assert!(file_conns(&world).is_empty());
    for step in [Step::Dial, Step::Handshake, Step::Sending, Step::Answer] {
        let (mut world, call) = stuck(step);
        let conn = world.conn();
        world.client.cancel(call);
        world.input(Input::Connected { conn });
        let data = answer(1, &map(&[("mtime", 1.into())]));
        world.input(crate::support::received(conn, data));
        let reason = "refused".to_owned();
        world.input(Input::ConnectFailed { conn, reason });
        let reason = SocketEnd::Eof;
        world.input(Input::Disconnected { conn, reason });
        assert!(world.log.ends.is_empty(), "{step:?}");
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn one_deadline_covers_every_step_to_the_nanosecond() {
    for step in STEPS {
        for limit in [None, Some(secs(7))] {
            let options = limit.map_or(RequestOptions::default(), |limit| {
                RequestOptions::default().timeout(limit)
            });
            let (mut world, call) = stuck_in(step, config(), options);
            let limit = limit.unwrap_or(secs(120));
            world.run_to(limit - TICK);
            world.tick();
            assert!(!world.log.has_ended(call), "{step:?}");
            world.run_to(limit);
            assert_eq!(world.log.end_of(call), late(step.has_sent()), "{step:?}");
            let hung_up: Vec<ConnId> = world.log.hung_up.iter().map(|(_, conn)| *conn).collect();
            assert_eq!(hung_up, file_conns(&world), "{step:?}");
            world.set_node("gate", gate());
            assert_only_the_session_is_left(&mut world);
        }
    }
}

#[test]
fn an_answer_at_the_deadline_is_late_and_one_a_tick_before_is_not() {
    for (early, expected) in [(TICK, Ok(())), (ms(0), late(true))] {
        let (mut world, call) = stuck(Step::Answer);
        let conn = world.conn();
        // As one message: the connection is a WebSocket.
        let package = answer(1, &map(&[]));
        let mut data = vec![0x82, u8::try_from(package.len()).unwrap()];
        data.extend_from_slice(&package);
        world.now = crate::support::START + (secs(120) - early);
        world.input(crate::support::received(conn, data));
        assert_eq!(world.log.end_of(call), expected);
    }
}

#[test]
fn a_file_gate_that_cannot_be_used_fails_the_call_alone() {
    for reach in [Reach::Refused, Reach::Mute] {
        let mut world = world_of(config(), Node::that_is(reach));
        let call = world.call(&file());
        world.run_for(ms(0));
        if reach == Reach::Mute {
            let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            world.act(world.conn(), Act::Raw(refusal.into()));
        }
        match world.log.end_of(call) {
            Err(RequestErrorKind::FileGate { why }) => {
                assert!(why.starts_with("ws://files:1: "), "{why}");
            }
            other => panic!("{reach:?}: {other:?}"),
        }
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn the_loss_of_the_file_connection_fails_the_call_alone() {
    for step in [Step::Dial, Step::Handshake, Step::Sending, Step::Answer] {
        for reason in [SocketEnd::Eof, SocketEnd::Failed("reset".into())] {
            let (mut world, call) = stuck(step);
            let conn = world.conn();
            world.input(Input::Disconnected { conn, reason });
            match world.log.end_of(call) {
                Err(RequestErrorKind::FileGate { .. }) => assert!(!step.has_sent(), "{step:?}"),
                end => assert_eq!((end, step.has_sent()), (lost(true), true), "{step:?}"),
            }
            assert_only_the_session_is_left(&mut world);
        }
    }
}

#[test]
fn a_file_gate_that_says_goodbye_or_nonsense_fails_the_call_alone() {
    let garbage = Act::Raw(vec![0x82, 4, 1, 2, 3, 4].into());
    for act in [Act::Close, Act::Reset, garbage] {
        let mut world = world(vec![vec![act.clone()]]);
        let call = world.call(&file());
        world.run_for(ms(0));
        assert_eq!(world.log.end_of(call), lost(true), "{act:?}");
        assert_eq!(closed(&world), 1, "{act:?}");
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn a_refused_file_or_token_is_an_error_of_the_server() {
    let mut world = world(vec![vec![Act::Error(200_003, "sign")]]);
    let call = world.call(&file());
    world.run_for(ms(0));
    let code = |end: Result<(), RequestErrorKind>| match end {
        Err(RequestErrorKind::Server { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    let refused = code(world.log.end_of(call));
    assert_eq!(refused, ErrorCode::INVALID_FILE_OR_SIGN_OR_TOKEN);
    assert_only_the_session_is_left(&mut world);

    let refusing = |asked: &Asked| match asked.method.as_str() {
        "filetoken" => vec![Act::Error(200_041, "not a member")],
        _ => vec![Act::done()],
    };
    world.set_node("gate", Node::new(refusing));
    // Nothing but a loss is repeated.
    let call = world.try_call(&file(), patient(3)).unwrap();
    world.run_for(ms(0));
    assert_eq!(code(world.log.end_of(call)), ErrorCode::NOT_GROUP_MEMBER);
    assert_eq!(asked(&world, "filetoken").len(), 2);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_token_without_its_parts_or_with_a_bad_address_fails_the_call_alone() {
    let parts = |fields: &[(&str, rmpv::Value)]| Act::Answer(map(fields));
    for (token, decodes) in [
        (parts(&[]), false),
        (parts(&[("token", "T".into())]), false),
        (parts(&[("endpoint", "files:1".into())]), false),
        (
            parts(&[("token", 1.into()), ("endpoint", "files:1".into())]),
            false,
        ),
        (
            parts(&[("token", "T".into()), ("endpoint", "".into())]),
            true,
        ),
        (
            parts(&[("token", "T".into()), ("endpoint", "::1:7".into())]),
            true,
        ),
        // Nobody set up any trust.
        (
            parts(&[("token", "T".into()), ("endpoint", "wss://files:1".into())]),
            true,
        ),
    ] {
        let mut world = world(vec![vec![taken()]]);
        let act = token.clone();
        world.set_node(
            "gate",
            Node::new(move |asked| match asked.method.as_str() {
                "filetoken" => vec![act.clone()],
                _ => vec![Act::done()],
            }),
        );
        let call = world.call(&file());
        world.run_for(ms(0));
        match world.log.end_of(call) {
            Err(RequestErrorKind::Decode(_)) => assert!(!decodes, "{token:?}"),
            Err(RequestErrorKind::FileGate { .. }) => assert!(decodes, "{token:?}"),
            other => panic!("{token:?}: {other:?}"),
        }
        assert!(file_conns(&world).is_empty());
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn the_loss_of_the_session_ends_only_what_waits_for_a_token() {
    for step in STEPS {
        let settings = config().auto_reconnect(true);
        let (mut world, call) = stuck_in(step, settings, RequestOptions::default());
        let (_, _, gate) = world.log.dialed[0];
        let reason = SocketEnd::Eof;
        world.input(Input::Disconnected { conn: gate, reason });
        assert!(matches!(world.client.state(), State::Backoff { .. }));
        if step == Step::Token {
            assert_eq!(world.log.end_of(call), lost(false));
        } else {
            assert!(!world.log.has_ended(call), "{step:?}");
            assert_eq!(world.client.in_flight(), 1);
        }
        world.set_node("gate", self::gate());
        world.run_to(secs(120) - TICK);
        assert_eq!(world.log.has_ended(call), step == Step::Token);
        world.run_to(secs(120));
        assert!(world.log.has_ended(call));
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn a_file_arrives_although_its_session_is_lost_on_the_way() {
    let settings = config().auto_reconnect(true);
    let mut world = world_of(settings, files(vec![vec![Act::after(secs(5), taken())]]));
    let gate = world.conn();
    let call = world.call(&file());
    world.run_to(secs(1));
    world.act(gate, Act::Reset);
    world.run_to(secs(5));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn with_the_client_a_file_ends_in_every_step() {
    type End = fn(&mut World);
    let abort: End = |world| {
        world.client.abort();
        world.settle();
    };
    let kickout: End = |world| {
        let (_, _, gate) = world.log.dialed[0];
        world.act(gate, Act::Send(push(1, "kickout", &map(&[]))));
        world.run_for(ms(2));
    };
    let loss: End = |world| {
        let (_, _, conn) = world.log.dialed[0];
        let reason = SocketEnd::Failed("reset".into());
        world.input(Input::Disconnected { conn, reason });
    };
    let logout: End = |world| {
        world.logout();
        world.run_for(ms(10));
    };
    for step in STEPS {
        for (name, end) in [
            ("abort", abort),
            ("kickout", kickout),
            ("loss", loss),
            ("logout", logout),
        ] {
            let (mut world, call) = stuck(step);
            let dialed = world.log.dialed.len();
            end(&mut world);
            assert!(
                matches!(world.client.state(), State::Closed { .. }),
                "{name}"
            );
            assert_eq!(
                world.log.end_of(call),
                lost(step.has_sent()),
                "{name} {step:?}"
            );
            assert_eq!(world.client.in_flight(), 0);
            // What a peer does not take is waited for a little.
            world.run_for(secs(200));
            if name != "loss" {
                assert_no_socket_is_left(&world);
            }
            assert_eq!(world.log.dialed.len(), dialed, "{name} {step:?}");
            assert_eq!(world.log.ends.len(), 1, "{name} {step:?}");
        }
    }
}

#[test]
fn a_file_may_still_arrive_while_the_goodbye_is_said() {
    let mut world = world(vec![vec![Act::after(secs(2), taken())]]);
    let quiet = |asked: &Asked| match asked.method.as_str() {
        "filetoken" => vec![permit(1, "files:1")],
        _ => vec![],
    };
    world.set_node("gate", Node::new(quiet));
    let call = world.call(&file());
    world.logout();
    world.run_to(secs(2));
    assert_eq!(*world.client.state(), State::Closing);
    assert_eq!(world.log.end_of(call), Ok(()));
    let error = world
        .try_call(&file(), RequestOptions::default())
        .unwrap_err();
    assert_eq!(*error.kind(), RequestErrorKind::NotConnected);
}

#[test]
fn a_token_that_comes_with_a_kickout_opens_no_connection() {
    let settings = config().gate(endpoint("tcp://gate:1"));
    let mut world = World::tcp(settings)
        .node("gate", gate_without_tokens())
        .online();
    let call = world.call(&file());
    world.run_for(ms(0));
    let token = [("token", "T".into()), ("endpoint", "files:1".into())];
    let mut bytes = push(1, "kickout", &map(&[])).to_vec();
    bytes.extend_from_slice(&answer(2, &map(&token)));
    world.act(world.conn(), Act::Raw(bytes.into()));
    world.run_for(secs(200));
    assert_eq!(world.log.end_of(call), lost(false));
    assert!(file_conns(&world).is_empty());
    assert_eq!(world.client.in_flight(), 0);
}

#[test]
fn a_stuck_file_holds_up_no_other_call() {
    for step in STEPS {
        let (mut world, call) = stuck(step);
        let at = world.elapsed();
        let other = world.call(&Call("other"));
        world.run_for(ms(2));
        let end = world.log.ends.iter().find(|end| end.1 == other).unwrap();
        assert_eq!(end.0, at + ms(2), "{step:?}");
        assert!(!world.log.has_ended(call));
    }
}
