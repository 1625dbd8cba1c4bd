//! A client of raw bytes. It shares no code with the service: packages are put together here, msgpack is `rmpv`'s.

use rmpv::Value;
use rtm_gate::Gate;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// No read takes longer: a test that waits in vain fails instead of hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Anything bytes go through.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// How to reach the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Tcp,
    Ws,
    Tls,
    Wss,
}

/// A package that came from the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Package {
    pub(crate) flag: u8,
    pub(crate) mtype: u8,
    pub(crate) ss: u8,
    pub(crate) seq: Option<u32>,
    pub(crate) method: String,
    pub(crate) payload: Value,
}

impl Package {
    /// The code of an error answer, 0 of a success.
    pub(crate) fn code(&self) -> i64 {
        assert_eq!(self.mtype, 2, "{self:?}");
        match self.ss {
            0 => 0,
            _ => field(&self.payload, "code").as_i64().expect("a code"),
        }
    }
}

/// The field of a map; nil when it is not there.
pub(crate) fn field(map: &Value, key: &str) -> Value {
    let pairs = map.as_map().expect("a map");
    let found = pairs.iter().find(|(name, _)| name.as_str() == Some(key));
    found.map_or(Value::Nil, |(_, value)| value.clone())
}

/// A map of fields.
pub(crate) fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(
        fields
            .iter()
            .map(|(key, value)| ((*key).into(), value.clone()))
            .collect(),
    )
}

pub(crate) fn ints(numbers: impl IntoIterator<Item = i64>) -> Value {
    Value::Array(numbers.into_iter().map(Value::from).collect())
}

pub(crate) fn msgpack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, value).unwrap();
    out
}

/// A quest; one-way without a number.
pub(crate) fn quest(flag: u8, seq: Option<u32>, method: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = b"FPNN\x01".to_vec();
    out.extend([flag, u8::from(seq.is_some()), method.len() as u8]);
    out.extend((payload.len() as u32).to_le_bytes());
    out.extend(seq.map(u32::to_le_bytes).into_iter().flatten());
    out.extend(method.as_bytes());
    out.extend(payload);
    out
}

/// A masked frame of a client.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ ..126 => out.push(0x80 | len as u8),
        len @ ..65_536 => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    let mask = [0x12, 0x34, 0x56, 0x78];
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, k)| b ^ k));
    out
}

pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    websocket: bool,
    next_seq: u32,
    /// Packages that came while another one was waited for.
    kept: Vec<Package>,
}

impl Peer {
    pub(crate) fn connect(gate: &Gate, via: Via) -> Self {
        let stream: Box<dyn Stream> = match via {
            Via::Tcp | Via::Ws => Box::new(socket(&gate.gate().tcp)),
            Via::Tls | Via::Wss => Box::new(tls(gate)),
        };
        let mut peer = Self {
            stream,
            websocket: false,
            next_seq: 1,
            kept: Vec::new(),
        };
        if matches!(via, Via::Ws | Via::Wss) {
            let response = peer.upgrade("/service/websocket", "Upgrade", 13);
            assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
        }
        peer
    }

    /// A connection of this user, logged in.
    pub(crate) fn login(gate: &Gate, via: Via, uid: i64) -> Self {
        let mut peer = Self::connect(gate, via);
        let answer = peer.auth(gate, uid);
        assert_eq!(answer.payload, map(&[("ok", true.into())]));
        peer
    }

    pub(crate) fn auth(&mut self, gate: &Gate, uid: i64) -> Package {
        let payload = map(&[
            ("pid", gate.project_id().into()),
            ("uid", uid.into()),
            ("token", gate.token(uid).into()),
        ]);
        self.call("auth", &payload)
    }

