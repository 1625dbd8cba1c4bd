//! A room survives a restart of the gate: the client reconnects and enters it
//! again by itself.

use std::error::Error;

use rtm_client_tokio::prelude::*;

const ROOM: RoomId = RoomId(4711);

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .dispatch(gate.dispatch().ws)
            .auto_reconnect(true)
            .login()
    };
    let listener = login(&gate.users()[0]).await?;
    let talker = login(&gate.users()[1]).await?;
    listener.enter_room(ROOM).await?;
    talker.enter_room(ROOM).await?;

    let mut states = [listener.watch(), talker.watch()];
    for states in &mut states {
        states.next().await; // the state of now
    }
    println!("the gate restarts");
    gate.restart()?;
    for states in &mut states {
        while states.next().await.is_some_and(|state| !state.is_online()) {}
    }

    // A call that may wait for the session goes out once the rooms are entered.
    let patient = RequestOptions::default().wait_online(true);
    let rooms = listener.with_options(patient).get_user_rooms().await?;
    println!("the listener is in {rooms:?}");
    let talker = talker.with_options(patient);
    talker.send_room_chat(ROOM, "are you still there?").await?;

    let mut events = listener.events();
    while let Some(event) = events.next().await {
        match event {
            Event::State(state) => println!("listener: {state}"),
            Event::RoomLost { room, error } => println!("lost room {room}: {error}"),
            Event::Message(message) => {
                println!("listener hears {:?}", message.body);
                break;
            }
            _ => {}
        }
    }
    listener.logout().await;
    talker.logout().await;
    Ok(())
}
