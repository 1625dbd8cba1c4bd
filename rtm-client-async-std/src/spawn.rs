//! What an executor has to offer, and what follows from it.

use std::future::Future;

use rtm_proto::Config;
use rtm_proto::error::BuildError;
use rtm_proto::handle::{self, LoginClient, Start, TokenProvider};

use crate::client::Client;
use crate::driver::OnAsyncIo;

/// An executor with a global way to spawn.
pub(crate) trait Spawn: Sized + 'static {
    fn spawn(future: impl Future<Output = ()> + Send + 'static);
}

/// Makes a client and spawns its driver.
pub(crate) fn start<S: Spawn>(
    config: Config,
    tokens: Option<TokenProvider>,
) -> Result<Client<S>, BuildError> {
    let (client, driver, epoch) = Client::new(config)?;
    S::spawn(handle::drive(driver, OnAsyncIo::new(epoch), tokens));
    Ok(client)
}

/// Logs in a client that was just built.
pub(crate) fn login<S: Start>(built: Result<Client<S>, BuildError>) -> LoginClient<Client<S>> {
    match built {
        Ok(client) => {
            let login = client.login();
            LoginClient::new(client, login)
        }
        Err(error) => LoginClient::failed(error.into()),
    }
}
