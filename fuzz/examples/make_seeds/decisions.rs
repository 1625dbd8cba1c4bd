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

/// An error, and a message to send.
fn rest(out: &mut Vec<u8>, index: usize) {
    int(out, 200_010 + index as u64);
    some(out, b"not a member");
    int(out, 778_877);
    out.extend([index as u8 % 3, 30, 1]);
    some(out, b"hello !");
    some(out, br#"{"k":"v"}"#);
    int(out, 1_591_322_544_000_001);
    out.push(1);
}
