//! A session from login to a file, in bytes.
#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use rtm_proto::api::{Receipt, SendFile, SendMessage};
use rtm_proto::frame::Frame;
use rtm_proto::{
    Body, Client, Config, ConnId, Event, Input, Instant, MessageType, Output, Request,
    RequestOptions, UserId,
};

use crate::service::{answer, body, field, frames, push, quest, text};

const NOW: Instant = Instant::from_duration(Duration::from_secs(1));
const UNIX: Duration = Duration::from_millis(1_591_322_544_000);

pub(crate) fn login_message_push_and_file() {
    let config = Config::new(7, UserId(1), "the token").gate("tcp://gate:1".parse().unwrap());
    let mut client = Client::new(config, 1, NOW, UNIX);
    let gate = log_in(&mut client);
    send_message(&mut client, gate);
    receive_message(&mut client, gate);
    send_file(&mut client, gate);
    client.abort();
    assert!(!client.state().is_online());
}

fn outputs(client: &mut Client) -> Vec<Output> {
    let mut all = Vec::new();
    loop {
        match client.poll_output() {
            Output::Wait { .. } => return all,
            output => all.push(output),
        }
    }
}

/// Obeys the request for a connection to `host`.
fn connect(client: &mut Client, expected: &str) -> ConnId {
    let outputs = outputs(client);
    let mut asked = outputs.iter().filter_map(|output| match output {
        Output::Connect { conn, host, port } => Some((*conn, host.as_str(), *port)),
        _ => None,
    });
    let (conn, host, port) = asked.next().unwrap();
    assert_eq!((host, port, asked.next()), (expected, 1, None));
    client.handle_input(NOW, Input::Connected { conn });
    conn
}

/// In single bytes, so that the decoder has to put them together.
fn receive(client: &mut Client, conn: ConnId, bytes: Bytes) {
    for at in 0..bytes.len() {
        let data = bytes.slice(at..=at);
        client.handle_input(NOW, Input::Received { conn, data });
    }
}

fn log_in(client: &mut Client) -> ConnId {
    client.login(NOW);
    let gate = connect(client, "gate");
    let auth = quest(client, gate, "auth");
    assert_eq!(field::<i64>(&auth, "pid"), 7);
    assert_eq!(field::<i64>(&auth, "uid"), 1);
    assert_eq!(text(&auth, "token"), "the token");
    let welcome = body(|out| {
        out.field("ok", &true);
    });
    receive(client, gate, answer(&auth, &welcome));
    assert!(client.state().is_online());
    gate
}

/// Answers the message or the file that `request` became, and reads the answer.
fn receipt<R: Request<Response = Receipt>>(
    client: &mut Client,
    conn: ConnId,
    sent: &rtm_proto::frame::Quest,
    request: &R,
) -> Receipt {
    outputs(client);
    let taken = body(|out| {
        out.field("mtime", &1_591_322_544_123_i64);
    });
    receive(client, conn, answer(sent, &taken));
    let mut outputs = outputs(client).into_iter();
    let (context, result) = outputs
        .find_map(|output| match output {
            Output::Answer {
                context, result, ..
            } => Some((context, result)),
            _ => None,
        })
        .unwrap();
    request.decode(&context, result.unwrap()).unwrap()
}

fn send_message(client: &mut Client, gate: ConnId) {
    let request = SendMessage::chat(UserId(2), "grüße");
    client
        .request(NOW, &request, RequestOptions::default())
        .unwrap();
    let sent = quest(client, gate, "sendmsg");
    assert_eq!(field::<i64>(&sent, "to"), 2);
    assert_eq!(field::<u8>(&sent, "mtype"), 30);
    assert_eq!(text(&sent, "msg"), "grüße");
    let receipt = receipt(client, gate, &sent, &request);
    assert_eq!(receipt.message_id.0, field::<i64>(&sent, "mid"));
    assert_eq!(receipt.time_ms, Some(1_591_322_544_123));
}

fn receive_message(client: &mut Client, gate: ConnId) {
    let pushed = body(|out| {
        out.field("from", &2_i64)
            .field("mtype", &66_u8)
            .field("mid", &5_i64)
            .field("msg", "hello")
            .field("attrs", "");
    });
    receive(client, gate, push("pushmsg", &pushed));
    let outputs = outputs(client);
    let [Output::Event(Event::Message(message))] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!((message.sender, message.message_id.0), (UserId(2), 5));
    assert_eq!(message.message_type, MessageType(66));
    assert_eq!(message.body, Body::from("hello"));
    let replies = frames(client, gate);
    assert!(matches!(&replies[..], [Frame::Answer(answer)] if answer.seq == 1));
}

/// The signature takes MD5, and its attributes JSON.
fn send_file(client: &mut Client, gate: ConnId) {
    let request = SendFile::new(UserId(2), MessageType::FILE, &b"hello"[..]).name("a.txt");
    client
        .request(NOW, &request, RequestOptions::default())
        .unwrap();
    let asked = quest(client, gate, "filetoken");
    let permission = body(|out| {
        out.field("token", "TOKEN")
            .field("endpoint", "tcp://file:1");
    });
    receive(client, gate, answer(&asked, &permission));
    let file_gate = connect(client, "file");
    let sent = quest(client, file_gate, "sendfile");
    let expected = r#"{"ext":"txt","sign":"41A6D28874203C475362A74B45677CB4"}"#;
    assert_eq!(text(&sent, "attrs"), expected);
    let receipt = receipt(client, file_gate, &sent, &request);
    assert_eq!(receipt.time_ms, Some(1_591_322_544_123));
}
