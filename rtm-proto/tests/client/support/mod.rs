//! A world for one client: a virtual clock, sockets, scripted services, and a
//! record of everything that happened.

mod log;
mod service;
mod wire;
mod world;

pub(crate) use log::{Answered, Asked};
pub(crate) use service::{Act, Node, Reach};
pub(crate) use wire::{answer, error, map, one_way, push, push_json};
pub(crate) use world::{START, UNIX, World};

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::error::{Cause, ErrorCode, LoginErrorKind, RequestError};
use rtm_proto::payload::{CodecError, Payload, PayloadWriter};
use rtm_proto::{Backoff, Config, ConnId, Context, Endpoint, Input, Request, State, UserId};

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

/// How the last login failed; fails unless one did.
pub(crate) fn failure(world: &World) -> (LoginErrorKind, ErrorCode) {
    match world.client.state() {
        State::Closed {
            cause: Cause::Login(error),
        }
        | State::Backoff {
            cause: Cause::Login(error),
            ..
        } => (error.kind().clone(), error.code()),
        state => panic!("no failed login but {state}"),
    }
}

/// When which host was dialed.
pub(crate) fn dialed(world: &World) -> Vec<(Duration, &str)> {
    let dialed = world.log.dialed.iter();
    dialed.map(|(at, host, _)| (*at, host.as_str())).collect()
}

/// Why there is no session.
pub(crate) fn cause(world: &World) -> Cause {
    match world.client.state() {
        State::Closed { cause } | State::Backoff { cause, .. } => cause.clone(),
        state => panic!("{state}"),
    }
}

/// The package of a chat.
pub(crate) fn chat(seq: u32, mid: i64, text: &str) -> Bytes {
    let body = map(&[
        ("from", 1.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", text.into()),
        ("attrs", "".into()),
    ]);
    push(seq, "pushmsg", &body)
}

/// Bytes that arrive.
pub(crate) fn received(conn: ConnId, data: impl Into<Bytes>) -> Input {
    let data = data.into();
    Input::Received { conn, data }
}
