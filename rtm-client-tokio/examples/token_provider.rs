//! Gets a fresh token when the gate refuses the one in use.

use std::error::Error;
use std::sync::Arc;

use rtm_client_tokio::prelude::*;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let gate = Arc::new(rtm_gate::Gate::start()?);
    let me = gate.users()[0].clone();
    // The token we have is too old.
    gate.expire_tokens();

    let service = gate.clone();
    let client = Client::builder(gate.project_id(), me.id, me.token)
        .dispatch(gate.dispatch().ws)
        .auto_reconnect(true)
        .token_provider(move || {
            let service = service.clone();
            // A real application asks its own server here. `None` gives up.
            async move {
                println!("asking for a fresh token");
                Some(service.token(me.id))
            }
        })
        .login()
        .await?;
    println!("{}", client.state());
    println!("groups: {:?}", client.get_user_groups().await?);
    client.logout().await;
    Ok(())
}
