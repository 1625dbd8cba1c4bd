//! Layers between a connection and raw bytes: WebSocket, TLS, both, or none.
//!
//! A [`Transport`] sees only bytes: no socket, no clock, no environment. Whoever can move bytes over TCP
//! has every scheme:
//!
//! 1. `transmit` and write each piece to the socket, until there is none.
//! 2. Read from the socket, `receive`, and go to 1: reading also makes bytes to send (pongs, the reply
//!    to a close frame, alerts).
//! 3. When `state` is [`Closed`](TransportState::Closed) or a call failed: `transmit` what is left
//!    (the alert), then drop the socket.
//!
//! ```
//! use std::collections::VecDeque;
//! use bytes::Bytes;
//! use rtm_proto::transport::{Scheme, Target, Transport, TransportLimits, TransportState};
//!
//! let target = Target::new(Scheme::Tcp, "rtm.example", 13321);
//! let mut transport = Transport::new(&target, None, TransportLimits::default())?;
//! assert_eq!(transport.state(), TransportState::Ready);
//!
//! transport.send(4, |buffer| buffer.extend_from_slice(b"ping"))?;
//! assert_eq!(transport.transmit().as_deref(), Some(&b"ping"[..]));
//!
//! let mut received = VecDeque::new();
//! transport.receive(Bytes::from_static(b"pong"), &mut received)?;
//! assert_eq!(received, [&b"pong"[..]]);
//! # Ok::<(), rtm_proto::transport::TransportError>(())
//! ```
//!
//! TLS and WebSocket masks take randomness from the operating system, as their RFCs demand; everything
//! else is deterministic. tungstenite logs payloads at level `trace` of the crate `log`: leave that off
//! where messages are private.

mod error;
mod framing;
mod limits;
mod proxy;
mod queue;
#[cfg(feature = "websocket")]
#[doc(hidden)]
pub mod repair;
mod target;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_options;
#[cfg(feature = "websocket")]
mod upgrade;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "tls")]
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use bytes::{Bytes, BytesMut};

pub use error::TransportError;
pub use limits::{TRANSMIT_MAX, TransportLimits, TransportState};
pub use target::{Scheme, Target};
#[cfg(feature = "tls")]
pub use tls_options::{TlsOptions, TlsOptionsBuilder};

use framing::Framing;
use proxy::Wrapper;
use queue::{ByteQueue, Mismatch};
use target::Host;

/// TLS options need the feature `tls`; without it there are none.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Debug)]
pub enum TlsOptions {}

/// Turns packages into the bytes of a socket and back.
pub struct Transport {
    framing: Framing,
    #[cfg(feature = "tls")]
    tls: Option<Box<tls::Tls>>,
    /// What goes out, above TLS.
    out: ByteQueue,
    wrapper: Option<Wrapper>,
    max_package: usize,
    /// Either side closed.
    closing: bool,
    /// The peer's bytes have ended.
    ended: bool,
    failure: Option<TransportError>,
}