    /// Asks for an upgrade; the head of the response, or nothing if the connection was closed.
    pub(crate) fn upgrade(&mut self, path: &str, connection: &str, version: u8) -> String {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {version}\r\n\r\n"
        );
        self.send(request.as_bytes());
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Ok(_) => break,
                Err(error) => {
                    assert!(is_end(&error), "{error}");
                    break;
                }
            }
        }
        self.websocket = head.starts_with(b"HTTP/1.1 101 ");
        String::from_utf8(head).unwrap()
    }

    /// Sends raw bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// Sends raw bytes to a service that may have closed the connection meanwhile.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends one package, framed as the transport wants it.
    pub(crate) fn send_package(&mut self, package: &[u8]) {
        if self.websocket {
            self.send(&frame(0x82, package));
        } else {
            self.send(package);
        }
    }

    pub(crate) fn send_quest(&mut self, method: &str, payload: &Value) -> u32 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.send_package(&quest(0x80, Some(seq), method, &msgpack(payload)));
        seq
    }

    /// Answers a push with an empty map.
    pub(crate) fn send_answer(&mut self, flag: u8, seq: u32) {
        let payload: &[u8] = if flag == 0x40 { b"{}" } else { &[0x80] };
        let mut out = b"FPNN\x01".to_vec();
        out.extend([flag, 2, 0, payload.len() as u8, 0, 0, 0]);
        out.extend(seq.to_le_bytes());
        out.extend(payload);
        self.send_package(&out);
    }

    /// Sends a quest and waits for its answer; what else comes meanwhile is kept.
    pub(crate) fn call(&mut self, method: &str, payload: &Value) -> Package {
        let seq = self.send_quest(method, payload);
        self.answer_to(seq)
    }

    /// Sends a quest without parameters; the next package must be its answer.
    pub(crate) fn read_after(&mut self, method: &str) -> Package {
        let seq = self.send_quest(method, &map(&[]));
        let package = self.read_package().expect("an answer");
        assert_eq!((package.mtype, package.seq), (2, Some(seq)));
        package
    }

    /// The code of the answer to a quest, 0 for success.
    pub(crate) fn code(&mut self, method: &str, fields: &[(&str, Value)]) -> i64 {
        self.call(method, &map(fields)).code()
    }

    pub(crate) fn answer_to(&mut self, seq: u32) -> Package {
        self.wait(|package| package.mtype == 2 && package.seq == Some(seq))
    }

    /// The next push.
    pub(crate) fn push(&mut self) -> Package {
        self.wait(|package| package.mtype < 2)
    }

    fn wait(&mut self, wanted: impl Fn(&Package) -> bool) -> Package {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at);
        }
        loop {
            let package = self.read_package().expect("a package, not the end");
            if wanted(&package) {
                return package;
            }
            self.kept.push(package);
        }
    }

    /// The next package; `None` at the end of the connection.
    pub(crate) fn read_package(&mut self) -> Option<Package> {
        let bytes = if self.websocket {
            let (first, payload) = self.read_frame()?;
            assert_eq!(first, 0x82, "one binary frame");
            payload
        } else {
            let mut bytes = self.read(12)?;
            bytes.extend(self.read(body_len(&bytes))?);
            bytes
        };
        Some(parse(&bytes))
    }

    /// The next frame: its first byte and its payload.
    pub(crate) fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.read(2)?;
        let len = match head[1] {
            126 => self
                .read(2)?
                .iter()
                .fold(0, |n, b| n << 8 | usize::from(*b)),
            127 => self
                .read(8)?
                .iter()
                .fold(0, |n, b| n << 8 | usize::from(*b)),
            len => usize::from(len),
        };
        Some((head[0], self.read(len)?))
    }

    /// Exactly so many bytes; `None` at the end of the connection.
    pub(crate) fn read(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        match self.stream.read_exact(&mut bytes) {
            Ok(()) => Some(bytes),
            Err(error) => {
                assert!(is_end(&error), "{error}");
                None
            }
        }
    }

    /// Everything up to the end.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return bytes,
                Ok(len) => bytes.extend(&chunk[..len]),
                Err(error) => {
                    assert!(is_end(&error), "{error}");
                    return bytes;
                }
            }
        }
    }

    /// The service closes the connection without another byte.
    pub(crate) fn assert_closed(&mut self) {
        assert_eq!(self.read_to_end(), b"");
    }
}

fn is_end(error: &std::io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        UnexpectedEof | ConnectionReset | BrokenPipe | ConnectionAborted
    )
}

fn body_len(header: &[u8]) -> usize {
    assert_eq!(&header[..5], b"FPNN\x01");
    let size = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
    let name = usize::from(header[7]);
    size + match header[6] {
        0 => name,
        1 => name + 4,
        _ => 4,
    }
}

fn parse(bytes: &[u8]) -> Package {
    assert_eq!(bytes.len(), 12 + body_len(bytes));
    let (flag, mtype, ss) = (bytes[5], bytes[6], bytes[7]);
    let mut rest = &bytes[12..];
    let mut take = |len: usize| {
        let (head, tail) = rest.split_at(len);
        rest = tail;
        head
    };
    let seq = (mtype > 0).then(|| u32::from_le_bytes(take(4).try_into().unwrap()));
    let method = take(if mtype < 2 { usize::from(ss) } else { 0 }).to_vec();
    let payload = if flag & 0x80 != 0 {
        let payload = rmpv::decode::read_value(&mut rest).unwrap();
        assert!(rest.is_empty());
        payload
    } else {
        from_json(&serde_json::from_slice(rest).unwrap())
    };
    Package {
        flag,
        mtype,
        ss,
        seq,
        method: String::from_utf8(method).unwrap(),
        payload,
    }
}

/// JSON as msgpack says it.
pub(crate) fn from_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => int.into(),
            (_, Some(int)) => int.into(),
            _ => number.as_f64().unwrap().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        Json::Object(fields) => Value::Map(
            fields
                .iter()
                .map(|(key, value)| (key.as_str().into(), from_json(value)))
                .collect(),
        ),
    }
}

pub(crate) fn socket(endpoint: &str) -> TcpStream {
    let (_, address) = endpoint.split_once("://").unwrap();
    let stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn tls(gate: &Gate) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(gate.root_certificate().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    rustls::StreamOwned::new(connection, socket(&gate.gate().tls))
}
