//! Payloads as `rmpv::Value`, for those who know no types in advance.

use bytes::BytesMut;
use rmpv::Value as Dynamic;

use super::error::{CodecError, CodecErrorKind};
use super::pack;
use super::reader::{Head, Reader};
use super::value::MAX_DEPTH;
use super::write::ToPayload;
use super::writer::ValueWriter;
use super::{Encoding, Payload};

/// Most values that one dynamic payload may hold: each takes about 40 bytes in memory and may
/// have taken one on the wire.
pub const MAX_DYNAMIC_VALUES: usize = 1 << 18;

impl Payload {
    /// The whole body as a dynamic value. Bytes behind the root map are ignored.
    ///
    /// A string that is not UTF-8 becomes an `rmpv` string that says so (`is_err`); writing it
    /// again turns it into a binary.
    ///
    /// # Errors
    /// Anything wrong with the body; [`CodecErrorKind::TooDeep`] beyond
    /// [`MAX_DEPTH`] levels, [`CodecErrorKind::TooManyElements`] beyond [`MAX_DYNAMIC_VALUES`].
    pub fn to_value(&self) -> Result<Dynamic, CodecError> {
        let bytes = self.msgpack()?;
        check(&bytes).map_err(|e| self.localized(e))?;
        // Its own limit counts more than one unit per level; ours was checked above.
        let read = rmpv::decode::read_value_with_max_depth(&mut &bytes[..], 4 * MAX_DEPTH);
        read.map_err(|_| CodecError::new(CodecErrorKind::Truncated))
    }

    /// A MessagePack payload from a dynamic value.
    ///
    /// # Errors
    /// [`CodecErrorKind::RootNotMap`], [`CodecErrorKind::KeyNotString`] for a key of the root,
    /// [`CodecErrorKind::TooDeep`] beyond [`MAX_DEPTH`] levels.
    pub fn from_value(value: &Dynamic) -> Result<Payload, CodecError> {
        let Dynamic::Map(entries) = value else {
            return Err(CodecError::new(CodecErrorKind::RootNotMap));
        };
        if entries.iter().any(|(key, _)| !key.is_str()) {
            return Err(CodecError::new(CodecErrorKind::KeyNotString));
        }
        let mut out = BytesMut::new();
        write(&mut out, value, 0)?;
        Payload::new(Encoding::MsgPack, out.freeze())
    }
}

/// Written as it is: nil as nil. More than 64 levels are an error of
/// [`PayloadWriter::finish`](super::PayloadWriter::finish).
impl ToPayload for Dynamic {
    fn write(&self, w: &mut ValueWriter<'_>) {
        let result = write(w.buffer(), self, 1);
        w.note(result);
    }
}

