//! Everything that can be set about a client.

mod backoff;
mod endpoint;
mod signature;
mod token;

pub use backoff::Backoff;
pub use endpoint::{Endpoint, EndpointError, EndpointErrorKind};
pub use signature::FileSignature;
pub use token::Token;

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use crate::frame::DEFAULT_MAX_PACKAGE;
use crate::ids::UserId;
use crate::transport::Scheme;
#[cfg(feature = "tls")]
use crate::transport::TlsOptions;

/// The settings of a [`Client`](crate::Client).
///
/// Each setter names its default and, where there is one, the option of the
/// JavaScript SDK that it stands for.
///
/// ```
/// use rtm_proto::{Config, Endpoint, UserId};
/// use std::time::Duration;
///
/// let dispatch: Endpoint = "wss://dispatch.example:13325".parse()?;
/// let config = Config::new(1000012, UserId(654321), "the token")
///     .dispatch(dispatch)
///     .auto_reconnect(true)
///     .request_timeout(Duration::from_secs(10));
/// # let _ = config;
/// # Ok::<(), rtm_proto::EndpointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) project_id: u32,
    pub(crate) user_id: UserId,
    pub(crate) token: Token,
    pub(crate) dispatch: Option<Endpoint>,
    pub(crate) gate: Option<Endpoint>,
    pub(crate) proxy: Option<Endpoint>,
    pub(crate) plain_fpnn: bool,
    pub(crate) ipv6: bool,
    pub(crate) ssl: bool,
    pub(crate) version: String,
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    pub(crate) auto_reconnect: bool,
    pub(crate) backoff: Backoff,
    pub(crate) connection_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) file_timeout: Duration,
    pub(crate) file_signature: FileSignature,
    pub(crate) max_ping_interval: Option<Duration>,
    pub(crate) duplicate_lifetime: Duration,
    pub(crate) restore_rooms: bool,
    pub(crate) provide_tokens: bool,
    pub(crate) check_arguments: bool,
    pub(crate) max_package: usize,
    pub(crate) max_unsent: usize,
    pub(crate) max_waiting: usize,
    pub(crate) event_capacity: usize,
    pub(crate) event_bytes: usize,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsOptions>,
}

