//! Writes packages.

use bytes::{BufMut, BytesMut};

use super::header::{HEADER_LEN, Header, PackageType, SEQ_LEN};
use crate::payload::{CodecError, CodecErrorKind, Encoding, PayloadWriter, json_error_body};

/// Length in bytes of a quest's package.
pub const fn quest_len(method: &str, two_way: bool, payload_len: usize) -> usize {
    let seq = if two_way { SEQ_LEN } else { 0 };
    (HEADER_LEN + seq + method.len()).saturating_add(payload_len)
}

/// Length in bytes of an answer's package.
pub const fn answer_len(payload_len: usize) -> usize {
    (HEADER_LEN + SEQ_LEN).saturating_add(payload_len)
}

/// Checks that a quest can be built and stays within `max_package` bytes; gives its length.
///
/// # Errors
/// As [`encode_quest`], with [`CodecErrorKind::TooLarge`] for a package above `max_package`.
pub fn check_quest(
    method: &str,
    two_way: bool,
    payload_len: usize,
    max_package: usize,
) -> Result<usize, CodecError> {
    check_method(method)?;
    if payload_len == 0 {
        return Err(CodecError::at(CodecErrorKind::EmptyPayload, 8));
    }
    let total = quest_len(method, two_way, payload_len);
    if total > max_package || u32::try_from(total).is_err() {
        return Err(CodecError::at(CodecErrorKind::TooLarge, 8));
    }
    Ok(total)
}

/// Appends a quest: two-way with a sequence number, one-way without.
///
/// ```
/// use bytes::BytesMut;
/// use rtm_proto::frame::encode_quest;
/// use rtm_proto::payload::Encoding;
///
/// let mut out = BytesMut::new();
/// encode_quest(&mut out, None, "kickout", Encoding::MsgPack, b"\x80")?;
/// assert_eq!(&out[..], b"FPNN\x01\x80\x00\x07\x01\0\0\0kickout\x80");
/// # Ok::<(), rtm_proto::payload::CodecError>(())
/// ```
///
/// # Errors
/// [`CodecErrorKind::Method`] if the name is not 1 to 255 bytes long or holds a NUL,
/// [`CodecErrorKind::EmptyPayload`], [`CodecErrorKind::TooLarge`] if the package is 4 GiB or more.
/// Nothing is written then.
pub fn encode_quest(
    out: &mut BytesMut,
    seq: Option<u32>,
    method: &str,
    encoding: Encoding,
    payload: &[u8],
) -> Result<(), CodecError> {
    let ss = check_method(method)?;
    let total = quest_len(method, seq.is_some(), payload.len());
    let psize = check_payload(payload, total)?;
    let mtype = match seq {
        Some(_) => PackageType::TwoWay,
        None => PackageType::OneWay,
    };
    out.reserve(total);
    out.extend_from_slice(&Header::new(encoding, mtype, ss, psize).to_bytes());
    if let Some(seq) = seq {
        out.put_u32_le(seq);
    }
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends an answer. Status 0 is success; with any other the payload is one of
/// [`encode_error_body`].
///
/// # Errors
/// [`CodecErrorKind::EmptyPayload`], [`CodecErrorKind::TooLarge`] if the package is 4 GiB or more.
/// Nothing is written then.
pub fn encode_answer(
    out: &mut BytesMut,
    seq: u32,
    status: u8,
    encoding: Encoding,
    payload: &[u8],
) -> Result<(), CodecError> {
    let total = answer_len(payload.len());
    let psize = check_payload(payload, total)?;
    out.reserve(total);
    out.extend_from_slice(&Header::new(encoding, PackageType::Answer, status, psize).to_bytes());
    out.put_u32_le(seq);
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends the payload of an error answer: a map with `code` and `ex`, the text for humans
/// (upstream `highras/fpnn proto/FPWriter.cpp`).
///
/// # Errors
/// [`CodecErrorKind::TooLarge`] for a text of 4 GiB or more.
pub fn encode_error_body(
    out: &mut BytesMut,
    encoding: Encoding,
    code: i64,
    ex: &str,
) -> Result<(), CodecError> {
    match encoding {
        Encoding::MsgPack => {
            let mut writer = PayloadWriter::new(out);
            writer.field("code", &code).field("ex", ex);
            writer.finish()
        }
        Encoding::Json => json_error_body(out, code, ex),
    }
}

/// The length of the name as the header has it.
pub(super) fn check_method(method: &str) -> Result<u8, CodecError> {
    match u8::try_from(method.len()) {
        Ok(length @ 1..) if !method.contains('\0') => Ok(length),
        _ => Err(CodecError::at(CodecErrorKind::Method, 7)),
    }
}

fn check_payload(payload: &[u8], total: usize) -> Result<u32, CodecError> {
    if payload.is_empty() {
        return Err(CodecError::at(CodecErrorKind::EmptyPayload, 8));
    }
    match (u32::try_from(payload.len()), u32::try_from(total)) {
        (Ok(psize), Ok(_)) => Ok(psize),
        _ => Err(CodecError::at(CodecErrorKind::TooLarge, 8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quest_that_cannot_be_written_leaves_the_buffer_alone() {
        let mut out = BytesMut::from(&b"before"[..]);
        let long = "m".repeat(256);
        for method in ["", "a\0b", &long] {
            let error = encode_quest(&mut out, Some(1), method, Encoding::MsgPack, b"\x80");
            assert_eq!(error.unwrap_err().kind(), CodecErrorKind::Method);
        }
        let error = encode_quest(&mut out, Some(1), "ping", Encoding::MsgPack, b"");
        assert_eq!(error.unwrap_err().kind(), CodecErrorKind::EmptyPayload);
        let error = encode_answer(&mut out, 1, 0, Encoding::Json, b"");
        assert_eq!(error.unwrap_err().kind(), CodecErrorKind::EmptyPayload);
        assert_eq!(&out[..], b"before");
    }

    #[test]
    fn lengths_are_those_of_the_encoded_packages() {
        let mut out = BytesMut::new();
        let method = "m".repeat(255);
        encode_quest(&mut out, Some(1), &method, Encoding::MsgPack, b"\x80").unwrap();
        assert_eq!(out.split().len(), quest_len(&method, true, 1));
        encode_quest(&mut out, None, "bye", Encoding::Json, b"{}").unwrap();
        assert_eq!(out.split().len(), quest_len("bye", false, 2));
        encode_answer(&mut out, 1, 0, Encoding::Json, b"{}").unwrap();
        assert_eq!(out.len(), answer_len(2));
    }

    #[test]
    fn error_bodies_hold_code_and_text_in_both_encodings() {
        let mut out = BytesMut::new();
        encode_error_body(&mut out, Encoding::MsgPack, 20004, "no \"x\"").unwrap();
        assert_eq!(
            &out.split()[..],
            b"\x82\xa4code\xcd\x4e\x24\xa2ex\xa6no \"x\""
        );
        encode_error_body(&mut out, Encoding::Json, -1, "no \"x\"\n").unwrap();
        assert_eq!(&out[..], br#"{"code":-1,"ex":"no \"x\"\n"}"#);
    }
}