fn write(out: &mut BytesMut, value: &Dynamic, depth: usize) -> Result<(), CodecError> {
    if depth >= MAX_DEPTH && matches!(value, Dynamic::Array(_) | Dynamic::Map(_)) {
        return Err(CodecError::new(CodecErrorKind::TooDeep));
    }
    match value {
        Dynamic::Nil => pack::nil(out),
        Dynamic::Boolean(truth) => pack::bool(out, *truth),
        Dynamic::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => pack::uint(out, number),
            (None, number) => pack::int(out, number.unwrap_or_default()),
        },
        Dynamic::F32(number) => pack::f32(out, *number),
        Dynamic::F64(number) => pack::f64(out, *number),
        Dynamic::String(text) => pack::str(out, text.as_bytes())?,
        Dynamic::Binary(bytes) => pack::bin(out, bytes)?,
        Dynamic::Ext(kind, bytes) => pack::ext(out, *kind, bytes)?,
        Dynamic::Array(elements) => {
            pack::array(out, elements.len())?;
            for element in elements {
                write(out, element, depth + 1)?;
            }
        }
        Dynamic::Map(entries) => {
            pack::map(out, entries.len())?;
            for (key, value) in entries {
                write(out, key, depth + 1)?;
                write(out, value, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// Checks a document before memory is spent on it: complete, not too deep, not too many values.
fn check(bytes: &[u8]) -> Result<(), CodecError> {
    let mut reader = Reader::new(bytes, 0);
    // Values still to come at each level; the first is the root itself.
    let mut pending = [0_usize; MAX_DEPTH + 1];
    let mut depth = 0;
    let mut seen = 0;
    if let Some(root) = pending.first_mut() {
        *root = 1;
    }
    loop {
        match pending.get_mut(depth) {
            Some(0) if depth == 0 => return Ok(()),
            Some(0) => {
                depth -= 1;
                continue;
            }
            Some(left) => *left -= 1,
            None => return Err(CodecError::at(CodecErrorKind::TooDeep, reader.at)),
        }
        let start = reader.at;
        seen += 1;
        if seen > MAX_DYNAMIC_VALUES {
            return Err(CodecError::at(CodecErrorKind::TooManyElements, start));
        }
        let children = match reader.head()? {
            Head::Str(length) | Head::Bin(length) => reader.take(length).map(|_| None)?,
            Head::Ext(length) => reader.take(length + 1).map(|_| None)?,
            Head::Array(count) => Some(count),
            Head::Map(count) => Some(count * 2),
            _ => None,
        };
        if let Some(children) = children {
            depth += 1;
            match pending.get_mut(depth) {
                Some(slot) => *slot = children,
                None => return Err(CodecError::at(CodecErrorKind::TooDeep, start)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use bytes::Bytes;

    fn to_value(body: Vec<u8>) -> Result<Dynamic, (CodecErrorKind, usize)> {
        let payload = Payload::new(Encoding::MsgPack, body.into()).unwrap();
        payload.to_value().map_err(|e| (e.kind(), e.offset()))
    }

    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = b"\x81\xa1v".to_vec();
        bytes.resize(3 + depth, 0x91);
        bytes.push(0xc0);
        bytes
    }

    fn sample() -> Dynamic {
        Dynamic::Map(vec![
            ("nil".into(), Dynamic::Nil),
            ("big".into(), u64::MAX.into()),
            ("small".into(), i64::MIN.into()),
            ("f32".into(), Dynamic::F32(1.5)),
            ("f64".into(), Dynamic::F64(-0.1)),
            ("bin".into(), Dynamic::Binary(vec![0, 255])),
            ("ext".into(), Dynamic::Ext(-3, vec![1; 16])),
            (
                "map".into(),
                Dynamic::Map(vec![(5.into(), Dynamic::Array(vec![true.into()]))]),
            ),
        ])
    }

    #[test]
    fn dynamic_values_survive_the_round_trip() {
        let payload = Payload::from_value(&sample()).unwrap();
        assert_eq!(payload.to_value().unwrap(), sample());
        let mut oracle = Vec::new();
        rmpv::encode::write_value(&mut oracle, &sample()).unwrap();
        assert_eq!(payload.as_bytes()[..], oracle);
    }

    #[test]
    fn json_bodies_become_dynamic_values_too() {
        let body = Bytes::from_static(br#"{"a":[null,{"b":-1}]}"#);
        let value = Payload::new(Encoding::Json, body)
            .unwrap()
            .to_value()
            .unwrap();
        let inner = Dynamic::Map(vec![("b".into(), (-1).into())]);
        let list = Dynamic::Array(vec![Dynamic::Nil, inner]);
        assert_eq!(value, Dynamic::Map(vec![("a".into(), list)]));
    }

    #[test]
    fn sixty_four_levels_pass_both_ways_and_one_more_does_not() {
        let value = to_value(nested(63)).unwrap();
        assert_eq!(
            Payload::from_value(&value).unwrap().as_bytes()[..],
            nested(63)
        );
        assert_eq!(to_value(nested(64)), Err((CodecErrorKind::TooDeep, 66)));
        assert_eq!(
            to_value(nested(1 << 20)),
            Err((CodecErrorKind::TooDeep, 66))
        );
        let Dynamic::Map(mut entries) = value else {
            panic!("a map")
        };
        let deeper = Dynamic::Array(vec![entries.remove(0).1]);
        let deeper = Dynamic::Map(vec![("v".into(), deeper)]);
        assert_eq!(
            Payload::from_value(&deeper).unwrap_err().kind(),
            CodecErrorKind::TooDeep
        );
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let list = |count: u32| {
            let mut body = b"\x81\xa1v\xdd".to_vec();
            body.extend(count.to_be_bytes());
            body.resize(body.len() + count as usize, 0xc0);
            body
        };
        let most = MAX_DYNAMIC_VALUES as u32 - 3;
        assert!(to_value(list(most)).is_ok());
        let error = to_value(list(most + 1)).unwrap_err();
        assert_eq!(error.0, CodecErrorKind::TooManyElements);
    }

    #[test]
    fn broken_bodies_are_refused_before_a_value_is_built() {
        assert_eq!(
            to_value(b"\x81\xa1v\xc1".to_vec()),
            Err((CodecErrorKind::Reserved, 3))
        );
        assert_eq!(
            to_value(b"\x82\xa1v\x01".to_vec()),
            Err((CodecErrorKind::Truncated, 0))
        );
        assert_eq!(
            to_value(b"\x81\xa1v\xdd\xff\xff\xff\xff".to_vec()),
            Err((CodecErrorKind::Truncated, 3))
        );
    }

    #[test]
    fn a_root_must_be_a_map_with_string_keys() {
        let error = Payload::from_value(&Dynamic::Nil).unwrap_err();
        assert_eq!(error.kind(), CodecErrorKind::RootNotMap);
        let numbered = Dynamic::Map(vec![(1.into(), Dynamic::Nil)]);
        assert_eq!(
            Payload::from_value(&numbered).unwrap_err().kind(),
            CodecErrorKind::KeyNotString
        );
    }
}
