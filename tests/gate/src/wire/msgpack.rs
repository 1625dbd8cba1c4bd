//! The msgpack form of payloads.

use super::Value;
use rmp::Marker;
use rmp::encode::{self, ValueWriteError};
use std::io;

/// Deeper nesting is refused; no RTM payload is deeper than 4.
const MAX_DEPTH: usize = 64;
/// More values in one payload are refused: each costs memory beyond its own bytes.
const MAX_VALUES: usize = 1 << 20;

/// Reads one value. Bytes behind it are tolerated, as the public C++ server does. `None` when it is broken, cut off,
/// nested too deep or made of too many values.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    Reader {
        rest: bytes,
        values_left: MAX_VALUES,
    }
    .value(MAX_DEPTH)
}

struct Reader<'a> {
    rest: &'a [u8],
    values_left: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(len)?;
        self.rest = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn len8(&mut self) -> Option<usize> {
        self.array().map(|b| usize::from(u8::from_be_bytes(b)))
    }

    fn len16(&mut self) -> Option<usize> {
        self.array().map(|b| usize::from(u16::from_be_bytes(b)))
    }

    fn len32(&mut self) -> Option<usize> {
        self.array()
            .and_then(|b| usize::try_from(u32::from_be_bytes(b)).ok())
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.values_left = self.values_left.checked_sub(1)?;
        let marker = Marker::from_u8(self.array::<1>()?[0]);
        match marker {
            Marker::Null => Some(Value::Nil),
            Marker::True => Some(Value::Bool(true)),
            Marker::False => Some(Value::Bool(false)),
            Marker::F32 => Some(Value::Float(f32::from_be_bytes(self.array()?).into())),
            Marker::F64 => Some(Value::Float(f64::from_be_bytes(self.array()?))),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                self.text(marker).map(|b| Value::Str(b.to_vec()))
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                self.binary(marker).map(|b| Value::Bin(b.to_vec()))
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => self.list(marker, depth),
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => self.map(marker, depth),
            Marker::Reserved => None,
            other => self.integer(other).or_else(|| self.extension(other)),
        }
    }

    fn integer(&mut self, marker: Marker) -> Option<Value> {
        Some(match marker {
            Marker::FixPos(n) => Value::Int(n.into()),
            Marker::FixNeg(n) => Value::Int(n.into()),
            Marker::U8 => Value::Int(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Value::Int(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Value::Int(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => u64::from_be_bytes(self.array()?).into(),
            Marker::I8 => Value::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Value::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Value::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Value::Int(i64::from_be_bytes(self.array()?)),
            _ => return None,
        })
    }

    fn text(&mut self, marker: Marker) -> Option<&'a [u8]> {
        let len = match marker {
            Marker::FixStr(len) => usize::from(len),
            Marker::Str8 => self.len8()?,
            Marker::Str16 => self.len16()?,
            _ => self.len32()?,
        };
        self.take(len)
    }

    fn binary(&mut self, marker: Marker) -> Option<&'a [u8]> {
        let len = match marker {
            Marker::Bin8 => self.len8()?,
            Marker::Bin16 => self.len16()?,
            _ => self.len32()?,
        };
        self.take(len)
    }

    fn list(&mut self, marker: Marker, depth: usize) -> Option<Value> {
        let len = match marker {
            Marker::FixArray(len) => usize::from(len),
            Marker::Array16 => self.len16()?,
            _ => self.len32()?,
        };
        let depth = depth.checked_sub(1)?;
        self.fits(len)?;
        (0..len)
            .map(|_| self.value(depth))
            .collect::<Option<_>>()
            .map(Value::Array)
    }

    fn map(&mut self, marker: Marker, depth: usize) -> Option<Value> {
        let len = match marker {
            Marker::FixMap(len) => usize::from(len),
            Marker::Map16 => self.len16()?,
            _ => self.len32()?,
        };
        let depth = depth.checked_sub(1)?;
        self.fits(len.checked_mul(2)?)?;
        (0..len)
            .map(|_| Some((self.value(depth)?, self.value(depth)?)))
            .collect::<Option<_>>()
            .map(Value::Map)
    }

    /// A declared number of values must be backed by bytes before room is made for them.
    fn fits(&self, values: usize) -> Option<()> {
        (values <= self.rest.len() && values <= self.values_left).then_some(())
    }

    /// Extension types mean nothing to RTM; they count as absent.
    fn extension(&mut self, marker: Marker) -> Option<Value> {
        let len = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.len8()?,
            Marker::Ext16 => self.len16()?,
            Marker::Ext32 => self.len32()?,
            _ => return None,
        };
        self.take(len.checked_add(1)?).map(|_| Value::Nil)
    }
}

