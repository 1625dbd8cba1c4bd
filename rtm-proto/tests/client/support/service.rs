//! Scripted services: what a node does when a quest arrives.

use std::time::Duration;

use bytes::Bytes;
use rmpv::Value;

use super::log::Asked;

/// What a service does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers the quest.
    Answer(Value),
    /// Answers the quest with an error.
    Error(i64, &'static str),
    /// Sends this package.
    Send(Bytes),
    /// Sends these bytes past all framing.
    Raw(Bytes),
    /// Ends the connection in an orderly way.
    Close,
    /// Cuts the connection.
    Reset,
    /// Does something after a while.
    After(Duration, Box<Act>),
}

impl Act {
    pub(crate) fn after(pause: Duration, act: Act) -> Act {
        Act::After(pause, Box::new(act))
    }

    /// `{ok: true}`, what a gate answers to a good `auth`.
    pub(crate) fn welcome() -> Act {
        Act::Answer(super::map(&[("ok", true.into())]))
    }

    /// `{ok: false}`, what a gate answers to a bad token.
    pub(crate) fn refuse() -> Act {
        Act::Answer(super::map(&[("ok", false.into())]))
    }

    /// `{ok: false, gate}`.
    pub(crate) fn redirect(gate: &str) -> Act {
        Act::Answer(super::map(&[("ok", false.into()), ("gate", gate.into())]))
    }

    /// `{endpoint}`, what a dispatch node answers to `which`.
    pub(crate) fn name_gate(gate: &str) -> Act {
        Act::Answer(super::map(&[("endpoint", gate.into())]))
    }

    /// `{}`.
    pub(crate) fn done() -> Act {
        Act::Answer(super::map(&[]))
    }
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Connected, and served.
    Served,
    /// Connected, and never a byte comes back.
    Mute,
    /// Refused.
    Refused,
    /// No answer of any kind.
    Lost,
}

type Script = Box<dyn FnMut(&Asked) -> Vec<Act>>;

/// A service at one host name.
pub(crate) struct Node {
    pub(crate) reach: Reach,
    pub(crate) script: Script,
    /// Connections so far.
    pub(crate) connections: u32,
}

impl Node {
    pub(crate) fn new(script: impl FnMut(&Asked) -> Vec<Act> + 'static) -> Self {
        Node {
            reach: Reach::Served,
            script: Box::new(script),
            connections: 0,
        }
    }

    /// A node that runs no script.
    pub(crate) fn that_is(reach: Reach) -> Self {
        Node {
            reach,
            script: Box::new(|_| Vec::new()),
            connections: 0,
        }
    }

    /// A gate that welcomes everybody and answers everything with `{}`, with
    /// the time for `*ping`.
    pub(crate) fn gate() -> Self {
        Node::new(|asked| match asked.method.as_str() {
            "auth" => vec![Act::welcome()],
            _ => vec![Act::done()],
        })
    }

    /// A gate that welcomes everybody and answers nothing else.
    pub(crate) fn quiet_gate() -> Self {
        Node::new(|asked| match asked.method.as_str() {
            "auth" => vec![Act::welcome()],
            _ => vec![],
        })
    }

    /// A dispatch node that names `gate`.
    pub(crate) fn dispatch(gate: &'static str) -> Self {
        Node::new(move |_| vec![Act::name_gate(gate)])
    }
}
