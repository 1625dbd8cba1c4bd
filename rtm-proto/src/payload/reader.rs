//! Reads MessagePack off a slice, one head at a time, and trusts no declared length.

use rmp::Marker;

use super::error::{CodecError, CodecErrorKind};

/// A value without its contents: scalars whole, everything else with its length.
///
/// Lengths are checked against the bytes that are there: `Str` and `Bin` fit in them, an `Array`
/// has at least one byte per element left and a `Map` two per entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    UInt(u64),
    Int(i64),
    Float(f64),
    Str(usize),
    Bin(usize),
    Array(usize),
    Map(usize),
    /// Length without the type byte, which is still to be read.
    Ext(usize),
}

/// A position in a MessagePack document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    #[inline]
    fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let taken = self
            .at
            .checked_add(count)
            .and_then(|end| self.bytes.get(self.at..end));
        match taken {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(CodecError::at(CodecErrorKind::Truncated, self.at)),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(CodecError::at(CodecErrorKind::Truncated, self.at)),
        }
    }

    fn len8(&mut self) -> Result<usize, CodecError> {
        self.array().map(|[byte]| usize::from(byte))
    }

    fn len16(&mut self) -> Result<usize, CodecError> {
        self.array().map(|b| usize::from(u16::from_be_bytes(b)))
    }

    fn len32(&mut self) -> Result<usize, CodecError> {
        let start = self.at;
        let length = u32::from_be_bytes(self.array()?);
        usize::try_from(length).map_err(|_| CodecError::at(CodecErrorKind::Truncated, start))
    }

    /// Reads one head. The contents of strings, binaries, extensions and containers stay unread.
    #[inline]
    pub(super) fn head(&mut self) -> Result<Head, CodecError> {
        let start = self.at;
        let [first] = self.array()?;
        let head = match Marker::from_u8(first) {
            Marker::FixPos(value) => Head::UInt(value.into()),
            Marker::FixNeg(value) => Head::Int(value.into()),
            Marker::Null => Head::Nil,
            Marker::True => Head::Bool(true),
            Marker::False => Head::Bool(false),
            Marker::U8 => Head::UInt(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Head::UInt(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Head::UInt(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Head::UInt(u64::from_be_bytes(self.array()?)),
            Marker::I8 => Head::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Head::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Head::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Head::Int(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Head::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Head::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => Head::Str(length.into()),
            Marker::Str8 => Head::Str(self.len8()?),
            Marker::Str16 => Head::Str(self.len16()?),
            Marker::Str32 => Head::Str(self.len32()?),
            Marker::Bin8 => Head::Bin(self.len8()?),
            Marker::Bin16 => Head::Bin(self.len16()?),
            Marker::Bin32 => Head::Bin(self.len32()?),
            Marker::FixArray(count) => Head::Array(count.into()),
            Marker::Array16 => Head::Array(self.len16()?),
            Marker::Array32 => Head::Array(self.len32()?),
            Marker::FixMap(count) => Head::Map(count.into()),
            Marker::Map16 => Head::Map(self.len16()?),
            Marker::Map32 => Head::Map(self.len32()?),
            Marker::FixExt1 => Head::Ext(1),
            Marker::FixExt2 => Head::Ext(2),
            Marker::FixExt4 => Head::Ext(4),
            Marker::FixExt8 => Head::Ext(8),
            Marker::FixExt16 => Head::Ext(16),
            Marker::Ext8 => Head::Ext(self.len8()?),
            Marker::Ext16 => Head::Ext(self.len16()?),
            Marker::Ext32 => Head::Ext(self.len32()?),
            Marker::Reserved => return Err(CodecError::at(CodecErrorKind::Reserved, start)),
        };
        if self.holds(head) {
            Ok(head)
        } else {
            Err(CodecError::at(CodecErrorKind::Truncated, start))
        }
    }

    /// Reads the key of a field. Nearly all keys are short, so that form has a path of its own.
    #[inline]
    pub(super) fn key(&mut self) -> Result<&'a [u8], CodecError> {
        let start = self.at;
        let length = match self.bytes.get(start).map(|first| Marker::from_u8(*first)) {
            Some(Marker::FixStr(length)) => {
                self.at += 1;
                usize::from(length)
            }
            _ => match self.head()? {
                Head::Str(length) => length,
                _ => return Err(CodecError::at(CodecErrorKind::KeyNotString, start)),
            },
        };
        self.take(length)
    }

    /// Whether as much as the head declares can still follow.
    #[inline]
    fn holds(&self, head: Head) -> bool {
        let left = self.remaining();
        match head {
            Head::Str(length) | Head::Bin(length) => length <= left,
            Head::Ext(length) => length < left,
            Head::Array(count) => count <= left,
            Head::Map(count) => count <= left / 2,
            _ => true,
        }
    }

    /// Passes over one value, however deep, without recursion.
    pub(super) fn skip(&mut self) -> Result<(), CodecError> {
        let mut pending: usize = 1;
        while pending > 0 {
            let start = self.at;
            let children = match self.head()? {
                Head::Str(length) | Head::Bin(length) => {
                    self.at += length;
                    0
                }
                Head::Ext(length) => {
                    self.at += length + 1;
                    0
                }
                Head::Array(count) => count,
                Head::Map(count) => count * 2,
                _ => 0,
            };
            pending = (pending - 1).saturating_add(children);
            // Each value takes a byte, so a document that promises more than its bytes is cut.
            if pending > self.remaining() {
                return Err(CodecError::at(CodecErrorKind::Truncated, start));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn head(bytes: &[u8]) -> Result<Head, CodecErrorKind> {
        Reader::new(bytes, 0).head().map_err(|e| e.kind())
    }

    #[test]
    fn every_integer_form_gives_its_value() {
        assert_eq!(head(&[0x7f]), Ok(Head::UInt(127)));
        assert_eq!(head(&[0xe0]), Ok(Head::Int(-32)));
        assert_eq!(head(&[0xcc, 0xff]), Ok(Head::UInt(255)));
        assert_eq!(head(&[0xcd, 1, 0]), Ok(Head::UInt(256)));
        assert_eq!(head(&[0xce, 0, 1, 0, 0]), Ok(Head::UInt(65536)));
        assert_eq!(head(&[0xd0, 0x80]), Ok(Head::Int(-128)));
        assert_eq!(head(&[0xd1, 0x80, 0]), Ok(Head::Int(-32768)));
        assert_eq!(head(&[0xd2, 0xff, 0xff, 0xff, 0xfe]), Ok(Head::Int(-2)));
        assert_eq!(head(&[0xd3, 0, 0, 0, 0, 0, 0, 0, 5]), Ok(Head::Int(5)));
        assert_eq!(
            head(&[0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0]),
            Ok(Head::UInt(0xff << 56))
        );
    }

    #[test]
    fn a_length_beyond_the_bytes_is_refused_at_the_head() {
        for bytes in [
            &[0xa2, b'x'][..],
            &[0xdb, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xc6, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xdd, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xdf, 0, 0, 0, 2, 0, 0, 0],
            &[0xc7, 1, 0],
            &[0xd4, 0],
            &[0xcf, 1],
            &[0xdc, 0],
            &[],
        ] {
            assert_eq!(head(bytes), Err(CodecErrorKind::Truncated), "{bytes:x?}");
        }
        assert_eq!(head(&[0xc1]), Err(CodecErrorKind::Reserved));
    }

    #[test]
    fn skip_passes_over_every_kind_and_stops_behind_it() {
        let values: Vec<Vec<u8>> = vec![
            vec![0xc0],
            vec![0xca, 0, 0, 0, 0],
            vec![0xcb, 0, 0, 0, 0, 0, 0, 0, 0],
            vec![0xa3, b'a', b'b', b'c'],
            vec![0xc4, 2, 1, 2],
            vec![0xd5, 9, 1, 2],
            vec![
                0xd8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
            ],
            vec![0xc7, 0, 9],
            vec![0xc8, 0, 1, 9, 1],
            vec![0xc9, 0, 0, 0, 1, 9, 1],
            vec![0x92, 0x91, 0xc0, 0x81, 0x01, 0x90],
            vec![0xde, 0, 1, 0x01, 0xdc, 0, 1, 0xc2],
        ];
        for value in values {
            let mut bytes = value.clone();
            bytes.push(0x2a);
            let mut reader = Reader::new(&bytes, 0);
            reader.skip().unwrap();
            assert_eq!(reader.at, value.len(), "{value:x?}");
            for cut in 0..value.len() {
                assert!(
                    Reader::new(&value[..cut], 0).skip().is_err(),
                    "{value:x?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn skip_survives_any_depth() {
        let mut bytes = vec![0x91; 1 << 20];
        bytes.push(0xc0);
        let mut reader = Reader::new(&bytes, 0);
        reader.skip().unwrap();
        assert_eq!(reader.at, bytes.len());
    }
}
