//! Turns a JSON body into MessagePack while it is parsed, so that one reader serves both.

use alloc::format;
use bytes::{Bytes, BytesMut};
use core::fmt;
use rmp::Marker;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::{CodecError, CodecErrorKind};
use super::pack;
use super::value::MAX_DEPTH;

/// The MessagePack form of a JSON text. Integers keep all 64 bits; one beyond that becomes a
/// float. The result is at most about three times as long as the text.
///
/// # Errors
/// [`CodecErrorKind::Json`] for anything but one JSON value, [`CodecErrorKind::TooDeep`].
pub(super) fn to_msgpack(text: &[u8]) -> Result<Bytes, CodecError> {
    let mut target = Target {
        out: BytesMut::with_capacity(text.len()),
        failure: CodecErrorKind::Json,
    };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let node = Node {
        target: &mut target,
        depth: 0,
    };
    match node.deserialize(&mut parser).and_then(|()| parser.end()) {
        Ok(()) => Ok(target.out.freeze()),
        Err(error) => Err(CodecError::at(target.failure, offset(text, &error))),
    }
}

/// Where the parser stopped: it counts lines and columns from 1, we count bytes from 0.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let start: usize = lines.take(before).map(<[u8]>::len).sum();
    (start + error.column().saturating_sub(1)).min(text.len())
}

struct Target {
    out: BytesMut,
    /// What a failed parse means: the text is at fault unless we stopped the parser.
    failure: CodecErrorKind,
}

impl Target {
    fn stop<E: Error>(&mut self, kind: CodecErrorKind) -> E {
        self.failure = kind;
        E::custom("not representable")
    }

    fn str<E: Error>(&mut self, text: &str) -> Result<(), E> {
        pack::str(&mut self.out, text.as_bytes()).map_err(|e| self.stop(e.kind()))
    }

    fn close<E: Error>(&mut self, at: usize, count: usize) -> Result<(), E> {
        pack::close(&mut self.out, at, count).map_err(|e| self.stop(e.kind()))
    }
}

/// One value that is still to be parsed, inside `depth` containers.
struct Node<'t> {
    target: &'t mut Target,
    depth: usize,
}

impl Node<'_> {
    fn enter<E: Error>(&mut self, marker: Marker) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.target.stop(CodecErrorKind::TooDeep));
        }
        Ok(pack::open(&mut self.target.out, marker))
    }

    fn child(&mut self) -> Node<'_> {
        Node {
            target: self.target,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        pack::nil(&mut self.target.out);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        pack::bool(&mut self.target.out, value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        pack::int(&mut self.target.out, value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        pack::uint(&mut self.target.out, value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        pack::f64(&mut self.target.out, value);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.target.str(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let at = self.enter(Marker::Array32)?;
        let mut count = 0;
        while items.next_element_seed(self.child())?.is_some() {
            count += 1;
        }
        self.target.close(at, count)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let at = self.enter(Marker::Map32)?;
        let mut count = 0;
        while entries.next_key_seed(Key(self.target))?.is_some() {
            entries.next_value_seed(self.child())?;
            count += 1;
        }
        self.target.close(at, count)
    }
}

/// The key of an object.
struct Key<'t>(&'t mut Target);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.str(value)
    }
}

/// The JSON object of an error answer.
pub(crate) fn error_body(out: &mut BytesMut, code: i64, ex: &str) -> Result<(), CodecError> {
    let text = serde_json::to_string(ex).map_err(|_| CodecError::new(CodecErrorKind::Json))?;
    out.extend_from_slice(format!("{{\"code\":{code},\"ex\":{text}}}").as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> (CodecErrorKind, usize) {
        let error = to_msgpack(text.as_bytes()).unwrap_err();
        (error.kind(), error.offset())
    }

    #[test]
    fn integers_keep_all_64_bits() {
        let packed = to_msgpack(b"[9007199254740993, -9223372036854775808, 18446744073709551615]");
        assert_eq!(
            packed.unwrap()[..],
            [
                0xdd, 0, 0, 0, 3, 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1, 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0,
                0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
            ]
        );
    }

    #[test]
    fn syntax_errors_tell_the_byte() {
        assert_eq!(failure("{\"a\": x}"), (CodecErrorKind::Json, 6));
        assert_eq!(failure("{\n\"a\": 1,\n x}"), (CodecErrorKind::Json, 11));
        assert_eq!(failure("{} {"), (CodecErrorKind::Json, 3));
        assert_eq!(failure("{\"a\":1").0, CodecErrorKind::Json);
        assert_eq!(failure("").0, CodecErrorKind::Json);
        assert_eq!(
            to_msgpack(b"{\"a\":\"\xff\"}").unwrap_err().kind(),
            CodecErrorKind::Json
        );
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_refused() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(to_msgpack(nested(64).as_bytes()).is_ok());
        assert_eq!(failure(&nested(65)).0, CodecErrorKind::TooDeep);
        assert_eq!(failure(&"[".repeat(1 << 20)).0, CodecErrorKind::TooDeep);
    }
}
