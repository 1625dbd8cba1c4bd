//! What an executor has to offer, and what follows from it.

use std::future::Future;

use rtm_proto::Config;
use rtm_proto::error::BuildError;
use rtm_proto::handle::{LoginClient, Start};

use crate::client::Client;
use crate::driver;

/// An executor with a global way to spawn.
pub(crate) trait Spawn: Sized + 'static {
    fn spawn(future: impl Future<Output = ()> + Send + 'static);
}

/// Makes a client and spawns its driver.
pub(crate) fn start<S: Spawn>(config: Config) -> Result<Client<S>, BuildError> {
    let (client, driver, epoch) = Client::new(config)?;
    S::spawn(driver::drive(driver, epoch));
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
