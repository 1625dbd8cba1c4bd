//! Contract, line 4: every accepted call ends exactly once, whatever happens.

use rtm_proto::api::SendMessage;
use rtm_proto::error::{ErrorCode, RequestErrorKind};
use rtm_proto::{Backoff, CallId, Input, RequestOptions, SocketEnd, UserId};

use crate::support::{Act, Call, Node, Reach, TICK, World, map, ms, push, secs, tcp_config};

const LOST_SENT: Result<(), RequestErrorKind> =
    Err(RequestErrorKind::ConnectionLost { sent: true });
const LOST_UNSENT: Result<(), RequestErrorKind> =
    Err(RequestErrorKind::ConnectionLost { sent: false });
const LATE_SENT: Result<(), RequestErrorKind> = Err(RequestErrorKind::TimedOut { sent: true });
const LATE_UNSENT: Result<(), RequestErrorKind> = Err(RequestErrorKind::TimedOut { sent: false });
const OFFLINE: Result<(), RequestErrorKind> = Err(RequestErrorKind::NotConnected);

/// A session whose gate never answers calls.
fn unanswered() -> World {
    World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online()
}

/// One call that left and one that cannot, because the peer stopped reading.
fn sent_and_unsent(world: &mut World) -> (CallId, CallId) {
    let sent = world.call(&Call("sent"));
    world.stall(world.conn(), true);
    let unsent = world.call(&Call("unsent"));
    (sent, unsent)
}

fn assert_nothing_is_left(world: &mut World) {
    assert_eq!(world.client.in_flight(), 0);
    let ends = world.log.ends.len();
    world.run_for(secs(100));
    assert_eq!(world.log.ends.len(), ends, "something ended twice");
}

