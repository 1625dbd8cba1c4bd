//! The client for plain threads, at the local gate.

mod alone;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod waiting;

use rtm_client_blocking::{Event, Events};

/// The text of the next message.
fn next_text(events: &mut Events) -> String {
    let text = events.find_map(|event| match event {
        Event::Message(message) => message.body.as_text().map(str::to_owned),
        _ => None,
    });
    text.expect("a message comes before the end")
}
