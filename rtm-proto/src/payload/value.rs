//! A value inside a payload, and the walk over fields, elements and entries.

use bytes::Bytes;
use core::cell::Cell;
use core::fmt;
use rmp::Marker;

use super::error::{CodecError, CodecErrorKind};
use super::read::FromPayload;
use super::reader::{Head, Reader};

/// Deepest nesting of arrays and maps that is read, the root map included.
///
/// Values that nobody reads may be deeper: they are passed over without recursion.
pub const MAX_DEPTH: usize = 64;

/// Most memory that is reserved on the word of a declared length, in bytes.
const MAX_RESERVE: usize = 64 * 1024;

/// The type of a [`Value`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing: counts as an absent field.
    Nil,
    /// A boolean.
    Bool,
    /// An integer of any width and sign.
    Int,
    /// A floating-point number.
    Float,
    /// A string; servers may put any bytes into it.
    Str,
    /// Bytes.
    Bin,
    /// An array.
    Array,
    /// A map.
    Map,
    /// An extension type, which RTM does not use.
    Ext,
}

impl ValueKind {
    fn of(first: u8) -> Self {
        match Marker::from_u8(first) {
            Marker::Null | Marker::Reserved => Self::Nil,
            Marker::True | Marker::False => Self::Bool,
            Marker::FixPos(_) | Marker::FixNeg(_) => Self::Int,
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => Self::Int,
            Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => Self::Int,
            Marker::F32 | Marker::F64 => Self::Float,
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Self::Str,
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => Self::Bin,
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => Self::Array,
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => Self::Map,
            _ => Self::Ext,
        }
    }
}

/// One value inside a payload, not yet read.
///
/// Reading consumes it; one that is dropped unread is skipped. Strings and binaries can be taken
/// as slices of the payload without a copy ([`bytes`](Self::bytes)).
pub struct Value<'a> {
    bytes: &'a Bytes,
    at: usize,
    depth: usize,
    /// First byte of the value, never the reserved one.
    first: u8,
    /// Where the value ends, once it was read; 0 before. The walk goes on from there.
    end: &'a Cell<usize>,
}

impl<'a> Value<'a> {
    /// Reads the value as a `T`.
    ///
    /// # Errors
    /// What the reader of `T` says: mostly [`CodecErrorKind::WrongType`], or
    /// [`CodecErrorKind::OutOfRange`] for a number that does not fit.
    #[inline]
    pub fn read<T: FromPayload>(self) -> Result<T, CodecError> {
        T::from_value(self)
    }

