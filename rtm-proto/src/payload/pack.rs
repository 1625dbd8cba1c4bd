//! Appends MessagePack heads to a buffer, each in its shortest form.

use bytes::{BufMut, BytesMut};
use rmp::Marker;

use super::error::{CodecError, CodecErrorKind};

fn mark(out: &mut BytesMut, marker: Marker) {
    out.put_u8(marker.to_u8());
}

pub(super) fn nil(out: &mut BytesMut) {
    mark(out, Marker::Null);
}

pub(super) fn bool(out: &mut BytesMut, value: bool) {
    mark(out, if value { Marker::True } else { Marker::False });
}

/// A marker and its big-endian number in one piece.
fn put<const N: usize, const M: usize>(out: &mut BytesMut, marker: Marker, number: [u8; N]) {
    let mut piece = [0; M];
    if let Some((first, rest)) = piece.split_first_mut() {
        *first = marker.to_u8();
        rest.copy_from_slice(&number);
    }
    out.extend_from_slice(&piece);
}

pub(super) fn uint(out: &mut BytesMut, value: u64) {
    if let Ok(small) = u8::try_from(value) {
        if small < 0x80 {
            mark(out, Marker::FixPos(small));
        } else {
            put::<1, 2>(out, Marker::U8, small.to_be_bytes());
        }
    } else if let Ok(value) = u16::try_from(value) {
        put::<2, 3>(out, Marker::U16, value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        put::<4, 5>(out, Marker::U32, value.to_be_bytes());
    } else {
        put::<8, 9>(out, Marker::U64, value.to_be_bytes());
    }
}

pub(super) fn int(out: &mut BytesMut, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        uint(out, value);
    } else if let Ok(small) = i8::try_from(value) {
        if small >= -32 {
            mark(out, Marker::FixNeg(small));
        } else {
            put::<1, 2>(out, Marker::I8, small.to_be_bytes());
        }
    } else if let Ok(value) = i16::try_from(value) {
        put::<2, 3>(out, Marker::I16, value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        put::<4, 5>(out, Marker::I32, value.to_be_bytes());
    } else {
        put::<8, 9>(out, Marker::I64, value.to_be_bytes());
    }
}

pub(super) fn f64(out: &mut BytesMut, value: f64) {
    put::<8, 9>(out, Marker::F64, value.to_be_bytes());
}

#[cfg(feature = "value")]
pub(super) fn f32(out: &mut BytesMut, value: f32) {
    put::<4, 5>(out, Marker::F32, value.to_be_bytes());
}

pub(super) fn str(out: &mut BytesMut, bytes: &[u8]) -> Result<(), CodecError> {
    let length = length(bytes.len())?;
    match length {
        0..32 => mark(out, Marker::FixStr(length as u8)),
        32..=0xff => put::<1, 2>(out, Marker::Str8, [length as u8]),
        0x100..=0xffff => put::<2, 3>(out, Marker::Str16, (length as u16).to_be_bytes()),
        _ => put::<4, 5>(out, Marker::Str32, length.to_be_bytes()),
    }
    out.extend_from_slice(bytes);
    Ok(())
}

pub(super) fn bin(out: &mut BytesMut, bytes: &[u8]) -> Result<(), CodecError> {
    let length = length(bytes.len())?;
    match length {
        0..=0xff => put::<1, 2>(out, Marker::Bin8, [length as u8]),
        0x100..=0xffff => put::<2, 3>(out, Marker::Bin16, (length as u16).to_be_bytes()),
        _ => put::<4, 5>(out, Marker::Bin32, length.to_be_bytes()),
    }
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(feature = "value")]
pub(super) fn ext(out: &mut BytesMut, kind: i8, bytes: &[u8]) -> Result<(), CodecError> {
    let length = length(bytes.len())?;
    match length {
        1 => mark(out, Marker::FixExt1),
        2 => mark(out, Marker::FixExt2),
        4 => mark(out, Marker::FixExt4),
        8 => mark(out, Marker::FixExt8),
        16 => mark(out, Marker::FixExt16),
        0..=0xff => put::<1, 2>(out, Marker::Ext8, [length as u8]),
        0x100..=0xffff => put::<2, 3>(out, Marker::Ext16, (length as u16).to_be_bytes()),
        _ => put::<4, 5>(out, Marker::Ext32, length.to_be_bytes()),
    }
    out.put_i8(kind);
    out.extend_from_slice(bytes);
    Ok(())
}

pub(super) fn array(out: &mut BytesMut, count: usize) -> Result<(), CodecError> {
    let count = length(count)?;
    match count {
        0..16 => mark(out, Marker::FixArray(count as u8)),
        16..=0xffff => put::<2, 3>(out, Marker::Array16, (count as u16).to_be_bytes()),
        _ => put::<4, 5>(out, Marker::Array32, count.to_be_bytes()),
    }
    Ok(())
}

pub(super) fn map(out: &mut BytesMut, count: usize) -> Result<(), CodecError> {
    let count = length(count)?;
    match count {
        0..16 => mark(out, Marker::FixMap(count as u8)),
        16..=0xffff => put::<2, 3>(out, Marker::Map16, (count as u16).to_be_bytes()),
        _ => put::<4, 5>(out, Marker::Map32, count.to_be_bytes()),
    }
    Ok(())
}

fn length(length: usize) -> Result<u32, CodecError> {
    u32::try_from(length).map_err(|_| CodecError::new(CodecErrorKind::TooLarge))
}

/// A container whose length is not known when it starts: always with a four-byte length, filled
/// in by [`close`].
pub(super) fn open(out: &mut BytesMut, marker: Marker) -> usize {
    put::<4, 5>(out, marker, [0; 4]);
    out.len()
}

/// Fills in the length of the container whose contents start at `at`.
pub(super) fn close(out: &mut BytesMut, at: usize, count: usize) -> Result<(), CodecError> {
    let count = length(count)?;
    if let Some(slot) = out.get_mut(at.saturating_sub(4)..at) {
        slot.copy_from_slice(&count.to_be_bytes());
    }
    Ok(())
}
