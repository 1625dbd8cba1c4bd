//! Message ids, resends, and sending again after a loss.

use rtm_proto::api::{Receipt, SendMessage};
use rtm_proto::error::{ErrorCode, RequestErrorKind};
use rtm_proto::{
    CallId, Client, Context, Input, Instant, MessageId, Request, RequestOptions, SocketEnd, UserId,
};

use crate::support::{Act, Call, Node, START, TICK, UNIX, World, map, ms, secs, tcp_config};

fn hello() -> SendMessage {
    SendMessage::chat(UserId(5), "hello")
}

fn id_of(world: &World, call: CallId) -> MessageId {
    context_of(world, call).message_id
}

fn context_of(world: &World, call: CallId) -> Context {
    let end = world.log.ends.iter().find(|end| end.1 == call);
    end.expect("not ended").2
}

fn receipt(world: &World, call: CallId) -> Receipt {
    let end = world.log.ends.iter().find(|end| end.1 == call).unwrap();
    let answer = end.3.clone().unwrap();
    hello().decode(&end.2, answer).unwrap()
}

fn sent_ids(world: &World) -> Vec<i64> {
    let sends = world.log.quests.iter().filter(|q| q.method == "sendmsg");
    sends
        .map(|q| q.field("mid").unwrap().as_i64().unwrap())
        .collect()
}

/// A gate that answers the nth send of all as told, the last rule for the rest.
fn gate(rules: Vec<Vec<Act>>) -> Node {
    let mut sends = 0;
    Node::new(move |asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "sendmsg" => {
            sends += 1;
            rules[(sends - 1).min(rules.len() - 1)].clone()
        }
        _ => vec![],
    })
}

fn world(rules: Vec<Vec<Act>>) -> World {
    let config = tcp_config().auto_reconnect(true);
    World::tcp(config).node("gate", gate(rules)).online()
}

const DUPLICATE: Act = Act::Error(200_053, "duplicate mid");

