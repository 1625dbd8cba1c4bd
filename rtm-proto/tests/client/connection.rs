//! One FPNN connection by itself.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::Instant;
use rtm_proto::connection::{
    Connection, ConnectionInput, ConnectionLimits, ConnectionOutput, QuestError,
};
use rtm_proto::error::{ErrorCode, LostReason};
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::transport::{Scheme, Target, Transport, TransportLimits};

use crate::support::{START, TICK, answer, error, map, one_way, push, secs};

type Under = Connection<&'static str>;

fn dialing(limits: ConnectionLimits) -> Under {
    let target = Target::new(Scheme::Tcp, "gate", 1);
    let transport = Transport::new(&target, None, TransportLimits::default()).unwrap();
    Connection::new(transport, limits)
}

fn open() -> Under {
    let mut connection = dialing(ConnectionLimits::default());
    connection.handle_input(START, ConnectionInput::Connected);
    assert_eq!(outputs(&mut connection), ["ready"]);
    connection
}

fn quest(connection: &mut Under, key: &'static str) -> Result<u32, QuestError> {
    connection.quest(key, "m", &[0x80], START + secs(5))
}

/// All outputs as short texts.
fn outputs(connection: &mut Under) -> Vec<String> {
    let outputs = std::iter::from_fn(|| connection.poll_output());
    outputs
        .map(|output| match output {
            ConnectionOutput::Ready => "ready".into(),
            ConnectionOutput::Answered { key, result } => match result {
                Ok(_) => format!("{key} answered"),
                Err(error) => format!("{key} failed with {}", error.code.0),
            },
            ConnectionOutput::Expired { key, sent } => format!("{key} expired, sent: {sent}"),
            ConnectionOutput::Quest(quest) => format!("asked {}", quest.method()),
            ConnectionOutput::Lost { key, sent } => format!("{key} lost, sent: {sent}"),
            ConnectionOutput::Closed(reason) => format!("closed: {reason}"),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn give(connection: &mut Under, data: Bytes) {
    connection.handle_input(START, ConnectionInput::Received(data));
}

fn sent_frames(connection: &mut Under) -> Vec<Frame> {
    let mut decoder = Decoder::new(1 << 20);
    let mut frames = Vec::new();
    while let Some(bytes) = connection.poll_transmit() {
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames
}

#[test]
fn answers_find_their_quests_in_any_order_and_only_once() {
    let mut connection = open();
    assert_eq!(quest(&mut connection, "a"), Ok(1));
    assert_eq!(quest(&mut connection, "b"), Ok(2));
    assert_eq!(quest(&mut connection, "c"), Ok(3));
    give(&mut connection, answer(3, &map(&[])));
    give(&mut connection, error(1, 200_010, "later"));
    give(&mut connection, answer(3, &map(&[])));
    give(&mut connection, answer(2, &map(&[])));
    assert_eq!(
        outputs(&mut connection),
        ["c answered", "a failed with 200010", "b answered"]
    );
    assert_eq!(connection.in_flight(), 0);
}

#[test]
fn an_error_answer_without_a_code_is_20001_whatever_else_it_holds() {
    let bodies = [
        map(&[]),
        map(&[("code", "no number".into()), ("ex", 5.into())]),
    ];
    for body in bodies {
        let mut connection = open();
        quest(&mut connection, "a").unwrap();
        let mut package = answer(1, &body).to_vec();
        package[7] = 1;
        give(&mut connection, package.into());
        assert_eq!(outputs(&mut connection), ["a failed with 20001"]);
    }
}

#[test]
fn quests_made_before_the_socket_is_there_leave_with_it() {
    let mut connection = dialing(ConnectionLimits::default());
    quest(&mut connection, "early").unwrap();
    assert!(!connection.wants_transmit());
    assert!(connection.poll_transmit().is_none());
    connection.handle_input(START, ConnectionInput::Connected);
    assert!(connection.wants_transmit());
    assert_eq!(sent_frames(&mut connection).len(), 1);
}

#[test]
fn deadlines_come_in_order_each_exactly_then() {
    let mut connection = open();
    for (key, after) in [("late", 3), ("soon", 1), ("middle", 2)] {
        connection
            .quest(key, "m", &[0x80], START + secs(after))
            .unwrap();
    }
    let tick = |connection: &mut Under, at: Duration| {
        connection.handle_input(START + at, ConnectionInput::Tick);
        outputs(connection)
    };
    assert_eq!(connection.next_deadline(), Some(START + secs(1)));
    assert_eq!(tick(&mut connection, secs(1) - TICK), [""; 0]);
    assert_eq!(
        tick(&mut connection, secs(1)),
        ["soon expired, sent: false"]
    );
    while connection.poll_transmit().is_some() {}
    assert_eq!(
        tick(&mut connection, secs(9)),
        ["middle expired, sent: true", "late expired, sent: true"]
    );
    assert_eq!(connection.next_deadline(), None);
}

#[test]
fn however_it_ends_every_quest_is_lost_once_and_closed_comes_last() {
    let ends = [
        ConnectionInput::Ended,
        ConnectionInput::Failed("reset".into()),
        ConnectionInput::Received(Bytes::from_static(b"GARBAGE")),
    ];
    for end in ends {
        let mut connection = open();
        quest(&mut connection, "sent").unwrap();
        connection.poll_transmit();
        quest(&mut connection, "unsent").unwrap();
        connection.handle_input(START, end);
        let said = outputs(&mut connection);
        assert_eq!(
            said[..2],
            ["sent lost, sent: true", "unsent lost, sent: false"]
        );
        assert!(said[2].starts_with("closed: ") && said.len() == 3);
        assert_eq!(quest(&mut connection, "after"), Err(QuestError::Closed));
        give(&mut connection, push(1, "m", &map(&[])));
        connection.handle_input(START + secs(9), ConnectionInput::Tick);
        connection.fail(LostReason::PeerClosed);
        assert_eq!(outputs(&mut connection), [""; 0]);
        assert_eq!(connection.in_flight(), 0);
    }
}

#[test]
fn a_closing_connection_takes_answers_but_no_quests() {
    let mut connection = open();
    quest(&mut connection, "a").unwrap();
    connection.close();
    connection.close();
    assert_eq!(quest(&mut connection, "b"), Err(QuestError::Closed));
    give(&mut connection, answer(1, &map(&[])));
    assert_eq!(outputs(&mut connection)[0], "a answered");
    // What was queued before still leaves.
    assert_eq!(sent_frames(&mut connection).len(), 1);
}

#[test]
fn a_cancelled_quest_is_never_reported() {
    let mut connection = open();
    let seq = quest(&mut connection, "a").unwrap();
    assert_eq!(connection.cancel(seq), Some(("a", false)));
    assert_eq!(connection.cancel(seq), None);
    let seq = quest(&mut connection, "b").unwrap();
    connection.poll_transmit();
    assert_eq!(connection.cancel(seq), Some(("b", true)));
    give(&mut connection, answer(seq, &map(&[])));
    connection.handle_input(START + secs(9), ConnectionInput::Tick);
    assert_eq!(outputs(&mut connection), [""; 0]);
}

#[test]
fn quests_of_the_peer_are_answered_by_their_ticket_and_one_way_ones_have_none() {
    let mut connection = open();
    give(&mut connection, push(9, "ask", &map(&[])));
    give(&mut connection, one_way("tell", &map(&[])));
    let mut tickets = Vec::new();
    while let Some(output) = connection.poll_output() {
        match output {
            ConnectionOutput::Quest(quest) => tickets.push(quest.ticket()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tickets.len(), 2);
    assert_eq!(tickets[1], None);
    connection.answer_error(tickets[0].unwrap(), ErrorCode::CORE_UNKNOWN_METHOD, "what");
    match &sent_frames(&mut connection)[..] {
        [Frame::Answer(answer)] => assert_eq!((answer.seq, answer.status), (9, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn limits_hold_for_quests_and_not_for_urgent_ones() {
    let limits = ConnectionLimits {
        max_package: 100,
        max_unsent: 40,
    };
    let mut connection = dialing(limits);
    connection.handle_input(START, ConnectionInput::Connected);
    // 12 + 4 + 1 + 1 bytes each.
    assert!(quest(&mut connection, "a").is_ok());
    assert!(quest(&mut connection, "b").is_ok());
    assert_eq!(quest(&mut connection, "c"), Err(QuestError::Backpressure));
    let at = START + secs(1);
    assert!(connection.urgent_quest("d", "m", &[0x80], at).is_ok());
    assert_eq!(connection.unsent(), 54);
    let long = [0x80; 101];
    let refused = connection.urgent_quest("e", "m", &long, at);
    assert!(matches!(refused, Err(QuestError::Encode(_))));
    for method in ["", &"m".repeat(256)] {
        let refused = connection.urgent_quest("f", method, &[0x80], Instant::ZERO);
        assert!(matches!(refused, Err(QuestError::Encode(_))));
    }
    assert_eq!(connection.in_flight(), 3);
}
