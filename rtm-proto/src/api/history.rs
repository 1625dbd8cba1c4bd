//! Messages of the past, page by page.
//!
//! A history reaches back 7 days and 500 messages a conversation, as a rule.
//! [`HistoryPager`](super::HistoryPager) turns pages into one sequence.
//!
//! Wire methods: `getp2pmsg`, `getgroupmsg`, `getroommsg`, `getbroadcastmsg`.

use alloc::format;
use alloc::vec::Vec;

use super::Caller;
use super::history_record::{HistoryRecord, Tuple};
use super::target::Target;
use crate::error::{ErrorCode, RequestError};
use crate::ids::{GroupId, MessageType, RoomId, UserId};
use crate::payload::{CodecError, Payload, PayloadWriter, Required};
use crate::request::{Context, Request};

/// The types of chat messages: text, audio and command.
pub const CHAT_TYPES: [MessageType; 3] =
    [MessageType::CHAT, MessageType::AUDIO, MessageType::COMMAND];

/// The most records that one call may ask for.
pub const MAX_HISTORY_COUNT: u32 = 20;

/// Reads a page of a history (`getp2pmsg`, `getgroupmsg`, `getroommsg`,
/// `getbroadcastmsg`).
///
/// One must be a member of the group (200041) or in the room (200040).
///
/// ```
/// use rtm_proto::GroupId;
/// use rtm_proto::api::GetHistory;
///
/// let request = GetHistory::new(GroupId(7), 10)
///     .oldest_first()
///     .since_ms(1_591_322_544_000);
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetHistory {
    target: Target,
    count: u32,
    newest_first: bool,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    cursor: Option<i64>,
    message_types: Option<Vec<MessageType>>,
}

impl GetHistory {
    /// The newest `count` messages of any type, 1 to 20; 10 is a good number,
    /// and old services give no more.
    pub fn new(target: impl Into<Target>, count: u32) -> Self {
        GetHistory {
            target: target.into(),
            count,
            newest_first: true,
            since_ms: None,
            until_ms: None,
            cursor: None,
            message_types: None,
        }
    }

    /// The newest `count` chats: messages of the [`CHAT_TYPES`].
    pub fn chat(target: impl Into<Target>, count: u32) -> Self {
        GetHistory::new(target, count).message_types(CHAT_TYPES)
    }

    /// Reads back from the end of the time span (`desc`; the default).
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Reads on from the start of the time span.
    #[must_use]
    pub fn oldest_first(mut self) -> Self {
        self.newest_first = false;
        self
    }

    /// The start of the time span, inclusive, in milliseconds since 1970 UTC
    /// (`begin`; default: not sent, which is unbounded like 0).
    #[must_use]
    pub fn since_ms(mut self, time: i64) -> Self {
        self.since_ms = Some(time);
        self
    }

    /// The end of the time span, inclusive, in milliseconds since 1970 UTC
    /// (`end`; default: not sent, which is now like 0).
    #[must_use]
    pub fn until_ms(mut self, time: i64) -> Self {
        self.until_ms = Some(time);
        self
    }

    /// Goes on behind a message, not including it: a
    /// [`HistoryPage::cursor`] or [`HistoryRecord::cursor`] (`lastid`;
    /// default: not sent, which is the start like 0).
    #[must_use]
    pub fn cursor(mut self, cursor: i64) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Messages of these types only (`mtypes`; default: not sent, which is
    /// all). An empty list is sent as it is.
    #[must_use]
    pub fn message_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<MessageType>>,
    ) -> Self {
        self.message_types = Some(super::ids(types));
        self
    }

    /// The request for the page behind `page`, an answer to this one: the
    /// same, with the span and the cursor the service returned. A bound that
    /// the service did not return stays as it was.
    #[must_use]
    pub fn after(&self, page: &HistoryPage) -> Self {
        let returned = |time: i64| (time != 0).then_some(time);
        GetHistory {
            since_ms: returned(page.since_ms).or(self.since_ms),
            until_ms: returned(page.until_ms).or(self.until_ms),
            cursor: Some(page.cursor),
            ..self.clone()
        }
    }

    /// Whether a page with this cursor leaves off further on than this request
    /// starts. A cursor of 0 would start all over.
    pub(super) fn goes_on_at(&self, cursor: i64) -> bool {
        match self.cursor {
            None | Some(0) => cursor != 0,
            Some(before) if self.newest_first => cursor != 0 && cursor < before,
            Some(before) => cursor > before,
        }
    }

    /// Start, end and cursor.
    #[cfg(test)]
    pub(super) const fn span(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        (self.since_ms, self.until_ms, self.cursor)
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    pub(super) const fn with_count(mut self, count: u32) -> Self {
        self.count = count;
        self
    }
}

/// A page of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryPage {
    /// How many messages the service says it found, deleted ones included
    /// (`num`). Fewer than were asked for means that none follow.
    pub count: u32,
    /// Where the next page starts (`lastid`).
    pub cursor: i64,
    /// The start of the time span for the next page, in milliseconds since
    /// 1970 UTC (`begin`).
    pub since_ms: i64,
    /// The end of the time span for the next page, in milliseconds since 1970
    /// UTC (`end`).
    pub until_ms: i64,
    /// The messages, in the order asked for.
    pub records: Vec<HistoryRecord>,
}

impl Request for GetHistory {
    type Response = HistoryPage;

