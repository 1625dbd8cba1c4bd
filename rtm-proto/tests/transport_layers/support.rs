//! A peer in memory, and the cable to it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rtm_proto::transport::{
    Scheme, TRANSMIT_MAX, Target, TlsOptions, Transport, TransportError, TransportLimits,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

pub(crate) const ALL: [Scheme; 4] = [Scheme::Tcp, Scheme::Tls, Scheme::Ws, Scheme::Wss];
pub(crate) const HOST: &str = "rtm.example";
/// A moment at which the certificates of [`Identity`] are valid: they are from 2020 to 2030.
pub(crate) const NOW: Duration = Duration::from_secs(1_750_000_000);

/// A certificate authority with one server certificate, for `rtm.example`, 127.0.0.1 and ::1.
pub(crate) struct Identity {
    pub(crate) root_pem: String,
    pub(crate) root_der: Vec<u8>,
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    pub(crate) fn make() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (root.not_before, root.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
        let root_certificate = root.self_signed(&root_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = [HOST, "127.0.0.1", "::1"].map(String::from);
        let mut leaf = CertificateParams::new(names).unwrap();
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
        let issuer = Issuer::new(root, root_key);
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        Self {
            root_pem: root_certificate.pem(),
            root_der: root_certificate.der().to_vec(),
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
        }
    }

    pub(crate) fn server(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        Arc::new(config)
    }

    pub(crate) fn options(&self) -> TlsOptions {
        let builder = TlsOptions::builder().add_root_pem(&self.root_pem).unwrap();
        let options = builder.build().unwrap();
        options.set_unix_time(NOW);
        options
    }
}

pub(crate) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(Identity::make)
}

type Responder = Box<dyn FnOnce(&str) -> Vec<u8>>;

/// The other end: raw bytes in and out, plaintext in the middle.
pub(crate) struct Peer {
    pub(crate) tls: Option<ServerConnection>,
    /// Decrypted and not consumed yet.
    pub(crate) plain: Vec<u8>,
    raw: Vec<u8>,
    responder: Option<Responder>,
    pub(crate) request: String,
    pub(crate) got_close_notify: bool,
    pub(crate) tls_error: Option<rustls::Error>,
}

impl Peer {
    pub(crate) fn new(scheme: Scheme) -> Self {
        static CONFIG: OnceLock<Arc<ServerConfig>> = OnceLock::new();
        let config = CONFIG.get_or_init(|| identity().server(rustls::ALL_VERSIONS));
        Self::with_config(scheme, config)
    }

    pub(crate) fn with_config(scheme: Scheme, config: &Arc<ServerConfig>) -> Self {
        let tls = scheme.is_encrypted().then(|| {
            let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
            server.set_buffer_limit(None);
            server
        });
        let responder: Option<Responder> = scheme
            .is_websocket()
            .then(|| Box::new(|request: &str| accept(request).into_bytes()) as Responder);
        Self {
            tls,
            plain: Vec::new(),
            raw: Vec::new(),
            responder,
            request: String::new(),
            got_close_notify: false,
            tls_error: None,
        }
    }

    /// Answers the upgrade request with what `respond` makes of it.
    pub(crate) fn responding(mut self, respond: impl FnOnce(&str) -> Vec<u8> + 'static) -> Self {
        self.responder = Some(Box::new(respond));
        self
    }

    pub(crate) fn receive(&mut self, raw: &[u8]) {
        match &mut self.tls {
            None => self.plain.extend_from_slice(raw),
            Some(tls) => {
                let mut rest = raw;
                while !rest.is_empty() && tls.read_tls(&mut rest).unwrap() > 0 {
                    if let Err(error) = tls.process_new_packets() {
                        self.tls_error = Some(error);
                        return;
                    }
                    match tls.reader().read_to_end(&mut self.plain) {
                        Ok(_) => self.got_close_notify = true,
                        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                    }
                }
            }
        }
        let end = self.plain.windows(4).position(|four| four == b"\r\n\r\n");
        if let (Some(_), Some(end)) = (&self.responder, end) {
            let head: Vec<u8> = self.plain.drain(..end + 4).collect();
            self.request = String::from_utf8(head).unwrap();
            let response = self.responder.take().unwrap()(&self.request);
            self.write(&response);
        }
    }

