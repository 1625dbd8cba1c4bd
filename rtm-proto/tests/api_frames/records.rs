//! The recorded frames, and their notation of values.

use rmpv::Value;
use serde_json::Value as Json;

pub(crate) fn records(file: &str) -> Vec<Json> {
    let path = format!("{}/../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A recorded value: `{"int":"5"}` and the like stand for single values, maps
/// are sorted by key.
pub(crate) fn notation(value: &Json) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => Value::from(number.as_i64().unwrap()),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(notation).collect()),
        Json::Object(object) => {
            let mut entries = object.iter();
            if let (Some((form, content)), None) = (entries.next(), entries.next()) {
                match (form.as_str(), content.as_str()) {
                    ("int" | "int64", Some(text)) => {
                        return Value::from(text.parse::<i64>().unwrap());
                    }
                    ("bin", Some(text)) => return Value::Binary(hex(text)),
                    _ => {}
                }
            }
            map(object.iter().map(|(k, v)| (k.as_str(), notation(v))))
        }
    }
}

/// A map, sorted by key.
pub(crate) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let mut entries: Vec<(Value, Value)> =
        entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
    entries.sort_by_key(|(key, _)| key.to_string());
    Value::Map(entries)
}

/// The arguments of a recorded call.
pub(crate) struct Args<'r>(pub(crate) &'r Json);

impl Args<'_> {
    pub(crate) fn opt_int(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        Some(notation(value).as_i64().unwrap())
    }

    pub(crate) fn int(&self, name: &str) -> i64 {
        self.opt_int(name).unwrap()
    }

    pub(crate) fn opt_text(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        let repeat = &value["repeat"];
        Some(match repeat["unit"].as_str() {
            Some(unit) => unit.repeat(repeat["count"].as_u64().unwrap() as usize),
            None => value.as_str().unwrap().into(),
        })
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.opt_text(name).unwrap()
    }

    pub(crate) fn opt_flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).map(|value| value.as_bool().unwrap())
    }

    pub(crate) fn opt_ints(&self, name: &str) -> Option<Vec<i64>> {
        let items = self.0.get(name)?.as_array().unwrap();
        let items = items.iter().map(|item| notation(item).as_i64().unwrap());
        Some(items.collect())
    }

    pub(crate) fn ints(&self, name: &str) -> Vec<i64> {
        self.opt_ints(name).unwrap()
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<(String, String)> {
        let object = self.0[name].as_object().unwrap();
        let entries = object.iter();
        entries
            .map(|(key, value)| (key.clone(), value.as_str().unwrap().into()))
            .collect()
    }
}
