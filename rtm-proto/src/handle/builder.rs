//! Builds the client of any adapter.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use crate::config::{Backoff, Config, Endpoint, FileSignature, Token};
use crate::error::BuildError;
use crate::ids::UserId;
#[cfg(feature = "tls")]
use crate::transport::TlsOptions;

/// What an adapter adds to the [`Builder`]: how a client is started.
pub trait Start: Sized {
    /// The adapter's client.
    type Client;
    /// Where fresh tokens come from.
    type TokenProvider;
    /// What [`Builder::login`] gives: a future of the client, or the client.
    type Login;

    /// Starts a client: spawns whatever drives it.
    ///
    /// # Errors
    ///
    /// [`BuildError::Entropy`] and [`BuildError::Runtime`].
    fn start(
        config: Config,
        tokens: Option<Self::TokenProvider>,
    ) -> Result<Self::Client, BuildError>;

    /// Logs in a client that was just built.
    fn login(built: Result<Self::Client, BuildError>) -> Self::Login;

    /// The certificates the operating system trusts, in DER.
    ///
    /// # Errors
    ///
    /// A text that says why there are none.
    fn native_roots() -> Result<Vec<Vec<u8>>, String>;
}

/// Options of a client, then the client.
///
/// Endpoints are given as text and checked by [`build`](Self::build). Options
/// that the JavaScript SDK has too name their counterpart there.
pub struct Builder<S: Start> {
    config: Config,
    dispatch: Option<String>,
    gate: Option<String>,
    proxy: Option<String>,
    tokens: Option<S::TokenProvider>,
    #[cfg(feature = "tls")]
    trust: Trust,
    start: PhantomData<fn() -> S>,
}

/// Which certificates are trusted.
#[cfg(feature = "tls")]
#[derive(Default)]
struct Trust {
    options: Option<TlsOptions>,
    native: bool,
    only_extra: bool,
    extra_pem: Vec<String>,
}

impl<S: Start> Builder<S> {
    /// Options for one user of one project (`pid`, `uid`, `token`).
    #[must_use]
    pub fn new(project_id: u32, user_id: impl Into<UserId>, token: impl Into<Token>) -> Self {
        Builder::from_config(Config::new(project_id, user_id.into(), token))
    }

    /// Options for a plain FPNN service; see [`Config::fpnn`].
    #[must_use]
    pub fn fpnn(endpoint: impl ToString) -> Self {
        let mut config = Config::new(0, UserId(0), "");
        config.plain_fpnn = true;
        Builder::from_config(config).gate(endpoint)
    }

    /// Options that start from a configuration.
    #[must_use]
    pub fn from_config(config: Config) -> Self {
        Builder {
            config,
            dispatch: None,
            gate: None,
            proxy: None,
            tokens: None,
            #[cfg(feature = "tls")]
            trust: Trust::default(),
            start: PhantomData,
        }
    }

    fn set(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        self.config = change(self.config);
        self
    }

    /// The dispatch node that names a gate for each login (`dispatch`;
    /// default: none): `wss://host:port`, `ws://…`, `tls://…`, `tcp://…`, or a
    /// bare `host:port`, which follows [`ssl`](Self::ssl).
    #[must_use]
    pub fn dispatch(mut self, endpoint: impl Into<String>) -> Self {
        self.dispatch = Some(endpoint.into());
        self
    }

    /// The gate for the first login, which then skips dispatch (the `endpoint`
    /// argument of `login`; default: none). [`Session::gate`] of an earlier
    /// session is a good value.
    ///
    /// [`Session::gate`]: crate::Session::gate
    #[must_use]
    pub fn gate(mut self, endpoint: impl ToString) -> Self {
        self.gate = Some(endpoint.to_string());
        self
    }

