//! The codec against independent libraries, and against arbitrary input.

mod codec_support;

use bytes::Bytes;
use codec_support::{Tree, decode, msgpack, read, write};
use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::frame::{
    DEFAULT_MAX_PACKAGE, Decoder, Frame, encode_answer, encode_error_body, encode_quest,
};
use rtm_proto::payload::{
    Blob, CodecError, CodecErrorKind, Encoding, IdMap, Payload, Text, TextOrBytes, Value,
};
use std::collections::BTreeMap;

fn integer() -> impl Strategy<Value = i128> {
    let wide = i128::from(i64::MIN)..=i128::from(u64::MAX);
    let edge = (0_u32..64, -1_i128..=1, any::<bool>()).prop_map(|(bits, off, negative)| {
        let value = (1_i128 << bits) + off;
        let value = if negative { -value } else { value };
        value.clamp(i64::MIN.into(), u64::MAX.into())
    });
    prop_oneof![wide, edge, -200_i128..400]
}

fn scalar() -> impl Strategy<Value = Tree> {
    prop_oneof![
        Just(Tree::Nil),
        any::<bool>().prop_map(Tree::Bool),
        integer().prop_map(Tree::Int),
        (-1e300..1e300_f64).prop_map(Tree::Float),
        ".{0,40}".prop_map(|text| Tree::str(&text)),
        vec(any::<u8>(), 0..300).prop_map(Tree::Bin),
    ]
}

/// Any tree whose strings are UTF-8: the dynamic library writes others as binaries.
fn tree() -> impl Strategy<Value = Tree> {
    scalar().prop_recursive(5, 64, 20, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Tree::List),
            vec((scalar(), inner), 0..20).prop_map(Tree::Map),
        ]
    })
}

fn body() -> impl Strategy<Value = Tree> {
    let key = "[a-zA-Z0-9_]{0,40}".prop_map(|key| Tree::str(&key));
    vec((key, tree()), 0..20).prop_map(Tree::Map)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1e300..1e300_f64).prop_map(Into::into),
        ".{0,20}".prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::btree_map(".{0,8}", inner, 0..8)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    proptest::collection::btree_map(".{0,8}", tree, 0..8)
        .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into())
}

fn dynamic(tree: &Tree) -> rmpv::Value {
    match tree {
        Tree::Nil => rmpv::Value::Nil,
        Tree::Bool(truth) => (*truth).into(),
        Tree::Int(whole) => match u64::try_from(*whole) {
            Ok(whole) => whole.into(),
            Err(_) => i64::try_from(*whole).unwrap().into(),
        },
        Tree::Float(number) => (*number).into(),
        Tree::Str(bytes) => core::str::from_utf8(bytes).unwrap().into(),
        Tree::Bin(bytes) => rmpv::Value::Binary(bytes.clone()),
        Tree::List(items) => rmpv::Value::Array(items.iter().map(dynamic).collect()),
        Tree::Map(entries) => rmpv::Value::Map(
            entries
                .iter()
                .map(|(k, v)| (dynamic(k), dynamic(v)))
                .collect(),
        ),
    }
}

fn oracle_bytes(tree: &Tree) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &dynamic(tree)).unwrap();
    bytes
}

/// Reads a body as every type there is; the results do not matter, only that there is one.
fn read_as_everything(payload: &Payload) {
    fn each(payload: &Payload, mut f: impl FnMut(Value<'_>) -> Result<(), CodecError>) {
        let _ = payload.fields(|_, value| f(value));
    }
    each(payload, |v| v.read::<i8>().map(drop));
    each(payload, |v| v.read::<u64>().map(drop));
    each(payload, |v| v.read::<bool>().map(drop));
    each(payload, |v| v.read::<f64>().map(drop));
    each(payload, |v| v.read::<String>().map(drop));
    each(payload, |v| v.read::<Text>().map(drop));
    each(payload, |v| v.read::<Blob>().map(drop));
    each(payload, |v| v.read::<TextOrBytes>().map(drop));
    each(payload, |v| v.read::<Vec<Option<Vec<i64>>>>().map(drop));
    each(payload, |v| v.read::<BTreeMap<String, String>>().map(drop));
    each(payload, |v| v.read::<IdMap<u8>>().map(drop));
    each(payload, |v| v.fields(|_, v| v.elements(|_, _| Ok(()))));
    each(payload, |_| Ok(()));
    #[cfg(feature = "value")]
    let _ = payload.to_value();
}

/// Bytes that often are MessagePack: heads with lengths that may or may not be true.
fn nearly_msgpack() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0xc0_u8..=0xdf, vec(any::<u8>(), 0..6)).prop_map(|(head, mut rest)| {
            rest.insert(0, head);
            rest
        }),
        "[a-z]{1,8}".prop_map(|text| [&[0xa0 | text.len() as u8], text.as_bytes()].concat()),
        (0x80_u8..0xa0).prop_map(|head| vec![head]),
    ];
    (0x80_u8..0x90, vec(piece, 0..40)).prop_map(|(head, pieces)| {
        let mut bytes = vec![head];
        bytes.extend(pieces.concat());
        bytes
    })
}

