//! What a value can be read as.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::error::{CodecError, CodecErrorKind};
use super::reader::Head;
use super::types::{Blob, IdMap, Text, TextOrBytes};
use super::value::{Value, ValueKind};

/// A type that can be read from a [`Value`].
///
/// ```
/// use rtm_proto::payload::{CodecError, FromPayload, Required, Value};
///
/// struct Point { x: i32, y: i32 }
///
/// impl FromPayload for Point {
///     fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
///         let (mut x, mut y) = (None, None);
///         value.fields(|key, value| match key {
///             "x" => value.read_into(&mut x),
///             "y" => value.read_into(&mut y),
///             _ => Ok(()),
///         })?;
///         Ok(Point { x: x.required("x")?, y: y.required("y")? })
///     }
/// }
/// ```
pub trait FromPayload: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// Whatever the type finds wrong with it; see [`CodecErrorKind`].
    fn from_value(value: Value<'_>) -> Result<Self, CodecError>;
}

/// The integer a float stands for, if it is integral: peers that know only doubles write large
/// integers so. Values beyond 128 bits saturate, which no integer type here holds either.
fn integral(value: f64) -> Option<i128> {
    let whole = value as i128;
    (whole as f64 == value).then_some(whole)
}

macro_rules! integers {
    ($($int:ty),*) => { $(
        impl FromPayload for $int {
            #[inline]
            fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
                let at = value.offset();
                let fitting = match value.scalar()? {
                    Head::UInt(whole) => <$int>::try_from(whole).ok(),
                    Head::Int(whole) => <$int>::try_from(whole).ok(),
                    Head::Float(number) => match integral(number) {
                        Some(whole) => <$int>::try_from(whole).ok(),
                        None => return Err(CodecError::at(CodecErrorKind::WrongType, at)),
                    },
                    _ => return Err(CodecError::at(CodecErrorKind::WrongType, at)),
                };
                fitting.ok_or_else(|| CodecError::at(CodecErrorKind::OutOfRange, at))
            }
        }
    )* };
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

/// True and false, and the numbers 1 and 0, which some peers write instead.
impl FromPayload for bool {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let at = value.offset();
        match value.scalar()? {
            Head::Bool(truth) => Ok(truth),
            Head::UInt(0) | Head::Int(0) => Ok(false),
            Head::UInt(1) | Head::Int(1) => Ok(true),
            Head::Float(0.0) => Ok(false),
            Head::Float(1.0) => Ok(true),
            _ => Err(CodecError::at(CodecErrorKind::WrongType, at)),
        }
    }
}

/// Any number; an integer beyond 2^53 is rounded.
impl FromPayload for f64 {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let at = value.offset();
        match value.scalar()? {
            Head::Float(number) => Ok(number),
            Head::UInt(number) => Ok(number as f64),
            Head::Int(number) => Ok(number as f64),
            _ => Err(CodecError::at(CodecErrorKind::WrongType, at)),
        }
    }
}

/// A string or binary that is UTF-8; otherwise [`CodecErrorKind::NotUtf8`].
impl FromPayload for String {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let at = value.offset();
        match core::str::from_utf8(value.slice()?) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(CodecError::at(CodecErrorKind::NotUtf8, at)),
        }
    }
}

impl FromPayload for Text {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        value
            .slice()
            .map(|bytes| Self(String::from_utf8_lossy(bytes).into_owned()))
    }
}

impl FromPayload for Blob {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        value.bytes().map(Self)
    }
}

impl FromPayload for Bytes {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        value.bytes()
    }
}

impl FromPayload for TextOrBytes {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        if value.kind() != ValueKind::Str {
            return value.bytes().map(Self::Bytes);
        }
        let buffer = value.buffer();
        let slice = value.slice()?;
        Ok(match core::str::from_utf8(slice) {
            Ok(text) => Self::Text(text.into()),
            Err(_) => Self::Bytes(buffer.slice_ref(slice)),
        })
    }
}

impl<T: FromPayload> FromPayload for Vec<T> {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let mut list = Vec::with_capacity(value.reserve::<T>());
        value.elements(|_, element| {
            list.push(element.read()?);
            Ok(())
        })?;
        Ok(list)
    }
}

/// Nil reads as `None`.
impl<T: FromPayload> FromPayload for Option<T> {
    #[inline]
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        if value.is_nil() {
            return Ok(None);
        }
        value.read().map(Some)
    }
}

/// A map with string keys; of a repeated key the last value counts.
impl<T: FromPayload> FromPayload for BTreeMap<String, T> {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let mut map = BTreeMap::new();
        value.entries(|key, value| {
            let key: String = key.read()?;
            let value = value.read().map_err(|e: CodecError| e.within(&key))?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }
}

impl<T: FromPayload> FromPayload for IdMap<T> {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let mut map = BTreeMap::new();
        value.entries(|key, value| {
            let id = read_id(key)?;
            let value = value
                .read()
                .map_err(|e: CodecError| e.within(&alloc::format!("{id}")))?;
            map.insert(id, value);
            Ok(())
        })?;
        Ok(Self(map))
    }
}

fn read_id(key: Value<'_>) -> Result<i64, CodecError> {
    if key.kind() != ValueKind::Str {
        return key.read();
    }
    let mismatch = key.error(CodecErrorKind::WrongType);
    let text = core::str::from_utf8(key.slice()?);
    text.ok().and_then(|t| t.parse().ok()).ok_or(mismatch)
}