    /// The RTMProxy for all connections (`proxyEndpoint`; default: none); see
    /// [`Config::proxy_endpoint`].
    #[must_use]
    pub fn proxy_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.proxy = Some(endpoint.into());
        self
    }

    /// Asks dispatch for an IPv6 gate (the `ipv6` argument of `login`;
    /// default: off).
    #[must_use]
    pub fn ipv6(self, on: bool) -> Self {
        self.set(|config| config.ipv6(on))
    }

    /// Whether an endpoint without scheme means `wss` or `ws` (`ssl`; default:
    /// on).
    #[must_use]
    pub fn ssl(self, on: bool) -> Self {
        self.set(|config| config.ssl(on))
    }

    /// The version text sent at login (`version`; default: empty).
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        self.set(|config| config.version(version))
    }

    /// Attributes stored with the connection at login (`attrs`; default:
    /// none).
    #[must_use]
    pub fn attributes<K, V>(self, attributes: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        self.set(|config| config.attributes(attributes))
    }

    /// Whether a lost session, or a first login that failed, is tried again
    /// (`autoReconnect`; default: off).
    #[must_use]
    pub fn auto_reconnect(self, on: bool) -> Self {
        self.set(|config| config.auto_reconnect(on))
    }

    /// The pauses between attempts (default: [`Backoff::default`]).
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.set(|config| config.backoff(backoff))
    }

    /// How long opening a connection may take (`connectionTimeout`; default:
    /// 30 s); see [`Config::connection_timeout`].
    #[must_use]
    pub fn connection_timeout(self, limit: Duration) -> Self {
        self.set(|config| config.connection_timeout(limit))
    }

    /// How long a call may take (`timeout` of every method; default: 20 s).
    #[must_use]
    pub fn request_timeout(self, limit: Duration) -> Self {
        self.set(|config| config.request_timeout(limit))
    }

    /// How long sending a file may take (default: 120 s).
    #[must_use]
    pub fn file_timeout(self, limit: Duration) -> Self {
        self.set(|config| config.file_timeout(limit))
    }

    /// How files are signed (default: as the JavaScript SDK does).
    #[must_use]
    pub fn file_signature(self, signature: FileSignature) -> Self {
        self.set(|config| config.file_signature(signature))
    }

    /// The longest silence of the gate (default: 60 s); see
    /// [`Config::max_ping_interval`].
    #[must_use]
    pub fn max_ping_interval(self, limit: Option<Duration>) -> Self {
        self.set(|config| config.max_ping_interval(limit))
    }

    /// How long a message id is remembered to drop its repetition (default: 20
    /// minutes); see [`Config::duplicate_lifetime`].
    #[must_use]
    pub fn duplicate_lifetime(self, lifetime: Duration) -> Self {
        self.set(|config| config.duplicate_lifetime(lifetime))
    }

    /// Whether rooms are entered again after a reconnect (default: on).
    #[must_use]
    pub fn restore_rooms(self, on: bool) -> Self {
        self.set(|config| config.restore_rooms(on))
    }

    /// Whether a refused token asks the application for a fresh one (default:
    /// off); see [`Config::provide_tokens`].
    #[must_use]
    pub fn provide_tokens(self, on: bool) -> Self {
        self.set(|config| config.provide_tokens(on))
    }

    /// Asks `provider` for a fresh token when the gate refuses the one in use;
    /// implies [`provide_tokens`](Self::provide_tokens).
    ///
    /// The provider has 30 s to answer. `None` makes the refusal final, and so
    /// do three refused tokens in a row. The client keeps the provider, so one
    /// that holds a handle to the same client keeps that client from ever
    /// logging out by itself.
    #[must_use]
    pub fn token_provider(mut self, provider: impl Into<S::TokenProvider>) -> Self {
        self.tokens = Some(provider.into());
        self.provide_tokens(true)
    }

    /// Whether arguments are checked before anything is sent (default: on);
    /// see [`Config::check_arguments`].
    #[must_use]
    pub fn check_arguments(self, on: bool) -> Self {
        self.set(|config| config.check_arguments(on))
    }

    /// The largest package sent or accepted (default: 8 MiB); see
    /// [`Config::max_package`].
    #[must_use]
    pub fn max_package(self, bytes: usize) -> Self {
        self.set(|config| config.max_package(bytes))
    }

    /// How many bytes may wait for a peer that does not read (default:
    /// 16 MiB); see [`Config::max_unsent`].
    #[must_use]
    pub fn max_unsent(self, bytes: usize) -> Self {
        self.set(|config| config.max_unsent(bytes))
    }

    /// How many calls may wait for a session (default: 1 024); see
    /// [`Config::max_waiting`].
    #[must_use]
    pub fn max_waiting(self, calls: usize) -> Self {
        self.set(|config| config.max_waiting(calls))
    }

    /// How many events may wait for the application (default: 8 192); see
    /// [`Config::event_capacity`].
    #[must_use]
    pub fn event_capacity(self, events: usize) -> Self {
        self.set(|config| config.event_capacity(events))
    }

    /// How many bytes of events may wait for the application (default:
    /// 64 MiB); see [`Config::event_bytes`].
    #[must_use]
    pub fn event_bytes(self, bytes: usize) -> Self {
        self.set(|config| config.event_bytes(bytes))
    }

    /// Trusts the certificates of the operating system too (default: off, the
    /// built-in Mozilla roots only). Needs the adapter's feature
    /// `native-roots`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn native_roots(mut self, on: bool) -> Self {
        self.trust.native = on;
        self
    }

    /// Trusts the root certificates in `pem` too.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn root_certificates_pem(mut self, pem: impl Into<String>) -> Self {
        self.trust.extra_pem.push(pem.into());
        self
    }

    /// Whether the built-in Mozilla roots are trusted (default: on). Turn it
    /// off to trust nothing but what
    /// [`root_certificates_pem`](Self::root_certificates_pem) and
    /// [`native_roots`](Self::native_roots) add.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn built_in_roots(mut self, on: bool) -> Self {
        self.trust.only_extra = !on;
        self
    }

    /// TLS settings made elsewhere, in place of all others. Clients that share
    /// them resume each other's TLS sessions.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.trust.options = Some(options);
        self
    }

    /// The finished configuration.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says which option is wrong.
    pub fn into_config(self) -> Result<Config, BuildError> {
        self.split().map(|(config, _)| config)
    }

    fn split(self) -> Result<(Config, Option<S::TokenProvider>), BuildError> {
        let mut config = self.config;
        if let Some(endpoint) = parse("dispatch", self.dispatch)? {
            config = config.dispatch(endpoint);
        }
        if let Some(endpoint) = parse("gate", self.gate)? {
            config = config.gate(endpoint);
        }
        if let Some(endpoint) = parse("proxy_endpoint", self.proxy)? {
            config = config.proxy_endpoint(endpoint);
        }
        #[cfg(feature = "tls")]
        if config.tls.is_none() && uses_tls(&config) {
            config = config.tls(self.trust.build::<S>()?);
        }
        Ok((config, self.tokens))
    }

    /// Makes the client, which does nothing before it is told to log in.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says which option is wrong.
    pub fn build(self) -> Result<S::Client, BuildError> {
        let (config, tokens) = self.split()?;
        S::start(config, tokens)
    }

    /// Makes the client and logs it in.
    ///
    /// # Errors
    ///
    /// A wrong option is
    /// [`LoginErrorKind::Build`](crate::error::LoginErrorKind::Build); the
    /// rest is as for the client's own `login`.
    pub fn login(self) -> S::Login {
        S::login(self.build())
    }
}