impl Transport {
    /// A transport to `target`, with the first bytes of its handshake ready to be transmitted.
    ///
    /// # Errors
    /// [`InvalidHost`](TransportError::InvalidHost), [`TlsUnavailable`](TransportError::TlsUnavailable)
    /// if `wss` or `tls` come without `tls`, [`Unsupported`](TransportError::Unsupported) if a
    /// feature is missing, [`TooLarge`](TransportError::TooLarge) for a proxied endpoint above 255 bytes.
    pub fn new(
        target: &Target,
        tls: Option<&TlsOptions>,
        limits: TransportLimits,
    ) -> Result<Self, TransportError> {
        let host = Host::parse(&target.host)?;
        #[cfg(not(feature = "tls"))]
        refuse_tls(target.scheme, tls)?;
        let mut out = ByteQueue::default();
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: open_tls(target, &host, tls)?,
            framing: Framing::open(target, &host, &limits, &mut out)?,
            out,
            wrapper: target.wrap.as_deref().map(Wrapper::new).transpose()?,
            // No length field of the package or its wrapper holds more.
            max_package: limits.max_package.min(u32::MAX as usize),
            closing: false,
            ended: false,
            failure: None,
        })
    }

    /// Takes bytes from the socket and appends the package stream they hold to `out`, in order. The
    /// pieces say nothing about package boundaries. Where nothing needs decoding, they are slices of `data`.
    ///
    /// Look at [`transmit`](Self::transmit) after every call, also after an error.
    ///
    /// # Errors
    /// Any final [`TransportError`]; the same again on every later call. What came before the fault is in `out`.
    pub fn receive(
        &mut self,
        data: Bytes,
        out: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if data.is_empty() || self.state() == TransportState::Closed {
            return Ok(());
        }
        let received = self.receive_layers(data, out);
        received
            .and_then(|()| self.note_peer_close())
            .map_err(|error| self.fail(error))
    }

    /// Tells that the peer will send nothing more. The transport is `Closed` then.
    ///
    /// # Errors
    /// The stream ended where it may not: during a handshake, or, while neither side had closed, without
    /// a close frame (`ws`, `wss`) or a close_notify (`tls`). A `tcp` stream may end anywhere, as
    /// only its reader knows where packages end. After an earlier failure, that one.
    pub fn receive_end(&mut self) -> Result<(), TransportError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.ended || self.closing {
            self.ended = true;
            return Ok(());
        }
        self.ended = true;
        self.missing_at_end()
            .map_or(Ok(()), |error| Err(self.fail(error)))
    }

    /// Queues one package of exactly `len` bytes, which `encode` appends to the buffer. In a buffer
    /// of the byte stream there may be other packages in front: leave them alone.
    ///
    /// During the handshake packages are kept and sent right after it.
    ///
    /// # Errors
    /// Nothing is queued then. [`Closed`](TransportError::Closed) after [`close`](Self::close), the
    /// peer's close, the end or a failure; [`TooLarge`](TransportError::TooLarge) above
    /// [`max_package`](TransportLimits::max_package); [`LengthMismatch`](TransportError::LengthMismatch)
    /// if `encode` did not keep to `len`.
    pub fn send(
        &mut self,
        len: usize,
        encode: impl FnOnce(&mut BytesMut),
    ) -> Result<(), TransportError> {
        if self.closing || self.is_over() {
            return Err(TransportError::Closed);
        }
        if len > self.max_package {
            return Err(TransportError::TooLarge {
                what: "package",
                size: len,
                limit: self.max_package,
            });
        }
        let (framing, out) = (&mut self.framing, &mut self.out);
        let (overhead, queued) = match &self.wrapper {
            None => (0, framing.send(len, encode, out)),
            Some(wrapper) => {
                let overhead = wrapper.overhead(len);
                let wrapped = |buffer: &mut BytesMut| {
                    wrapper.write_front(len, buffer);
                    encode(buffer);
                };
                (overhead, framing.send(overhead + len, wrapped, out))
            }
        };
        match queued {
            Ok(Ok(())) => Ok(()),
            Ok(Err(mismatch)) => Err(self.mismatch(len, overhead, mismatch)),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The next raw bytes for the socket, at most [`TRANSMIT_MAX`]; none when there is nothing to send
    /// now. Dropping one piece before asking for the next lets the buffer be used again.
    pub fn transmit(&mut self) -> Option<Bytes> {
        #[cfg(feature = "tls")]
        {
            let finish = self.may_finish_tls();
            if let Some(tls) = &mut self.tls {
                if self.ended {
                    return None;
                }
                if self.failure.is_some() {
                    return tls.transmit_alert();
                }
                return match tls.transmit(&mut self.out, finish) {
                    Ok(piece) => piece,
                    Err(error) => {
                        self.fail(error);
                        None
                    }
                };
            }
        }
        if self.is_over() {
            return None;
        }
        self.out.take(TRANSMIT_MAX)
    }

    /// True if [`transmit`](Self::transmit) has something, also if it is not encrypted yet.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            if self.ended {
                return false;
            }
            if self.failure.is_some() {
                return tls.has_encrypted();
            }
            return tls.wants_transmit(&self.out, self.may_finish_tls());
        }
        !self.is_over() && self.out.ready() > 0
    }

    /// Closes behind what is queued: a close frame (`ws`, `wss`), a close_notify (`tls`, and `wss` once
    /// the peer has replied), or nothing (`tcp`). During a handshake what was queued still goes out
    /// after it; to give up instead, drop the transport. A second call does nothing.
    pub fn close(&mut self) {
        if self.closing || self.is_over() {
            return;
        }
        self.closing = true;
        if let Err(error) = self.framing.close(&mut self.out) {
            self.fail(error);
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> TransportState {
        if self.is_over() || (self.closing && self.is_done()) {
            TransportState::Closed
        } else if self.closing {
            TransportState::Closing
        } else if self.is_opening() {
            TransportState::Opening
        } else {
            TransportState::Ready
        }
    }

    /// Bytes queued since the beginning: packages after framing and before encryption, with everything
    /// else that goes out between them (the WebSocket request, control frames). A package that was
    /// sent when this was `q` has left in part or as a whole once [`handed_out`](Self::handed_out) exceeds
    /// `q`, and as a whole once that reaches what this was right after, unless it was
    /// [withdrawn](Self::withdraw).
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.out.queued()
    }

    /// How many of the [`queued`](Self::queued) bytes were handed out by [`transmit`](Self::transmit).
    #[must_use]
    pub fn handed_out(&self) -> u64 {
        self.out.handed_out()
    }

    /// Bytes queued and not handed out: what a peer that does not read costs.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.out.unsent()
    }

    /// Takes back a package that was sent when [`queued`](Self::queued) was `start` and ends where that
    /// was `end` right after. One that has left, even in part, is left alone.
    ///
    /// To [`handed_out`](Self::handed_out) it counts once its turn has come.
    pub fn withdraw(&mut self, start: u64, end: u64) {
        self.out.withdraw(start, end);
    }

    fn receive_layers(
        &mut self,
        data: Bytes,
        received: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        let (framing, out) = (&mut self.framing, &mut self.out);
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            let decrypted = tls.receive(&data, |plain| framing.receive_plain(plain, out, received));
            framing.end_of_chunk(received);
            return decrypted;
        }
        framing.receive(data, out, received)
    }

    /// A close of the peer is answered, in the layers, and ends sending.
    fn note_peer_close(&mut self) -> Result<(), TransportError> {
        if self.framing.peer_closed() {
            self.closing = true;
        }
        #[cfg(feature = "tls")]
        if self.tls.as_ref().is_some_and(|tls| tls.peer_closed()) && !self.closing {
            if self.framing.has_close_frames() {
                return Err(self.missing_at_end().unwrap_or(TransportError::Closed));
            }
            self.closing = true;
        }
        Ok(())
    }

    /// What is wrong with the end of the stream while neither side has closed.
    fn missing_at_end(&self) -> Option<TransportError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            if tls.is_opening() {
                return Some(TransportError::Truncated {
                    why: "it ended during the TLS handshake",
                });
            }
            if !self.framing.has_close_frames() {
                return Some(TransportError::Truncated {
                    why: "it ended without a close_notify",
                });
            }
        }
        self.framing.missing_at_end()
    }

    fn is_opening(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.as_ref().is_some_and(|tls| tls.is_opening()) {
            return true;
        }
        self.framing.is_opening()
    }

    fn is_over(&self) -> bool {
        self.ended || self.failure.is_some()
    }

    /// Both sides have said what they had to, as far as a closed transport waits for it.
    fn is_done(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return tls.is_closed();
        }
        self.out.is_empty() && self.framing.may_end()
    }

    /// A close_notify may follow what is queued: the reply to a close frame is not awaited any more.
    #[cfg(feature = "tls")]
    fn may_finish_tls(&self) -> bool {
        let peer_closed = self.tls.as_ref().is_some_and(|tls| tls.peer_closed());
        self.closing && (peer_closed || self.framing.may_end())
    }

    fn mismatch(&mut self, len: usize, overhead: usize, mismatch: Mismatch) -> TransportError {
        let error = TransportError::LengthMismatch {
            expected: len,
            written: mismatch.written.saturating_sub(overhead),
        };
        if mismatch.intact {
            error
        } else {
            self.fail(error)
        }
    }

    fn fail(&mut self, error: TransportError) -> TransportError {
        self.failure.get_or_insert(error).clone()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("state", &self.state())
            .field("queued", &self.queued())
            .field("handed_out", &self.handed_out())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tls")]
fn open_tls(
    target: &Target,
    host: &Host<'_>,
    options: Option<&TlsOptions>,
) -> Result<Option<Box<tls::Tls>>, TransportError> {
    let scheme = target.scheme;
    if !scheme.is_encrypted() {
        return Ok(None);
    }
    let options = options.ok_or(TransportError::TlsUnavailable { scheme })?;
    tls::Tls::open(host, &target.host, options).map(Some)
}

#[cfg(not(feature = "tls"))]
fn refuse_tls(scheme: Scheme, _none: Option<&TlsOptions>) -> Result<(), TransportError> {
    if scheme.is_encrypted() {
        let feature = "tls";
        return Err(TransportError::Unsupported { scheme, feature });
    }
    Ok(())
}
