//! One FPNN connection: numbers quests, pairs answers, hands out the peer's
//! quests, keeps deadlines.
//!
//! A [`Connection`] knows the packages of FPNN and nothing of RTM. It sits on
//! a [`Transport`], so it takes and gives raw bytes of a socket:
//!
//! ```text
//!            Connected           transport handshake done
//!  Dialing ------------> Opening ------------------------> Open
//!     |                     |                               | |
//!     |                     | peer ends, bad bytes          | | close()
//!     v                     v                               | v
//!   Closed <------------- Closed <--------------------------+ Closing
//! ```
//!
//! Quests may be sent in any state but `Closing` and `Closed`; they leave when
//! the transport is open. However a connection ends, every outstanding quest
//! is reported once as [`ConnectionOutput::Lost`], and
//! [`ConnectionOutput::Closed`] comes last.
//!
//! Source: `highras/fpnn doc/common/fpnn-protocol-spec.txt` and
//! `proto/FPMessage.h`.

mod backlog;
mod pending;

use alloc::collections::VecDeque;
use alloc::string::String;
use core::fmt;

use bytes::Bytes;

use self::backlog::AnswerBacklog;
use self::pending::{PendingQuest, PendingTable};
use crate::error::{ErrorCode, LostReason, kept};
use crate::frame::{self, Answer, Decoder, Frame, Quest};
use crate::payload::{CodecError, Encoding, Payload};
use crate::time::Instant;
use crate::transport::{Transport, TransportState};

/// Limits of a [`Connection`].
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The largest package sent or accepted, header included, in bytes.
    pub max_package: usize,
    /// How many bytes may wait for a peer that does not read.
    pub max_unsent: usize,
}

impl Default for ConnectionLimits {
    /// 8 MiB a package, as FPNN servers have it, and 16 MiB unsent.
    fn default() -> Self {
        ConnectionLimits {
            max_package: frame::DEFAULT_MAX_PACKAGE,
            max_unsent: 16 * 1024 * 1024,
        }
    }
}

/// What a connection is told. Its `Debug` output counts received bytes and does
/// not show them: tokens may be among them.
#[derive(Clone)]
#[non_exhaustive]
pub enum ConnectionInput {
    /// The socket is connected; bytes can flow.
    Connected,
    /// Raw bytes from the socket.
    Received(Bytes),
    /// The peer ended the stream.
    Ended,
    /// Reading or writing failed; the text says how.
    Failed(String),
    /// Time has passed.
    Tick,
}

impl fmt::Debug for ConnectionInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionInput::Connected => f.write_str("Connected"),
            ConnectionInput::Received(data) => write!(f, "Received({} bytes)", data.len()),
            ConnectionInput::Ended => f.write_str("Ended"),
            ConnectionInput::Failed(why) => f.debug_tuple("Failed").field(why).finish(),
            ConnectionInput::Tick => f.write_str("Tick"),
        }
    }
}

/// What a connection reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionOutput<K> {
    /// The transport is open: what was queued is going out.
    Ready,
    /// A quest was answered.
    Answered {
        /// The key the quest was sent with.
        key: K,
        /// The answer's body, or the error the peer answered with.
        result: Result<Payload, ServerError>,
    },
    /// A quest was not answered by its deadline; a later answer is ignored.
    Expired {
        /// The key the quest was sent with.
        key: K,
        /// Whether any byte of it was handed out; if not, none will be.
        sent: bool,
    },
    /// The peer asks or tells something.
    Quest(ServerQuest),
    /// A quest will never be answered, because the connection ended.
    Lost {
        /// The key the quest was sent with.
        key: K,
        /// Whether any byte of it was handed out; if not, none will be.
        sent: bool,
    },
    /// The connection ended; nothing follows.
    Closed(LostReason),
}

/// A quest of the peer.
#[derive(Debug)]
pub struct ServerQuest {
    quest: Quest,
}

impl ServerQuest {
    /// The method's name.
    #[must_use]
    pub fn method(&self) -> &str {
        self.quest.method()
    }

    /// The body.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.quest.payload
    }

    /// What to answer with; `None` for a one-way quest, which must never be
    /// answered.
    #[must_use]
    pub fn ticket(&self) -> Option<AnswerTicket> {
        self.quest.seq.map(|seq| AnswerTicket {
            seq,
            encoding: self.quest.payload.encoding(),
        })
    }
}

/// The right to answer one quest of the peer, in the encoding it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTicket {
    seq: u32,
    encoding: Encoding,
}

