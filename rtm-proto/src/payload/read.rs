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

// 128 bits hold every integer of the wire, whichever its sign.
integers!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{CodecErrorKind, Encoding, Payload, Required};
    use alloc::vec;

    /// Reads the only field of a body, from its MessagePack bytes.
    fn read<T: FromPayload>(value: &[u8]) -> Result<T, CodecErrorKind> {
        let body = [b"\x81\xa1v", value].concat();
        let payload = Payload::new(Encoding::MsgPack, body.into()).unwrap();
        let mut slot = None;
        let walked = payload.fields(|_, v| {
            slot = Some(v.read()?);
            Ok(())
        });
        walked.map_err(|e| e.kind())?;
        Ok(slot.unwrap())
    }

    #[test]
    fn integral_floats_are_integers_and_others_are_not() {
        let float = |value: f64| [&[0xcb][..], &value.to_be_bytes()].concat();
        assert_eq!(read::<i64>(&float(2_147_483_648.0)), Ok(2_147_483_648));
        assert_eq!(read::<u8>(&[0xca, 0x43, 0x7f, 0, 0]), Ok(255));
        assert_eq!(read::<i64>(&float(-0.0)), Ok(0));
        assert_eq!(
            read::<u64>(&float(18_446_744_073_709_549_568.0)),
            Ok(u64::MAX - 2047)
        );
        assert_eq!(
            read::<u64>(&float(18_446_744_073_709_551_616.0)),
            Err(CodecErrorKind::OutOfRange)
        );
        assert_eq!(read::<i64>(&float(1e300)), Err(CodecErrorKind::WrongType));
        for odd in [1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(
                read::<i64>(&float(odd)),
                Err(CodecErrorKind::WrongType),
                "{odd}"
            );
        }
    }

    #[test]
    fn booleans_are_also_read_from_one_and_zero() {
        assert_eq!(read::<bool>(&[0xc3]), Ok(true));
        assert_eq!(read::<bool>(&[0x00]), Ok(false));
        assert_eq!(read::<bool>(&[0xd0, 1]), Ok(true));
        assert_eq!(read::<bool>(&[0x02]), Err(CodecErrorKind::WrongType));
        assert_eq!(read::<bool>(b"\xa1t"), Err(CodecErrorKind::WrongType));
    }

    #[test]
    fn floats_are_also_read_from_integers() {
        assert_eq!(read::<f64>(&[0x05]), Ok(5.0));
        assert_eq!(read::<f64>(&[0xff]), Ok(-1.0));
        assert_eq!(read::<f64>(&[0xc0]), Err(CodecErrorKind::WrongType));
    }

    #[test]
    fn strings_that_are_not_utf8_are_refused_replaced_or_bytes() {
        let broken = b"\xa2\xffa";
        assert_eq!(read::<String>(broken), Err(CodecErrorKind::NotUtf8));
        assert_eq!(read::<Text>(broken), Ok(Text("\u{fffd}a".into())));
        let bytes = Bytes::from_static(b"\xffa");
        assert_eq!(
            read::<TextOrBytes>(broken),
            Ok(TextOrBytes::Bytes(bytes.clone()))
        );
        assert_eq!(read::<Blob>(broken), Ok(Blob(bytes)));
    }

    #[test]
    fn a_binary_is_never_taken_for_a_message_text() {
        let binary = b"\xc4\x02hi";
        let bytes = Bytes::from_static(b"hi");
        assert_eq!(read::<TextOrBytes>(binary), Ok(TextOrBytes::Bytes(bytes)));
        assert_eq!(
            read::<TextOrBytes>(b"\xa2hi"),
            Ok(TextOrBytes::Text("hi".into()))
        );
        assert_eq!(read::<String>(binary), Ok("hi".into()));
        assert_eq!(read::<TextOrBytes>(&[0x01]), Err(CodecErrorKind::WrongType));
    }

    #[test]
    fn nil_is_an_absent_option_and_a_wrong_type_otherwise() {
        assert_eq!(read::<Option<i64>>(&[0xc0]), Ok(None));
        assert_eq!(read::<i64>(&[0xc0]), Err(CodecErrorKind::WrongType));
        assert_eq!(
            read::<Vec<Option<u8>>>(&[0x92, 0xc0, 1]),
            Ok(vec![None, Some(1)])
        );
    }

    #[test]
    fn id_maps_take_integer_and_decimal_string_keys() {
        let map = read::<IdMap<u8>>(b"\x83\xa212\x01\x22\x02\xa2-5\x03").unwrap();
        assert_eq!(map.0, BTreeMap::from([(12, 1), (0x22, 2), (-5, 3)]));
        for key in [&b"\xa1x"[..], b"\xa0", b"\xc0", b"\xc4\x011"] {
            let body = [b"\x81", key, b"\x01"].concat();
            assert_eq!(
                read::<IdMap<u8>>(&body),
                Err(CodecErrorKind::WrongType),
                "{key:x?}"
            );
        }
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let map = read::<BTreeMap<String, u8>>(b"\x82\xa1a\x01\xa1a\x02").unwrap();
        assert_eq!(map, BTreeMap::from([("a".into(), 2)]));
    }

    #[derive(Debug)]
    struct Record {
        id: i64,
    }

    impl FromPayload for Record {
        fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
            let mut id = None;
            value.fields(|key, value| match key {
                "id" => value.read_into(&mut id),
                _ => Ok(()),
            })?;
            Ok(Self {
                id: id.required("id")?,
            })
        }
    }

    fn records(body: &'static [u8]) -> Result<Vec<Record>, CodecError> {
        let payload = Payload::new(Encoding::MsgPack, Bytes::from_static(body)).unwrap();
        let mut records = None;
        payload.fields(|_, value| value.read_into(&mut records))?;
        records.required("msgs")
    }

    #[test]
    fn errors_tell_the_path_and_the_offset() {
        let good = records(b"\x81\xa4msgs\x91\x82\xa1x\x90\xa2id\x07").unwrap();
        assert_eq!(good[0].id, 7);
        let error = records(b"\x81\xa4msgs\x92\x81\xa2id\x07\x81\xa2id\xa1x").unwrap_err();
        assert_eq!(error.field(), Some("msgs[1].id"));
        assert_eq!(
            (error.kind(), error.offset()),
            (CodecErrorKind::WrongType, 16)
        );
        let error = records(b"\x81\xa4msgs\x92\x81\xa2id\x07\x80").unwrap_err();
        assert_eq!(error.field(), Some("msgs[1].id"));
        assert_eq!(
            (error.kind(), error.offset()),
            (CodecErrorKind::Missing, 12)
        );
        assert_eq!(records(b"\x80").unwrap_err().field(), Some("msgs"));
    }

    #[test]
    fn a_nil_optional_field_empties_its_slot() {
        let payload = Payload::new(Encoding::MsgPack, Bytes::from_static(b"\x81\xa1a\xc0"));
        let mut slot = Some(5_u8);
        payload
            .unwrap()
            .fields(|_, value| value.read_into(&mut slot))
            .unwrap();
        assert_eq!(slot, None);
    }
}
