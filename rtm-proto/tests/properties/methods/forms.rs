//! One value in the forms in which peers write it.

use rmpv::Value;

/// The body of an answer in every form.
pub(super) fn bodies(fields: &[(&str, Value)]) -> Vec<Vec<u8>> {
    let body = map(fields);
    let mut with_more = vec![unknown()];
    with_more.extend(entries(fields));
    with_more.push(unknown());
    let mut bodies = vec![
        shortest(&body),
        shortest(&reversed(&body)),
        shortest(&Value::Map(with_more)),
    ];
    for number in [signed, unsigned, double] {
        let mut wide = Vec::new();
        write_wide(&body, number, &mut wide);
        bodies.push(wide);
    }
    for body in &bodies[3..5] {
        let read = rmpv::decode::read_value(&mut &body[..]).unwrap();
        assert_eq!(read, map(fields), "wide forms are no other values");
    }
    bodies
}

pub(super) fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(entries(fields).collect())
}

fn entries(fields: &[(&str, Value)]) -> impl Iterator<Item = (Value, Value)> {
    let entries = fields.iter();
    entries.map(|(key, value)| (Value::from(*key), value.clone()))
}

/// A field of a service to come.
fn unknown() -> (Value, Value) {
    let nested = Value::Map(vec![(Value::from(1), Value::Array(vec![Value::Nil]))]);
    ("from the future".into(), nested)
}

/// What `rmpv` itself writes.
pub(super) fn shortest(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, value).unwrap();
    out
}

/// The same value with the entries of its maps in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Map(entries) => {
            let entries = entries.iter().rev();
            Value::Map(entries.map(|(k, v)| (k.clone(), reversed(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        other => other.clone(),
    }
}

fn signed(number: rmpv::Integer) -> Option<[u8; 9]> {
    Some(tagged(0xd3, number.as_i64()?.to_be_bytes()))
}

fn unsigned(number: rmpv::Integer) -> Option<[u8; 9]> {
    Some(tagged(0xcf, number.as_u64()?.to_be_bytes()))
}

/// As peers that have no other numbers write them, where nothing is lost.
fn double(number: rmpv::Integer) -> Option<[u8; 9]> {
    let whole = number.as_i64()?;
    let is_exact = whole.unsigned_abs() <= 1 << 53;
    is_exact.then(|| tagged(0xcb, (whole as f64).to_be_bytes()))
}

fn tagged(tag: u8, number: [u8; 8]) -> [u8; 9] {
    let mut out = [tag; 9];
    out[1..].copy_from_slice(&number);
    out
}

/// With every length in 32 bits, and numbers as `number` has them.
fn write_wide(value: &Value, number: fn(rmpv::Integer) -> Option<[u8; 9]>, out: &mut Vec<u8>) {
    let mut head = |tag: u8, length: usize| {
        out.push(tag);
        out.extend(u32::try_from(length).unwrap().to_be_bytes());
    };
    match value {
        Value::Integer(whole) => match number(*whole) {
            Some(bytes) => out.extend(bytes),
            None => out.extend(shortest(value)),
        },
        Value::String(text) => {
            head(0xdb, text.as_bytes().len());
            out.extend(text.as_bytes());
        }
        Value::Binary(bytes) => {
            head(0xc6, bytes.len());
            out.extend(bytes);
        }
        Value::Array(items) => {
            head(0xdd, items.len());
            items.iter().for_each(|item| write_wide(item, number, out));
        }
        Value::Map(entries) => {
            head(0xdf, entries.len());
            for (key, value) in entries {
                write_wide(key, number, out);
                write_wide(value, number, out);
            }
        }
        other => out.extend(shortest(other)),
    }
}
