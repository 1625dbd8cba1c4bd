//! The JSON form of payloads.

use super::Value;
use serde_json::{Map, Value as Json};

/// Reads a document; `None` when it is no JSON or something follows it.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Json>(bytes).ok().map(Value::from)
}

/// Writes a document. JSON has no bytes: binary becomes text, with replacement characters where it is not UTF-8.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    to_json(value).to_string().into_bytes()
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::UInt(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Str(bytes) | Value::Bin(bytes) => String::from_utf8_lossy(bytes).into(),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| (key_text(key), to_json(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn key_text(key: &Value) -> String {
    match to_json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_keys_become_decimal_text() {
        let map = Value::Map(vec![(7.into(), "x".into())]);
        assert_eq!(encode(&map), br#"{"7":"x"}"#);
    }

    #[test]
    fn broken_documents_are_refused() {
        assert_eq!(decode(br#"{"v":"#), None);
        assert_eq!(decode(b"{} {}"), None);
        assert_eq!(decode(b"\xff"), None);
    }
}
