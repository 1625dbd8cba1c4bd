//! TLS as a layer, by rustls: bytes of the peer in, plaintext out, and the other way round.

use std::boxed::Box;
use std::io::{self, BufRead};
use std::string::{String, ToString};
use std::sync::Arc;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection, Error};

use super::queue::ByteQueue;
use super::target::Host;
use super::{TRANSMIT_MAX, TlsOptions, TransportError};

/// Plaintext per transmit: three full records, which with their overhead stay below
/// [`TRANSMIT_MAX`] also when the end of a handshake precedes them.
const BATCH: usize = 3 * 16 * 1024;

pub(super) struct Tls {
    connection: ClientConnection,
    /// Encrypted bytes that did not fit into the last transmit.
    encrypted: ByteQueue,
    host: String,
    close_sent: bool,
    peer_closed: bool,
    failed: bool,
}

impl Tls {
    pub(super) fn open(
        host: &Host<'_>,
        host_text: &str,
        options: &TlsOptions,
    ) -> Result<Box<Self>, TransportError> {
        let name = match *host {
            Host::Address(address) => ServerName::from(address),
            Host::Name(name) => ServerName::try_from(name)
                .map_err(|_| TransportError::InvalidHost {
                    host: host_text.into(),
                    why: "not a DNS name a certificate can cover",
                })?
                .to_owned(),
        };
        let mut connection = ClientConnection::new(Arc::clone(options.config()), name)
            .map_err(|error| translate(host_text, error))?;
        // What rustls holds is bounded by BATCH and its handshake. Its own limit counts both
        // together and makes it take less than it is given.
        connection.set_buffer_limit(None);
        Ok(Box::new(Self {
            connection,
            encrypted: ByteQueue::default(),
            host: host_text.into(),
            close_sent: false,
            peer_closed: false,
            failed: false,
        }))
    }

    pub(super) fn is_opening(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// True once the peer's close_notify came.
    pub(super) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// True once our close_notify was handed out.
    pub(super) fn is_closed(&self) -> bool {
        self.close_sent && !self.has_encrypted()
    }

    /// Decrypts `data` and gives each piece of plaintext to `deliver`.
    pub(super) fn receive(
        &mut self,
        data: &[u8],
        mut deliver: impl FnMut(&[u8]) -> Result<(), TransportError>,
    ) -> Result<(), TransportError> {
        let mut rest = data;
        // rustls takes no more after close_notify, and says so by taking nothing.
        while !rest.is_empty() && !self.peer_closed {
            let taken = self.connection.read_tls(&mut rest);
            let taken = taken.map_err(|error| self.fail_io(&error))?;
            let processed = self.connection.process_new_packets().map(drop);
            // Also what came in front of an error is the peer's word.
            self.drain(&mut deliver)?;
            processed.map_err(|error| {
                self.failed = true;
                translate(&self.host, error)
            })?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    fn drain(
        &mut self,
        deliver: &mut impl FnMut(&[u8]) -> Result<(), TransportError>,
    ) -> Result<(), TransportError> {
        loop {
            let len = match self.connection.reader().into_first_chunk() {
                Ok([]) => {
                    self.peer_closed = true;
                    return Ok(());
                }
                Ok(chunk) => {
                    deliver(chunk)?;
                    chunk.len()
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(self.fail_io(&error)),
            };
            self.connection.reader().consume(len);
        }
    }

    /// Encrypts from `plain`, and closes behind it if `finish`. Encrypting here and not when a package
    /// is queued lets packages share records.
    pub(super) fn transmit(
        &mut self,
        plain: &mut ByteQueue,
        finish: bool,
    ) -> Result<Option<Bytes>, TransportError> {
        if self.encrypted.is_empty() {
            if !self.failed && !self.is_opening() && !self.close_sent {
                self.encrypt(plain)?;
                if finish && plain.is_empty() {
                    self.connection.send_close_notify();
                    self.close_sent = true;
                }
            }
            while self.connection.wants_write() {
                let written = self.connection.write_tls(&mut self.encrypted);
                written.map_err(|error| self.fail_io(&error))?;
            }
        }
        Ok(self.encrypted.take(TRANSMIT_MAX))
    }

    fn encrypt(&mut self, plain: &mut ByteQueue) -> Result<(), TransportError> {
        let batch = plain.front(BATCH);
        if batch.is_empty() {
            return Ok(());
        }
        let len = batch.len();
        let written = io::Write::write_all(&mut self.connection.writer(), batch);
        written.map_err(|error| self.fail_io(&error))?;
        plain.advance(len);
        Ok(())
    }

    pub(super) fn wants_transmit(&self, plain: &ByteQueue, finish: bool) -> bool {
        if self.has_encrypted() {
            return true;
        }
        let may_write = !self.failed && !self.is_opening() && !self.close_sent;
        may_write && (plain.ready() > 0 || (finish && plain.is_empty()))
    }

    /// What a failed connection has left to say: the alert.
    pub(super) fn transmit_alert(&mut self) -> Option<Bytes> {
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut self.encrypted).is_err() {
                break;
            }
        }
        self.encrypted.take(TRANSMIT_MAX)
    }

    pub(super) fn has_encrypted(&self) -> bool {
        !self.encrypted.is_empty() || self.connection.wants_write()
    }

    fn fail_io(&mut self, error: &io::Error) -> TransportError {
        self.failed = true;
        TransportError::Tls {
            why: error.to_string(),
        }
    }
}

fn translate(host: &str, error: Error) -> TransportError {
    let why = match error {
        Error::InvalidCertificate(refusal) => {
            return TransportError::Certificate {
                host: host.into(),
                why: why_refused(&refusal),
            };
        }
        Error::FailedToGetCurrentTime => "the wall clock was not set".into(),
        error => error.to_string(),
    };
    TransportError::Tls { why }
}

fn why_refused(refusal: &CertificateError) -> String {
    match refusal {
        CertificateError::UnknownIssuer => "its issuer is not among the trusted roots".into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            std::format!("it has expired ({refusal})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            std::format!("it is not valid yet ({refusal})")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            std::format!("it was made for another name ({refusal})")
        }
        other => other.to_string(),
    }
}
