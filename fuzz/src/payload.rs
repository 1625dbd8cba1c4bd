//! The reader of bodies against `rmpv` and `serde_json`.

use std::collections::BTreeMap;

use bytes::Bytes;
use rmpv::Value as Oracle;
use rtm_proto::payload::{
    Blob, CodecError, CodecErrorKind, Encoding, FromPayload, IdMap, MAX_DEPTH, Payload, Text,
    TextOrBytes,
};

use crate::tree;

/// Input: a byte whose lowest bit says JSON, then a body.
///
/// # Panics
///
/// If the reader disagrees with the libraries about what the body holds.
pub fn run(data: &[u8]) {
    let Some((encoding, body)) = data.split_first() else {
        return;
    };
    let encoding = match encoding & 1 {
        0 => Encoding::MsgPack,
        _ => Encoding::Json,
    };
    let Ok(payload) = Payload::new(encoding, Bytes::copy_from_slice(body)) else {
        return;
    };
    read_as_everything(&payload);
    match encoding {
        Encoding::MsgPack => check_msgpack(&payload),
        Encoding::Json => check_json(&payload),
    }
}

fn check_msgpack(payload: &Payload) {
    // Twice the units of our own limit; deeper, the oracle's stack is at stake.
    let read = rmpv::decode::read_value_with_max_depth(&mut &payload.as_bytes()[..], 4 * MAX_DEPTH);
    let ours = tree::read(payload);
    match (&read, &ours) {
        (Ok(oracle), Ok(ours)) => {
            let oracle = tree::normal_body(oracle);
            assert!(tree::same(&oracle, ours), "{oracle:?} read as {ours:?}");
        }
        // What is under a key that is no text is skipped, however deep it is.
        (Err(rmpv::decode::Error::DepthLimitExceeded), Ok(_)) => {}
        (Err(error), Ok(ours)) => panic!("{error} but read as {ours:?}"),
        (oracle, Err(error)) => check_refusal(payload, oracle.as_ref().ok(), error),
    }
    check_dynamic(payload, read.ok().as_ref());
}

/// A body that the oracle reads may be refused only for our own rules.
fn check_refusal(payload: &Payload, oracle: Option<&Oracle>, error: &CodecError) {
    assert!(error.offset() <= payload.as_bytes().len());
    let Some(oracle) = oracle else { return };
    match error.kind() {
        CodecErrorKind::Reserved => {
            assert_eq!(payload.as_bytes().get(error.offset()), Some(&0xc1));
        }
        CodecErrorKind::TooDeep => assert!(tree::depth(oracle) > MAX_DEPTH),
        CodecErrorKind::KeyNotString => {
            let Oracle::Map(entries) = oracle else {
                panic!("a root that is no map");
            };
            assert!(
                entries
                    .iter()
                    .any(|(key, _)| !matches!(key, Oracle::String(_)))
            );
        }
        CodecErrorKind::WrongType => assert!(tree::has_ext(oracle)),
        _ => panic!("{oracle:?} refused: {error}"),
    }
}

fn check_dynamic(payload: &Payload, oracle: Option<&Oracle>) {
    let Ok(value) = payload.to_value() else {
        return;
    };
    let oracle = oracle.expect("the oracle refuses what became a value");
    assert!(tree::same(&tree::normal(oracle), &tree::normal(&value)));
    let Ok(again) = Payload::from_value(&value) else {
        return;
    };
    let again = again.to_value().expect("what was just written");
    assert!(tree::same(&tree::normal(&value), &tree::normal(&again)));
}

fn check_json(payload: &Payload) {
    let parsed = serde_json::from_slice::<serde_json::Value>(payload.as_bytes());
    match (parsed, tree::read(payload)) {
        (Ok(parsed), Ok(ours)) => {
            let oracle = tree::from_json(&parsed);
            let ours = tree::sorted(ours);
            assert!(tree::same(&oracle, &ours), "{oracle:?} read as {ours:?}");
        }
        (Ok(parsed), Err(error)) => {
            let too_deep = error.kind() == CodecErrorKind::TooDeep;
            assert!(too_deep, "{parsed} refused: {error}");
        }
        (Err(error), Ok(ours)) => panic!("{error} but read as {ours:?}"),
        (Err(_), Err(error)) => assert!(error.offset() <= payload.as_bytes().len()),
    }
}

/// Reads every field as every type; the results do not matter, only that there
/// is one.
fn read_as_everything(payload: &Payload) {
    fn each<T: FromPayload>(payload: &Payload) {
        let _ = payload.fields(|_, value| value.read::<T>().map(drop));
    }
    each::<i8>(payload);
    each::<u64>(payload);
    each::<bool>(payload);
    each::<f64>(payload);
    each::<String>(payload);
    each::<Text>(payload);
    each::<Blob>(payload);
    each::<TextOrBytes>(payload);
    each::<Vec<Option<Vec<i64>>>>(payload);
    each::<BTreeMap<String, String>>(payload);
    each::<IdMap<u8>>(payload);
    let _ = payload.fields(|_, value| value.fields(|_, inner| inner.elements(|_, _| Ok(()))));
    let _ = payload.fields(|_, _| Ok(()));
}