#[test]
fn ids_rise_within_a_millisecond_and_when_the_clock_goes_back() {
    let mut world = world(vec![vec![Act::done()]]);
    let mut calls = Vec::new();
    for at in [5, 5, 5, 9, 3, 3, 10] {
        world.now = START + ms(at);
        calls.push(world.call(&hello()));
    }
    world.run_for(ms(0));
    let ids: Vec<i64> = calls.iter().map(|c| id_of(&world, *c).get()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let mut sent = sent_ids(&world);
    sent.sort_unstable();
    assert_eq!(ids, sent);
    let ms_of_first = u128::try_from(ids[0] >> 21).unwrap();
    assert_eq!(ms_of_first, (UNIX + ms(5)).as_millis());
}

#[test]
fn two_clients_with_different_seeds_make_different_ids_in_the_same_millisecond() {
    let first_id = |seed| {
        let mut client = Client::new(tcp_config(), seed, START, UNIX);
        let error = client.request(START, &hello(), RequestOptions::default());
        error.unwrap_err().message_id().unwrap()
    };
    assert_ne!(first_id(1), first_id(2));
    assert_eq!(first_id(1), first_id(1));
}

#[test]
fn an_id_of_the_caller_is_used_unchanged_and_a_negative_one_too() {
    let mut world = world(vec![vec![Act::done()]]);
    for id in [1, i64::MAX, -7] {
        world.call(&hello().message_id(MessageId(id)));
    }
    world.run_for(ms(0));
    assert_eq!(sent_ids(&world), [1, i64::MAX, -7]);
}

#[test]
fn a_failed_send_tells_the_id_to_resend_with() {
    let mut world = world(vec![vec![Act::Error(200_054, "")]]);
    let call = world.call(&hello());
    world.run_for(ms(0));
    let (_, _, context, result) = world.log.ends[0].clone();
    let error = result.unwrap_err();
    assert_eq!(error.message_id(), Some(context.message_id));
    assert_eq!(error.method(), "sendmsg");
    assert_eq!(sent_ids(&world), [id_of(&world, call).get()]);
}

#[test]
fn a_duplicate_id_is_success_for_a_resend_and_an_error_otherwise() {
    let mut world = world(vec![vec![DUPLICATE]]);
    let resent = world.call(&hello().resend(MessageId(77)));
    let plain = world.call(&hello().message_id(MessageId(77)));
    world.run_for(ms(0));
    assert!(receipt(&world, resent).deduplicated);
    assert_eq!(receipt(&world, resent).message_id, MessageId(77));
    match world.log.end_of(plain) {
        Err(RequestErrorKind::Server { code, .. }) => {
            assert_eq!(code, ErrorCode::DUPLCATED_MID);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resend_that_did_not_arrive_before_is_an_ordinary_send() {
    let done = Act::Answer(map(&[("mtime", 1_591_322_544_001_i64.into())]));
    let mut world = world(vec![vec![done]]);
    let call = world.call(&hello().resend(MessageId(77)));
    world.run_for(ms(0));
    assert!(!receipt(&world, call).deduplicated);
    assert_eq!(receipt(&world, call).time_ms, Some(1_591_322_544_001));
}

#[test]
fn a_lost_send_is_sent_again_with_its_id_in_the_next_session() {
    let mut world = world(vec![vec![Act::Reset], vec![DUPLICATE]]);
    let options = RequestOptions::default().resend_on_loss(1);
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(1));
    let id = id_of(&world, call).get();
    assert_eq!(sent_ids(&world), [id, id]);
    assert!(receipt(&world, call).deduplicated);
    assert_eq!(world.client.in_flight(), 0);
}

#[test]
fn tries_are_counted_and_the_last_loss_is_the_end() {
    let mut world = world(vec![vec![Act::Reset]]);
    let options = RequestOptions::default().resend_on_loss(2);
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(30));
    assert_eq!(sent_ids(&world).len(), 3);
    let lost = RequestErrorKind::ConnectionLost { sent: true };
    assert_eq!(world.log.end_of(call), Err(lost));
}

#[test]
fn an_unanswered_send_is_repeated_after_its_share_of_the_time() {
    let mut world = world(vec![vec![]]);
    let options = RequestOptions::default().resend_on_loss(2).timeout(secs(9));
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(9) - TICK);
    world.tick();
    assert!(!world.log.has_ended(call));
    world.run_for(TICK);
    assert_eq!(world.log.times("sendmsg"), [secs(0), secs(3), secs(6)]);
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(world.log.end_of(call), Err(late));
    world.run_for(secs(30));
    assert_eq!(world.log.ends.len(), 1);
}

#[test]
fn a_late_answer_to_an_earlier_try_does_not_end_the_call_twice() {
    let slow = Act::after(secs(4), Act::done());
    let mut world = world(vec![vec![slow], vec![DUPLICATE]]);
    let options = RequestOptions::default().resend_on_loss(1).timeout(secs(6));
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(10));
    assert!(receipt(&world, call).deduplicated);
    assert_eq!(world.log.ends.len(), 1);
}

#[test]
fn a_try_that_never_left_does_not_turn_a_duplicate_into_success() {
    let mut world = world(vec![vec![DUPLICATE]]);
    let conn = world.conn();
    world.stall(conn, true);
    let options = RequestOptions::default().resend_on_loss(1);
    let call = world.try_call(&hello(), options).unwrap();
    let reason = SocketEnd::Eof;
    world.input(Input::Disconnected { conn, reason });
    world.run_for(secs(1));
    assert!(world.log.end_of(call).is_err());
}

#[test]
fn only_messages_are_repeated() {
    let config = tcp_config().auto_reconnect(true);
    let mut world = World::tcp(config).node("gate", Node::quiet_gate()).online();
    let options = RequestOptions::default().resend_on_loss(3);
    let call = world.try_call(&Call("a"), options).unwrap();
    world.run_for(secs(40));
    assert_eq!(world.log.times("a").len(), 1);
    assert!(world.log.has_ended(call));
}