    pub(crate) fn write(&mut self, plain: &[u8]) {
        match &mut self.tls {
            None => self.raw.extend_from_slice(plain),
            Some(tls) => tls.writer().write_all(plain).unwrap(),
        }
    }

    pub(crate) fn close_notify(&mut self) {
        self.tls.as_mut().unwrap().send_close_notify();
    }

    pub(crate) fn take_raw(&mut self) -> Vec<u8> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.raw).unwrap();
            }
        }
        std::mem::take(&mut self.raw)
    }
}

/// The response RFC 6455 asks for.
pub(crate) fn accept(request: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(request)
    )
}

pub(crate) fn accept_key(request: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    tungstenite::handshake::derive_accept_key(key.as_bytes())
}

/// An unmasked frame as a server sends it.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// Takes apart the masked frames of a client: first byte and payload of each.
pub(crate) fn client_frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert!(second & 0x80 != 0, "a client's frame must be masked");
        let (len, rest) = match second & 0x7f {
            126 => (
                usize::from(u16::from_be_bytes([rest[0], rest[1]])),
                &rest[2..],
            ),
            127 => {
                let len = u64::from_be_bytes(rest[..8].try_into().unwrap());
                (len as usize, &rest[8..])
            }
            len => (usize::from(len), rest),
        };
        let (mask, rest) = rest.split_at(4);
        let (payload, rest) = rest.split_at(len);
        let plain = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
        frames.push((*first, plain.collect()));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    frames
}

pub(crate) fn target(scheme: Scheme) -> Target {
    Target::new(scheme, HOST, 13321)
}

pub(crate) fn transport(scheme: Scheme) -> Transport {
    let options = scheme.is_encrypted().then(|| identity().options());
    let limits = TransportLimits::default();
    Transport::new(&target(scheme), options.as_ref(), limits).unwrap()
}

/// A transport and its peer, both through their handshakes.
pub(crate) fn connected(scheme: Scheme) -> (Transport, Peer) {
    let (mut transport, mut peer) = (transport(scheme), Peer::new(scheme));
    assert_eq!(pump(&mut transport, &mut peer, usize::MAX), Ok(Vec::new()));
    (transport, peer)
}

pub(crate) fn send(transport: &mut Transport, package: &[u8]) {
    let copy = |buffer: &mut bytes::BytesMut| buffer.extend_from_slice(package);
    transport.send(package.len(), copy).unwrap();
}

pub(crate) fn receive(transport: &mut Transport, raw: &[u8]) -> Result<Vec<u8>, TransportError> {
    let mut received = VecDeque::new();
    transport.receive(Bytes::copy_from_slice(raw), &mut received)?;
    Ok(received.make_contiguous().concat())
}

/// Moves bytes both ways in chunks of `step` until both sides are quiet, and returns what the
/// transport received.
pub(crate) fn pump(
    transport: &mut Transport,
    peer: &mut Peer,
    step: usize,
) -> Result<Vec<u8>, TransportError> {
    let mut received = Vec::new();
    for _round in 0..1000 {
        let mut moved = false;
        while transport.wants_transmit() {
            let piece = transport.transmit().expect("wants_transmit said so");
            assert!(!piece.is_empty() && piece.len() <= TRANSMIT_MAX);
            for chunk in piece.chunks(step) {
                peer.receive(chunk);
            }
            moved = true;
        }
        assert_eq!(transport.transmit(), None);
        for chunk in peer.take_raw().chunks(step) {
            received.extend(receive(transport, chunk)?);
            moved = true;
        }
        if !moved {
            return Ok(received);
        }
    }
    panic!("the two sides never come to rest");
}

/// The packages that reached the peer, whatever the scheme.
pub(crate) fn packages(scheme: Scheme, peer: &mut Peer) -> Vec<u8> {
    let plain = std::mem::take(&mut peer.plain);
    if !scheme.is_websocket() {
        return plain;
    }
    let binary = |(first, payload): (u8, Vec<u8>)| {
        assert_eq!(first, 0x82, "packages are whole binary messages");
        payload
    };
    client_frames(&plain).into_iter().flat_map(binary).collect()
}

/// What the peer sends to hand over `payload` as one package.
pub(crate) fn from_peer(scheme: Scheme, payload: &[u8]) -> Vec<u8> {
    if scheme.is_websocket() {
        frame(0x82, payload)
    } else {
        payload.to_vec()
    }
}
