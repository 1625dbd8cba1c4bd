//! Values as the vector records write them, whatever the encoding they came from.

use std::fmt;

use serde_json::Value as Json;

/// A value of a record, of an argument or of a payload.
///
/// Integers are exact at any width, maps have no order, and text is told from
/// bytes. Made from the notation of the records, from msgpack or from JSON.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer; 64 bits of either sign fit.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A msgpack string whose bytes are not UTF-8.
    RawText(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map, with keys of any kind.
    Map(Vec<(Value, Value)>),
    /// A file, in arguments only.
    File {
        /// Its name.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
}

impl Value {
    /// A map with text keys.
    pub fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
        let entry = |(key, value): (&str, Value)| (Value::from(key), value);
        Value::Map(fields.into_iter().map(entry).collect())
    }

    /// Reads the notation of the records: `{"int":"1"}`, `{"bin":"00ff"}` and so on.
    ///
    /// # Errors
    ///
    /// A text that says which form is broken. Objects that are no known form are maps.
    pub fn from_notation(json: &Json) -> Result<Value, String> {
        let Json::Object(object) = json else {
            return match json {
                Json::Array(items) => items.iter().map(Value::from_notation).collect(),
                other => Ok(Value::from_json(other)),
            };
        };
        if let (1, Some((form, content))) = (object.len(), object.iter().next())
            && let Some(value) = special_form(form, content)?
        {
            return Ok(value);
        }
        let entries = object.iter();
        entries
            .map(|(key, value)| Ok((key.as_str().into(), Value::from_notation(value)?)))
            .collect::<Result<_, String>>()
            .map(Value::Map)
    }

    /// Reads plain JSON: every object is a map.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Nil,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => {
                let exact = number.as_i64().map(i128::from);
                match exact.or(number.as_u64().map(i128::from)) {
                    Some(integer) => Value::Int(integer),
                    None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
                }
            }
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Value::from_json).collect()),
            Json::Object(object) => {
                let entry = |(key, value): (&String, &Json)| {
                    (Value::Text(key.clone()), Value::from_json(value))
                };
                Value::Map(object.iter().map(entry).collect())
            }
        }
    }

    /// Converts a msgpack value.
    pub fn from_msgpack(value: &rmpv::Value) -> Value {
        match value {
            rmpv::Value::Nil => Value::Nil,
            rmpv::Value::Boolean(truth) => Value::Bool(*truth),
            rmpv::Value::Integer(number) => {
                let signed = number.as_i64().map(i128::from);
                let unsigned = number.as_u64().map(i128::from);
                Value::Int(signed.or(unsigned).unwrap_or_default())
            }
            rmpv::Value::F32(number) => Value::Float(f64::from(*number)),
            rmpv::Value::F64(number) => Value::Float(*number),
            rmpv::Value::String(text) => match text.as_str() {
                Some(text) => text.into(),
                None => Value::RawText(text.as_bytes().to_vec()),
            },
            rmpv::Value::Binary(bytes) => Value::Bytes(bytes.clone()),
            rmpv::Value::Ext(_, bytes) => Value::Bytes(bytes.clone()),
            rmpv::Value::Array(items) => {
                Value::List(items.iter().map(Value::from_msgpack).collect())
            }
            rmpv::Value::Map(entries) => {
                let entry = |(key, value): &(rmpv::Value, rmpv::Value)| {
                    (Value::from_msgpack(key), Value::from_msgpack(value))
                };
                Value::Map(entries.iter().map(entry).collect())
            }
        }
    }

    /// What stands under a text key of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self
            .entries()
            .iter()
            .find(|(k, _)| k.as_text() == Some(key));
        found.map(|(_, value)| value)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(Value, Value)] {
        match self {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of text and of bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) | Value::RawText(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is nothing, zero, false, or has no elements.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Nil | Value::Bool(false) | Value::Int(0) => true,
            Value::Text(text) => text.is_empty(),
            Value::Bytes(bytes) | Value::RawText(bytes) => bytes.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Bool(true) | Value::Int(_) | Value::Float(_) | Value::File { .. } => false,
        }
    }
}

/// Reads an object with one key, if that key names a form and its content fits.
fn special_form(form: &str, content: &Json) -> Result<Option<Value>, String> {
    let broken = |what: &str| format!("{form}: {content} is not {what}");
    let value = match (form, content) {
        ("int" | "int64" | "uint64", Json::String(text)) => {
            Value::Int(text.parse().map_err(|_| broken("an integer"))?)
        }
        ("float", Json::Number(number)) => {
            Value::Float(number.as_f64().ok_or_else(|| broken("a float"))?)
        }
        ("bin", Json::String(text)) => Value::Bytes(unhex(text)?),
        ("rawstr", Json::String(text)) => Value::RawText(unhex(text)?),
        ("map", Json::Array(pairs)) => {
            let pair = |pair: &Json| match pair.as_array().map(Vec::as_slice) {
                Some([key, value]) => {
                    Ok((Value::from_notation(key)?, Value::from_notation(value)?))
                }
                _ => Err(broken("a list of pairs")),
            };
            Value::Map(pairs.iter().map(pair).collect::<Result<_, _>>()?)
        }
        ("repeat", Json::Object(_)) => {
            let (unit, count) = (content["unit"].as_str(), content["count"].as_u64());
            let unit = unit.ok_or_else(|| broken("a text and a count"))?;
            Value::Text(unit.repeat(size(count)?))
        }
        ("file", Json::Object(_)) => file(content)?,
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn file(content: &Json) -> Result<Value, String> {
    let name = content["name"].as_str().ok_or("file: no name")?.to_owned();
    let content = match (content["hex"].as_str(), content["repeat_byte_hex"].as_str()) {
        (Some(hex), _) => unhex(hex)?,
        (None, Some(byte)) => unhex(byte)?.repeat(size(content["count"].as_u64())?),
        (None, None) => return Err(format!("file {name}: no content")),
    };
    Ok(Value::File { name, content })
}

/// A count of a record, which nobody should make larger than memory.
fn size(count: Option<u64>) -> Result<usize, String> {
    let count = count.and_then(|count| usize::try_from(count).ok());
    count
        .filter(|count| *count <= 64 << 20)
        .ok_or_else(|| "a count is missing or above 64 Mi".into())
}

/// Bytes from hexadecimal text.
///
/// # Errors
///
/// A text that shows what is not hexadecimal.
pub fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2);
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes.ok_or_else(|| format!("{text:.40?} is not hexadecimal"))
}