#[test]
fn a_send_that_waits_for_the_next_session_keeps_its_deadline() {
    let mut world = world(vec![vec![Act::Reset]]);
    let options = RequestOptions::default().resend_on_loss(5).timeout(secs(3));
    world.set_node(
        "gate",
        Node::new(|asked| match asked.method.as_str() {
            "auth" if asked.nth == 1 => vec![Act::welcome()],
            "auth" => vec![],
            _ => vec![Act::Reset],
        }),
    );
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(3) - TICK);
    assert!(!world.log.has_ended(call));
    world.run_for(TICK);
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(world.log.end_of(call), Err(late));
}

#[test]
fn without_auto_reconnect_or_after_a_kickout_nothing_is_repeated() {
    let node = gate(vec![vec![Act::Reset]]);
    let mut world = World::tcp(tcp_config()).node("gate", node).online();
    let options = RequestOptions::default().resend_on_loss(3);
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(1));
    let lost = RequestErrorKind::ConnectionLost { sent: true };
    assert_eq!(world.log.end_of(call), Err(lost.clone()));

    let kick = Act::Send(crate::support::push(1, "kickout", &map(&[])));
    let mut world = self::world(vec![vec![kick]]);
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(1));
    assert_eq!(world.log.end_of(call), Err(lost));
}

#[test]
fn no_more_calls_wait_for_the_next_session_than_may_wait() {
    let config = tcp_config().auto_reconnect(true).max_waiting(3);
    let node = gate(vec![vec![]]);
    let mut world = World::tcp(config).node("gate", node).online();
    let options = RequestOptions::default().resend_on_loss(1);
    let calls: Vec<CallId> = (0..5)
        .map(|_| world.try_call(&hello(), options).unwrap())
        .collect();
    world.run_for(ms(0));
    world.act(world.conn(), Act::Reset);
    let ended = calls.iter().filter(|call| world.log.has_ended(**call));
    assert_eq!(ended.count(), 2);
    assert_eq!(world.client.in_flight(), 3);
}

#[test]
fn a_repeat_that_finds_no_room_is_a_timeout_and_not_a_lost_connection() {
    let config = tcp_config().auto_reconnect(true).max_unsent(4000);
    let node = gate(vec![vec![]]);
    let mut world = World::tcp(config).node("gate", node).online();
    let options = RequestOptions::default().resend_on_loss(1).timeout(secs(4));
    let call = world.try_call(&hello(), options).unwrap();
    world.stall(world.conn(), true);
    let big = SendMessage::chat(UserId(5), "x".repeat(3900));
    world.call(&big);
    world.run_for(secs(2));
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(world.log.end_of(call), Err(late));
    assert!(world.client.state().is_online());
}

#[test]
fn nothing_is_repeated_once_the_goodbye_is_said() {
    let mut world = world(vec![vec![]]);
    let options = RequestOptions::default().resend_on_loss(1).timeout(secs(4));
    let call = world.try_call(&hello(), options).unwrap();
    world.run_for(secs(1));
    world.logout();
    world.run_for(secs(2));
    assert_eq!(world.log.methods("gate"), ["auth", "sendmsg", "bye"]);
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(world.log.end_of(call), Err(late));
}

#[test]
fn ids_are_positive_at_any_time_of_the_wall_clock() {
    for unix in [ms(0), UNIX, std::time::Duration::MAX] {
        let mut client = Client::new(tcp_config(), 3, Instant::ZERO, unix);
        let refused = client.request(Instant::ZERO, &hello(), RequestOptions::default());
        let id = refused.unwrap_err().message_id().unwrap();
        assert!(id.get() > 0, "{unix:?}");
    }
}
