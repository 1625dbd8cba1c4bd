//! What happened.

use std::time::Duration;

use rmpv::Value;
use rtm_proto::error::{RequestError, RequestErrorKind};
use rtm_proto::payload::Payload;
use rtm_proto::{CallId, ConnId, Context, Event, State};

/// A quest that a node received.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Time since the start.
    pub(crate) at: Duration,
    pub(crate) node: String,
    pub(crate) conn: ConnId,
    /// Which connection of that node, from 1.
    pub(crate) nth: u32,
    pub(crate) method: String,
    pub(crate) seq: Option<u32>,
    pub(crate) body: Value,
}

impl Asked {
    /// A field of the body.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        let fields = self.body.as_map()?;
        let found = fields.iter().find(|(key, _)| key.as_str() == Some(name));
        found.map(|(_, value)| value)
    }
}

/// The answer to a push.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) seq: u32,
    pub(crate) status: u8,
    pub(crate) body: Vec<u8>,
}

/// Everything the client did and said, in order.
#[derive(Default)]
pub(crate) struct Log {
    /// Connections that came about, by node.
    pub(crate) opened: Vec<String>,
    /// Connections that ended, by node, whoever ended them.
    pub(crate) closed: Vec<String>,
    /// When which `Connect` came out.
    pub(crate) dialed: Vec<(Duration, String, ConnId)>,
    pub(crate) hung_up: Vec<(Duration, ConnId)>,
    pub(crate) quests: Vec<Asked>,
    pub(crate) push_answers: Vec<(ConnId, Answered)>,
    pub(crate) ends: Vec<(Duration, CallId, Context, Result<Payload, RequestError>)>,
    pub(crate) events: Vec<(Duration, Event)>,
}

impl Log {
    pub(crate) fn states(&self) -> Vec<State> {
        let events = self.events.iter();
        events
            .filter_map(|(_, event)| match event {
                Event::State(state) => Some(state.clone()),
                _ => None,
            })
            .collect()
    }

    /// The seed's names of the events that have one.
    pub(crate) fn pushes(&self) -> Vec<&'static str> {
        let events = self.events.iter();
        events.filter_map(|(_, event)| event.push_name()).collect()
    }

    /// The bodies of messages, as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        let events = self.events.iter();
        events
            .filter_map(|(_, event)| match event {
                Event::Message(message) => {
                    Some(String::from_utf8_lossy(message.body.as_bytes()).into_owned())
                }
                _ => None,
            })
            .collect()
    }

    /// The methods that `node` received.
    pub(crate) fn methods(&self, node: &str) -> Vec<&str> {
        let quests = self.quests.iter().filter(|asked| asked.node == node);
        quests.map(|asked| asked.method.as_str()).collect()
    }

    /// When `method` was received.
    pub(crate) fn times(&self, method: &str) -> Vec<Duration> {
        let quests = self.quests.iter().filter(|asked| asked.method == method);
        quests.map(|asked| asked.at).collect()
    }

    /// How `call` ended; fails unless it ended exactly once.
    pub(crate) fn end_of(&self, call: CallId) -> Result<(), RequestErrorKind> {
        let ends: Vec<_> = self.ends.iter().filter(|end| end.1 == call).collect();
        match ends[..] {
            [(_, _, _, Ok(_))] => Ok(()),
            [(_, _, _, Err(error))] => Err(error.kind().clone()),
            _ => panic!("{call:?} ended {} times", ends.len()),
        }
    }

    pub(crate) fn has_ended(&self, call: CallId) -> bool {
        self.ends.iter().any(|end| end.1 == call)
    }
}
