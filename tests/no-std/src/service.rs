//! The other side: what a gate reads and writes.
#![forbid(unsafe_code)]

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, Quest, encode_answer, encode_quest};
use rtm_proto::payload::{Encoding, FromPayload, PayloadWriter};
use rtm_proto::{Client, ConnId};

/// A body with the fields that `write` adds.
pub(crate) fn body(write: impl FnOnce(&mut PayloadWriter<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = PayloadWriter::new(&mut out);
    write(&mut writer);
    writer.finish().unwrap();
    out
}

pub(crate) fn answer(quest: &Quest, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_answer(&mut out, quest.seq.unwrap(), 0, Encoding::MsgPack, body).unwrap();
    out.freeze()
}

pub(crate) fn push(method: &str, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_quest(&mut out, Some(1), method, Encoding::MsgPack, body).unwrap();
    out.freeze()
}

/// What the client sends on `conn` now.
pub(crate) fn frames(client: &mut Client, conn: ConnId) -> Vec<Frame> {
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    while let Some(bytes) = client.poll_transmit(conn) {
        decoder.push(bytes);
    }
    core::iter::from_fn(|| decoder.next_frame().unwrap()).collect()
}

/// The one quest that the client sends on `conn` now.
pub(crate) fn quest(client: &mut Client, conn: ConnId, method: &str) -> Quest {
    let mut sent = frames(client, conn);
    let Some(Frame::Quest(quest)) = sent.pop() else {
        panic!("no {method} but {sent:?}");
    };
    assert!(sent.is_empty());
    assert_eq!(quest.method(), method);
    quest
}

pub(crate) fn field<T: FromPayload>(quest: &Quest, name: &str) -> T {
    let mut found = None;
    let walk = |key: &str, value: rtm_proto::payload::Value<'_>| match key == name {
        true => value.read_into(&mut found),
        false => Ok(()),
    };
    quest.payload.fields(walk).unwrap();
    found.unwrap_or_else(|| panic!("{} has no {name}", quest.method()))
}

pub(crate) fn text(quest: &Quest, name: &str) -> String {
    field(quest, name)
}
