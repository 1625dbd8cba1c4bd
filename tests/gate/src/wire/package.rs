//! One FPNN package: header, sequence number, method, payload.

use super::{Value, json, msgpack};

/// Bytes of the fixed header.
const HEADER: usize = 12;
/// The largest package in bytes, header included; `FPNN_DEFAULT_MAX_PACKAGE_LEN` of `highras/fpnn core/Config.h`.
pub(crate) const MAX_PACKAGE: usize = 8 << 20;

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// msgpack, flag 0x80.
    Msgpack,
    /// JSON, flag 0x40.
    Json,
}

impl Encoding {
    /// The flag byte of a package with this payload.
    pub(crate) const fn flag(self) -> u8 {
        match self {
            Self::Msgpack => 0x80,
            Self::Json => 0x40,
        }
    }

    fn of_flag(flag: u8) -> Option<Self> {
        match flag & 0xc0 {
            0x80 => Some(Self::Msgpack),
            0x40 => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn encode(self, payload: &Value) -> Vec<u8> {
        match self {
            Self::Msgpack => msgpack::encode(payload),
            Self::Json => json::encode(payload),
        }
    }

    fn decode(self, payload: &[u8]) -> Option<Value> {
        let value = match self {
            Self::Msgpack => msgpack::decode(payload),
            Self::Json => json::decode(payload),
        };
        value.filter(|root| matches!(root, Value::Map(_)))
    }
}

/// What a package is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A quest; without a sequence number it is one-way.
    Quest { seq: Option<u32>, method: String },
    /// An answer; status 0 is success.
    Answer { seq: u32, status: u8 },
}

/// A package that was read completely.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Package {
    pub(crate) kind: Kind,
    /// The flag byte as it came: an answer repeats it, meaningless bits included.
    pub(crate) flag: u8,
    pub(crate) encoding: Encoding,
    pub(crate) payload: Value,
}

/// The peer sent what no package can be; the connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The total length of the package that starts with `bytes`, as soon as the header is there.
pub(crate) fn total_len(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let magic = &bytes[..bytes.len().min(4)];
    if !b"FPNN".starts_with(magic) {
        return Err(Malformed("magic"));
    }
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    if Encoding::of_flag(header[5]).is_none() {
        return Err(Malformed("flag"));
    }
    let name = usize::from(header[7]);
    let size = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    let size = usize::try_from(size).map_err(|_| Malformed("size"))?;
    let between = match header[6] {
        0 | 1 if name == 0 => return Err(Malformed("empty method")),
        0 => name,
        1 => name + 4,
        2 => 4,
        _ => return Err(Malformed("message type")),
    };
    if size == 0 {
        return Err(Malformed("empty payload"));
    }
    match size.checked_add(HEADER + between) {
        Some(total) if total <= MAX_PACKAGE => Ok(Some(total)),
        _ => Err(Malformed("too large")),
    }
}

/// Reads one package from exactly the bytes that [`total_len`] asked for.
pub(crate) fn decode(bytes: &[u8]) -> Result<Package, Malformed> {
    if total_len(bytes)? != Some(bytes.len()) {
        return Err(Malformed("length"));
    }
    let flag = bytes[5];
    let encoding = Encoding::of_flag(flag).ok_or(Malformed("flag"))?;
    let (message_type, short) = (bytes[6], bytes[7]);
    let mut rest = &bytes[HEADER..];
    let mut seq = None;
    if message_type != 0 {
        let (head, tail) = rest.split_first_chunk().ok_or(Malformed("length"))?;
        seq = Some(u32::from_le_bytes(*head));
        rest = tail;
    }
    let kind = match (message_type, seq) {
        (2, Some(seq)) => Kind::Answer { seq, status: short },
        _ => {
            let (name, tail) = rest
                .split_at_checked(usize::from(short))
                .ok_or(Malformed("length"))?;
            rest = tail;
            let method = String::from_utf8_lossy(name).into_owned();
            Kind::Quest { seq, method }
        }
    };
    let payload = encoding.decode(rest).ok_or(Malformed("payload"))?;
    Ok(Package {
        kind,
        flag,
        encoding,
        payload,
    })
}

/// A quest around an encoded payload; one-way without a sequence number. A method longer than 255 bytes is cut.
pub(crate) fn quest(flag: u8, seq: Option<u32>, method: &str, payload: &[u8]) -> Vec<u8> {
    let name = &method.as_bytes()[..method.len().min(255)];
    let mut out = header(flag, u8::from(seq.is_some()), name.len() as u8, payload);
    if let Some(seq) = seq {
        out.extend_from_slice(&seq.to_le_bytes());
    }
    out.extend_from_slice(name);
    out.extend_from_slice(payload);
    out
}

/// An answer around an encoded payload.
pub(crate) fn answer(flag: u8, seq: u32, status: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = header(flag, 2, status, payload);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(payload);
    out
}

fn header(flag: u8, message_type: u8, short: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + 4 + usize::from(short) + payload.len());
    out.extend_from_slice(b"FPNN\x01");
    out.extend_from_slice(&[flag, message_type, short]);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_read_back_as_written() {
        let payload = Encoding::Msgpack.encode(&Value::map([("v", "x".into())]));
        let bytes = quest(0x80, Some(7), "t_echo", &payload);
        let package = decode(&bytes).unwrap();
        assert_eq!(
            package.kind,
            Kind::Quest {
                seq: Some(7),
                method: "t_echo".into()
            }
        );
        assert_eq!(package.payload.get("v"), Some(&"x".into()));
        let bytes = answer(0x40, u32::MAX, 1, b"{}");
        let package = decode(&bytes).unwrap();
        assert_eq!(
            package.kind,
            Kind::Answer {
                seq: u32::MAX,
                status: 1
            }
        );
        assert_eq!(package.encoding, Encoding::Json);
    }

    #[test]
    fn no_prefix_of_a_package_is_an_error_or_complete() {
        let bytes = quest(0x80, Some(1), "bye", &[0x80]);
        for len in 0..12 {
            assert_eq!(total_len(&bytes[..len]), Ok(None));
        }
        assert_eq!(total_len(&bytes), Ok(Some(bytes.len())));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(Malformed("length")));
    }

    #[test]
    fn the_size_limit_counts_the_whole_package() {
        let mut bytes = quest(0x80, Some(1), "t_echo", &[0x80]);
        let most = (MAX_PACKAGE - HEADER - 4 - 6) as u32;
        bytes[8..12].copy_from_slice(&most.to_le_bytes());
        assert_eq!(total_len(&bytes), Ok(Some(MAX_PACKAGE)));
        bytes[8..12].copy_from_slice(&(most + 1).to_le_bytes());
        assert_eq!(total_len(&bytes), Err(Malformed("too large")));
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(total_len(&bytes), Err(Malformed("too large")));
    }
}
