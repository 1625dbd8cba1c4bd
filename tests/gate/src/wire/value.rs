/// Any payload value, whatever its encoding.
///
/// Integers are kept exactly; an integer that fits `i64` is always [`Value::Int`], so that equal numbers compare equal
/// however wide they were written. Strings are bytes, because peers put arbitrary bytes into a msgpack `str`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// nil or `null`: an absent field.
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer within `i64`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A number that was written as a float.
    Float(f64),
    /// Text, or whatever bytes a peer declared to be text.
    Str(Vec<u8>),
    /// Bytes. JSON has none.
    Bin(Vec<u8>),
    /// A list.
    Array(Vec<Value>),
    /// A map in the order of the wire. The first of several equal keys counts.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// The empty map, which is the payload of everything that says no more than "done".
    pub const EMPTY: Self = Self::Map(Vec::new());

    /// A map with text keys.
    pub fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Map(
            fields
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// The field `key` of a map; `None` when this is no map, or has no such key, or holds nil there.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs
            .iter()
            .find(|(name, _)| matches!(name, Self::Str(bytes) if bytes == key.as_bytes()))
            .map(|(_, value)| value)
            .filter(|value| **value != Self::Nil)
    }

    /// The number, if it is an integer within `i64`. A float without a fraction counts as one: old encoders write
    /// integers from 2^31 on as floats.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(number) => exact_int(*number),
            _ => None,
        }
    }

    /// The boolean; 0 and 1 count.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Int(0) => Some(false),
            Self::Int(1) => Some(true),
            _ => None,
        }
    }

    /// The text, if it is text and valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The bytes of text or binary.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(bytes) | Self::Bin(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn ints(items: impl IntoIterator<Item = i64>) -> Self {
        Self::Array(items.into_iter().map(Self::Int).collect())
    }

    /// Bytes this value occupies at least: the measure by which the record of events is bounded.
    pub(crate) fn weight(&self) -> usize {
        let own = size_of::<Self>();
        own + match self {
            Self::Str(bytes) | Self::Bin(bytes) => bytes.len(),
            Self::Array(items) => items.iter().map(Self::weight).sum(),
            Self::Map(pairs) => pairs.iter().map(|(k, v)| k.weight() + v.weight()).sum(),
            _ => 0,
        }
    }
}

fn exact_int(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let whole = number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number);
    whole.then_some(number as i64)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into_bytes())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bin(bytes)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nil,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(uint)) => Self::UInt(uint),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => text.into(),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(fields) => Self::Map(
                fields
                    .into_iter()
                    .map(|(key, value)| (key.into(), value.into()))
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_floats_count_as_integers_and_others_do_not() {
        assert_eq!(Value::Float(4_294_967_295.0).as_int(), Some(4_294_967_295));
        assert_eq!(Value::Float(1.5).as_int(), None);
        assert_eq!(Value::Float(9.3e18).as_int(), None);
        assert_eq!(Value::Float(f64::NAN).as_int(), None);
    }

    #[test]
    fn nil_is_an_absent_field() {
        let map = Value::map([("a", Value::Nil), ("b", 1.into())]);
        assert_eq!(map.get("a"), None);
        assert_eq!(map.get("b"), Some(&Value::Int(1)));
    }

    #[test]
    fn json_numbers_beyond_2_to_53_stay_exact() {
        let json = serde_json::json!({"id": 9_223_372_036_854_775_807_i64});
        assert_eq!(Value::from(json).get("id"), Some(&Value::Int(i64::MAX)));
    }
}