impl AnswerTicket {
    /// The encoding of the quest and therefore of its answer.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// An error answer (`{code, ex, raiser?}`) of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The code; 20001 if the answer had none.
    pub code: ErrorCode,
    /// The text for humans; empty if the answer had none. What exceeds 1024
    /// bytes is cut off.
    pub message: String,
    /// The service that raised it, if told; cut like the message.
    pub raiser: Option<String>,
}

impl ServerError {
    /// A non-zero status alone makes an error, so whatever cannot be read of
    /// the body is left at its default.
    fn from_payload(payload: &Payload) -> Self {
        let mut code = None;
        let mut message = None;
        let mut raiser = None;
        let _ = payload.fields(|key, value| {
            match key {
                "code" => code = value.read().ok().or(code),
                "ex" => message = value.read::<crate::payload::Text>().ok().or(message.take()),
                "raiser" => raiser = value.read::<crate::payload::Text>().ok().or(raiser.take()),
                _ => {}
            }
            Ok(())
        });
        ServerError {
            code: code.map_or(ErrorCode::CORE_UNKNOWN_ERROR, ErrorCode),
            message: message.map_or_else(String::new, |text| kept(&text.0)),
            raiser: raiser.map(|text| kept(&text.0)),
        }
    }
}

/// Why a quest could not be queued. Nothing of it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestError {
    /// The connection is closing or closed.
    Closed,
    /// The peer does not read; the limit of unsent bytes is reached.
    Backpressure,
    /// The package cannot be built: method name or size.
    Encode(CodecError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialing,
    Opening,
    Open,
    Closing,
    Closed,
}

/// One FPNN connection. `K` is what the owner knows a quest by.
///
/// ```
/// use rtm_proto::connection::{Connection, ConnectionInput, ConnectionLimits, ConnectionOutput};
/// use rtm_proto::transport::{Scheme, Target, Transport, TransportLimits};
/// use rtm_proto::Instant;
/// use std::time::Duration;
///
/// let target = Target::new(Scheme::Tcp, "gate.example", 13321);
/// let transport = Transport::new(&target, None, TransportLimits::default())?;
/// let mut connection = Connection::new(transport, ConnectionLimits::default());
///
/// let now = Instant::ZERO;
/// connection.handle_input(now, ConnectionInput::Connected);
/// connection.quest("my ping", "*ping", &[0x80], now + Duration::from_secs(5)).unwrap();
/// assert!(connection.poll_transmit().unwrap().starts_with(b"FPNN"));
///
/// // A socket would bring the answer; here the deadline passes.
/// connection.handle_input(now + Duration::from_secs(5), ConnectionInput::Tick);
/// assert!(matches!(connection.poll_output(), Some(ConnectionOutput::Ready)));
/// assert!(matches!(
///     connection.poll_output(),
///     Some(ConnectionOutput::Expired { key: "my ping", sent: true })
/// ));
/// # Ok::<(), rtm_proto::error::TransportError>(())
/// ```
#[derive(Debug)]
pub struct Connection<K> {
    transport: Transport,
    decoder: Decoder,
    pending: PendingTable<K>,
    backlog: AnswerBacklog,
    outputs: VecDeque<ConnectionOutput<K>>,
    chunks: VecDeque<Bytes>,
    limits: ConnectionLimits,
    stage: Stage,
}

impl<K> Connection<K> {
    /// A connection over `transport`, whose socket is still to be connected.
    #[must_use]
    pub fn new(transport: Transport, limits: ConnectionLimits) -> Self {
        Connection {
            transport,
            decoder: Decoder::new(limits.max_package),
            pending: PendingTable::new(),
            backlog: AnswerBacklog::default(),
            outputs: VecDeque::new(),
            chunks: VecDeque::new(),
            limits,
            stage: Stage::Dialing,
        }
    }

    /// Sends a two-way quest; its fate will be reported under `key`.
    ///
    /// `payload` is a msgpack map. An answer handled at or after `deadline` is
    /// late and ignored.
    ///
    /// # Errors
    ///
    /// [`QuestError`]; the quest then does not exist and `key` is never
    /// reported. Returns the sequence number otherwise.
    pub fn quest(
        &mut self,
        key: K,
        method: &str,
        payload: &[u8],
        deadline: Instant,
    ) -> Result<u32, QuestError> {
        let len = self.check_quest(method, true, payload.len())?;
        if self.transport.unsent().saturating_add(len) > self.limits.max_unsent {
            return Err(QuestError::Backpressure);
        }
        self.send_quest(key, method, payload, deadline, len)
    }