impl PartialEq for Value {
    /// Floats are equal to integers of the same value only if both are floats;
    /// maps are equal whatever their order.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) | (Value::RawText(a), Value::RawText(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().all(|entry| b.contains(entry))
            }
            (
                Value::File {
                    name: a,
                    content: x,
                },
                Value::File {
                    name: b,
                    content: y,
                },
            ) => a == b && x == y,
            _ => false,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` is nil.
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Nil, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

/// Longer texts and bytes are cut short in messages.
const SHOWN: usize = 60;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Text(text) if text.len() <= SHOWN => write!(f, "{text:?}"),
            Value::Text(text) => write!(f, "text of {} bytes", text.len()),
            Value::Bytes(bytes) | Value::RawText(bytes) if bytes.len() <= SHOWN / 2 => {
                write!(
                    f,
                    "{}\"",
                    if matches!(self, Value::Bytes(_)) {
                        "bin\""
                    } else {
                        "raw\""
                    }
                )?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\"")
            }
            Value::Bytes(bytes) | Value::RawText(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Value::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Value::File { name, content } => write!(f, "file {name:?} of {} bytes", content.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: Json) -> Value {
        Value::from_notation(&json).unwrap()
    }

    #[test]
    fn every_form_of_the_notation_is_read() {
        assert_eq!(
            read(json!({"int": "-9223372036854775808"})),
            Value::Int(i64::MIN.into())
        );
        assert_eq!(
            read(json!({"uint64": "18446744073709551615"})),
            Value::Int(u64::MAX.into())
        );
        assert_eq!(read(json!({"int64": "5"})), read(json!(5)));
        assert_eq!(read(json!({"float": 1.5})), Value::Float(1.5));
        assert_eq!(read(json!({"bin": "00ff"})), Value::Bytes(vec![0, 255]));
        assert_eq!(
            read(json!({"rawstr": "c328"})),
            Value::RawText(vec![0xc3, 0x28])
        );
        let keyed = Value::Map(vec![(Value::Int(2), "two".into())]);
        assert_eq!(read(json!({"map": [[{"int": "2"}, "two"]]})), keyed);
        assert_eq!(
            read(json!({"repeat": {"unit": "ab", "count": 3}})),
            "ababab".into()
        );
        let file = |content: &[u8]| Value::File {
            name: "a.b".into(),
            content: content.into(),
        };
        assert_eq!(
            read(json!({"file": {"name": "a.b", "hex": "5a"}})),
            file(b"Z")
        );
        let long = json!({"file": {"name": "a.b", "repeat_byte_hex": "5a", "count": 4}});
        assert_eq!(read(long), file(b"ZZZZ"));
        assert_eq!(read(json!(null)), Value::Nil);
        assert_eq!(
            read(json!([true, "x"])),
            Value::List(vec![true.into(), "x".into()])
        );
    }

    #[test]
    fn an_object_that_only_looks_like_a_form_is_a_map() {
        let inner = Value::map([("int", Value::Int(1))]);
        assert_eq!(read(json!({"int": {"int": "1"}})), inner);
        let two = Value::map([("int", "1".into()), ("bin", "2".into())]);
        assert_eq!(read(json!({"int": "1", "bin": "2"})), two);
    }

    #[test]
    fn broken_forms_are_errors() {
        for broken in [
            json!({"int": "x"}),
            json!({"bin": "0"}),
            json!({"bin": "0g"}),
            json!({"map": [[1]]}),
            json!({"repeat": {"unit": "a"}}),
            json!({"repeat": {"unit": "a", "count": 1_u64 << 40}}),
            json!({"file": {"name": "x"}}),
        ] {
            assert!(Value::from_notation(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn maps_have_no_order_and_text_is_not_bytes() {
        let ab = Value::map([("a", Value::Int(1)), ("b", Value::Nil)]);
        let ba = Value::map([("b", Value::Nil), ("a", Value::Int(1))]);
        assert_eq!(ab, ba);
        assert_ne!(ab, Value::map([("a", Value::Int(1))]));
        assert_ne!(Value::from("a"), Value::Bytes(b"a".to_vec()));
        assert_ne!(Value::Float(1.0), Value::Int(1));
    }

    #[test]
    fn all_sources_give_the_same_value() {
        let text = r#"{"n":18446744073709551615,"t":"x","l":[null,false,-1,1.5]}"#;
        let from_json = Value::from_json(&serde_json::from_str(text).unwrap());
        let list = [rmpv::Value::Nil, false.into(), (-1).into(), 1.5.into()];
        let packed = rmpv::Value::Map(vec![
            ("l".into(), rmpv::Value::Array(list.to_vec())),
            ("n".into(), u64::MAX.into()),
            ("t".into(), "x".into()),
        ]);
        assert_eq!(Value::from_msgpack(&packed), from_json);
    }
}
