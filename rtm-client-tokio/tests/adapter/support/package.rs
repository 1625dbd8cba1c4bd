//! Packages written by hand, so that a mistake of the encoder cannot hide.

/// A package header (`highras/fpnn proto/FPMessage.h`).
pub(crate) fn header(flag: u8, kind: u8, method_len: u8, payload_len: u32) -> Vec<u8> {
    let mut bytes = b"FPNN\x01".to_vec();
    bytes.extend([flag, kind, method_len]);
    bytes.extend(payload_len.to_le_bytes());
    bytes
}

/// A two-way `pushmsg` of type 66 with this message id.
pub(crate) fn push(seq: u32, mid: u8) -> Vec<u8> {
    let mut payload = b"\x86\xa4from\x07\xa5mtype\x42\xa3mid".to_vec();
    payload.push(mid);
    payload.extend(b"\xa3msg\xa2hi\xa5attrs\xa0\xa5mtime\x01");
    let mut bytes = header(0x80, 1, 7, payload.len() as u32);
    bytes.extend(seq.to_le_bytes());
    bytes.extend(b"pushmsg");
    bytes.extend(payload);
    bytes
}
