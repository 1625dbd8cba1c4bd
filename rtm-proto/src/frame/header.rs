//! The twelve bytes at the start of every package.

use crate::payload::{CodecError, CodecErrorKind, Encoding};

/// Length of a header in bytes.
pub const HEADER_LEN: usize = 12;

/// Length of a sequence number in bytes.
pub(super) const SEQ_LEN: usize = 4;

const MAGIC: [u8; 4] = *b"FPNN";
const VERSION: u8 = 1;
const COMPRESSED: u8 = 0x20;

/// The type of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageType {
    /// A quest that must not be answered.
    OneWay,
    /// A quest that is answered.
    TwoWay,
    /// An answer.
    Answer,
}

impl PackageType {
    /// The number on the wire: 0, 1, 2.
    pub const fn code(self) -> u8 {
        match self {
            Self::OneWay => 0,
            Self::TwoWay => 1,
            Self::Answer => 2,
        }
    }
}

/// The fixed part of a package (upstream `highras/fpnn proto/FPMessage.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Protocol version, 1; 0 is accepted.
    pub version: u8,
    /// Flag byte as it came; `encoding` is what matters of it.
    pub flag: u8,
    /// Encoding of the payload, from the flag byte.
    pub encoding: Encoding,
    /// Type of the package.
    pub mtype: PackageType,
    /// Quest: length of the method name in bytes. Answer: status, 0 for success.
    pub ss: u8,
    /// Length of the payload in bytes.
    pub psize: u32,
}

impl Header {
    /// A header of version 1.
    pub const fn new(encoding: Encoding, mtype: PackageType, ss: u8, psize: u32) -> Self {
        Self {
            version: VERSION,
            flag: encoding.flag(),
            encoding,
            mtype,
            ss,
            psize,
        }
    }

    /// Reads and checks a header.
    ///
    /// # Errors
    /// [`CodecErrorKind::BadMagic`], [`CodecErrorKind::Http`], [`CodecErrorKind::Version`] (other
    /// than 0 and 1), [`CodecErrorKind::Compressed`] (flag `20`), [`CodecErrorKind::Encoding`]
    /// (flags `80` and `40` both or neither; other bits are ignored),
    /// [`CodecErrorKind::MessageType`], [`CodecErrorKind::Method`] (a quest with an empty name),
    /// [`CodecErrorKind::EmptyPayload`].
    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Self, CodecError> {
        let [m0, m1, m2, m3, version, flag, mtype, ss, p0, p1, p2, p3] = *bytes;
        check_magic([m0, m1, m2, m3])?;
        if version > VERSION {
            return Err(CodecError::at(CodecErrorKind::Version, 4));
        }
        let encoding = encoding(flag)?;
        let mtype = match mtype {
            0 => PackageType::OneWay,
            1 => PackageType::TwoWay,
            2 => PackageType::Answer,
            _ => return Err(CodecError::at(CodecErrorKind::MessageType, 6)),
        };
        if ss == 0 && mtype != PackageType::Answer {
            return Err(CodecError::at(CodecErrorKind::Method, 7));
        }
        let psize = u32::from_le_bytes([p0, p1, p2, p3]);
        if psize == 0 {
            return Err(CodecError::at(CodecErrorKind::EmptyPayload, 8));
        }
        Ok(Self {
            version,
            flag,
            encoding,
            mtype,
            ss,
            psize,
        })
    }

    /// The header as it goes on the wire.
    pub const fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let [m0, m1, m2, m3] = MAGIC;
        let [p0, p1, p2, p3] = self.psize.to_le_bytes();
        let mtype = self.mtype.code();
        [
            m0,
            m1,
            m2,
            m3,
            self.version,
            self.flag,
            mtype,
            self.ss,
            p0,
            p1,
            p2,
            p3,
        ]
    }

    /// Length of the whole package in bytes, header included.
    pub const fn package_len(&self) -> u64 {
        let seq = match self.mtype {
            PackageType::OneWay => 0,
            PackageType::TwoWay | PackageType::Answer => SEQ_LEN,
        };
        (HEADER_LEN + seq + self.method_len()) as u64 + self.psize as u64
    }

    /// Length of the method name in bytes; 0 for an answer.
    pub(super) const fn method_len(&self) -> usize {
        match self.mtype {
            PackageType::OneWay | PackageType::TwoWay => self.ss as usize,
            PackageType::Answer => 0,
        }
    }
}

/// Checks the first four bytes of a package.
pub(super) fn check_magic(start: [u8; 4]) -> Result<(), CodecError> {
    match &start {
        b"FPNN" => Ok(()),
        b"POST" | b"GET " => Err(CodecError::new(CodecErrorKind::Http)),
        _ => Err(CodecError::new(CodecErrorKind::BadMagic)),
    }
}

fn encoding(flag: u8) -> Result<Encoding, CodecError> {
    if flag & COMPRESSED != 0 {
        return Err(CodecError::at(CodecErrorKind::Compressed, 5));
    }
    let both = Encoding::MsgPack.flag() | Encoding::Json.flag();
    match flag & both {
        0x80 => Ok(Encoding::MsgPack),
        0x40 => Ok(Encoding::Json),
        _ => Err(CodecError::at(CodecErrorKind::Encoding, 5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Header, (CodecErrorKind, usize)> {
        Header::parse(bytes).map_err(|e| (e.kind(), e.offset()))
    }

    const PING: [u8; HEADER_LEN] = *b"FPNN\x01\x80\x01\x04\x01\0\0\0";

    fn with(at: usize, byte: u8) -> Result<Header, (CodecErrorKind, usize)> {
        let mut bytes = PING;
        bytes[at] = byte;
        parse(&bytes)
    }

    #[test]
    fn a_header_survives_the_round_trip() {
        let header = parse(&PING).unwrap();
        assert_eq!(
            header,
            Header::new(Encoding::MsgPack, PackageType::TwoWay, 4, 1)
        );
        assert_eq!(header.to_bytes(), PING);
        assert_eq!(header.package_len(), 21);
    }

    #[test]
    fn version_0_and_the_encrypt_bit_are_accepted() {
        assert_eq!(with(4, 0).unwrap().version, 0);
        assert_eq!(with(5, 0x90).unwrap().encoding, Encoding::MsgPack);
        assert_eq!(with(5, 0x41).unwrap().encoding, Encoding::Json);
    }

    #[test]
    fn every_bad_field_is_told_apart() {
        assert_eq!(with(0, b'X'), Err((CodecErrorKind::BadMagic, 0)));
        assert_eq!(parse(b"POST /servic"), Err((CodecErrorKind::Http, 0)));
        assert_eq!(parse(b"GET /service"), Err((CodecErrorKind::Http, 0)));
        assert_eq!(with(4, 2), Err((CodecErrorKind::Version, 4)));
        assert_eq!(with(5, 0xa0), Err((CodecErrorKind::Compressed, 5)));
        assert_eq!(with(5, 0xc0), Err((CodecErrorKind::Encoding, 5)));
        assert_eq!(with(5, 0x10), Err((CodecErrorKind::Encoding, 5)));
        assert_eq!(with(6, 3), Err((CodecErrorKind::MessageType, 6)));
        assert_eq!(with(7, 0), Err((CodecErrorKind::Method, 7)));
        assert_eq!(with(8, 0), Err((CodecErrorKind::EmptyPayload, 8)));
    }

    #[test]
    fn the_largest_declared_package_does_not_overflow() {
        let header = Header::new(Encoding::Json, PackageType::TwoWay, 255, u32::MAX);
        assert_eq!(header.package_len(), u64::from(u32::MAX) + 271);
    }
}
