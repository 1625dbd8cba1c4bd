//! Everything that is written, read back by the reader and by `rmpv`.

mod requests;

use bytes::{Bytes, BytesMut};
use rmpv::Value as Oracle;
use rtm_proto::frame::{Decoder, Frame, encode_answer, encode_error_body, encode_quest};
use rtm_proto::payload::{Encoding, Payload, PayloadWriter};

use crate::source::Source;
use crate::tree;

/// Input: decisions about a package, an error and a request.
///
/// # Panics
///
/// If anything reads back as something else.
pub fn run(data: &[u8]) {
    let source = &mut Source::new(data);
    check_package(source);
    check_error(source);
    requests::check(source);
}

fn check_package(source: &mut Source<'_>) {
    let method = source.text();
    let seq = source.u32();
    let status = source.byte();
    let kind = source.below(3);
    let entries: Vec<_> = (0..source.below(8))
        .map(|_| (source.text(), value(source, 4)))
        .collect();
    let body = write(&entries);
    let fields = entries.iter();
    let fields = fields.map(|(key, value)| (Oracle::from(key.as_str()), tree::normal(value)));
    let expected = Oracle::Map(fields.collect());
    check_body(&body, &expected);
    let mut out = BytesMut::new();
    let result = match kind {
        0 => encode_answer(&mut out, seq, status, Encoding::MsgPack, &body),
        1 => encode_quest(&mut out, None, &method, Encoding::MsgPack, &body),
        _ => encode_quest(&mut out, Some(seq), &method, Encoding::MsgPack, &body),
    };
    if result.is_err() {
        let name_is_bad = method.is_empty() || method.len() > 255 || method.contains('\0');
        assert!(kind != 0 && name_is_bad && out.is_empty());
        return;
    }
    let mut decoder = Decoder::new(out.len());
    decoder.push(out.freeze());
    match decoder.next_frame() {
        Ok(Some(Frame::Answer(answer))) => {
            assert_eq!((kind, answer.seq, answer.status), (0, seq, status));
            assert_eq!(answer.payload.as_bytes(), &body);
        }
        Ok(Some(Frame::Quest(quest))) => {
            assert_eq!(quest.seq, (kind == 2).then_some(seq));
            assert_eq!(quest.method(), method);
            assert_eq!(quest.payload.as_bytes(), &body);
        }
        other => panic!("{other:?}"),
    }
}

/// Any value, not deeper than `levels`.
fn value(source: &mut Source<'_>, levels: usize) -> Oracle {
    let sides = if levels == 0 { 8 } else { 10 };
    match source.below(sides) {
        0 => Oracle::Nil,
        1 => source.flag().into(),
        2 => source.int().into(),
        3 => (source.int() as u64).into(),
        4 => f64::from_bits(source.u64()).into(),
        5 => f32::from_bits(source.u32()).into(),
        6 => source.text().into(),
        7 => Oracle::Binary(source.some().to_vec()),
        8 => Oracle::Array(
            (0..source.below(20))
                .map(|_| value(source, levels - 1))
                .collect(),
        ),
        _ => {
            let pairs = (0..source.below(20)).map(|_| {
                let key = value(source, 0);
                (key, value(source, levels - 1))
            });
            Oracle::Map(pairs.collect())
        }
    }
}

fn write(entries: &[(String, Oracle)]) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = PayloadWriter::new(&mut out);
    for (key, value) in entries {
        writer.field(key, value);
    }
    writer.finish().expect("nothing is too large or too deep");
    out.freeze()
}

fn check_body(body: &Bytes, expected: &Oracle) {
    let mut rest = &body[..];
    let oracle = rmpv::decode::read_value_with_max_depth(&mut rest, 64).expect("MessagePack");
    assert!(rest.is_empty());
    let oracle = tree::normal(&oracle);
    assert!(tree::same(&oracle, expected), "{expected:?} is {oracle:?}");
    let payload = Payload::new(Encoding::MsgPack, body.clone()).expect("a map");
    let ours = tree::read(&payload).expect("what was just written");
    assert!(tree::same(&ours, expected), "{expected:?} is {ours:?}");
}

fn check_error(source: &mut Source<'_>) {
    let (code, text) = (source.int(), source.text());
    let fields = [("code", code.into()), ("ex", text.as_str().into())];
    let expected = Oracle::Map(fields.map(|(k, v)| (Oracle::from(k), v)).into());
    for encoding in [Encoding::MsgPack, Encoding::Json] {
        let mut out = BytesMut::new();
        encode_error_body(&mut out, encoding, code, &text).expect("a short text");
        let payload = Payload::new(encoding, out.freeze()).expect("a map");
        assert_eq!(
            tree::read(&payload).expect("what was just written"),
            expected
        );
    }
}