    /// [`quest`](Self::quest), but not subject to the limit of unsent bytes:
    /// for the few quests that keep a connection or end it.
    ///
    /// # Errors
    ///
    /// As [`quest`](Self::quest), except `Backpressure`.
    pub fn urgent_quest(
        &mut self,
        key: K,
        method: &str,
        payload: &[u8],
        deadline: Instant,
    ) -> Result<u32, QuestError> {
        let len = self.check_quest(method, true, payload.len())?;
        self.send_quest(key, method, payload, deadline, len)
    }

    fn check_quest(
        &self,
        method: &str,
        two_way: bool,
        payload_len: usize,
    ) -> Result<usize, QuestError> {
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return Err(QuestError::Closed);
        }
        frame::check_quest(method, two_way, payload_len, self.limits.max_package)
            .map_err(QuestError::Encode)
    }

    fn send_quest(
        &mut self,
        key: K,
        method: &str,
        payload: &[u8],
        deadline: Instant,
        len: usize,
    ) -> Result<u32, QuestError> {
        let seq = self.pending.next_seq();
        let position = self.transport.queued();
        let mut encoded = Ok(());
        let sent = self.transport.send(len, |out| {
            encoded = frame::encode_quest(out, Some(seq), method, Encoding::MsgPack, payload);
        });
        encoded.map_err(QuestError::Encode)?;
        if sent.is_err() {
            return Err(QuestError::Closed);
        }
        let quest = PendingQuest {
            key,
            deadline,
            position,
            end: self.transport.queued(),
        };
        self.pending.insert(seq, quest);
        Ok(seq)
    }

    /// Answers a quest of the peer with an empty map.
    pub fn answer_empty(&mut self, ticket: AnswerTicket) {
        let empty = Payload::empty(ticket.encoding);
        self.answer(ticket, 0, empty.as_bytes());
    }

    /// Answers a quest of the peer with an error.
    pub fn answer_error(&mut self, ticket: AnswerTicket, code: ErrorCode, message: &str) {
        let mut body = bytes::BytesMut::new();
        if frame::encode_error_body(&mut body, ticket.encoding, code.0, message).is_ok() {
            self.answer(ticket, 1, &body);
        }
    }

    /// Answers a quest of the peer: `status` 0 is success, anything else an
    /// error; `payload` is a map in the ticket's encoding.
    ///
    /// An answer that cannot be built or sent any more is dropped. If unsent
    /// answers alone exceed the limit of unsent bytes, the connection ends
    /// with [`LostReason::PeerNotReading`].
    pub fn answer(&mut self, ticket: AnswerTicket, status: u8, payload: &[u8]) {
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return;
        }
        let len = frame::answer_len(payload.len());
        if len > self.limits.max_package || payload.is_empty() {
            return;
        }
        let start = self.transport.queued();
        let sent = self.transport.send(len, |out| {
            // Size and payload were checked above, nothing is left to fail.
            let _ = frame::encode_answer(out, ticket.seq, status, ticket.encoding, payload);
        });
        if sent.is_err() {
            return;
        }
        self.backlog.push(start, self.transport.queued());
        let owed = self.backlog.unsent(self.transport.handed_out());
        if owed > self.limits.max_unsent as u64 {
            self.fail(LostReason::PeerNotReading);
        }
    }

    /// Forgets an outstanding quest; a later answer is ignored. Returns its
    /// key and whether any byte of it was handed out; if not, none will be.
    pub fn cancel(&mut self, seq: u32) -> Option<(K, bool)> {
        let quest = self.pending.remove(seq)?;
        let sent = self.withdraw(&quest);
        Some((quest.key, sent))
    }

    /// Keeps a quest that nobody waits for any more from going out, unless it
    /// is on its way; tells whether it is.
    fn withdraw(&mut self, quest: &PendingQuest<K>) -> bool {
        let sent = self.was_sent(quest.position);
        if !sent {
            self.transport.withdraw(quest.position, quest.end);
        }
        sent
    }

    /// Takes in what happened. Inputs after the end are ignored.
    ///
    /// Look at [`poll_output`](Self::poll_output) and
    /// [`poll_transmit`](Self::poll_transmit) afterwards.
    pub fn handle_input(&mut self, now: Instant, input: ConnectionInput) {
        if self.stage == Stage::Closed {
            return;
        }
        // First of all, so that an answer in the same input is late.
        self.expire(now);
        match input {
            ConnectionInput::Connected => {
                if self.stage == Stage::Dialing {
                    self.stage = Stage::Opening;
                    self.check_ready();
                }
            }
            ConnectionInput::Received(data) => self.receive(data),
            ConnectionInput::Ended => self.end(),
            ConnectionInput::Failed(why) => self.fail(LostReason::Io { why }),
            ConnectionInput::Tick => {}
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(quest) = self.pending.pop_expired(now) {
            let sent = self.withdraw(&quest);
            self.outputs.push_back(ConnectionOutput::Expired {
                key: quest.key,
                sent,
            });
        }
    }

    fn receive(&mut self, data: Bytes) {
        let received = self.transport.receive(data, &mut self.chunks);
        self.check_ready();
        while let Some(chunk) = self.chunks.pop_front() {
            self.decoder.push(chunk);
            self.decode();
        }
        if let Err(error) = received {
            self.fail(LostReason::Transport(error));
        } else if self.peer_has_closed() {
            self.fail(LostReason::PeerClosed);
        }
    }

    /// Whether the peer said goodbye on the transport. Our reply to that may
    /// still have to leave.
    fn peer_has_closed(&self) -> bool {
        match self.transport.state() {
            TransportState::Closed => true,
            TransportState::Closing => self.stage != Stage::Closing,
            TransportState::Opening | TransportState::Ready => false,
        }
    }

    fn check_ready(&mut self) {
        if self.stage == Stage::Opening && self.transport.state() == TransportState::Ready {
            self.stage = Stage::Open;
            self.outputs.push_back(ConnectionOutput::Ready);
        }
    }

    fn decode(&mut self) {
        while self.stage != Stage::Closed {
            match self.decoder.next_frame() {
                Ok(Some(Frame::Answer(answer))) => self.take_answer(answer),
                Ok(Some(Frame::Quest(quest))) => {
                    let quest = ServerQuest { quest };
                    self.outputs.push_back(ConnectionOutput::Quest(quest));
                }
                Ok(None) => return,
                Err(error) => self.fail(LostReason::Corrupt(error)),
            }
        }
    }

    fn take_answer(&mut self, answer: Answer) {
        // An unknown number is a late answer, or none of ours: no error.
        if let Some(quest) = self.pending.remove(answer.seq) {
            let result = match answer.status {
                0 => Ok(answer.payload),
                _ => Err(ServerError::from_payload(&answer.payload)),
            };
            self.outputs.push_back(ConnectionOutput::Answered {
                key: quest.key,
                result,
            });
        }
    }

    fn end(&mut self) {
        let reason = match self.transport.receive_end() {
            Ok(()) => LostReason::PeerClosed,
            Err(error) => LostReason::Transport(error),
        };
        self.fail(reason);
    }

    /// Ends the connection for `reason`: every outstanding quest is lost.
    ///
    /// Bytes may still be waiting in [`poll_transmit`](Self::poll_transmit),
    /// for example a TLS alert.
    pub fn fail(&mut self, reason: LostReason) {
        if self.stage == Stage::Closed {
            return;
        }
        self.stage = Stage::Closed;
        self.chunks.clear();
        for quest in self.pending.take_all() {
            let sent = self.withdraw(&quest);
            self.outputs.push_back(ConnectionOutput::Lost {
                key: quest.key,
                sent,
            });
        }
        self.outputs.push_back(ConnectionOutput::Closed(reason));
    }

    /// Says goodbye on the transport (WebSocket close frame, TLS
    /// `close_notify`) behind everything queued. No more quests or answers can
    /// be sent; outstanding quests stay outstanding until the end.
    pub fn close(&mut self) {
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return;
        }
        self.stage = Stage::Closing;
        self.transport.close();
    }

    /// What happened, oldest first.
    pub fn poll_output(&mut self) -> Option<ConnectionOutput<K>> {
        self.outputs.pop_front()
    }

    /// Raw bytes for the socket, at most 64 KiB; `None` when there are none
    /// now, or the socket is not connected yet.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        if self.stage == Stage::Dialing {
            return None;
        }
        self.transport.transmit()
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has bytes.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        self.stage != Stage::Dialing && self.transport.wants_transmit()
    }

    /// The earliest deadline of an outstanding quest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.pending.next_deadline()
    }

    /// Outstanding quests.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Bytes accepted and not handed out yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.transport.unsent()
    }

    /// Where in the outgoing stream the next package will begin, in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.transport.queued()
    }

    /// How much of the outgoing stream was handed out, in bytes.
    #[must_use]
    pub fn handed_out(&self) -> u64 {
        self.transport.handed_out()
    }

    fn was_sent(&self, position: u64) -> bool {
        self.transport.handed_out() > position
    }
}