#[test]
fn by_its_answer_and_by_nothing_after_it() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    let answer = crate::support::answer(2, &map(&[("x", 1.into())]));
    world.send(answer.clone());
    world.send(answer);
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_an_error_of_the_server_with_code_text_and_raiser() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        _ => vec![Act::Error(200_030, "too large")],
    });
    let mut world = World::tcp(tcp_config()).node("gate", gate).online();
    let call = world.call(&Call("a"));
    world.run_for(ms(0));
    let kind = RequestErrorKind::Server {
        code: ErrorCode(200_030),
        message: "too large".into(),
        raiser: None,
    };
    assert_eq!(world.log.end_of(call), Err(kind));
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_its_deadline_exactly_then_and_not_a_tick_before() {
    let mut world = unanswered();
    world.run_to(ms(10));
    let call = world.call(&Call("a"));
    world.run_to(ms(10) + secs(20) - TICK);
    world.tick();
    assert!(!world.log.has_ended(call));
    world.run_to(ms(10) + secs(20));
    assert_eq!(world.log.end_of(call), LATE_SENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_its_deadline_although_it_never_left() {
    let mut world = unanswered();
    let (sent, unsent) = sent_and_unsent(&mut world);
    world.run_to(secs(20));
    assert_eq!(world.log.end_of(sent), LATE_SENT);
    assert_eq!(world.log.end_of(unsent), LATE_UNSENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn an_answer_at_the_deadline_is_late_and_one_a_tick_before_is_not() {
    for (early, expected) in [(TICK, Ok(())), (ms(0), LATE_SENT)] {
        let mut world = unanswered();
        let options = RequestOptions::default().timeout(secs(3));
        let call = world.try_call(&Call("a"), options).unwrap();
        let conn = world.conn();
        let answer = crate::support::answer(2, &map(&[]));
        world.now = world.now + (secs(3) - early);
        world.input(Input::Received { conn, data: answer });
        assert_eq!(world.log.end_of(call), expected);
        assert_nothing_is_left(&mut world);
    }
}

#[test]
fn by_the_loss_of_the_connection_which_tells_what_was_sent() {
    for end in [SocketEnd::Eof, SocketEnd::Failed("connection reset".into())] {
        let mut world = unanswered();
        let (sent, unsent) = sent_and_unsent(&mut world);
        let conn = world.conn();
        world.input(Input::Disconnected { conn, reason: end });
        assert_eq!(world.log.end_of(sent), LOST_SENT);
        assert_eq!(world.log.end_of(unsent), LOST_UNSENT);
        assert_nothing_is_left(&mut world);
    }
}

#[test]
fn one_byte_handed_out_makes_a_call_sent() {
    let mut world = unanswered();
    let conn = world.conn();
    world.stall(conn, true);
    // A piece has 64 KiB: the second call begins inside the first piece.
    let long = SendMessage::chat(UserId(5), "x".repeat(40 * 1024));
    let first = world.call(&long);
    let second = world.call(&long);
    let third = world.call(&long);
    assert!(world.client.poll_transmit(conn).is_some());
    let reason = SocketEnd::Eof;
    world.input(Input::Disconnected { conn, reason });
    assert_eq!(world.log.end_of(first), LOST_SENT);
    assert_eq!(world.log.end_of(second), LOST_SENT);
    assert_eq!(world.log.end_of(third), LOST_UNSENT);
}

#[test]
fn by_bytes_of_the_peer_that_are_no_package() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    let conn = world.conn();
    world.act(conn, Act::Raw(b"GARBAGE!"[..].into()));
    assert_eq!(world.log.end_of(call), LOST_SENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_a_logout_that_is_answered() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "bye" => vec![Act::after(secs(1), Act::done())],
        _ => vec![],
    });
    let mut world = World::tcp(tcp_config()).node("gate", gate).online();
    let answered = world.call(&Call("a"));
    let lost = world.call(&Call("b"));
    world.logout();
    world.send(crate::support::answer(2, &map(&[])));
    assert_eq!(world.log.end_of(answered), Ok(()));
    assert!(!world.log.has_ended(lost));
    world.run_to(secs(1));
    assert_eq!(world.log.end_of(lost), LOST_SENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_a_logout_that_is_not_answered() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    world.logout();
    world.run_to(secs(5) - TICK);
    assert!(!world.log.has_ended(call));
    world.run_to(secs(5));
    assert_eq!(world.log.end_of(call), LOST_SENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_a_kickout() {
    let mut world = unanswered();
    let (sent, unsent) = sent_and_unsent(&mut world);
    world.send(push(1, "kickout", &map(&[])));
    assert_eq!(world.log.end_of(sent), LOST_SENT);
    assert_eq!(world.log.end_of(unsent), LOST_UNSENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_an_abort_in_flight_and_waiting() {
    let mut world = unanswered();
    let (sent, unsent) = sent_and_unsent(&mut world);
    world.client.abort();
    world.settle();
    assert_eq!(world.log.end_of(sent), LOST_SENT);
    assert_eq!(world.log.end_of(unsent), LOST_UNSENT);
    assert_nothing_is_left(&mut world);

    let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
    let waiting = wait_for_session(&mut world);
    world.client.abort();
    world.settle();
    assert_eq!(world.log.end_of(waiting), OFFLINE);
    assert_nothing_is_left(&mut world);
}

fn wait_for_session(world: &mut World) -> CallId {
    let options = RequestOptions::default().wait_online(true);
    world.try_call(&Call("waiting"), options).unwrap()
}

#[test]
fn waiting_by_a_refusal_a_give_up_and_a_logout() {
    let refusing = Node::new(|_| vec![Act::Error(200_024, "denied")]);
    let unreachable = Node::that_is(Reach::Refused);
    for node in [refusing, unreachable] {
        let config = tcp_config()
            .auto_reconnect(true)
            .backoff(Backoff::fixed(ms(100)).max_attempts(3));
        let mut world = World::tcp(config).node("gate", node);
        let waiting = wait_for_session(&mut world);
        world.login();
        world.run_to(secs(1));
        assert!(world.client.state().is_closed());
        assert_eq!(world.log.end_of(waiting), OFFLINE);
        assert_nothing_is_left(&mut world);
    }
    let mut world = World::tcp(tcp_config()).node("gate", Node::that_is(Reach::Lost));
    let waiting = wait_for_session(&mut world);
    world.login();
    world.logout();
    assert_eq!(world.log.end_of(waiting), OFFLINE);
    assert_nothing_is_left(&mut world);
}

#[test]
fn waiting_by_the_deadline() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::that_is(Reach::Lost));
    let waiting = wait_for_session(&mut world);
    world.run_to(secs(20) - TICK);
    world.tick();
    assert!(!world.log.has_ended(waiting));
    world.run_to(secs(20));
    assert_eq!(world.log.end_of(waiting), LATE_UNSENT);
    assert_nothing_is_left(&mut world);
}

#[test]
fn waiting_by_the_answer_once_there_is_a_session() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
    let first = wait_for_session(&mut world);
    let second = wait_for_session(&mut world);
    world.login();
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(first), Ok(()));
    assert_eq!(world.log.end_of(second), Ok(()));
    assert_eq!(world.log.methods("gate"), ["auth", "waiting", "waiting"]);
    assert_nothing_is_left(&mut world);
}

#[test]
fn by_cancel_and_then_no_answer_follows() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    world.client.cancel(call);
    assert_eq!(world.client.in_flight(), 0);
    world.send(crate::support::answer(2, &map(&[])));
    world.run_for(secs(30));
    assert!(!world.log.has_ended(call));

    let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
    let waiting = wait_for_session(&mut world);
    world.client.cancel(waiting);
    world.login();
    world.run_for(secs(30));
    assert!(!world.log.has_ended(waiting));
    assert_eq!(world.log.methods("gate")[..1], ["auth"]);
}

#[test]
fn a_cancel_takes_back_an_answer_that_nobody_has_seen() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    let conn = world.conn();
    let data = crate::support::answer(2, &map(&[]));
    world
        .client
        .handle_input(world.now, Input::Received { conn, data });
    world.client.cancel(call);
    world.settle();
    assert!(!world.log.has_ended(call));
}

#[test]
fn a_failed_connect_reported_of_an_open_session_ends_it_like_any_loss() {
    let mut world = unanswered();
    let call = world.call(&Call("a"));
    let conn = world.conn();
    let reason = "nonsense".into();
    world.input(Input::ConnectFailed { conn, reason });
    assert_eq!(world.log.end_of(call), LOST_SENT);
    assert!(world.client.state().is_closed());
    assert_nothing_is_left(&mut world);
}

#[test]
fn a_refused_call_does_not_exist() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::gate());
    let refused = world.try_call(&Call("a"), RequestOptions::default());
    assert_eq!(*refused.unwrap_err().kind(), OFFLINE.unwrap_err());
    world.login();
    world.run_for(ms(0));
    let long = SendMessage::chat(UserId(5), "x".repeat(9 << 20));
    let refused = world.try_call(&long, RequestOptions::default());
    assert!(matches!(
        refused.unwrap_err().kind(),
        RequestErrorKind::Encode(_)
    ));
    let bad = SendMessage::new(UserId(5), 0, "x");
    let refused = world.try_call(&bad, RequestOptions::default());
    assert_eq!(refused.unwrap_err().code(), ErrorCode::INVALID_MTYPE);
    assert_nothing_is_left(&mut world);
    assert_eq!(world.log.ends.len(), 0);
}

#[test]
fn calls_fail_at_once_in_every_state_without_a_session() {
    let config = tcp_config().auto_reconnect(true);
    let mut world = World::tcp(config).node("gate", Node::quiet_gate());
    let is_refused = |world: &mut World| {
        let refused = world.try_call(&Call("a"), RequestOptions::default());
        assert_eq!(*refused.unwrap_err().kind(), OFFLINE.unwrap_err());
    };
    is_refused(&mut world);
    world.login();
    is_refused(&mut world);
    world.run_for(ms(0));
    world.act(world.conn(), Act::Reset);
    is_refused(&mut world);
    world.run_for(ms(100));
    assert!(world.client.state().is_online());
    world.logout();
    is_refused(&mut world);
    world.run_for(secs(5));
    is_refused(&mut world);
    // Waiting helps only where a session may follow.
    let options = RequestOptions::default().wait_online(true);
    assert!(world.try_call(&Call("a"), options).is_err());
}
