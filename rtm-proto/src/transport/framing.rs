//! How packages become a stream of bytes, above TLS: back to back, or as WebSocket messages.

#[cfg(feature = "websocket")]
use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::queue::{ByteQueue, Mismatch};
use super::target::Host;
#[cfg(feature = "websocket")]
use super::websocket::WebSocket;
use super::{Target, TransportError, TransportLimits};

pub(super) enum Framing {
    Stream {
        /// Where the plaintext of one chunk is gathered, so that few packages are cut.
        #[cfg(feature = "tls")]
        plain: ByteQueue,
    },
    #[cfg(feature = "websocket")]
    WebSocket(Box<WebSocket>),
}

impl Framing {
    pub(super) fn open(
        target: &Target,
        host: &Host<'_>,
        limits: &TransportLimits,
        out: &mut ByteQueue,
    ) -> Result<Self, TransportError> {
        if !target.scheme.is_websocket() {
            return Ok(Self::Stream {
                #[cfg(feature = "tls")]
                plain: ByteQueue::default(),
            });
        }
        #[cfg(feature = "websocket")]
        return WebSocket::open(host, target.port, limits, out).map(Self::WebSocket);
        #[cfg(not(feature = "websocket"))]
        {
            let _ = (host, limits, out);
            Err(TransportError::Unsupported {
                scheme: target.scheme,
                feature: "websocket",
            })
        }
    }

    /// Queues one package. Outer error: of the framing; inner error: of the encoder.
    pub(super) fn send(
        &mut self,
        len: usize,
        encode: impl FnOnce(&mut BytesMut),
        out: &mut ByteQueue,
    ) -> Result<Result<(), Mismatch>, TransportError> {
        match self {
            Self::Stream { .. } => Ok(out.append(len, encode)),
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.send(len, encode, out),
        }
    }

    pub(super) fn close(&mut self, out: &mut ByteQueue) -> Result<(), TransportError> {
        match self {
            Self::Stream { .. } => {
                let _ = out;
                Ok(())
            }
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.close(out),
        }
    }

    /// Takes a chunk from the socket.
    pub(super) fn receive(
        &mut self,
        data: Bytes,
        out: &mut ByteQueue,
        received: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        match self {
            Self::Stream { .. } => {
                let _ = out;
                received.push_back(data);
                Ok(())
            }
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.receive(&data, out, received),
        }
    }

    /// Takes plaintext that TLS lends.
    #[cfg(feature = "tls")]
    pub(super) fn receive_plain(
        &mut self,
        data: &[u8],
        out: &mut ByteQueue,
        received: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        match self {
            Self::Stream { plain } => {
                let _ = (out, received);
                plain.extend(data);
                Ok(())
            }
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.receive(data, out, received),
        }
    }

    /// Hands over what [`receive_plain`](Self::receive_plain) has gathered.
    #[cfg(feature = "tls")]
    pub(super) fn end_of_chunk(&mut self, received: &mut VecDeque<Bytes>) {
        match self {
            Self::Stream { plain } => received.extend(plain.take(usize::MAX)),
            #[cfg(feature = "websocket")]
            Self::WebSocket(_) => {}
        }
    }

    pub(super) fn is_opening(&self) -> bool {
        match self {
            Self::Stream { .. } => false,
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.is_opening(),
        }
    }

    /// True once a close frame of the peer came.
    pub(super) fn peer_closed(&self) -> bool {
        match self {
            Self::Stream { .. } => false,
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.peer_closed(),
        }
    }

    /// True where a closed transport waits for nothing more from the peer.
    pub(super) fn may_end(&self) -> bool {
        match self {
            Self::Stream { .. } => true,
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) => websocket.peer_closed(),
        }
    }

    /// True where a close frame, and not the layer below, tells the end.
    #[cfg(feature = "tls")]
    pub(super) fn has_close_frames(&self) -> bool {
        !matches!(self, Self::Stream { .. })
    }

    /// What is wrong with an end of the stream now, while neither side has closed.
    pub(super) fn missing_at_end(&self) -> Option<TransportError> {
        match self {
            Self::Stream { .. } => None,
            #[cfg(feature = "websocket")]
            Self::WebSocket(websocket) if websocket.is_opening() => {
                Some(TransportError::HandshakeRefused {
                    status: None,
                    why: "the stream ended before the response was complete".into(),
                })
            }
            #[cfg(feature = "websocket")]
            Self::WebSocket(_) => Some(TransportError::Truncated {
                why: "it ended without a close frame",
            }),
        }
    }
}
