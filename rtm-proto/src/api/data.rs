//! Key-value data of the user, kept by the service.
//!
//! Wire methods: `dataset`, `dataget`, `datadel`.

use alloc::format;
use alloc::string::String;

use super::{Caller, decode_nothing};
use crate::error::{ErrorCode, RequestError};
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Request};

/// The longest key, in bytes.
pub const MAX_DATA_KEY: usize = 128;

/// The longest value, in bytes.
pub const MAX_DATA_VALUE: usize = 65_535;

fn check_key(context: &Context, key: &str) -> Result<(), RequestError> {
    if !context.check_arguments {
        return Ok(());
    }
    match key.len() {
        0 => Err(RequestError::invalid(
            "key",
            ErrorCode::EMPTY_PARAMETER,
            "the key is empty",
        )),
        1..=MAX_DATA_KEY => Ok(()),
        length => {
            let why = format!("{length} bytes are more than the {MAX_DATA_KEY} of a key");
            Err(RequestError::invalid("key", ErrorCode::LARGE_DATA, why))
        }
    }
}

fn check_value(context: &Context, value: &str) -> Result<(), RequestError> {
    if context.check_arguments && value.len() > MAX_DATA_VALUE {
        let length = value.len();
        let why = format!("{length} bytes are more than the {MAX_DATA_VALUE} of a value");
        return Err(RequestError::invalid("val", ErrorCode::LARGE_DATA, why));
    }
    Ok(())
}

/// Keeps a value under a key (`dataset`), in place of the one there is.
///
/// Keys have 1 to 128 bytes (200033, 200035), values up to 65 535 (200035).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetData {
    key: String,
    value: String,
}

impl SetData {
    /// Keeps `value` under `key`.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        SetData {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl Request for SetData {
    type Response = ();

    fn method(&self) -> &str {
        "dataset"
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        check_key(context, &self.key)?;
        check_value(context, &self.value)?;
        out.field("key", self.key.as_str())
            .field("val", self.value.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Reads the value under a key (`dataget`).
///
/// A value that is not UTF-8 is a decode error of this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetData {
    key: String,
}

impl GetData {
    /// The value under `key`, 1 to 128 bytes.
    pub fn new(key: impl Into<String>) -> Self {
        GetData { key: key.into() }
    }
}

impl Request for GetData {
    /// None if there is no such key.
    type Response = Option<String>;

    fn method(&self) -> &str {
        "dataget"
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        check_key(context, &self.key)?;
        out.field("key", self.key.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Option<String>, CodecError> {
        let mut value = None;
        answer.fields(|key, field| match key {
            "val" => field.read_into(&mut value),
            _ => Ok(()),
        })?;
        Ok(value)
    }
}

/// Removes a key and its value (`datadel`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteData {
    key: String,
}

impl DeleteData {
    /// Removes `key`, 1 to 128 bytes.
    pub fn new(key: impl Into<String>) -> Self {
        DeleteData { key: key.into() }
    }
}

impl Request for DeleteData {
    type Response = ();

    fn method(&self) -> &str {
        "datadel"
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        check_key(context, &self.key)?;
        out.field("key", self.key.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Key-value data of the user.
pub trait DataApi: Caller {
    /// Keeps a value of up to 65 535 bytes under a key of 1 to 128 bytes
    /// (`dataSet`).
    #[doc(alias = "dataSet")]
    fn set_data(&self, key: impl Into<String>, value: impl Into<String>) -> Self::Reply<SetData> {
        self.call(SetData::new(key, value))
    }

    /// Reads the value under a key (`dataGet`). Gives it, or `None` if there
    /// is no such key.
    #[doc(alias = "dataGet")]
    fn get_data(&self, key: impl Into<String>) -> Self::Reply<GetData> {
        self.call(GetData::new(key))
    }

    /// Removes a key and its value (`dataDelete`).
    #[doc(alias = "dataDelete")]
    fn delete_data(&self, key: impl Into<String>) -> Self::Reply<DeleteData> {
        self.call(DeleteData::new(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::refusal;
    use crate::payload::Encoding;
    use bytes::Bytes;

    #[test]
    fn keys_have_1_to_128_bytes() {
        let longest = "k".repeat(128);
        let too_long = "k".repeat(129);
        assert_eq!(refusal(&GetData::new(longest.as_str())), None);
        for key in ["", too_long.as_str(), "é".repeat(65).as_str()] {
            let code = match key {
                "" => ErrorCode::EMPTY_PARAMETER,
                _ => ErrorCode::LARGE_DATA,
            };
            assert_eq!(refusal(&SetData::new(key, "v")), Some(("key", code)));
            assert_eq!(refusal(&GetData::new(key)), Some(("key", code)));
            assert_eq!(refusal(&DeleteData::new(key)), Some(("key", code)));
        }
    }

    #[test]
    fn values_have_up_to_65535_bytes() {
        assert_eq!(refusal(&SetData::new("k", "")), None);
        assert_eq!(refusal(&SetData::new("k", "v".repeat(65_535))), None);
        let too_long = SetData::new("k", "v".repeat(65_536));
        assert_eq!(refusal(&too_long), Some(("val", ErrorCode::LARGE_DATA)));
    }

    fn decode(json: &'static [u8]) -> Option<String> {
        let answer = Payload::new(Encoding::Json, Bytes::from_static(json)).unwrap();
        GetData::new("k")
            .decode(&Context::default(), answer)
            .unwrap()
    }

    #[test]
    fn a_key_that_is_not_there_is_no_error_and_not_an_empty_value() {
        assert_eq!(decode(b"{}"), None);
        assert_eq!(decode(br#"{"val":null}"#), None);
        assert_eq!(decode(br#"{"val":""}"#), Some(String::new()));
    }
}
