//! A chat between two terminals: `cargo run -p rtm-gate` in a third prints what to pass on, as in
//! `… --example chat -- ws://127.0.0.1:PORT 1000012 1001 TOKEN 1002`. Without it two users talk here.

use std::error::Error;
use std::time::Duration;

use rtm_client_tokio::prelude::*;
use tokio::sync::mpsc;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [gate, project, user, token, peer] = args.as_slice() else {
        return talk_to_yourself().await;
    };
    let user: i64 = user.parse()?;
    let client = Client::builder(project.parse()?, user, token.as_str())
        .gate(gate)
        .auto_reconnect(true)
        .login()
        .await?;
    let (typed, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.for_each(|line| drop(typed.blocking_send(line)));
    });
    chat(client, peer.parse()?, lines).await
}

/// Sends `lines` to `peer` and prints what comes, until the lines end.
async fn chat(
    client: Client,
    peer: i64,
    mut lines: mpsc::Receiver<String>,
) -> Result<(), Box<dyn Error>> {
    let mut events = client.events();
    loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => match event {
                Event::Message(m) => println!("{}: {}", m.sender, m.body.as_text().unwrap_or("(bytes)")),
                Event::State(state) => println!("* {state}"),
                _ => {}
            },
            line = lines.recv() => match line {
                Some(line) => drop(client.send_chat(peer, line).await?),
                None => break,
            },
        }
    }
    client.logout().await;
    Ok(())
}

async fn talk_to_yourself() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .gate(gate.gate().ws)
            .login()
    };
    let (client_a, client_b) = (login(ann).await?, login(bob).await?);
    let ((type_a, lines_a), (type_b, lines_b)) = (mpsc::channel(1), mpsc::channel(1));
    let script = async {
        type_a.send("hello Bob".into()).await?;
        type_b.send("hello Ann".into()).await?;
        let told = |seen: &rtm_gate::Seen| seen.answers_of("pushmsg").count() == 2;
        tokio::task::block_in_place(|| gate.wait_for(told, Duration::from_secs(10)));
        drop((type_a, type_b));
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::try_join!(
        chat(client_a, bob.id, lines_a),
        chat(client_b, ann.id, lines_b),
        script
    )?;
    Ok(())
}
