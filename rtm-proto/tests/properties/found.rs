//! The smallest forms of what fuzzing found.

use rtm_proto::api::SendFile;
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
