//! The client: a handle that spawns its driver on tokio.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rtm_proto::api::{Caller, HistoryQuery};
use rtm_proto::error::BuildError;
use rtm_proto::handle::{
    self, Builder as SharedBuilder, Call, Events, Handle, HistoryStream, Login, LoginClient,
    Logout, Start, TokenProvider, Watch,
};
use rtm_proto::{Config, Instant, Request, RequestOptions, State, Token, UserId};
use tokio::runtime;

use crate::driver::OnTokio;

/// An RTM client: a cheap handle to a connection that a tokio task drives.
///
/// Clones share the connection. When the last clone is dropped the client logs
/// out; [`Events`], [`Watch`] and calls under way do not count.
///
/// The methods of the service come from the traits of [`api`](crate::api),
/// which the [prelude](crate::prelude) brings in; each returns a [`Call`].
///
/// ```
/// use rtm_client_tokio::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let gate = rtm_gate::Gate::start()?;
/// # let (me, token, peer) = (gate.users()[0].id, gate.users()[0].token.clone(), gate.users()[1].id);
/// let client = Client::builder(gate.project_id(), me, token)
///     .dispatch(gate.dispatch().ws)
///     .login()
///     .await?;
/// let receipt = client.send_chat(peer, "hello").await?;
/// println!("sent as {}", receipt.message_id);
/// client.logout().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    handle: Handle,
}

/// Options of a [`Client`], then the client; see
/// [`rtm_proto::handle::Builder`].
pub type Builder = SharedBuilder<Tokio>;

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
        Client {
            handle: self.handle.with_timeout(limit),
        }
    }

    /// A client on the same connection whose calls have other options.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Client {
            handle: self.handle.with_options(options),
        }
    }

    /// Calls that were accepted and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.handle.in_flight()
    }
}

impl Caller for Client {
    type Reply<R: Request> = Call<R>;

    fn call<R: Request>(&self, request: R) -> Call<R> {
        self.handle.call(request)
    }
}

rtm_proto::implement_areas!(Client);

/// Starts clients on the tokio runtime that is current.
#[derive(Clone, Copy, Debug)]
pub enum Tokio {}

impl Start for Tokio {
    type Client = Client;
    type TokenProvider = TokenProvider;
    type Login = LoginClient<Client>;

    fn start(config: Config, tokens: Option<TokenProvider>) -> Result<Client, BuildError> {
        let runtime = runtime::Handle::try_current().map_err(|error| BuildError::Runtime {
            why: error.to_string(),
        })?;
        let seed = getrandom::u64().map_err(|error| BuildError::Entropy {
            why: error.to_string(),
        })?;
        // A clock before 1970 makes ids that start at the epoch, nothing worse.
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let epoch = tokio::time::Instant::now();
        let clock = move || Instant::from_duration(epoch.elapsed());
        let (driver, handle) = handle::new(config, seed, unix, clock);
        runtime.spawn(handle::drive(driver, OnTokio::new(epoch), tokens));
        Ok(Client { handle })
    }

    fn login(built: Result<Client, BuildError>) -> LoginClient<Client> {
        match built {
            Ok(client) => {
                let login = client.login();
                LoginClient::new(client, login)
            }
            Err(error) => LoginClient::failed(error.into()),
        }
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