/// Well-formed packages, one after the other.
fn stream() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let package = (any::<u32>(), any::<u8>(), "[a-z]{1,20}", 0_usize..3, body());
    vec(package, 0..8).prop_map(|packages| {
        let mut out = bytes::BytesMut::new();
        for (seq, status, method, kind, body) in &packages {
            let body = write(body);
            let seq = *seq;
            match kind {
                0 => encode_answer(&mut out, seq, *status, Encoding::MsgPack, &body).unwrap(),
                1 => encode_quest(&mut out, None, method, Encoding::MsgPack, &body).unwrap(),
                _ => encode_quest(&mut out, Some(seq), method, Encoding::MsgPack, &body).unwrap(),
            }
        }
        (out.to_vec(), packages.len())
    })
}

fn split(stream: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = stream;
    let mut chunks = Vec::new();
    for size in sizes {
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = after;
    }
    chunks.push(rest.to_vec());
    chunks
}

proptest! {
    #[test]
    fn what_the_writer_writes_the_oracle_decodes_to_the_same(body in body()) {
        let bytes = write(&body);
        let mut rest = &bytes[..];
        let decoded = rmpv::decode::read_value(&mut rest).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(Tree::from(&decoded), body.clone());
        // The oracle writes shortest forms too.
        prop_assert_eq!(&bytes[..], oracle_bytes(&body));
    }

    #[test]
    fn what_the_oracle_writes_the_reader_reads_to_the_same(body in body()) {
        let payload = msgpack(oracle_bytes(&body).into());
        prop_assert_eq!(read(&payload).unwrap(), body);
    }

    #[test]
    fn a_body_cut_anywhere_is_an_error(body in body(), at in any::<prop::sample::Index>()) {
        let bytes = write(&body);
        let at = at.index(bytes.len());
        if at > 0 {
            let error = read(&msgpack(bytes.slice(..at))).unwrap_err();
            prop_assert_eq!(error.kind(), CodecErrorKind::Truncated);
            prop_assert!(error.offset() <= at);
        }
    }

    #[test]
    fn bytes_behind_the_root_map_are_ignored(body in body(), tail in vec(any::<u8>(), 0..20)) {
        let bytes = [&write(&body)[..], &tail].concat();
        prop_assert_eq!(read(&msgpack(bytes.into())).unwrap(), body);
    }

    #[test]
    fn unread_and_half_read_values_do_not_disturb_the_walk(body in body(), stop in 0_usize..4) {
        let payload = msgpack(write(&body));
        let mut keys = Vec::new();
        payload.fields(|key, value| {
            keys.push(Tree::str(key));
            let failed = value.elements(|index, element| {
                if index == stop {
                    return Err(element.error(CodecErrorKind::WrongType));
                }
                let _ = element.read::<i64>();
                Ok(())
            });
            let _ = failed;
            Ok(())
        }).unwrap();
        let Tree::Map(entries) = body else { unreachable!() };
        let expected: Vec<_> = entries.into_iter().map(|(key, _)| key).collect();
        prop_assert_eq!(keys, expected);
    }

    #[test]
    fn integers_read_into_every_type_that_holds_them(whole in integer()) {
        let payload = msgpack(write(&Tree::Map(vec![(Tree::str("v"), Tree::Int(whole))])));
        macro_rules! check {
            ($($int:ty),*) => { $(
                let mut got = None;
                payload.fields(|_, v| {
                    got = Some(v.read::<$int>());
                    Ok(())
                }).unwrap();
                let got = got.unwrap().map_err(|e| e.kind());
                let expected = <$int>::try_from(whole);
                prop_assert_eq!(got, expected.map_err(|_| CodecErrorKind::OutOfRange));
            )* };
        }
        check!(i8, i16, i32, i64, i128, u8, u16, u32, u64);
    }

    #[test]
    fn json_reads_as_the_json_library_sees_it(value in json()) {
        let text = serde_json::to_string(&value).unwrap();
        let payload = Payload::new(Encoding::Json, text.clone().into()).unwrap();
        // Parsed again, as printing and parsing need not give the same float.
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read(&payload).unwrap().sorted(), Tree::from(&parsed).sorted());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let payload = Payload::new(Encoding::Json, pretty.into()).unwrap();
        prop_assert_eq!(read(&payload).unwrap().sorted(), Tree::from(&parsed).sorted());
    }

    #[test]
    fn damaged_json_is_refused_exactly_when_the_json_library_refuses_it(
        value in json(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(payload) = Payload::new(Encoding::Json, text.clone().into()) {
            let parsed = serde_json::from_slice::<serde_json::Value>(&text);
            let got = read(&payload);
            if let Err(error) = &got {
                prop_assert_eq!(error.kind(), CodecErrorKind::Json);
                prop_assert!(error.offset() <= text.len());
            }
            prop_assert_eq!(got.is_ok(), parsed.is_ok());
        }
    }

    #[test]
    fn arbitrary_bodies_never_panic(bytes in vec(any::<u8>(), 1..200)) {
        for encoding in [Encoding::MsgPack, Encoding::Json] {
            if let Ok(payload) = Payload::new(encoding, bytes.clone().into()) {
                read_as_everything(&payload);
            }
        }
    }

    #[test]
    fn nearly_valid_bodies_never_panic(bytes in nearly_msgpack()) {
        read_as_everything(&msgpack(bytes.into()));
    }

    #[test]
    fn arbitrary_streams_never_panic_and_fail_the_same_in_any_chunks(
        bytes in vec(any::<u8>(), 0..200), flag in prop_oneof![Just(0x80_u8), Just(0x40)],
        mtype in 0_u8..3, sizes in vec(0_usize..40, 0..10),
    ) {
        let stream = [b"FPNN\x01".as_slice(), &[flag, mtype], &bytes].concat();
        for stream in [&bytes, &stream] {
            let expected = decode([&stream[..]], 1000);
            let chunks = split(stream, &sizes);
            let got = decode(chunks.iter().map(Vec::as_slice), 1000);
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn any_chunking_gives_the_same_frames(
        (stream, count) in stream(), sizes in vec(0_usize..60, 0..40),
    ) {
        let (expected, error) = decode([&stream[..]], DEFAULT_MAX_PACKAGE);
        prop_assert_eq!(error, None);
        prop_assert_eq!(expected.len(), count);
        let chunks = split(&stream, &sizes);
        let (got, error) = decode(chunks.iter().map(Vec::as_slice), DEFAULT_MAX_PACKAGE);
        prop_assert_eq!(error, None);
        prop_assert_eq!(&got, &expected);

        let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
        for chunk in chunks {
            decoder.push(chunk.into());
        }
        prop_assert_eq!(decoder.buffered(), stream.len());
        let mut all_at_once = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            all_at_once.push(frame);
        }
        prop_assert_eq!(all_at_once, expected);
        prop_assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn error_bodies_read_back_in_both_encodings(code in any::<i64>(), ex in ".{0,40}") {
        for encoding in [Encoding::MsgPack, Encoding::Json] {
            let mut out = bytes::BytesMut::new();
            encode_error_body(&mut out, encoding, code, &ex).unwrap();
            let body = read(&Payload::new(encoding, out.freeze()).unwrap()).unwrap();
            let expected = Tree::Map(vec![
                (Tree::str("code"), Tree::Int(code.into())),
                (Tree::str("ex"), Tree::str(&ex)),
            ]);
            prop_assert_eq!(body, expected);
        }
    }
}

fn nested(depth: usize) -> Bytes {
    let mut bytes = b"\x81\xa1v".to_vec();
    bytes.extend(vec![0x91; depth]);
    bytes.push(0xc0);
    bytes.into()
}

#[test]
fn sixty_four_levels_are_read_and_one_more_is_refused_with_its_place() {
    assert!(read(&msgpack(nested(63))).is_ok());
    let error = read(&msgpack(nested(64))).unwrap_err();
    assert_eq!(error.kind(), CodecErrorKind::TooDeep);
    assert_eq!(error.offset(), 3 + 63);
    assert!(error.field().unwrap().ends_with("[0][0]"));
}

#[test]
fn a_million_levels_that_nobody_reads_are_skipped() {
    let mut fields = 0;
    let payload = msgpack(nested(1 << 20));
    let walked = payload.fields(|_, _| {
        fields += 1;
        Ok(())
    });
    assert_eq!((walked, fields), (Ok(()), 1));
}

#[test]
fn a_stream_in_single_bytes_holds_no_more_than_arrived() {
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    let header = b"FPNN\x01\x80\x02\x00\x00\x00\x70\x00";
    for (index, byte) in header.iter().enumerate() {
        decoder.push(Bytes::copy_from_slice(&[*byte]));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert_eq!(decoder.buffered(), index + 1);
    }
}

#[test]
fn whole_packages_are_slices_of_their_chunk() {
    let mut out = bytes::BytesMut::new();
    for seq in 0..3 {
        encode_answer(&mut out, seq, 0, Encoding::MsgPack, b"\x81\xa1v\xa3abc").unwrap();
    }
    let chunk = out.freeze();
    let range = chunk.as_ptr_range();
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    decoder.push(chunk);
    let mut seen = 0;
    while let Some(Frame::Answer(mut answer)) = decoder.next_frame().unwrap() {
        assert!(range.contains(&answer.payload.as_bytes().as_ptr()));
        answer
            .payload
            .fields(|_, value| {
                assert!(range.contains(&value.bytes()?.as_ptr()));
                Ok(())
            })
            .unwrap();
        answer.payload.detach();
        assert!(!range.contains(&answer.payload.as_bytes().as_ptr()));
        seen += 1;
    }
    assert_eq!(seen, 3);
}
