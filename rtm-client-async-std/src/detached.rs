//! A client whose driver the application runs on an executor of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use rtm_proto::Config;
use rtm_proto::error::BuildError;
use rtm_proto::handle::{self, Start, TokenProvider};

use crate::driver::OnAsyncIo;
use crate::roots;

/// Starts nothing: the future is handed out.
#[derive(Clone, Copy, Debug)]
pub enum Detached {}

/// An RTM client whose driver the application runs; see
/// [`client::Client`](crate::client::Client).
pub type Client = crate::client::Client<Detached>;

/// Options of a [`Client`]. [`build`](rtm_proto::handle::Builder::build) gives
/// the client and the [`DriverFuture`] to spawn.
///
/// ```
/// use futures::executor::block_on;
/// use futures::future::join;
/// use rtm_client_async_std::detached::Client;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let gate = rtm_gate::Gate::start()?;
/// # let (me, token) = (gate.users()[0].id, gate.users()[0].token.clone());
/// let (client, driver) = Client::builder(gate.project_id(), me, token)
///     .gate(gate.gate().tcp)
///     .build()?;
/// block_on(join(driver, async move {
///     let session = client.login().await?;
///     println!("online at {}", session.gate);
/// #   Ok::<(), rtm_client_async_std::error::LoginError>(())
///     // The driver ends once the last handle is gone.
/// })).1?;
/// # Ok(())
/// # }
/// ```
pub type Builder = rtm_proto::handle::Builder<Detached>;

/// Drives a client; spawn it, or poll it together with the rest.
///
/// It ends when the client is closed and its last handle is gone.
///
/// # Cancel safety
///
/// Dropping it aborts the client: every call ends with an error.
#[must_use = "without its driver a client does nothing"]
pub struct DriverFuture(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Future for DriverFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for DriverFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverFuture").finish_non_exhaustive()
    }
}

impl Start for Detached {
    type Client = (Client, DriverFuture);
    type TokenProvider = TokenProvider;
    type Login = Result<(Client, DriverFuture), BuildError>;

    fn start(config: Config, tokens: Option<TokenProvider>) -> Result<Self::Client, BuildError> {
        let (client, driver, epoch) = Client::new(config)?;
        let driving = handle::drive(driver, OnAsyncIo::new(epoch), tokens);
        Ok((client, DriverFuture(Box::pin(driving))))
    }

    /// A driver that is not running cannot log in: this only builds.
    fn login(built: Result<Self::Client, BuildError>) -> Self::Login {
        built
    }

    fn native_roots() -> Result<Vec<Vec<u8>>, String> {
        roots::native_roots()
    }
}
