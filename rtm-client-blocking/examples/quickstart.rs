//! Two users log in through dispatch and talk, over WebSocket, with the local gate in this process.
//!
//! With `RTM_ENDPOINT` (dispatch) or `RTM_GATE`, `RTM_PROJECT_ID`, `RTM_USER_ID` and `RTM_TOKEN`
//! set, one user logs in to that service instead; `RTM_PEER` gets a chat from it.

use std::env::var;
use std::error::Error;
use std::thread;
use std::time::Duration;

use rtm_client_blocking::Events;
use rtm_client_blocking::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    match var("RTM_ENDPOINT").or(var("RTM_GATE")) {
        Ok(_) => one_user_at_a_real_service(),
        Err(_) => two_users_at_the_local_gate(),
    }
}

fn two_users_at_the_local_gate() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .dispatch(gate.dispatch().ws)
            .login()
    };
    let (client_a, client_b) = (login(ann)?, login(bob)?);
    let (events_a, events_b) = (client_a.events(), client_b.events());
    let listen_a = thread::spawn(|| print_messages("Ann", events_a, 1));
    let listen_b = thread::spawn(|| print_messages("Bob", events_b, 4));

    client_a.send_chat(bob.id, "Hello Bob, 你好 🎉")?;
    client_b.send_chat(ann.id, "Hi Ann – naïve café?")?;
    client_a.send_group_chat(gate.group(), "hello, group")?;
    for client in [&client_a, &client_b] {
        client.enter_room(4711)?;
    }
    client_a.send_room_chat(4711, "hello, room")?;
    let bytes: &[u8] = &[0xff, 0x00, 0xfe];
    let receipt = client_a.send_message(bob.id, 66, bytes)?;
    println!("the last message went out as {}", receipt.message_id);

    for listening in [listen_a, listen_b] {
        listening.join().map_err(|_| "a listener panicked")?;
    }
    client_a.logout();
    client_b.logout();
    println!("both have logged out");
    Ok(())
}

/// Prints messages until `count` have come.
fn print_messages(me: &str, events: Events, count: usize) {
    let messages = events.filter_map(|event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    for m in messages.take(count) {
        let (place, sender, body) = (m.conversation, m.sender, m.body);
        println!("{me} sees {place:?} from {sender}: {body:?}");
    }
}

fn one_user_at_a_real_service() -> Result<(), Box<dyn Error>> {
    let user: i64 = var("RTM_USER_ID")?.parse()?;
    let mut builder = Client::builder(var("RTM_PROJECT_ID")?.parse()?, user, var("RTM_TOKEN")?);
    if let Ok(dispatch) = var("RTM_ENDPOINT") {
        builder = builder.dispatch(dispatch);
    }
    if let Ok(gate) = var("RTM_GATE") {
        builder = builder.gate(gate);
    }
    let client = builder.login()?;
    println!("{}", client.state());
    println!("groups: {:?}", client.get_user_groups()?);
    if let Ok(peer) = var("RTM_PEER") {
        let peer: i64 = peer.parse()?;
        client.send_chat(peer, "hello from Rust")?;
        let mut events = client.events();
        while let Ok(event) = events.recv_timeout(Duration::from_secs(5)) {
            println!("you see {event:?}");
        }
    }
    client.logout();
    Ok(())
}
