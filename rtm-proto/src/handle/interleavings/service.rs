//! The far side: a service that does what the method's name says.

use bytes::BytesMut;
use rmpv::Value;

use super::network::End;
use crate::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, Quest, encode_answer, encode_quest};
use crate::payload::{Encoding, Payload};

/// Is never answered.
pub(super) const IGNORE: &str = "ignore";
/// Ends the connection in place of an answer.
pub(super) const HANG_UP: &str = "hang up";
/// Pushes as many as [`PUSHES`] says, then answers.
pub(super) const FLOOD: &str = "flood";
pub(super) const PUSHES: usize = 4;
/// The one token that is refused.
pub(super) const EXPIRED: &str = "expired";
/// The host that takes files, and says so for those to groups only.
pub(super) const FILES: &str = "files";

/// Serves a connection to its end.
pub(super) async fn serve(end: End) {
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    loop {
        let bytes = end.read().await;
        if bytes.is_empty() {
            return;
        }
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame().unwrap() {
            let Frame::Quest(quest) = frame else {
                continue;
            };
            if quest.method() == HANG_UP {
                return;
            }
            for package in reaction(&quest) {
                // Whoever does not read any more has closed, which is read
                // next.
                let _ = end.write(&package);
            }
        }
    }
}

fn reaction(quest: &Quest) -> Vec<BytesMut> {
    let mut packages = Vec::new();
    let body = match quest.method() {
        IGNORE | "sendfile" => return packages,
        "auth" => vec![("ok", Value::from(is_welcome(quest)))],
        "filetoken" => vec![
            ("token", Value::from("t")),
            ("endpoint", Value::from(format!("tcp://{FILES}:1"))),
        ],
        FLOOD => {
            packages.extend((0..PUSHES).map(push));
            vec![]
        }
        _ => vec![],
    };
    packages.push(answer(quest, body));
    packages
}

/// A push that no client knows; its name is its number.
fn push(number: usize) -> BytesMut {
    let (method, body) = (number.to_string(), Payload::empty(Encoding::MsgPack));
    let mut out = BytesMut::new();
    encode_quest(&mut out, None, &method, Encoding::MsgPack, body.as_bytes()).unwrap();
    out
}

fn answer(quest: &Quest, body: Vec<(&str, Value)>) -> BytesMut {
    let body = body.into_iter().map(|(key, value)| (key.into(), value));
    let body = Payload::from_value(&Value::Map(body.collect())).unwrap();
    let seq = quest.seq.expect("all quests of the client are two-way");
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, 0, Encoding::MsgPack, body.as_bytes()).unwrap();
    out
}

fn is_welcome(auth: &Quest) -> bool {
    let body = auth.payload.to_value().unwrap();
    let token = (Value::from("token"), Value::from(EXPIRED));
    !body.as_map().unwrap().contains(&token)
}