    /// Reads the value into a slot for an optional field: nil empties it, as if the field were
    /// absent.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    pub fn read_into<T: FromPayload>(self, slot: &mut Option<T>) -> Result<(), CodecError> {
        *slot = self.read()?;
        Ok(())
    }

    /// Whether the value is nil.
    #[inline]
    pub fn is_nil(&self) -> bool {
        self.first == Marker::Null.to_u8()
    }

    /// The type on the wire. A JSON payload has no `Bin` and no `Ext`.
    pub fn kind(&self) -> ValueKind {
        ValueKind::of(self.first)
    }

    /// Walks the elements of an array, in order, with their index. Elements that `f` does not
    /// read are skipped.
    ///
    /// # Errors
    /// [`CodecErrorKind::WrongType`] if it is not an array, [`CodecErrorKind::TooDeep`] beyond
    /// [`MAX_DEPTH`], and whatever `f` returns, with the index added to the field path.
    pub fn elements(
        self,
        mut f: impl FnMut(usize, Value<'_>) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        let (head, mut reader) = self.open()?;
        let Head::Array(count) = head else {
            return Err(self.error(CodecErrorKind::WrongType));
        };
        for index in 0..count {
            reader.at = visit(self.bytes, reader.at, self.depth + 1, |value| {
                f(index, value)
            })
            .map_err(|e| e.missing_from(reader.at).within_index(index))?;
        }
        self.finish(reader)
    }

    /// Walks the entries of a map with keys of any type, in wire order: key, value. What `f` does
    /// not read is skipped.
    ///
    /// # Errors
    /// [`CodecErrorKind::WrongType`] if it is not a map, [`CodecErrorKind::TooDeep`] beyond
    /// [`MAX_DEPTH`], and whatever `f` returns.
    pub fn entries(
        self,
        mut f: impl FnMut(Value<'_>, Value<'_>) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        let (head, mut reader) = self.open()?;
        let Head::Map(count) = head else {
            return Err(self.error(CodecErrorKind::WrongType));
        };
        for _ in 0..count {
            let key_at = reader.at;
            reader.skip()?;
            let key_end = Cell::new(0);
            let key = Value::new(self.bytes, key_at, self.depth + 1, &key_end)?;
            reader.at = visit(self.bytes, reader.at, self.depth + 1, |value| f(key, value))
                .map_err(|e| e.missing_from(reader.at))?;
        }
        self.finish(reader)
    }

    /// Walks the fields of a map with string keys, by the rules of
    /// [`Payload::fields`](super::Payload::fields).
    ///
    /// # Errors
    /// [`CodecErrorKind::WrongType`] if it is not a map, [`CodecErrorKind::KeyNotString`],
    /// [`CodecErrorKind::TooDeep`] beyond [`MAX_DEPTH`], and whatever `f` returns, with the key
    /// added to the field path.
    pub fn fields(
        self,
        f: impl FnMut(&str, Value<'_>) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        let (head, mut reader) = self.open()?;
        let Head::Map(count) = head else {
            return Err(self.error(CodecErrorKind::WrongType));
        };
        walk_fields(self.bytes, &mut reader, count, self.depth + 1, f)?;
        self.finish(reader)
    }

    /// The contents of a string or binary, as a slice of the payload without a copy. It keeps the
    /// whole buffer alive that the payload came in.
    ///
    /// # Errors
    /// [`CodecErrorKind::WrongType`] for any other type.
    #[inline]
    pub fn bytes(self) -> Result<Bytes, CodecError> {
        let bytes = self.bytes;
        let slice = self.slice()?;
        Ok(bytes.slice_ref(slice))
    }

    /// The contents of a string or binary, borrowed.
    ///
    /// # Errors
    /// [`CodecErrorKind::WrongType`] for any other type.
    #[inline]
    pub fn slice(self) -> Result<&'a [u8], CodecError> {
        let mut reader = Reader::new(self.bytes, self.at);
        match reader.head()? {
            Head::Str(length) | Head::Bin(length) => {
                let slice = reader.take(length)?;
                self.finish(reader)?;
                Ok(slice)
            }
            _ => Err(self.error(CodecErrorKind::WrongType)),
        }
    }

    /// An error about this value, with its offset. Keep a copy of it to report a value that was
    /// read and is not acceptable.
    pub fn error(&self, kind: CodecErrorKind) -> CodecError {
        CodecError::at(kind, self.at)
    }

    #[inline]
    fn new(
        bytes: &'a Bytes,
        at: usize,
        depth: usize,
        end: &'a Cell<usize>,
    ) -> Result<Self, CodecError> {
        match bytes.get(at) {
            None => Err(CodecError::at(CodecErrorKind::Truncated, at)),
            Some(first) if *first == Marker::Reserved.to_u8() => {
                Err(CodecError::at(CodecErrorKind::Reserved, at))
            }
            Some(first) => Ok(Self {
                bytes,
                at,
                depth,
                first: *first,
                end,
            }),
        }
    }

    /// The head of a container, and a reader at its first child.
    fn open(&self) -> Result<(Head, Reader<'a>), CodecError> {
        if self.depth > MAX_DEPTH {
            return Err(self.error(CodecErrorKind::TooDeep));
        }
        let mut reader = Reader::new(self.bytes, self.at);
        Ok((reader.head()?, reader))
    }

    #[inline]
    fn finish(self, reader: Reader<'_>) -> Result<(), CodecError> {
        self.end.set(reader.at);
        Ok(())
    }

    /// Where the value starts.
    #[inline]
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The buffer that a slice of this value is a part of.
    pub(super) fn buffer(&self) -> &'a Bytes {
        self.bytes
    }

    /// The value if it is a boolean or a number, which are their own head.
    #[inline]
    pub(super) fn scalar(self) -> Result<Head, CodecError> {
        let mut reader = Reader::new(self.bytes, self.at);
        let head = reader.head()?;
        match head {
            Head::Bool(_) | Head::UInt(_) | Head::Int(_) | Head::Float(_) => {
                self.finish(reader)?;
                Ok(head)
            }
            _ => Err(self.error(CodecErrorKind::WrongType)),
        }
    }

    /// How many elements of type `T` to reserve room for: never more than are declared, can
    /// still follow, and fit in [`MAX_RESERVE`].
    pub(super) fn reserve<T>(&self) -> usize {
        match Reader::new(self.bytes, self.at).head() {
            Ok(Head::Array(count)) => count.min(MAX_RESERVE / size_of::<T>().max(1)),
            _ => 0,
        }
    }
}

impl fmt::Debug for Value<'_> {
    /// No contents, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("kind", &self.kind())
            .field("offset", &self.at)
            .finish_non_exhaustive()
    }
}

