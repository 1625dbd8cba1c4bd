//! What a call is: the [`Request`] trait and what surrounds it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use crate::api::Upload;
use crate::config::FileSignature;
use crate::error::RequestError;
use crate::ids::{MessageId, RoomId, UserId};
use crate::payload::{CodecError, Payload, PayloadWriter};

/// A call to the service: how it is written and how its answer is read.
///
/// Every method of the service has a type of its own in [`api`](crate::api);
/// anybody can add one. What is written is a msgpack map; the state machine
/// adds the package around it.
///
/// ```
/// use rtm_proto::error::RequestError;
/// use rtm_proto::payload::{CodecError, Payload, PayloadWriter, Required};
/// use rtm_proto::{Context, Request};
///
/// /// Asks an FPNN server for its clock.
/// struct Ping;
///
/// impl Request for Ping {
///     type Response = i64;
///
///     fn method(&self) -> &str {
///         "*ping"
///     }
///
///     fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
///         Ok(())
///     }
///
///     fn decode(&self, _: &Context, answer: Payload) -> Result<i64, CodecError> {
///         let mut ts = None;
///         answer.fields(|key, value| match key {
///             "ts" => value.read_into(&mut ts),
///             _ => Ok(()),
///         })?;
///         ts.required("ts")
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request of the RTM service",
    note = "use one of the types in `api`, or `Custom` for a method that has none"
)]
pub trait Request: Send + 'static {
    /// What a successful call gives.
    type Response: Send + 'static;

    /// The method's name on the wire, 1 to 255 bytes.
    fn method(&self) -> &str;

    /// Writes the parameters.
    ///
    /// # Errors
    ///
    /// [`RequestError::invalid`] for an argument that must not be sent.
    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError>;

    /// Reads the answer of a successful call.
    ///
    /// # Errors
    ///
    /// A missing or unreadable field fails this call only.
    fn decode(&self, context: &Context, answer: Payload) -> Result<Self::Response, CodecError>;

    /// For requests that send a message: the id it should carry.
    ///
    /// Such requests get an id generated if theirs is zero, and only such
    /// requests are ever repeated by
    /// [`resend_on_loss`](RequestOptions::resend_on_loss).
    fn message(&self) -> Option<MessageOptions> {
        None
    }

    /// For requests that send a file: the file. The client then runs the whole
    /// transfer, and [`encode`](Self::encode) only checks the arguments.
    fn upload(&self) -> Option<&Upload> {
        None
    }

    /// What the client remembers once the call succeeded, to restore it after
    /// a reconnect.
    fn remembers(&self) -> Option<Remembered> {
        None
    }
}

/// How a message wants to be identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageOptions {
    /// The id; [`MessageId::NONE`] asks for a generated one.
    pub id: MessageId,
    /// Whether a message with this id may have arrived before, so that the
    /// server's "duplicate id" (200053) means success.
    pub resend: bool,
}

/// Something about a session that a successful call changes and that the
/// client restores after a reconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remembered {
    /// A room was entered.
    EnteredRoom(RoomId),
    /// A room was left.
    LeftRoom(RoomId),
    /// The language messages are translated to; empty for none.
    Language(String),
    /// Attributes were added to those of the connection.
    Attributes(BTreeMap<String, String>),
}

/// What a request may need to know when it is written or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The project.
    pub project_id: u32,
    /// The user who calls.
    pub user_id: UserId,
    /// The id of the message that is sent; [`MessageId::NONE`] in requests
    /// that send none.
    pub message_id: MessageId,
    /// Whether arguments should be checked
    /// ([`Config::check_arguments`](crate::Config::check_arguments)).
    pub check_arguments: bool,
    /// How files are signed
    /// ([`Config::file_signature`](crate::Config::file_signature)).
    pub file_signature: FileSignature,
    /// Set when reading the answer of a resend that had arrived before. The
    /// answer is then empty.
    pub deduplicated: bool,
}

/// How one call is carried out.
///
/// ```
/// use rtm_proto::RequestOptions;
/// use std::time::Duration;
///
/// let patient = RequestOptions::default()
///     .timeout(Duration::from_secs(60))
///     .wait_online(true)
///     .resend_on_loss(2);
/// # let _ = patient;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) wait_online: bool,
    pub(crate) resend_on_loss: u8,
}

impl RequestOptions {
    /// The time limit of the call, waiting included (default: zero, which
    /// means [`Config::request_timeout`](crate::Config::request_timeout)).
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = (!limit.is_zero()).then_some(limit);
        self
    }

    /// Whether a call made without a session waits for one until its deadline,
    /// instead of failing with `NotConnected` (default: off).
    ///
    /// It waits while the client is idle, connecting or backing off; a closed
    /// or closing client still fails the call at once.
    #[must_use]
    pub fn wait_online(mut self, on: bool) -> Self {
        self.wait_online = on;
        self
    }

    /// How often a message is sent again, with the same id, when its
    /// connection is lost or an answer stays out (default: 0).
    ///
    /// The deadline covers all tries: each waits for an answer for an equal
    /// share of the time that is left. After a loss the message waits for the
    /// next session. Requests that send no message are never repeated.
    #[must_use]
    pub fn resend_on_loss(mut self, times: u8) -> Self {
        self.resend_on_loss = times;
        self
    }
}

/// Names one call of a [`Client`](crate::Client); never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) u64);
