//! Two users log in through dispatch and talk, over WebSocket, with the local gate in this process.
//!
//! With `RTM_ENDPOINT` (dispatch) or `RTM_GATE`, `RTM_PROJECT_ID`, `RTM_USER_ID` and `RTM_TOKEN`
//! set, one user logs in to that service instead; `RTM_PEER` gets a chat from it.

use std::env::var;
use std::error::Error;
use std::time::Duration;

use async_std::future::timeout;
use async_std::task;
use rtm_client_async_std::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    match var("RTM_ENDPOINT").or(var("RTM_GATE")) {
        Ok(_) => task::block_on(one_user_at_a_real_service()),
        Err(_) => task::block_on(two_users_at_the_local_gate()),
    }
}

async fn two_users_at_the_local_gate() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .dispatch(gate.dispatch().ws)
            .login()
    };
    let (client_a, client_b) = (login(ann).await?, login(bob).await?);
    let listen_a = task::spawn(print_messages("Ann", client_a.events(), 1));
    let listen_b = task::spawn(print_messages("Bob", client_b.events(), 4));

    client_a.send_chat(bob.id, "Hello Bob, 你好 🎉").await?;
    client_b.send_chat(ann.id, "Hi Ann – naïve café?").await?;
    client_a
        .send_group_chat(gate.group(), "hello, group")
        .await?;
    for client in [&client_a, &client_b] {
        client.enter_room(4711).await?;
    }
    client_a.send_room_chat(4711, "hello, room").await?;
    let bytes: &[u8] = &[0xff, 0x00, 0xfe];
    let receipt = client_a.send_message(bob.id, 66, bytes).await?;
    println!("the last message went out as {}", receipt.message_id);

    listen_a.await;
    listen_b.await;
    client_a.logout().await;
    client_b.logout().await;
    println!("both have logged out");
    Ok(())
}

/// Prints messages until `count` have come.
async fn print_messages(me: &str, events: impl StreamExt<Item = Event> + Unpin, count: usize) {
    let messages = events.filter_map(async |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    let mut messages = std::pin::pin!(messages.take(count));
    while let Some(m) = messages.next().await {
        let (place, sender, body) = (m.conversation, m.sender, m.body);
        println!("{me} sees {place:?} from {sender}: {body:?}");
    }
}

async fn one_user_at_a_real_service() -> Result<(), Box<dyn Error>> {
    let user: i64 = var("RTM_USER_ID")?.parse()?;
    let mut builder = Client::builder(var("RTM_PROJECT_ID")?.parse()?, user, var("RTM_TOKEN")?);
    if let Ok(dispatch) = var("RTM_ENDPOINT") {
        builder = builder.dispatch(dispatch);
    }
    if let Ok(gate) = var("RTM_GATE") {
        builder = builder.gate(gate);
    }
    let client = builder.login().await?;
    println!("{}", client.state());
    println!("groups: {:?}", client.get_user_groups().await?);
    if let Ok(peer) = var("RTM_PEER") {
        let peer: i64 = peer.parse()?;
        client.send_chat(peer, "hello from Rust").await?;
        let listen = print_messages("you", client.events(), usize::MAX);
        let _ = timeout(Duration::from_secs(5), listen).await;
    }
    client.logout().await;
    Ok(())
}
