//! Who has written, and with whom there are conversations.
//!
//! Wire methods: `getunread`, `cleanunread`, `getsession`.

use alloc::vec::Vec;

use super::{Caller, decode_nothing};
use crate::error::RequestError;
use crate::ids::{GroupId, UserId};
use crate::payload::{
    CodecError, FromPayload, IdMap, Payload, PayloadWriter, Required, Value, ValueKind,
};
use crate::request::{Context, Request};

/// Lists the peers and groups with unread messages (`getunread`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetUnread {
    clear: Option<bool>,
}

impl GetUnread {
    /// Those with unread messages.
    #[must_use]
    pub const fn new() -> Self {
        GetUnread { clear: None }
    }

    /// Whether they count as read afterwards (`clear`; default: not sent,
    /// which is no).
    #[must_use]
    pub const fn clear(mut self, on: bool) -> Self {
        self.clear = Some(on);
        self
    }
}

/// The peers and groups with unread messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// Users who have written.
    pub peers: Vec<UserId>,
    /// Groups in which somebody has written.
    pub groups: Vec<GroupId>,
}

impl Request for GetUnread {
    type Response = Unread;

    fn method(&self) -> &str {
        "getunread"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field_opt("clear", self.clear.as_ref());
        Ok(())
    }

    /// Services answer with lists of ids, or with maps whose keys are the ids.
    fn decode(&self, _: &Context, answer: Payload) -> Result<Unread, CodecError> {
        let (peers, groups) = ids_with_numbers(&answer)?;
        Ok(Unread {
            peers: peers.into_iter().map(|(id, _)| UserId(id)).collect(),
            groups: groups.into_iter().map(|(id, _)| GroupId(id)).collect(),
        })
    }
}

/// Counts everything as read (`cleanunread`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClearUnread;

impl ClearUnread {
    /// Counts everything as read.
    #[must_use]
    pub const fn new() -> Self {
        ClearUnread
    }
}

impl Request for ClearUnread {
    type Response = ();

    fn method(&self) -> &str {
        "cleanunread"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Lists the conversations of the user (`getsession`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSessions;

impl GetSessions {
    /// The conversations of the logged-in user.
    #[must_use]
    pub const fn new() -> Self {
        GetSessions
    }
}

/// The conversations of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversations {
    /// Those with another user.
    pub peers: Vec<KnownConversation<UserId>>,
    /// Those in a group.
    pub groups: Vec<KnownConversation<GroupId>>,
}

/// A conversation there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownConversation<Id> {
    /// The peer or the group.
    pub id: Id,
    /// When it was last active, in milliseconds since 1970 UTC; few services
    /// tell.
    pub last_time_ms: Option<i64>,
}

impl Request for GetSessions {
    type Response = Conversations;

    fn method(&self) -> &str {
        "getsession"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    /// Services answer with lists of ids, or with maps from ids to times.
    fn decode(&self, _: &Context, answer: Payload) -> Result<Conversations, CodecError> {
        let (peers, groups) = ids_with_numbers(&answer)?;
        Ok(Conversations {
            peers: known(peers, UserId),
            groups: known(groups, GroupId),
        })
    }
}

fn known<Id>(ids: Ids, id: fn(i64) -> Id) -> Vec<KnownConversation<Id>> {
    let known = ids
        .into_iter()
        .map(|(number, last_time_ms)| KnownConversation {
            id: id(number),
            last_time_ms,
        });
    known.collect()
}

/// Ids, each with a number if the service sent one.
type Ids = Vec<(i64, Option<i64>)>;

struct ListOrMap(Ids);

impl FromPayload for ListOrMap {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        Ok(ListOrMap(match value.kind() {
            ValueKind::Map => value.read::<IdMap<Option<i64>>>()?.0.into_iter().collect(),
            _ => {
                let ids: Vec<i64> = value.read()?;
                ids.into_iter().map(|id| (id, None)).collect()
            }
        }))
    }
}

fn ids_with_numbers(answer: &Payload) -> Result<(Ids, Ids), CodecError> {
    let (mut peers, mut groups): (Option<ListOrMap>, Option<ListOrMap>) = (None, None);
    answer.fields(|key, value| match key {
        "p2p" => value.read_into(&mut peers),
        "group" => value.read_into(&mut groups),
        _ => Ok(()),
    })?;
    Ok((peers.required("p2p")?.0, groups.required("group")?.0))
}

/// Unread messages and conversations.
pub trait UnreadApi: Caller {
    /// Lists the peers and groups with unread messages, which stay unread
    /// (`getUnreadMessage`). Gives [`Unread`].
    #[doc(alias = "getUnreadMessage")]
    fn get_unread(&self) -> Self::Reply<GetUnread> {
        self.call(GetUnread::new())
    }

    /// Counts everything as read (`cleanUnreadMessage`).
    #[doc(alias = "cleanUnreadMessage")]
    fn clear_unread(&self) -> Self::Reply<ClearUnread> {
        self.call(ClearUnread)
    }

    /// Lists the conversations of the user (`getSession`). Gives
    /// [`Conversations`].
    #[doc(alias = "getSession")]
    fn get_sessions(&self) -> Self::Reply<GetSessions> {
        self.call(GetSessions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{CodecErrorKind, Encoding};
    use bytes::Bytes;

    fn decode<R: Request>(request: &R, json: &'static str) -> Result<R::Response, CodecError> {
        let answer = Payload::new(Encoding::Json, Bytes::from_static(json.as_bytes())).unwrap();
        request.decode(&Context::default(), answer)
    }

    #[test]
    fn unread_ids_are_those_that_were_converted_whether_listed_or_counted() {
        let listed = r#"{"p2p":[2,9007199254740993],"group":[3]}"#;
        let counted = r#"{"p2p":{"2":5,"9007199254740993":1},"group":{"3":1}}"#;
        let expected = Unread {
            peers: [UserId(2), UserId(9_007_199_254_740_993)].into(),
            groups: [GroupId(3)].into(),
        };
        assert_eq!(decode(&GetUnread::new(), listed).unwrap(), expected);
        assert_eq!(decode(&GetUnread::new(), counted).unwrap(), expected);
    }

    #[test]
    fn conversations_have_times_where_the_service_answers_with_maps() {
        let listed = decode(&GetSessions, r#"{"p2p":[2],"group":[]}"#).unwrap();
        let entry = |last_time_ms| KnownConversation {
            id: UserId(2),
            last_time_ms,
        };
        assert_eq!(listed.peers, [entry(None)]);
        assert!(listed.groups.is_empty());
        let timed = r#"{"p2p":{"2":1591322544123},"group":{"3":null}}"#;
        let timed = decode(&GetSessions, timed).unwrap();
        assert_eq!(timed.peers, [entry(Some(1_591_322_544_123))]);
        assert_eq!(timed.groups[0].last_time_ms, None);
    }

    #[test]
    fn a_missing_list_fails_the_call() {
        let error = decode(&GetUnread::new(), r#"{"p2p":[]}"#).unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (CodecErrorKind::Missing, Some("group"))
        );
        let error = decode(&GetSessions, r#"{"p2p":"x","group":[]}"#).unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (CodecErrorKind::WrongType, Some("p2p"))
        );
    }
}
