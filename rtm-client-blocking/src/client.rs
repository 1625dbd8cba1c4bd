//! The client: a handle whose methods wait.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant, SystemTime, UNIX_EPOCH};

use rtm_proto::api::{Caller, HistoryQuery};
use rtm_proto::error::{BuildError, LoginError, RequestError};
use rtm_proto::handle::{BlockingTokenProvider, Builder as SharedBuilder, Handle, Start};
use rtm_proto::{Config, Instant, Request, RequestOptions, Session, State, Token, UserId};

use crate::block;
use crate::engine::Engine;
use crate::events::{Events, Watch};
use crate::history::History;
use crate::seat::{SHORTEST_LIMIT, Seat};

/// An RTM client for plain threads: a cheap handle to a connection that two
/// threads of its own drive.
///
/// Clones share the connection, and any number of threads may use it at once.
/// Every call waits for its answer, at most for its time limit. When the last
/// clone is dropped the client logs out, and the drop waits until its threads
/// have ended: 5 s for the answer to the goodbye at the longest, and 1 s more
/// if the peer does not even read. [`abort`](Self::abort) first to make it
/// immediate. A thread that is opening a connection is not waited for; it ends
/// when the system gives the connection up, 10 s later at the longest.
/// [`Events`] and [`Watch`] do not count as clones.
///
/// The methods of the service come from the traits of [`api`](crate::api),
/// which the [prelude](crate::prelude) brings in; each returns a `Result` of
/// the request's response.
///
/// ```
/// use rtm_client_blocking::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let gate = rtm_gate::Gate::start()?;
/// # let (me, token, peer) = (gate.users()[0].id, gate.users()[0].token.clone(), gate.users()[1].id);
/// let client = Client::builder(gate.project_id(), me, token)
///     .dispatch(gate.dispatch().ws)
///     .login()?;
/// let receipt = client.send_chat(peer, "hello")?;
/// println!("sent as {}", receipt.message_id);
/// client.logout();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    // Dropped before the threads are joined.
    handle: Handle,
    threads: Arc<Threads>,
    /// Whether calls may read their answers themselves.
    is_patient: bool,
}

/// Waits for the threads when the last handle is gone.
struct Threads {
    engine: Arc<Engine>,
    timer: Option<JoinHandle<()>>,
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            // The threads themselves may hold the last handle for a moment,
            // inside a waker; they cannot wait for themselves.
            if timer.thread().id() != thread::current().id() {
                // A thread that panicked has ended too.
                let _ = timer.join();
            }
        }
    }
}

/// Options of a [`Client`], then the client; see
/// [`rtm_proto::handle::Builder`].
pub type Builder = SharedBuilder<Threaded>;

impl Client {
    /// Options for one user of one project; see [`Builder`].
    #[must_use]
    pub fn builder(
        project_id: u32,
        user_id: impl Into<UserId>,
        token: impl Into<Token>,
    ) -> Builder {
        Builder::new(project_id, user_id, token)
    }

    /// Options for a plain FPNN service: the client connects, reconnects and
    /// carries requests, but does not log in.
    #[must_use]
    pub fn fpnn(endpoint: impl ToString) -> Builder {
        Builder::fpnn(endpoint)
    }

    fn new(handle: Handle, threads: Arc<Threads>) -> Self {
        Client {
            is_patient: handle.time_limit() >= SHORTEST_LIMIT,
            handle,
            threads,
        }
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Engine {
        &self.threads.engine
    }

    /// Logs in, or joins a login under way, and waits until the client is
    /// online or no attempt will follow. With
    /// [`auto_reconnect`](rtm_proto::handle::Builder::auto_reconnect) that may
    /// be never, unless
    /// [`max_attempts`](rtm_proto::Backoff::max_attempts) sets a limit or
    /// another thread ends it with [`logout`](Self::logout) or
    /// [`abort`](Self::abort). An open session makes it return at once.
    ///
    /// # Errors
    ///
    /// [`LoginError`] says why there is no session.
    pub fn login(&self) -> Result<Session, LoginError> {
        block::wait(self.handle.login())
    }

    /// Logs out: says goodbye, waits up to 5 s for the answer, closes.
    #[doc(alias = "close")]
    pub fn logout(&self) {
        block::wait(self.handle.logout());
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

    /// A reader of the client's events.
    ///
    /// There is one queue, which fills from the first moment; each event goes
    /// to one of its readers.
    #[doc(alias = "processor")]
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.handle.events())
    }

    /// The client's state: the current one first, then the latest one after
    /// each change.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.handle.watch())
    }

    /// The messages of a conversation, one after the other; an iterator that
    /// asks for pages as it goes.
    #[must_use]
    pub fn history(&self, query: HistoryQuery) -> History {
        History::new(self.clone(), query)
    }

    /// A client on the same connection whose calls have another time limit;
    /// zero means the default, which is
    /// [`request_timeout`](rtm_proto::handle::Builder::request_timeout) (20 s
    /// unless set) and for files
    /// [`file_timeout`](rtm_proto::handle::Builder::file_timeout) (120 s).
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        self.with_options(self.handle.options().timeout(limit))
    }

    /// A client on the same connection whose calls have other options.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Client::new(self.handle.with_options(options), self.threads.clone())
    }

    /// Calls that were accepted and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.in_flight()
    }
}

impl Caller for Client {
    type Reply<R: Request> = Result<R::Response, RequestError>;

    fn call<R: Request>(&self, request: R) -> Result<R::Response, RequestError> {
        // A file is answered on a connection of its own.
        let may_read = self.is_patient && request.upload().is_none();
        Seat::wait(&self.threads.engine, self.handle.call(request), may_read)
    }
}

rtm_proto::implement_areas!(Client);

/// Starts clients on threads of their own.
#[derive(Clone, Copy, Debug)]
pub enum Threaded {}

impl Start for Threaded {
    type Client = Client;
    type TokenProvider = BlockingTokenProvider;
    type Login = Result<Client, LoginError>;

    fn start(config: Config, tokens: Option<BlockingTokenProvider>) -> Result<Client, BuildError> {
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
        let started = Engine::start(driver, epoch, tokens);
        let (engine, timer) = started.map_err(|error| BuildError::Runtime {
            why: error.to_string(),
        })?;
        let timer = Some(timer);
        Ok(Client::new(handle, Arc::new(Threads { engine, timer })))
    }

    fn login(built: Result<Client, BuildError>) -> Result<Client, LoginError> {
        let client = built?;
        client.login()?;
        Ok(client)
    }

    #[cfg(feature = "native-roots")]
    fn native_roots() -> Result<Vec<Vec<u8>>, String> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            return Err(format!("none found {}", why.join("; ")));
        }
        Ok(found.certs.iter().map(|cert| cert.to_vec()).collect())
    }

    #[cfg(not(feature = "native-roots"))]
    fn native_roots() -> Result<Vec<Vec<u8>>, String> {
        Err("this build lacks the feature `native-roots`".into())
    }
}
