//! A client over plain TCP and the few things its service must say.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rmpv::Value;
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, Quest, encode_answer, encode_quest};
use rtm_proto::payload::Encoding;
use rtm_proto::{Client, Config, ConnId, Event, Input, Instant, Output, SocketEnd, State, UserId};

pub(crate) const START: Instant = Instant::from_duration(Duration::from_secs(1000));
pub(crate) const UNIX: Duration = Duration::from_millis(1_591_322_544_000);

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A client of the gate `tcp://gate:1`.
pub(crate) fn config() -> Config {
    Config::new(7, UserId(1), "the token").gate("tcp://gate:1".parse().unwrap())
}

/// A msgpack map with text keys.
pub(crate) fn map(fields: &[(&str, Value)]) -> Vec<u8> {
    let entries = fields.iter();
    let entries = entries.map(|(k, v)| (Value::from(*k), v.clone()));
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, &Value::Map(entries.collect())).unwrap();
    out
}

pub(crate) fn answer(seq: u32, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, 0, Encoding::MsgPack, body).unwrap();
    out.freeze()
}

/// An answer that says no.
#[cfg(feature = "handle")]
pub(crate) fn refusal(seq: u32, code: i64) -> Bytes {
    let body = map(&[("code", code.into()), ("ex", "no".into())]);
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, 1, Encoding::MsgPack, &body).unwrap();
    out.freeze()
}

pub(crate) fn push(seq: u32, method: &str, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_quest(&mut out, Some(seq), method, Encoding::MsgPack, body).unwrap();
    out.freeze()
}

/// Everything the client has to say until it waits.
pub(crate) fn outputs(client: &mut Client) -> Vec<Output> {
    let mut all = Vec::new();
    loop {
        match client.poll_output() {
            Output::Wait { .. } => return all,
            output => all.push(output),
        }
    }
}

/// The connection asked for in `outputs`.
pub(crate) fn dialed(outputs: &[Output]) -> ConnId {
    let mut conns = outputs.iter().filter_map(|output| match output {
        Output::Connect { conn, .. } => Some(*conn),
        _ => None,
    });
    conns.next().expect("a connection")
}

/// The quests that leave on `conn` now.
pub(crate) fn quests(client: &mut Client, conn: ConnId) -> Vec<Quest> {
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    while let Some(bytes) = client.poll_transmit(conn) {
        decoder.push(bytes);
    }
    let mut quests = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        if let Frame::Quest(quest) = frame {
            quests.push(quest);
        }
    }
    quests
}

pub(crate) fn receive(client: &mut Client, now: Instant, conn: ConnId, data: Bytes) {
    client.handle_input(now, Input::Received { conn, data });
}

/// A client with a session, and the connection of that.
pub(crate) fn online(config: Config) -> (Client, ConnId) {
    let mut client = Client::new(config, 1, START, UNIX);
    client.login(START);
    let conn = welcome(&mut client, START);
    (client, conn)
}

/// Plays the service for a client that dials.
fn welcome(client: &mut Client, now: Instant) -> ConnId {
    let conn = dialed(&outputs(client));
    client.handle_input(now, Input::Connected { conn });
    let auth = quests(client, conn).remove(0);
    let welcome = answer(auth.seq.unwrap(), &map(&[("ok", true.into())]));
    receive(client, now, conn, welcome);
    outputs(client);
    assert!(client.state().is_online());
    conn
}

/// The session breaks, and the next one opens; gives its connection and when.
pub(crate) fn reconnect(client: &mut Client, now: Instant, conn: ConnId) -> (ConnId, Instant) {
    let reason = SocketEnd::Eof;
    client.handle_input(now, Input::Disconnected { conn, reason });
    let State::Backoff { retry_at, .. } = *client.state() else {
        panic!("{}", client.state());
    };
    outputs(client);
    client.handle_input(retry_at, Input::Tick);
    (welcome(client, retry_at), retry_at)
}

/// A message to `target`: a user, a group, a room, or all of them.
pub(crate) fn message(mid: i64, from: i64, sort: usize, target: i64) -> Bytes {
    let (method, name) = [
        ("pushmsg", "to"),
        ("pushgroupmsg", "gid"),
        ("pushroommsg", "rid"),
        ("pushbroadcastmsg", "anything"),
    ][sort];
    let fields = [
        ("from", from.into()),
        (name, target.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", "x".into()),
    ];
    push(1, method, &map(&fields))
}

/// The messages that came out.
pub(crate) fn delivered(client: &mut Client) -> usize {
    let outputs = outputs(client);
    let is_message = |output: &&Output| matches!(output, Output::Event(Event::Message(_)));
    outputs.iter().filter(is_message).count()
}
