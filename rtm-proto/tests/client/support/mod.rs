//! A world for one client: a virtual clock, sockets, scripted services, and a
//! record of everything that happened.

mod log;
mod service;
mod wire;
mod world;

pub(crate) use log::{Answered, Asked, Log};
pub(crate) use service::{Act, Node, Reach};
pub(crate) use wire::{answer, error, map, one_way, push, push_json};
pub(crate) use world::{START, UNIX, World};

use std::time::Duration;

use rtm_proto::error::RequestError;
use rtm_proto::payload::{CodecError, Payload, PayloadWriter};
use rtm_proto::{Backoff, Config, Context, Endpoint, Request, UserId};

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The smallest step of time.
pub(crate) const TICK: Duration = Duration::from_nanos(1);

pub(crate) fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// Settings without any endpoint; pauses between attempts are 100 ms.
pub(crate) fn bare_config() -> Config {
    Config::new(1_000_012, UserId(654_321), "the token")
        .ssl(false)
        .backoff(Backoff::fixed(ms(100)))
}

/// A client of the gate `tcp://gate:1`.
pub(crate) fn tcp_config() -> Config {
    bare_config().gate(endpoint("tcp://gate:1"))
}

/// A client of the gate `ws://gate:1`.
pub(crate) fn ws_config() -> Config {
    bare_config().gate(endpoint("ws://gate:1"))
}

/// A call without parameters that accepts any answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call(pub(crate) &'static str);

impl Request for Call {
    type Response = Payload;

    fn method(&self) -> &str {
        self.0
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Payload, CodecError> {
        Ok(answer)
    }
}