impl Config {
    /// Settings for one user of one project (`pid`, `uid` and `token` of the
    /// JavaScript SDK), everything else at its default.
    ///
    /// The token comes from the application's own server, which gets it from
    /// the service.
    #[must_use]
    pub fn new(project_id: u32, user_id: UserId, token: impl Into<Token>) -> Self {
        Config {
            project_id,
            user_id,
            token: token.into(),
            dispatch: None,
            gate: None,
            proxy: None,
            plain_fpnn: false,
            ipv6: false,
            ssl: true,
            version: String::new(),
            attributes: None,
            auto_reconnect: false,
            backoff: Backoff::default(),
            connection_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(20),
            file_timeout: Duration::from_secs(120),
            file_signature: FileSignature::Seed,
            max_ping_interval: Some(Duration::from_secs(60)),
            duplicate_lifetime: Duration::from_secs(20 * 60),
            restore_rooms: true,
            provide_tokens: false,
            check_arguments: true,
            max_package: DEFAULT_MAX_PACKAGE,
            max_unsent: 16 * 1024 * 1024,
            max_waiting: 1024,
            event_capacity: 8192,
            event_bytes: 64 * 1024 * 1024,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Settings for a plain FPNN service: the client connects, reconnects and
    /// carries requests, but does not log in. "Online" then means connected.
    #[must_use]
    pub fn fpnn(endpoint: Endpoint) -> Self {
        let mut config = Config::new(0, UserId(0), "");
        config.gate = Some(endpoint);
        config.plain_fpnn = true;
        config
    }

    /// The dispatch node that names a gate for each login (`dispatch`;
    /// default: none).
    #[must_use]
    pub fn dispatch(mut self, endpoint: Endpoint) -> Self {
        self.dispatch = Some(endpoint);
        self
    }

    /// The gate for the first login, which then skips dispatch (the `endpoint`
    /// argument of `login`; default: none).
    ///
    /// The gate of the last session is a good value: see
    /// [`Session::gate`](crate::Session::gate).
    #[must_use]
    pub fn gate(mut self, endpoint: Endpoint) -> Self {
        self.gate = Some(endpoint);
        self
    }

    /// The RTMProxy through which every connection goes (`proxyEndpoint`;
    /// default: none).
    ///
    /// It is used only while [`ssl`](Self::ssl) is on, as in the JavaScript
    /// SDK: the proxy's own connection is `wss` unless the endpoint says
    /// otherwise, and every package carries the address of its real target.
    #[must_use]
    pub fn proxy_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.proxy = Some(endpoint);
        self
    }

    /// Asks dispatch for an IPv6 gate (the `ipv6` argument of `login`;
    /// default: off, IPv4).
    #[must_use]
    pub fn ipv6(mut self, on: bool) -> Self {
        self.ipv6 = on;
        self
    }

    /// Whether an endpoint without scheme means `wss` or `ws` (`ssl`; default:
    /// on, `wss`).
    #[must_use]
    pub fn ssl(mut self, on: bool) -> Self {
        self.ssl = on;
        self
    }

    /// The version text sent to dispatch and gate (`version`; default: empty,
    /// which `auth` leaves out).
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Attributes stored with the connection at login (`attrs`; default:
    /// none). The user's other sessions can read them.
    #[must_use]
    pub fn attributes<K, V>(mut self, attributes: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = attributes.into_iter();
        self.attributes = Some(pairs.map(|(k, v)| (k.into(), v.into())).collect());
        self
    }

    /// Whether a lost session, or a first login that failed, is tried again
    /// (`autoReconnect`; default: off, as the JavaScript SDK's README says).
    #[must_use]
    pub fn auto_reconnect(mut self, on: bool) -> Self {
        self.auto_reconnect = on;
        self
    }

    /// The pauses between attempts (default: [`Backoff::default`]).
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long opening a connection may take, from name lookup to the
    /// WebSocket upgrade; also the limit of the dispatch lookup
    /// (`connectionTimeout`; default: 30 s). Zero means the default.
    ///
    /// A login attempt as a whole may take this plus
    /// [`request_timeout`](Self::request_timeout).
    #[must_use]
    pub fn connection_timeout(mut self, limit: Duration) -> Self {
        self.connection_timeout = or_default(limit, Duration::from_secs(30));
        self
    }

    /// How long a call may take unless it says otherwise (`timeout` of every
    /// method; default: 20 s). Zero means the default.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = or_default(limit, Duration::from_secs(20));
        self
    }

    /// How long sending a file may take in all, unless the call says otherwise
    /// (default: 120 s). Zero means the default.
    #[must_use]
    pub fn file_timeout(mut self, limit: Duration) -> Self {
        self.file_timeout = or_default(limit, Duration::from_secs(120));
        self
    }

    /// How files are signed (default: [`FileSignature::Seed`]).
    #[must_use]
    pub fn file_signature(mut self, signature: FileSignature) -> Self {
        self.file_signature = signature;
        self
    }

    /// The longest silence of a WebSocket gate before the connection counts
    /// as dead (default: 60 s; `None`: never). Zero means the default.
    ///
    /// TCP connections do not wait for silence: after 20 s without a byte the
    /// client asks with `*ping`, and 5 s later the connection is dead. `None`
    /// turns that off too.
    #[must_use]
    pub fn max_ping_interval(mut self, limit: Option<Duration>) -> Self {
        self.max_ping_interval = limit.map(|limit| or_default(limit, Duration::from_secs(60)));
        self
    }

    /// How long a message id is remembered so that its repetition is dropped,
    /// counted from the first sighting (default: 20 minutes; the JavaScript
    /// SDK has 5 s, `MID_TTL`). At most 65 536 ids are remembered. Zero turns
    /// the filter off.
    #[must_use]
    pub fn duplicate_lifetime(mut self, lifetime: Duration) -> Self {
        self.duplicate_lifetime = lifetime;
        self
    }

    /// Whether rooms are entered again after a reconnect (default: on). Rooms
    /// belong to a session, so the service forgets them.
    #[must_use]
    pub fn restore_rooms(mut self, on: bool) -> Self {
        self.restore_rooms = on;
        self
    }

    /// Whether a refused token asks the application for a fresh one before
    /// the client gives up (default: off).
    ///
    /// When on, [`Event::TokenRefused`](crate::Event::TokenRefused) is raised
    /// and the client waits up to 30 s for
    /// [`set_token`](crate::Client::set_token). Three tokens in a row are
    /// tried, then the refusal is final.
    #[must_use]
    pub fn provide_tokens(mut self, on: bool) -> Self {
        self.provide_tokens = on;
        self
    }

    /// Whether arguments are checked before anything is sent (default: on):
    /// history count 1–20, message type 1–127, data key 1–128 bytes, data
    /// value ≤ 65 535 bytes, file type 40–50, file ≤ 5 MiB.
    #[must_use]
    pub fn check_arguments(mut self, on: bool) -> Self {
        self.check_arguments = on;
        self
    }

    /// The largest package that is sent or accepted, header included
    /// (default: 8 MiB, the limit of FPNN servers). A larger one from the peer
    /// ends the connection; a larger one to be sent fails its call.
    #[must_use]
    pub fn max_package(mut self, bytes: usize) -> Self {
        self.max_package = bytes;
        self
    }

    /// How many bytes may wait for a peer that does not read, per connection
    /// (default: 16 MiB; the memory behind it may be three times as much for a
    /// moment, when many calls end before they are sent). Calls beyond fail with `Backpressure`.
    #[must_use]
    pub fn max_unsent(mut self, bytes: usize) -> Self {
        self.max_unsent = bytes;
        self
    }

    /// How many calls may wait for a session (default: 1 024; see
    /// [`RequestOptions::wait_online`](crate::RequestOptions::wait_online)).
    #[must_use]
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = calls;
        self
    }

    /// How many events may wait for the application (default: 8 192). Beyond
    /// that the oldest pushes are dropped and counted by
    /// [`Event::Lagged`](crate::Event::Lagged); the progress of uploads gives
    /// way too and is not counted. What is neither, such as a change of state,
    /// stays.
    #[must_use]
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.event_capacity = events;
        self
    }

    /// How many bytes of events may wait for the application (default:
    /// 64 MiB), with the same consequence. Bodies count as long as they are;
    /// those of 32 KiB and more may hold memory of twice their length.
    #[must_use]
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.event_bytes = bytes;
        self
    }

    /// Which certificates `wss` and `tls` trust (default: none, and such
    /// endpoints fail; adapters fill in the built-in roots).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = Some(options);
        self
    }

    /// The scheme of an endpoint that names none.
    pub(crate) const fn default_scheme(&self) -> Scheme {
        if self.ssl { Scheme::Wss } else { Scheme::Ws }
    }
}

fn or_default(limit: Duration, default: Duration) -> Duration {
    if limit.is_zero() { default } else { limit }
}
