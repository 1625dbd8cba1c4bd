//! Packages as the judge reads and writes them, independent of the client's own codec.

use serde_json::Value as Json;

use crate::value::Value;

const HEADER_LEN: usize = 12;

/// Type of a quest that must not be answered.
pub const ONE_WAY: u8 = 0;
/// Type of a quest that is answered.
pub const TWO_WAY: u8 = 1;
/// Type of an answer.
pub const ANSWER: u8 = 2;
/// Flag of a msgpack body.
pub const MSGPACK: u8 = 0x80;
/// Flag of a JSON body.
pub const JSON: u8 = 0x40;

/// A package, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// Version of the protocol.
    pub version: u8,
    /// Flag byte: the encoding.
    pub flag: u8,
    /// Type: [`ONE_WAY`], [`TWO_WAY`] or [`ANSWER`].
    pub mtype: u8,
    /// Length of the method's name, or the status of an answer.
    pub ss: u8,
    /// Sequence number; none in one-way quests.
    pub seq: Option<u32>,
    /// Method; empty in answers.
    pub method: String,
    /// Body.
    pub payload: Value,
}

impl Package {
    /// Cuts the first package off `bytes`, if it is complete.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with it.
    pub fn take(bytes: &mut Vec<u8>) -> Result<Option<Package>, String> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let [b'F', b'P', b'N', b'N', version, flag, mtype, ss, size @ ..] = *header else {
            return Err(format!("no package starts with {header:02x?}"));
        };
        let seq_len = if mtype == ONE_WAY { 0 } else { 4 };
        let method_len = if mtype == ANSWER { 0 } else { usize::from(ss) };
        let size = usize::try_from(u32::from_le_bytes(size)).map_err(|e| e.to_string())?;
        let body_at = HEADER_LEN + seq_len + method_len;
        if bytes.len() < body_at + size {
            return Ok(None);
        }
        let package: Vec<u8> = bytes.drain(..body_at + size).collect();
        let (head, body) = package.split_at(body_at);
        let (seq, method) = head.split_at(HEADER_LEN + seq_len);
        let seq = seq.get(HEADER_LEN..).and_then(|seq| seq.first_chunk::<4>());
        Ok(Some(Package {
            version,
            flag,
            mtype,
            ss,
            seq: seq.map(|seq| u32::from_le_bytes(*seq)),
            method: String::from_utf8_lossy(method).into_owned(),
            payload: body_value(flag, body)?,
        }))
    }

    /// Reads a whole package and nothing else.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with it.
    pub fn read(mut bytes: Vec<u8>) -> Result<Package, String> {
        match Package::take(&mut bytes)? {
            Some(package) if bytes.is_empty() => Ok(package),
            Some(_) => Err(format!("{} bytes follow the package", bytes.len())),
            None => Err("the package is cut short".into()),
        }
    }
}

fn body_value(flag: u8, body: &[u8]) -> Result<Value, String> {
    if flag & JSON != 0 {
        let json: Json = serde_json::from_slice(body).map_err(|e| format!("body: {e}"))?;
        return Ok(Value::from_json(&json));
    }
    msgpack_value(body)
}

/// Reads a msgpack value and nothing else.
///
/// # Errors
///
/// A text that says what is wrong with it.
pub fn msgpack_value(mut body: &[u8]) -> Result<Value, String> {
    let value = rmpv::decode::read_value(&mut body).map_err(|e| format!("body: {e}"))?;
    if body.is_empty() {
        Ok(Value::from_msgpack(&value))
    } else {
        Err(format!("{} bytes follow the body", body.len()))
    }
}

/// Writes a two-way quest with a msgpack body.
pub fn quest(seq: u32, method: &str, body: &rmpv::Value) -> Vec<u8> {
    let ss = u8::try_from(method.len()).unwrap_or(u8::MAX);
    write(TWO_WAY, ss, seq, method, &packed(body))
}

/// Writes an answer with a msgpack body.
pub fn answer(seq: u32, status: u8, body: &rmpv::Value) -> Vec<u8> {
    write(ANSWER, status, seq, "", &packed(body))
}

fn write(mtype: u8, ss: u8, seq: u32, method: &str, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut package = b"FPNN".to_vec();
    package.extend([1, MSGPACK, mtype, ss]);
    package.extend(size.to_le_bytes());
    package.extend(seq.to_le_bytes());
    package.extend(method.bytes());
    package.extend(body);
    package
}

fn packed(body: &rmpv::Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = rmpv::encode::write_value(&mut out, body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::unhex;

    #[test]
    fn a_captured_quest_is_taken_apart() {
        let hex = "46504e4e018001060900000001000000745f6563686f81a176a568656c6c6f";
        let package = Package::read(unhex(hex).unwrap()).unwrap();
        assert_eq!((package.method.as_str(), package.seq), ("t_echo", Some(1)));
        assert_eq!(package.payload, Value::map([("v", "hello".into())]));
        let body = rmpv::Value::Map(vec![("v".into(), "hello".into())]);
        assert_eq!(quest(1, "t_echo", &body), unhex(hex).unwrap());
    }

    #[test]
    fn packages_are_cut_off_one_by_one_and_a_rest_waits() {
        let one_way = unhex("46504e4e0180000a0a0000007075736867726f75706d81a3726964ce000a2c2a");
        assert!(one_way.is_ok_and(|bytes| Package::read(bytes).is_ok()));
        let empty = rmpv::Value::Map(Vec::new());
        let mut stream = [answer(7, 0, &empty), answer(8, 1, &empty)].concat();
        stream.pop();
        assert_eq!(Package::take(&mut stream).unwrap().unwrap().seq, Some(7));
        assert_eq!(Package::take(&mut stream), Ok(None));
        assert!(Package::read(stream).is_err());
    }

    #[test]
    fn what_is_no_package_is_an_error() {
        assert!(Package::read(b"HTTP/1.1 400".to_vec()).is_err());
        let two = unhex("46504e4e01400200020000000700000091c0").unwrap();
        assert!(Package::read(two).is_err());
        assert!(msgpack_value(b"\x80\x80").is_err());
    }
}