/// Shows one value to `f` and returns where the next one starts, whether `f` read it or not.
#[inline]
fn visit(
    bytes: &Bytes,
    at: usize,
    depth: usize,
    f: impl FnOnce(Value<'_>) -> Result<(), CodecError>,
) -> Result<usize, CodecError> {
    let end = Cell::new(0);
    f(Value::new(bytes, at, depth, &end)?)?;
    if end.get() > 0 {
        return Ok(end.get());
    }
    let mut reader = Reader::new(bytes, at);
    reader.skip()?;
    Ok(reader.at)
}

/// Walks the root map of a MessagePack document.
pub(super) fn walk_root(
    bytes: &Bytes,
    f: impl FnMut(&str, Value<'_>) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let mut reader = Reader::new(bytes, 0);
    let Head::Map(count) = reader.head()? else {
        return Err(CodecError::new(CodecErrorKind::RootNotMap));
    };
    walk_fields(bytes, &mut reader, count, 2, f)
}

fn walk_fields(
    bytes: &Bytes,
    reader: &mut Reader<'_>,
    count: usize,
    depth: usize,
    mut f: impl FnMut(&str, Value<'_>) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    for _ in 0..count {
        match core::str::from_utf8(reader.key()?) {
            Ok(key) => {
                reader.at = visit(bytes, reader.at, depth, |value| f(key, value))
                    .map_err(|e| e.missing_from(reader.at).within(key))?;
            }
            Err(_) => reader.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn walk(body: &[u8]) -> Result<Vec<alloc::string::String>, (CodecErrorKind, usize)> {
        let mut keys = Vec::new();
        let walked = walk_root(&Bytes::copy_from_slice(body), |key, _| {
            keys.push(key.into());
            Ok(())
        });
        walked.map(|()| keys).map_err(|e| (e.kind(), e.offset()))
    }

    #[test]
    fn keys_must_be_strings_and_those_that_are_not_utf8_are_skipped() {
        assert_eq!(
            walk(b"\x81\x01\x02"),
            Err((CodecErrorKind::KeyNotString, 1))
        );
        assert_eq!(
            walk(b"\x81\xc4\x01a\x02"),
            Err((CodecErrorKind::KeyNotString, 1))
        );
        assert_eq!(walk(b"\x82\xa1\xff\x91\x01\xa1b\x02").unwrap(), ["b"]);
        assert_eq!(walk(b"\x81\xd9\x01a\x02").unwrap(), ["a"]);
    }

    #[test]
    fn reserved_bytes_and_missing_values_are_noticed_without_reading_them() {
        assert_eq!(walk(b"\x81\xa1a\xc1"), Err((CodecErrorKind::Reserved, 3)));
        assert_eq!(
            walk(b"\x81\xa1a\x92\x01\xc1"),
            Err((CodecErrorKind::Reserved, 5))
        );
        assert_eq!(
            walk(b"\x82\xa1a\x02\xa1b"),
            Err((CodecErrorKind::Truncated, 6))
        );
        assert_eq!(
            walk(b"\xdf\xff\xff\xff\xff"),
            Err((CodecErrorKind::Truncated, 0))
        );
    }

    #[test]
    fn every_first_byte_has_the_kind_of_its_head() {
        for first in 0..=0xff_u8 {
            let mut document = vec![0; 64];
            document[0] = first;
            let Ok(head) = Reader::new(&document, 0).head() else {
                assert_eq!(first, 0xc1);
                continue;
            };
            let expected = match head {
                Head::Nil => ValueKind::Nil,
                Head::Bool(_) => ValueKind::Bool,
                Head::UInt(_) | Head::Int(_) => ValueKind::Int,
                Head::Float(_) => ValueKind::Float,
                Head::Str(_) => ValueKind::Str,
                Head::Bin(_) => ValueKind::Bin,
                Head::Array(_) => ValueKind::Array,
                Head::Map(_) => ValueKind::Map,
                Head::Ext(_) => ValueKind::Ext,
            };
            assert_eq!(ValueKind::of(first), expected, "{first:x}");
        }
    }

    #[test]
    fn room_is_reserved_for_what_can_follow_and_never_much() {
        let reserve = |document: Vec<u8>| {
            let end = Cell::new(0);
            let bytes = Bytes::from(document);
            let value = Value::new(&bytes, 0, 1, &end).unwrap();
            (value.reserve::<u8>(), value.reserve::<[u8; 1024]>())
        };
        assert_eq!(reserve(vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0]), (0, 0));
        assert_eq!(reserve(vec![0x92, 1, 2]), (2, 2));
        let mut large = vec![0xdd, 0, 2, 0, 0];
        large.resize(5 + 0x2_0000, 0xc0);
        assert_eq!(reserve(large), (MAX_RESERVE, MAX_RESERVE / 1024));
    }
}