fn parse(option: &'static str, text: Option<String>) -> Result<Option<Endpoint>, BuildError> {
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error| BuildError::Endpoint { option, error })
}

/// Reading certificates takes time and memory, so it is left out where no
/// connection can need them. A server may name a `wss` address only if it was
/// itself reached over TLS, or spells the scheme out; then dispatch was
/// configured.
#[cfg(feature = "tls")]
fn uses_tls(config: &Config) -> bool {
    let scheme = |endpoint: &Endpoint| endpoint.scheme().unwrap_or(config.default_scheme());
    let all = [&config.dispatch, &config.gate, &config.proxy];
    config.dispatch.is_some() || all.into_iter().flatten().any(|e| scheme(e).is_encrypted())
}

#[cfg(feature = "tls")]
impl Trust {
    fn build<S: Start>(self) -> Result<TlsOptions, BuildError> {
        if let Some(options) = self.options {
            return Ok(options);
        }
        let mut builder = TlsOptions::builder();
        if !self.only_extra {
            builder = builder.add_webpki_roots();
        }
        if self.native {
            let roots = S::native_roots().map_err(|why| BuildError::NativeRoots { why })?;
            // Systems carry a few certificates nobody can read; the count of
            // those that could not be added is of no use here.
            builder.add_roots_der(roots);
        }
        for pem in &self.extra_pem {
            builder = builder.add_root_pem(pem).map_err(BuildError::Tls)?;
        }
        builder.build().map_err(BuildError::Tls)
    }
}

impl<S: Start> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("dispatch", &self.dispatch)
            .field("gate", &self.gate)
            .field("proxy_endpoint", &self.proxy)
            .finish_non_exhaustive()
    }
}
