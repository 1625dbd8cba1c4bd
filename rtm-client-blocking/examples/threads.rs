//! Many threads share one client: workers send chats at the same time, while one thread reads what arrives. The local
//! gate runs in this process.

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;

use rtm_client_blocking::prelude::*;

const WORKERS: usize = 8;
const CHATS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
    let login = |user: &rtm_gate::User| {
        Client::builder(gate.project_id(), user.id, user.token.as_str())
            .dispatch(gate.dispatch().ws)
            .login()
    };
    let (sender, receiver) = (login(ann)?, login(bob)?);
    let events = receiver.events();
    let reading = thread::spawn(move || count_chats(events));

    // A clone is cheap; a call waits for nothing but its own answer.
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (client, to) = (sender.clone(), bob.id);
            thread::spawn(move || {
                for _ in 0..CHATS {
                    client.send_chat(to, format!("worker {worker}"))?;
                }
                Ok::<(), RequestError>(())
            })
        })
        .collect();
    for worker in workers {
        worker.join().map_err(|_| "a worker panicked")??;
    }

    for (text, count) in reading.join().map_err(|_| "the reader panicked")? {
        println!("{count} chats from {text}");
    }
    // The last clone that is dropped logs out and waits until the client's threads have ended.
    drop(sender);
    receiver.logout();
    Ok(())
}

/// Reads until every chat of every worker has come.
fn count_chats(events: impl Iterator<Item = Event>) -> BTreeMap<String, usize> {
    let chats = events.filter_map(|event| match event {
        Event::Message(message) => message.body.as_text().map(str::to_owned),
        _ => None,
    });
    let mut counts = BTreeMap::new();
    for text in chats.take(WORKERS * CHATS) {
        *counts.entry(text).or_default() += 1;
    }
    counts
}
