//! A file whose transfer breaks off starts again, if it may.

use super::*;

/// The message ids that arrived with files.
fn ids(world: &World) -> Vec<i64> {
    let sent = asked(world, "sendfile");
    sent.iter()
        .map(|sent| sent.field("mid").unwrap().as_i64().unwrap())
        .collect()
}

fn tokens(world: &World) -> Vec<&str> {
    let sent = asked(world, "sendfile");
    sent.iter()
        .map(|sent| sent.field("token").unwrap().as_str().unwrap())
        .collect()
}

const DUPLICATE: Act = Act::Error(200_053, "duplicate mid");

#[test]
fn another_try_takes_a_new_token_and_keeps_the_message_id() {
    let mut world = world(vec![vec![Act::Reset], vec![taken()]]);
    let call = world.try_call(&file(), patient(1)).unwrap();
    world.run_for(ms(0));
    assert_eq!(tokens(&world), ["token 1", "token 2"]);
    let id = receipt(&world, call).message_id.get();
    assert_eq!(ids(&world), [id, id]);
    assert_eq!(closed(&world), 2);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_duplicate_id_on_another_try_is_success() {
    let mut world = world(vec![vec![Act::Reset], vec![DUPLICATE]]);
    let call = world.try_call(&file(), patient(1)).unwrap();
    world.run_for(ms(0));
    assert!(receipt(&world, call).deduplicated);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_duplicate_id_is_success_for_a_resend_and_an_error_otherwise() {
    let mut world = world(vec![vec![DUPLICATE]]);
    let resent = world.call(&file().resend(MessageId(77)));
    let plain = world.call(&file().message_id(MessageId(77)));
    world.run_for(ms(0));
    assert!(receipt(&world, resent).deduplicated);
    assert_eq!(ids(&world), [77, 77]);
    match world.log.end_of(plain) {
        Err(RequestErrorKind::Server { code, .. }) => assert_eq!(code, ErrorCode::DUPLCATED_MID),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_duplicate_id_is_an_error_if_no_earlier_try_left() {
    let mut world = world(vec![vec![DUPLICATE]]);
    world.set_node("files", Node::that_is(Reach::Lost));
    let call = world.try_call(&file(), patient(1)).unwrap();
    world.run_for(ms(0));
    world.set_node("files", files(vec![vec![DUPLICATE]]));
    let conn = world.conn();
    let reason = "unreachable".to_owned();
    world.input(Input::ConnectFailed { conn, reason });
    world.run_for(ms(0));
    assert_eq!(ids(&world).len(), 1);
    assert!(world.log.end_of(call).is_err());
}

#[test]
fn tries_are_counted_and_the_last_failure_is_the_end() {
    let mut world = world_of(config(), Node::that_is(Reach::Refused));
    let call = world.try_call(&file(), patient(2)).unwrap();
    world.run_for(secs(1));
    assert_eq!(file_conns(&world).len(), 3);
    let end = world.log.end_of(call);
    assert!(
        matches!(end, Err(RequestErrorKind::FileGate { .. })),
        "{end:?}"
    );
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn every_try_has_an_equal_share_of_the_time_in_whatever_step_it_hangs() {
    for step in STEPS {
        let options = patient(2).timeout(secs(90));
        let (mut world, call) = stuck_in(step, config(), options);
        world.run_to(secs(90) - TICK);
        assert!(!world.log.has_ended(call));
        assert_eq!(
            world.log.times("filetoken"),
            [ms(1), secs(30) + ms(1), secs(60) + ms(1)],
            "{step:?}"
        );
        world.run_to(secs(90));
        let late = RequestErrorKind::TimedOut {
            sent: step.has_sent(),
        };
        assert_eq!(world.log.end_of(call), Err(late), "{step:?}");
        world.set_node("gate", gate());
        assert_only_the_session_is_left(&mut world);
    }
}

#[test]
fn the_share_of_a_try_covers_all_its_steps() {
    let mut world = world_of(config(), Node::that_is(Reach::Lost));
    let mut tokens = 0;
    let slow = move |asked: &Asked| match asked.method.as_str() {
        "filetoken" => {
            tokens += 1;
            vec![Act::after(secs(40), permit(tokens, "files:1"))]
        }
        _ => vec![Act::done()],
    };
    world.set_node("gate", Node::new(slow));
    let call = world
        .try_call(&file(), patient(1).timeout(secs(100)))
        .unwrap();
    world.run_to(secs(99));
    assert_eq!(world.log.times("filetoken"), [secs(0), secs(50)]);
    world.run_to(secs(100));
    let late = RequestErrorKind::TimedOut { sent: false };
    assert_eq!(world.log.end_of(call), Err(late));
}

#[test]
fn a_file_that_lost_its_session_goes_on_in_the_next() {
    let settings = config().auto_reconnect(true);
    let (mut world, call) = stuck_in(Step::Token, settings, patient(1));
    let conn = world.conn();
    world.set_node("gate", gate());
    world.set_node("files", files(vec![vec![taken()]]));
    let reason = SocketEnd::Eof;
    world.input(Input::Disconnected { conn, reason });
    world.run_for(secs(1));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_eq!(asked(&world, "filetoken").len(), 2);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_file_that_broke_off_without_a_session_waits_for_the_next() {
    let settings = config().auto_reconnect(true);
    let (mut world, call) = stuck_in(Step::Answer, settings, patient(1));
    let (_, _, gate) = world.log.dialed[0];
    let file_conn = world.conn();
    for conn in [gate, file_conn] {
        let reason = SocketEnd::Eof;
        world.input(Input::Disconnected { conn, reason });
    }
    assert!(!world.log.has_ended(call));
    world.set_node("files", files(vec![vec![DUPLICATE]]));
    world.run_for(secs(1));
    assert!(receipt(&world, call).deduplicated);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn no_more_files_wait_for_the_next_session_than_calls_may_wait() {
    let settings = config().auto_reconnect(true).max_waiting(2);
    let mut world = world_of(settings, Node::that_is(Reach::Lost));
    let gate = world.conn();
    let calls: Vec<CallId> = (0..4)
        .map(|_| world.try_call(&file(), patient(1)).unwrap())
        .collect();
    world.run_for(ms(0));
    let conns = file_conns(&world);
    world.act(gate, Act::Reset);
    for conn in conns {
        let reason = "unreachable".to_owned();
        world.input(Input::ConnectFailed { conn, reason });
    }
    let ended = calls.iter().filter(|call| world.log.has_ended(**call));
    assert_eq!(ended.count(), 2);
    assert_eq!(world.client.in_flight(), 2);
}

#[test]
fn a_file_that_may_have_arrived_is_never_reported_as_not_sent() {
    let mut world = world(vec![vec![Act::Reset]]);
    let mut tokens = 0;
    let moving = move |asked: &Asked| match asked.method.as_str() {
        "filetoken" => {
            tokens += 1;
            vec![permit(
                tokens,
                if tokens == 1 { "files:1" } else { "nowhere:1" },
            )]
        }
        _ => vec![Act::done()],
    };
    world.set_node("gate", Node::new(moving));
    world.set_node("nowhere", Node::that_is(Reach::Refused));
    let call = world.try_call(&file(), patient(1)).unwrap();
    world.run_for(ms(0));
    let lost = RequestErrorKind::ConnectionLost { sent: true };
    assert_eq!(world.log.end_of(call), Err(lost));
    assert_only_the_session_is_left(&mut world);
}
