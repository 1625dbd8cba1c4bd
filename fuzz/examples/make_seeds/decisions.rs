//! Seeds for the target that writes packages: bodies of the vectors, as the
//! decisions that make it write them.

use rmpv::Value;

use crate::random;
use crate::streams;

/// Entries of a body, and values of an array or a map, that can be told.
const MAX_ENTRIES: usize = 7;
const MAX_VALUES: usize = 19;

pub(crate) fn values(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let bodies = frames.iter().enumerate().filter_map(|(index, frame)| {
        let body = streams::body(frame).filter(|_| !streams::is_json(frame))?;
        let value = rmpv::decode::read_value(&mut &body[..]).ok()?;
        let mut out = Vec::new();
        some(&mut out, streams::method(frame)?);
        out.extend(7_u32.to_be_bytes());
        out.extend([0, index as u8 % 3]);
        entries(&mut out, value.as_map()?);
        rest(&mut out, index);
        Some(out)
    });
    bodies.chain(random("encode_decode", 10)).collect()
}

fn some(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.push(len);
    out.extend(&bytes[..len.into()]);
}

fn int(out: &mut Vec<u8>, value: u64) {
    out.push(64);
    out.extend(value.to_be_bytes());
}

fn entries(out: &mut Vec<u8>, entries: &[(Value, Value)]) {
    let entries = &entries[..entries.len().min(MAX_ENTRIES)];
    out.push(entries.len() as u8);
    for (key, entry) in entries {
        some(out, key.as_str().unwrap_or_default().as_bytes());
        value(out, entry, 4);
    }
}

fn value(out: &mut Vec<u8>, value: &Value, levels: usize) {
    match value {
        Value::Boolean(flag) => out.extend([1, u8::from(*flag)]),
        Value::Integer(number) => match number.as_i64() {
            Some(number) => {
                out.push(2);
                int(out, number as u64);
            }
            None => {
                out.push(3);
                int(out, number.as_u64().unwrap_or_default());
            }
        },
        Value::F64(number) => {
            out.push(4);
            out.extend(number.to_bits().to_be_bytes());
        }
        Value::F32(number) => {
            out.push(5);
            out.extend(number.to_bits().to_be_bytes());
        }
        Value::String(text) => {
            out.push(6);
            some(out, text.as_bytes());
        }
        Value::Binary(bytes) => {
            out.push(7);
            some(out, bytes);
        }
        Value::Array(values) if levels > 0 => {
            let values = &values[..values.len().min(MAX_VALUES)];
            out.extend([8, values.len() as u8]);
            values
                .iter()
                .for_each(|item| self::value(out, item, levels - 1));
        }
        Value::Map(pairs) if levels > 0 => {
            let pairs = &pairs[..pairs.len().min(MAX_VALUES)];
            out.extend([9, pairs.len() as u8]);
            for (key, item) in pairs {
                self::value(out, key, 0);
                self::value(out, item, levels - 1);
            }
        }
        _ => out.push(0),
    }
}

/// An error, and one of the requests.
fn rest(out: &mut Vec<u8>, index: usize) {
    int(out, 200_010 + index as u64);
    some(out, b"not a member");
    let kind = index as u8 % 8;
    out.push(kind);
    int(out, 1_591_322_544_000_001);
    out.push(1);
    match kind {
        0..=2 => {
            int(out, 778_877);
            out.extend([kind, 30, 1]);
            some(out, b"hello !");
            some(out, br#"{"k":"v"}"#);
        }
        3 => {
            int(out, 999_999);
            // The newest 10 of a group from then to then behind a cursor, of
            // three types; then a record.
            out.extend([1, 10, 0, 15]);
            for number in [1_591_000_000_000, 1_591_322_544_999, 101] {
                int(out, number);
            }
            some(out, &[30, 31, 32]);
            for number in [101, 778_877, 1_591_322_544_000_001, 1_591_322_544_999] {
                int(out, number);
            }
            out.extend([30, 0]);
            some(out, br#"{"a":1}"#);
            some(out, b"hello !");
        }
        4 => {
            int(out, 999_999);
            out.push(2);
            int(out, 654_321);
            int(out, 778_877);
        }
        5 => {
            out.push(2);
            for text in ["login", "2020-06-05 10:00:00", "ce", "10.0.0.1:5555"] {
                some(out, text.as_bytes());
            }
        }
        _ => {
            some(out, b"key");
            some(out, b"value");
        }
    }
}