    fn method(&self) -> &str {
        match self.target {
            Target::User(_) => "getp2pmsg",
            Target::Group(_) => "getgroupmsg",
            Target::Room(_) => "getroommsg",
            Target::Broadcast => "getbroadcastmsg",
        }
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        if context.check_arguments && !(1..=MAX_HISTORY_COUNT).contains(&self.count) {
            let code = match self.count {
                0 => ErrorCode::EMPTY_PARAMETER,
                _ => ErrorCode::TOO_MANY_ITEMS_IN_PARAMETERS,
            };
            let why = format!(
                "{} is not a count from 1 to {MAX_HISTORY_COUNT}",
                self.count
            );
            return Err(RequestError::invalid("num", code, why));
        }
        match &self.target {
            Target::User(peer) => out.field("ouid", peer),
            Target::Group(group) => out.field("gid", group),
            Target::Room(room) => out.field("rid", room),
            Target::Broadcast => &mut *out,
        };
        out.field("desc", &self.newest_first)
            .field("num", &self.count)
            .field_opt("begin", self.since_ms.as_ref())
            .field_opt("end", self.until_ms.as_ref())
            .field_opt("lastid", self.cursor.as_ref())
            .field_opt("mtypes", self.message_types.as_ref());
        Ok(())
    }

    fn decode(&self, context: &Context, answer: Payload) -> Result<HistoryPage, CodecError> {
        let (mut count, mut cursor, mut since_ms, mut until_ms) = (None, None, None, None);
        let mut tuples: Option<Vec<Tuple>> = None;
        answer.fields(|key, value| match key {
            "num" => value.read_into(&mut count),
            "lastid" => value.read_into(&mut cursor),
            "begin" => value.read_into(&mut since_ms),
            "end" => value.read_into(&mut until_ms),
            "msgs" => value.read_into(&mut tuples),
            _ => Ok(()),
        })?;
        let records = tuples
            .required("msgs")?
            .into_iter()
            .map(|tuple| tuple.record(self.target, context.user_id));
        Ok(HistoryPage {
            count: count.required("num")?,
            cursor: cursor.required("lastid")?,
            since_ms: since_ms.required("begin")?,
            until_ms: until_ms.required("end")?,
            records: records.collect(),
        })
    }
}

/// Histories.
///
/// Every method reads the newest messages, at most 20. For another order, a
/// time span or the pages behind the first, build a [`GetHistory`] and `call`
/// it, or let a [`HistoryPager`](super::HistoryPager) do so.
pub trait HistoryApi: Caller {
    /// Reads messages exchanged with a user (`getP2PMessage`). Gives a
    /// [`HistoryPage`].
    #[doc(alias = "getP2PMessage")]
    fn get_p2p_messages(&self, peer: impl Into<UserId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::new(peer.into(), count))
    }

    /// Reads chats exchanged with a user (`getP2PChat`). Gives a
    /// [`HistoryPage`].
    #[doc(alias = "getP2PChat")]
    fn get_p2p_chat(&self, peer: impl Into<UserId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::chat(peer.into(), count))
    }

    /// Reads messages of a group (`getGroupMessage`). Gives a [`HistoryPage`].
    #[doc(alias = "getGroupMessage")]
    fn get_group_messages(&self, group: impl Into<GroupId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::new(group.into(), count))
    }

    /// Reads chats of a group (`getGroupChat`). Gives a [`HistoryPage`].
    #[doc(alias = "getGroupChat")]
    fn get_group_chat(&self, group: impl Into<GroupId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::chat(group.into(), count))
    }

    /// Reads messages of a room (`getRoomMessage`). Gives a [`HistoryPage`].
    #[doc(alias = "getRoomMessage")]
    fn get_room_messages(&self, room: impl Into<RoomId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::new(room.into(), count))
    }

    /// Reads chats of a room (`getRoomChat`). Gives a [`HistoryPage`].
    #[doc(alias = "getRoomChat")]
    fn get_room_chat(&self, room: impl Into<RoomId>, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::chat(room.into(), count))
    }

    /// Reads messages to all users (`getBroadcastMessage`). Gives a
    /// [`HistoryPage`].
    #[doc(alias = "getBroadcastMessage")]
    fn get_broadcast_messages(&self, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::new(Target::Broadcast, count))
    }

    /// Reads chats to all users (`getBroadcastChat`). Gives a [`HistoryPage`].
    #[doc(alias = "getBroadcastChat")]
    fn get_broadcast_chat(&self, count: u32) -> Self::Reply<GetHistory> {
        self.call(GetHistory::chat(Target::Broadcast, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::refusal;

    #[test]
    fn one_to_twenty_records_may_be_asked_for() {
        let asking_for = |count| refusal(&GetHistory::new(GroupId(1), count));
        assert_eq!([asking_for(1), asking_for(20)], [None, None]);
        assert_eq!(asking_for(0), Some(("num", ErrorCode::EMPTY_PARAMETER)));
        let too_many = ErrorCode::TOO_MANY_ITEMS_IN_PARAMETERS;
        assert_eq!(asking_for(21), Some(("num", too_many)));
    }

    #[test]
    fn the_chat_filter_can_be_changed() {
        let chats = GetHistory::chat(GroupId(1), 5);
        assert_eq!(chats.message_types.as_deref(), Some(&CHAT_TYPES[..]));
        let texts = chats.message_types([MessageType::CHAT]);
        assert_eq!(texts.message_types, Some([MessageType::CHAT].into()));
    }
}
