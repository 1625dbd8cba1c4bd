//! What the same work costs without the client: the floors that its figures
//! are held against.
//!
//! * `raw`: one task, packages made beforehand, of answers only the heads are
//!   read. No client can cost less.
//! * `actor`: what a careful engineer writes in an afternoon: a channel, a task
//!   that writes, one that reads, and a map of the callers that wait. No types,
//!   no time-outs, no reconnect.
//!
//! Both work on plain TCP.

mod actor;
mod raw;

use std::str::FromStr;

use rmpv::Value;
use rtm_proto::config::Endpoint;
use rtm_proto::transport::Scheme;
use serde_json::Value as Json;

use super::{Mode, Options, wire};
use crate::runtime::Runtime;

/// What is measured in the client's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// The bare socket.
    Raw,
    /// A hand-written client of the plainest kind.
    Actor,
}

impl FromStr for Floor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "raw" => Ok(Floor::Raw),
            "actor" => Ok(Floor::Actor),
            _ => Err(format!("unknown floor {name}; use raw or actor")),
        }
    }
}

pub(super) fn measure(options: &Options, floor: Floor) -> Result<Json, String> {
    if options.mode != Mode::Calls {
        return Err("a floor makes calls and nothing else".into());
    }
    let endpoint: Endpoint = options
        .endpoint
        .parse()
        .map_err(|error| format!("{error}"))?;
    if endpoint.scheme() != Some(Scheme::Tcp) {
        return Err("a floor speaks tcp:// only".into());
    }
    let address = endpoint.authority();
    let quests = Quests::new(options);
    match (floor, options.runtime) {
        (Floor::Raw, Runtime::Tokio) => raw::on_tokio(options, &address, &quests),
        (Floor::Raw, Runtime::Blocking) => raw::on_a_thread(options, &address, &quests),
        (Floor::Actor, Runtime::Tokio) => actor::measure(options, &address, &quests),
        _ => Err("the floors are those of tokio; `raw` is there for blocking too".into()),
    }
}

/// The packages that are sent.
struct Quests {
    auth: Vec<u8>,
    method: String,
    body: Vec<u8>,
}

impl Quests {
    fn new(options: &Options) -> Self {
        let auth = wire::body(vec![
            ("pid", Value::from(options.project_id)),
            ("uid", Value::from(options.user_id)),
            ("token", Value::from(options.token.as_str())),
        ]);
        let text = Value::from("x".repeat(options.size));
        let body = if options.quest == "sendmsg" {
            vec![
                ("to", Value::from(options.to)),
                // As wide as a real one; the same each time, which only a
                // service that remembers ids would mind.
                ("mid", Value::from(1_u64 << 60)),
                ("mtype", Value::from(51)),
                ("msg", text),
                ("attrs", Value::from("")),
            ]
        } else {
            vec![("v", text)]
        };
        Quests {
            auth: wire::quest("auth", &auth),
            method: options.quest.clone(),
            body: wire::body(body),
        }
    }

    fn call(&self) -> Vec<u8> {
        wire::quest(&self.method, &self.body)
    }
}

fn current_thread() -> Result<tokio::runtime::Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| format!("no runtime: {error}"))
}