/// Writes a value, every integer as short as possible.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value).expect("memory takes every byte");
    out
}

fn write(out: &mut Vec<u8>, value: &Value) -> Result<(), ValueWriteError<io::Error>> {
    match value {
        Value::Nil => encode::write_nil(out).map_err(ValueWriteError::InvalidMarkerWrite)?,
        Value::Bool(flag) => {
            encode::write_bool(out, *flag).map_err(ValueWriteError::InvalidMarkerWrite)?;
        }
        Value::Int(number) => drop(encode::write_sint(out, *number)?),
        Value::UInt(number) => drop(encode::write_uint(out, *number)?),
        Value::Float(number) => encode::write_f64(out, *number)?,
        Value::Str(bytes) => {
            encode::write_str_len(out, length(bytes.len()))?;
            out.extend_from_slice(bytes);
        }
        Value::Bin(bytes) => encode::write_bin(out, bytes)?,
        Value::Array(items) => {
            encode::write_array_len(out, length(items.len()))?;
            items.iter().try_for_each(|item| write(out, item))?;
        }
        Value::Map(pairs) => {
            encode::write_map_len(out, length(pairs.len()))?;
            for (key, value) in pairs {
                write(out, key)?;
                write(out, value)?;
            }
        }
    }
    Ok(())
}

fn length(len: usize) -> u32 {
    u32::try_from(len).expect("payloads stay far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_width_reads_as_the_same_number() {
        let forms: [&[u8]; 9] = [
            &[7],
            &[0xcc, 7],
            &[0xcd, 0, 7],
            &[0xce, 0, 0, 0, 7],
            &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7],
            &[0xd0, 7],
            &[0xd1, 0, 7],
            &[0xd2, 0, 0, 0, 7],
            &[0xd3, 0, 0, 0, 0, 0, 0, 0, 7],
        ];
        for form in forms {
            assert_eq!(decode(form), Some(Value::Int(7)), "{form:02x?}");
        }
    }

    #[test]
    fn what_is_written_reads_back_and_agrees_with_an_independent_codec() {
        let value = Value::map([
            ("n", Value::Nil),
            ("b", true.into()),
            ("i", (-1_591_322_544_000_001_i64).into()),
            ("u", u64::MAX.into()),
            ("f", Value::Float(1.5)),
            ("s", "text".repeat(100).into()),
            ("bin", vec![0, 255, 1].into()),
            ("a", Value::ints([1, -1, 70_000])),
        ]);
        let bytes = encode(&value);
        assert_eq!(decode(&bytes), Some(value));
        let theirs = rmpv::decode::read_value(&mut bytes.as_slice()).unwrap();
        assert_eq!(theirs["i"].as_i64(), Some(-1_591_322_544_000_001));
        let mut again = Vec::new();
        rmpv::encode::write_value(&mut again, &theirs).unwrap();
        assert_eq!(again, bytes);
    }

    #[test]
    fn declared_lengths_without_bytes_are_refused() {
        assert_eq!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decode(&[0xdf, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decode(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'x']), None);
        assert_eq!(decode(&[0xc9, 0xff, 0xff, 0xff, 0xff, 0]), None);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| [vec![0x91; levels], vec![0xc0]].concat();
        assert!(decode(&nested(MAX_DEPTH)).is_some());
        assert_eq!(decode(&nested(MAX_DEPTH + 1)), None);
        assert_eq!(decode(&nested(1_000_000)), None);
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let mut bytes = vec![0xdd];
        bytes.extend_from_slice(&(MAX_VALUES as u32).to_be_bytes());
        bytes.resize(5 + MAX_VALUES, 0xc0);
        assert_eq!(decode(&bytes), None);
    }

    #[test]
    fn extensions_count_as_absent_and_the_reserved_byte_is_refused() {
        assert_eq!(decode(&[0xd4, 1, 2]), Some(Value::Nil));
        assert_eq!(decode(&[0xc1]), None);
    }
}
