//! Reading events.

use futures::StreamExt;
use rtm_client_tokio::error::Cause;
use rtm_client_tokio::{Client, Event, Events, Message, State};

use super::within;

/// The next event for which `pick` gives something.
pub(crate) async fn next_where<T>(
    what: &str,
    events: &mut Events,
    mut pick: impl FnMut(Event) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let event = events.next().await;
            let event = event.unwrap_or_else(|| panic!("the events ended before: {what}"));
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    };
    within(what, search).await
}

pub(crate) async fn next_message(events: &mut Events) -> Message {
    next_where("a message", events, |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    })
    .await
}

pub(crate) async fn messages(events: &mut Events, count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(next_message(events).await);
    }
    messages
}

/// Waits for `Online`.
pub(crate) async fn online(events: &mut Events) {
    next_where("online", events, |event| match event {
        Event::State(state) => state.is_online().then_some(()),
        _ => None,
    })
    .await;
}

/// Waits for `Closed`; the cause.
pub(crate) async fn closed(events: &mut Events) -> Cause {
    next_where("closed", events, |event| match event {
        Event::State(State::Closed { cause }) => Some(cause),
        _ => None,
    })
    .await
}

/// Why a client is closed.
pub(crate) fn cause_of(client: &Client) -> Cause {
    match client.state() {
        State::Closed { cause } => cause,
        state => panic!("not closed, but {state}"),
    }
}

/// What the events say from the first to `Closed`, in a word each, and why it closed.
pub(crate) struct Story {
    pub(crate) words: Vec<&'static str>,
    pub(crate) cause: Cause,
}

/// Reads events up to `Closed`.
pub(crate) async fn story(events: &mut Events) -> Story {
    let mut words = Vec::new();
    let cause = next_where("closed", events, |event| {
        words.push(word(&event));
        match event {
            Event::State(State::Closed { cause }) => Some(cause),
            _ => None,
        }
    })
    .await;
    Story { words, cause }
}

fn word(event: &Event) -> &'static str {
    match event {
        Event::State(State::Idle) => "idle",
        Event::State(State::Connecting { .. }) => "connecting",
        Event::State(State::Online { .. }) => "online",
        Event::State(State::Backoff { .. }) => "backoff",
        Event::State(State::Closing) => "closing",
        Event::State(State::Closed { .. }) => "closed",
        Event::Message(_) => "message",
        Event::KickedOut(_) => "kicked out",
        Event::RoomLost { .. } => "room lost",
        Event::TokenRefused => "token refused",
        Event::Ping => "ping",
        _ => "other",
    }
}
