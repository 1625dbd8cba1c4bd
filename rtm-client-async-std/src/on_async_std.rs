//! The client on async-std.

use std::future::Future;

use rtm_proto::Config;
use rtm_proto::error::BuildError;
use rtm_proto::handle::{LoginClient, Start, TokenProvider};

use crate::roots;
use crate::spawn::{self, Spawn};

/// Starts clients on async-std.
#[derive(Clone, Copy, Debug)]
pub enum AsyncStd {}

/// An RTM client whose driver runs on the executor of this module; see
/// [`client::Client`](crate::client::Client).
///
/// ```
/// use rtm_client_async_std::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let gate = rtm_gate::Gate::start()?;
/// # let (me, token, peer) = (gate.users()[0].id, gate.users()[0].token.clone(), gate.users()[1].id);
/// async_std::task::block_on(async {
///     let client = Client::builder(gate.project_id(), me, token)
///         .dispatch(gate.dispatch().ws)
///         .login()
///         .await?;
///     let receipt = client.send_chat(peer, "hello").await?;
///     println!("sent as {}", receipt.message_id);
///     client.logout().await;
/// #   Ok(())
/// })
/// # }
/// ```
pub type Client = crate::client::Client<AsyncStd>;

/// Options of a [`Client`], then the client; see
/// [`rtm_proto::handle::Builder`].
pub type Builder = rtm_proto::handle::Builder<AsyncStd>;

impl Spawn for AsyncStd {
    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(future);
    }
}

impl Start for AsyncStd {
    type Client = Client;
    type TokenProvider = TokenProvider;
    type Login = LoginClient<Client>;

    fn start(config: Config, tokens: Option<TokenProvider>) -> Result<Client, BuildError> {
        spawn::start(config, tokens)
    }

    fn login(built: Result<Client, BuildError>) -> LoginClient<Client> {
        spawn::login(built)
    }

    fn native_roots() -> Result<Vec<Vec<u8>>, String> {
        roots::native_roots()
    }
}
