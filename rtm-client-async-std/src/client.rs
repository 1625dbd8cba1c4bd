//! The client: a handle that spawns its driver on some executor.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant as StdInstant, SystemTime, UNIX_EPOCH};

use rtm_proto::api::{Caller, HistoryQuery};
use rtm_proto::error::BuildError;
use rtm_proto::handle::{
    Builder, Call, Driver, Events, Handle, HistoryStream, Login, Logout, Start, Watch,
};
use rtm_proto::{Config, Instant, Request, RequestOptions, State, Token, UserId};

/// An RTM client: a cheap handle to a connection that a task of the executor
/// `S` drives.
///
/// Use it under the name of its executor: `rtm_client_async_std::Client` for
/// async-std, `smol::Client` for smol,
/// [`detached::Client`](crate::detached::Client) for any other.
///
/// Clones share the connection. When the last clone is dropped the client logs
/// out; [`Events`], [`Watch`] and calls under way do not count.
///
/// The methods of the service come from the traits of [`api`](crate::api),
/// which the preludes bring in; each returns a [`Call`].
pub struct Client<S> {
    handle: Handle,
    executor: PhantomData<fn() -> S>,
}

impl<S> Client<S> {
    /// Makes a client whose driver is still to be run.
    pub(crate) fn new(config: Config) -> Result<(Self, Driver, StdInstant), BuildError> {
        let seed = getrandom::u64().map_err(|error| BuildError::Entropy {
            why: error.to_string(),
        })?;
        // A clock before 1970 makes ids that start at the epoch, nothing worse.
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let epoch = StdInstant::now();
        let clock = move || Instant::from_duration(epoch.elapsed());
        let (driver, handle) = rtm_proto::handle::new(config, seed, unix, clock);
        Ok((Self::with(handle), driver, epoch))
    }

    const fn with(handle: Handle) -> Self {
        Client {
            handle,
            executor: PhantomData,
        }
    }

    /// Logs in, or joins a login under way; see [`Login`].
    pub fn login(&self) -> Login {
        self.handle.login()
    }

    /// Logs out: says goodbye, waits up to 5 s for the answer, closes; see
    /// [`Logout`].
    #[doc(alias = "close")]
    pub fn logout(&self) -> Logout {
        self.handle.logout()
    }

    /// Drops the connection without a goodbye and ends every call. The client
    /// can never log in again.
    #[doc(alias = "destroy")]
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Replaces the token for the next login. After
    /// [`Event::TokenRefused`](crate::Event::TokenRefused) it continues the
    /// login that waits for it.
    pub fn set_token(&self, token: impl Into<Token>) {
        self.handle.set_token(token);
    }

    /// Tells the client that the network changed or came back: a wait for the
    /// next login attempt is cut short, at most once in 2 s.
    pub fn network_changed(&self) {
        self.handle.network_changed();
    }

    /// Where the client stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.handle.state()
    }

    /// A reader of the client's events; a [`Stream`](futures::Stream).
    ///
    /// There is one queue, which fills from the first moment; each event goes
    /// to one of its readers.
    #[doc(alias = "processor")]
    #[must_use]
    pub fn events(&self) -> Events {
        self.handle.events()
    }

    /// A stream of the client's state: the current one first, then the latest
    /// one after each change.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// The messages of a conversation, one after the other; a
    /// [`Stream`](futures::Stream). It asks for pages as it goes; after an
    /// error the next look tries the same page again.
    pub fn history(&self, query: HistoryQuery) -> HistoryStream {
        self.handle.history(query)
    }

    /// A client on the same connection whose calls have another time limit;
    /// zero means the default, which is
    /// [`request_timeout`](rtm_proto::handle::Builder::request_timeout) (20 s
    /// unless set) and for files
    /// [`file_timeout`](rtm_proto::handle::Builder::file_timeout) (120 s).
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self::with(self.handle.with_timeout(limit))
    }

    /// A client on the same connection whose calls have other options.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Self::with(self.handle.with_options(options))
    }

    /// Calls that were accepted and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.in_flight()
    }
}

impl<S: Start> Client<S> {
    /// Options for one user of one project; see [`Builder`].
    #[must_use]
    pub fn builder(
        project_id: u32,
        user_id: impl Into<UserId>,
        token: impl Into<Token>,
    ) -> Builder<S> {
        Builder::new(project_id, user_id, token)
    }

    /// Options for a plain FPNN service: the client connects, reconnects and
    /// carries requests, but does not log in.
    #[must_use]
    pub fn fpnn(endpoint: impl ToString) -> Builder<S> {
        Builder::fpnn(endpoint)
    }
}

impl<S> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self::with(self.handle.clone())
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("handle", &self.handle)
            .finish()
    }
}

impl<S> Caller for Client<S> {
    type Reply<R: Request> = Call<R>;

    fn call<R: Request>(&self, request: R) -> Call<R> {
        self.handle.call(request)
    }
}

rtm_proto::implement_areas!(<S> Client<S>);
