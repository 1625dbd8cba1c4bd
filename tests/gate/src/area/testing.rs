//! Quests that RTM does not have, for load tests and for clients of other makers.
//!
//! * `t_echo {v}` → `{v}`.
//! * `t_push {n, len = 5, method = "pushmsg", mode = "twoway" | "oneway" | "json", mtype = 30, mid0?}` → `{n}`:
//!   pushes `n` messages of `len` bytes to the asking connection, with message ids from `mid0` on, or from where the
//!   last quest without `mid0` left off, beginning with 1. `kickout`, `ping` and
//!   other methods without a message are pushed with the fields they have.
//!
//! Both work without login.

use crate::clock::now_ms;
use crate::conn::Mode;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::service::Feed;
use crate::wire::Value;

/// The sender of the messages that `t_push` asks for.
const SENDER: i64 = 778_877;
/// Their group or room.
const PLACE: i64 = 999_999;
/// Messages per quest.
const MAX_COUNT: i64 = 10_000_000;
/// Bytes per message: some room for the rest of the package is left.
const MAX_LEN: i64 = (8 << 20) - 1024;

/// What the messages have in common.
#[derive(Debug)]
pub(crate) struct FeedPayload {
    kind: Kind,
    mid0: i64,
    mtype: i64,
    text: Value,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Message(Option<&'static str>),
    KickedFromRoom,
    Bare,
}

/// Reads the parameters of `t_push`; `take_mids` gives the first of so many message ids.
pub(crate) fn feed(
    params: &Params<'_>,
    take_mids: impl FnOnce(i64) -> i64,
) -> Result<Feed, Refusal> {
    let within = |key: &str, value: i64, most: i64| {
        if (0..=most).contains(&value) {
            Ok(value)
        } else {
            Err(Refusal::wrong_type(key))
        }
    };
    let count = within("n", params.int("n")?, MAX_COUNT)?;
    let len = within("len", params.opt_int("len")?.unwrap_or(5), MAX_LEN)?;
    let method = params.opt_text("method")?.unwrap_or("pushmsg");
    let mode = match params.opt_text("mode")? {
        None | Some("twoway") => Mode::TwoWay,
        Some("oneway") => Mode::OneWay,
        Some("json") => Mode::Json,
        Some(_) => return Err(Refusal::wrong_type("mode")),
    };
    let kind = match method {
        "pushgroupmsg" => Kind::Message(Some("gid")),
        "pushroommsg" => Kind::Message(Some("rid")),
        "pushmsg" | "pushbroadcastmsg" => Kind::Message(None),
        "kickoutroom" => Kind::KickedFromRoom,
        _ => Kind::Bare,
    };
    let mtype = params.opt_int("mtype")?.unwrap_or(30);
    let mid0 = params.opt_int("mid0")?;
    Ok(Feed {
        count,
        method: method.to_owned(),
        mode,
        payload: FeedPayload {
            kind,
            mid0: mid0.unwrap_or_else(|| take_mids(count)),
            mtype,
            text: "p".repeat(usize::try_from(len).unwrap_or(0)).into(),
        },
    })
}

impl FeedPayload {
    /// The payload of the message of this index.
    pub(crate) fn of(&self, index: i64) -> Value {
        match self.kind {
            Kind::Bare => Value::EMPTY,
            Kind::KickedFromRoom => Value::map([("rid", PLACE.into())]),
            Kind::Message(place) => {
                let place = place.map(|key| (key, PLACE.into()));
                Value::map([("from", SENDER.into())].into_iter().chain(place).chain([
                    ("mtype", self.mtype.into()),
                    ("mid", self.mid0.saturating_add(index).into()),
                    ("msg", self.text.clone()),
                    ("attrs", "".into()),
                    ("mtime", now_ms().into()),
                ]))
            }
        }
    }
}
