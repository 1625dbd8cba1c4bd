//! The smallest forms of what fuzzing found.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::api::{SendFile, SendMessage};
use rtm_proto::error::RequestErrorKind;
use rtm_proto::{
    CallId, Client, ConnId, Input, MessageType, Output, RequestOptions, SocketEnd, UserId,
};

use crate::peer::{START, answer, config, dialed, map, online, outputs, push, quests, receive};

/// A client whose call has its file token and dials the file gate.
fn dialing_file_gate() -> (Client, ConnId, CallId) {
    let (mut client, gate) = online(config());
    let file = SendFile::new(UserId(2), MessageType(40), vec![1; 10]);
    let call = client.request(START, &file, RequestOptions::default());
    let token = quests(&mut client, gate).remove(0);
    let file_gate = map(&[("token", "t".into()), ("endpoint", "tcp://file:1".into())]);
    receive(
        &mut client,
        START,
        gate,
        answer(token.seq.unwrap(), &file_gate),
    );
    dialed(&outputs(&mut client));
    (client, gate, call.unwrap())
}

fn assert_lost(client: &mut Client, call: CallId) {
    assert_eq!(client.in_flight(), 0);
    let outputs = outputs(client);
    let mut ends = outputs.iter().filter_map(|output| match output {
        Output::Answer { call, result, .. } => Some((*call, result.as_ref().unwrap_err().kind())),
        _ => None,
    });
    let lost = RequestErrorKind::ConnectionLost { sent: false };
    assert_eq!(ends.next(), Some((call, &lost)));
    assert_eq!(ends.next(), None);
}

#[test]
fn a_file_whose_gate_is_still_dialed_ends_with_an_abort() {
    let (mut client, _, call) = dialing_file_gate();
    client.abort();
    assert_lost(&mut client, call);
}

#[test]
fn a_file_whose_gate_is_still_dialed_ends_with_a_kickout() {
    let (mut client, gate, call) = dialing_file_gate();
    receive(&mut client, START, gate, push(1, "kickout", &map(&[])));
    assert_lost(&mut client, call);
}

#[test]
fn a_file_whose_gate_is_still_dialed_ends_when_the_goodbye_is_answered() {
    let (mut client, gate, call) = dialing_file_gate();
    client.logout(START);
    let bye = quests(&mut client, gate).remove(0);
    receive(
        &mut client,
        START,
        gate,
        answer(bye.seq.unwrap(), &map(&[])),
    );
    assert_lost(&mut client, call);
}

#[test]
fn a_file_whose_gate_is_still_dialed_ends_when_the_session_does_and_none_follows() {
    let (mut client, gate, call) = dialing_file_gate();
    let reason = SocketEnd::Eof;
    client.handle_input(START, Input::Disconnected { conn: gate, reason });
    assert_lost(&mut client, call);
}

/// A client with a call that expired while nothing was taken from it.
fn expired_unsent(options: RequestOptions) -> (Client, ConnId) {
    let (mut client, gate) = online(config());
    let limit = Duration::from_secs(4);
    let message = SendMessage::chat(UserId(2), "hello");
    let call = client.request(START, &message, options.timeout(limit));
    assert!(call.is_ok());
    (client, gate)
}

#[test]
fn a_call_that_expired_before_it_was_sent_is_not_sent_later() {
    let (mut client, gate) = expired_unsent(RequestOptions::default());
    client.handle_input(START + Duration::from_secs(4), Input::Tick);
    let ends = outputs(&mut client);
    let unsent = RequestErrorKind::TimedOut { sent: false };
    let [
        Output::Answer {
            result: Err(error), ..
        },
    ] = &ends[..]
    else {
        panic!("{ends:?}");
    };
    assert_eq!(error.kind(), &unsent);
    assert_eq!(quests(&mut client, gate), []);
}

#[test]
fn a_call_that_is_cancelled_before_it_was_sent_is_not_sent_later() {
    let (mut client, gate) = online(config());
    let options = RequestOptions::default();
    let message = |text| SendMessage::chat(UserId(2), text);
    let first = client.request(START, &message("first"), options).unwrap();
    client.request(START, &message("second"), options).unwrap();
    client.cancel(first);
    let sent = quests(&mut client, gate);
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0]
            .payload
            .as_bytes()
            .windows(6)
            .any(|six| six == b"second")
    );
}

#[test]
fn a_message_that_is_repeated_to_a_slow_peer_goes_out_once() {
    let (mut client, gate) = expired_unsent(RequestOptions::default().resend_on_loss(1));
    client.handle_input(START + Duration::from_secs(2), Input::Tick);
    assert!(outputs(&mut client).is_empty());
    assert_eq!(quests(&mut client, gate).len(), 1);
}

#[test]
fn a_call_that_was_lost_before_it_was_sent_does_not_leave_with_the_last_bytes() {
    let (mut client, gate) = online(config());
    let message = SendMessage::chat(UserId(2), "hello");
    let call = client
        .request(START, &message, RequestOptions::default())
        .unwrap();
    receive(
        &mut client,
        START,
        gate,
        Bytes::from_static(b"not a package"),
    );
    assert_lost(&mut client, call);
    assert_eq!(quests(&mut client, gate), []);
}

#[test]
fn message_ids_rise_also_when_the_clock_is_far_in_the_future() {
    let mut client = Client::new(config(), 1, START, Duration::MAX);
    let request = SendMessage::chat(UserId(2), "hello");
    let mut last = 0;
    for _ in 0..10_000 {
        let refused = client.request(START, &request, RequestOptions::default());
        let id = refused.unwrap_err().message_id().unwrap().0;
        assert!(id > last, "{id} after {last}");
        last = id;
    }
}
