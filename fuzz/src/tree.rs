//! Payloads turned into the values of independent libraries.

use rmpv::Value as Oracle;
use rtm_proto::payload::{CodecError, CodecErrorKind, Payload, Value, ValueKind};

/// Reads a whole payload with the typed reader.
pub(crate) fn read(payload: &Payload) -> Result<Oracle, CodecError> {
    let mut entries = Vec::new();
    payload.fields(|key, value| {
        entries.push((Oracle::from(key), read_value(value)?));
        Ok(())
    })?;
    Ok(Oracle::Map(entries))
}

fn read_value(value: Value<'_>) -> Result<Oracle, CodecError> {
    Ok(match value.kind() {
        ValueKind::Nil => Oracle::Nil,
        ValueKind::Bool => Oracle::Boolean(value.read()?),
        ValueKind::Int => {
            let whole: i128 = value.read()?;
            match u64::try_from(whole) {
                Ok(whole) => whole.into(),
                Err(_) => i64::try_from(whole).expect("no form is wider").into(),
            }
        }
        ValueKind::Float => Oracle::F64(value.read()?),
        ValueKind::Str => text_or_bytes(&value.bytes()?),
        ValueKind::Bin => Oracle::Binary(value.bytes()?.to_vec()),
        ValueKind::Array => {
            let mut items = Vec::new();
            value.elements(|_, item| {
                items.push(read_value(item)?);
                Ok(())
            })?;
            Oracle::Array(items)
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            value.entries(|key, value| {
                entries.push((read_value(key)?, read_value(value)?));
                Ok(())
            })?;
            Oracle::Map(entries)
        }
        ValueKind::Ext => return Err(value.error(CodecErrorKind::WrongType)),
    })
}

/// What a `str` holds; the oracle cannot build one that is not UTF-8, so such
/// a one counts as binary on both sides.
fn text_or_bytes(bytes: &[u8]) -> Oracle {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => Oracle::Binary(bytes.to_vec()),
    }
}

/// What the oracle read, in the form in which [`read`] gives it.
pub(crate) fn normal(value: &Oracle) -> Oracle {
    match value {
        Oracle::F32(number) => Oracle::F64(f64::from(*number)),
        Oracle::String(text) => text_or_bytes(text.as_bytes()),
        Oracle::Array(items) => Oracle::Array(items.iter().map(normal).collect()),
        Oracle::Map(entries) => {
            let entries = entries.iter();
            Oracle::Map(entries.map(|(k, v)| (normal(k), normal(v))).collect())
        }
        other => other.clone(),
    }
}

/// [`normal`] for a whole body: fields whose names are no text do not exist.
pub(crate) fn normal_body(value: &Oracle) -> Oracle {
    match normal(value) {
        Oracle::Map(entries) => {
            let named = entries.into_iter().filter(|(key, _)| key.is_str());
            Oracle::Map(named.collect())
        }
        other => other,
    }
}

/// Equal, with floats compared by bits so that NaN equals itself.
pub(crate) fn same(a: &Oracle, b: &Oracle) -> bool {
    match (a, b) {
        (Oracle::F64(a), Oracle::F64(b)) => {
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        }
        (Oracle::Array(a), Oracle::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Oracle::Map(a), Oracle::Map(b)) => {
            let mut pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        _ => a == b,
    }
}

pub(crate) fn depth(value: &Oracle) -> usize {
    match value {
        Oracle::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Oracle::Map(entries) => {
            let inner = entries.iter().map(|(k, v)| depth(k).max(depth(v)));
            1 + inner.max().unwrap_or(0)
        }
        _ => 0,
    }
}

pub(crate) fn has_ext(value: &Oracle) -> bool {
    match value {
        Oracle::Ext(..) => true,
        Oracle::Array(items) => items.iter().any(has_ext),
        Oracle::Map(entries) => entries.iter().any(|(k, v)| has_ext(k) || has_ext(v)),
        _ => false,
    }
}

/// JSON in the form of [`read`], with the keys of maps sorted and the last of
/// repeated keys kept, as the JSON library does.
pub(crate) fn from_json(value: &serde_json::Value) -> Oracle {
    match value {
        serde_json::Value::Null => Oracle::Nil,
        serde_json::Value::Bool(truth) => (*truth).into(),
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(whole)) => whole.into(),
            (None, None) => Oracle::F64(number.as_f64().expect("a number")),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => Oracle::Array(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(k, v)| (Oracle::from(k.as_str()), from_json(v)));
            sorted(Oracle::Map(entries.collect()))
        }
    }
}

/// Maps with their keys sorted and the last of repeated keys kept.
pub(crate) fn sorted(value: Oracle) -> Oracle {
    match value {
        Oracle::Array(items) => Oracle::Array(items.into_iter().map(sorted).collect()),
        Oracle::Map(entries) => {
            let by_key: std::collections::BTreeMap<String, (Oracle, Oracle)> = entries
                .into_iter()
                .map(|(k, v)| (k.to_string(), (k, sorted(v))))
                .collect();
            Oracle::Map(by_key.into_values().collect())
        }
        other => other,
    }
}
