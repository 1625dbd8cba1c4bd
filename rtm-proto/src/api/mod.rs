//! Every method of the service: one file an area, each with its request types
//! and a trait of convenience methods.
//!
//! A request type can be built, given its optional fields, and passed to
//! `client.call(…)` of an adapter, or to [`Client::request`](crate::Client::request).
//! The traits save that for the usual case: they are implemented by the
//! clients of all adapters, and their methods return whatever
//! [`Caller::Reply`] is there: a future, or a result.
//!
//! | area | trait | what |
//! |---|---|---|
//! | [`session`] | [`SessionApi`] | attributes, sessions, devices, debug log |
//! | [`message`] | [`MessageApi`] | messages, chats, audio, commands to users, groups and rooms |
//! | [`history`] | [`HistoryApi`] | messages of the past; [`HistoryPager`] |
//! | [`stored`] | [`StoredMessageApi`] | reading and deleting single messages of the past |
//! | [`unread`] | [`UnreadApi`] | unread messages, conversations |
//! | [`user`] | [`UserApi`] | who is online; public and private info of users |
//! | [`friend`] | [`FriendApi`] | friends |
//! | [`group`] | [`GroupApi`] | groups: members, public and private info |
//! | [`room`] | [`RoomApi`] | rooms: entering, leaving, public and private info |
//! | [`data`] | [`DataApi`] | key-value data of the user |
//! | [`upload`] | [`UploadApi`] | sending files to users, groups and rooms |
//! | [`mod@file`] | [`FileApi`] | permission to upload files, for uploads of your own |
//! | [`language`] | [`LanguageApi`] | translation, profanity filter |
//! | `custom`, with the feature `value` | | any other method, untyped |
//!
//! [`METHODS`], [`PUSHES`], [`EVENTS`] and [`OPTIONS`] list all names.

#[cfg(feature = "value")]
pub mod custom;
pub mod data;
pub mod file;
pub mod friend;
pub mod group;
pub mod history;
mod history_pager;
mod history_record;
mod info;
pub mod language;
pub mod message;
mod names;
pub mod room;
pub mod session;
pub mod stored;
mod target;
#[cfg(test)]
mod testing;
pub mod unread;
pub mod upload;
pub mod user;

#[cfg(feature = "value")]
pub use custom::Custom;
pub use data::{DataApi, DeleteData, GetData, MAX_DATA_KEY, MAX_DATA_VALUE, SetData};
pub use file::{FileApi, FileCommand, FileToken, GetFileToken};
pub use friend::{AddFriends, FriendApi, GetFriends, RemoveFriends};
pub use group::{
    AddGroupMembers, GetGroupInfo, GetGroupMembers, GetGroupPublicInfo, GetUserGroups, GroupApi,
    RemoveGroupMembers, SetGroupInfo,
};
pub use history::{CHAT_TYPES, GetHistory, HistoryApi, HistoryPage, MAX_HISTORY_COUNT};
pub use history_pager::{HistoryPager, HistoryQuery};
pub use history_record::HistoryRecord;
pub use info::Info;
pub use language::{
    FilterProfanity, FilteredText, LanguageApi, Profanity, SetTranslationLanguage, TextType,
    Translate,
};
pub use message::{MessageApi, Receipt, Recipient, SendMessage};
pub use names::{EVENTS, METHODS, OPTIONS, PUSHES};
pub use room::{
    EnterRoom, GetRoomInfo, GetRoomPublicInfo, GetUserRooms, LeaveRoom, RoomApi, SetRoomInfo,
};
pub use session::{
    AddDebugLog, AddDevice, GetAttributes, KickSession, RemoveDevice, SessionApi,
    SessionAttributes, SetAttributes,
};
pub use stored::{DeleteMessage, GetMessage, StoredMessage, StoredMessageApi};
pub use target::Target;
pub use unread::{
    ClearUnread, Conversations, GetSessions, GetUnread, KnownConversation, Unread, UnreadApi,
};
pub use user::{GetOnlineUsers, GetUserInfo, GetUsersPublicInfo, SetUserInfo, UserApi};

use alloc::vec::Vec;

use crate::payload::{CodecError, FromPayload, Payload, Required};
use crate::request::Request;

pub use upload::{MAX_FILE_LEN, SendFile, Upload, UploadApi};

/// Something that carries out requests: the client of an adapter.
///
/// Code that is generic over it works on every runtime:
///
/// ```
/// use rtm_proto::UserId;
/// use rtm_proto::api::{MessageApi, SendMessage};
///
/// fn greet<C: MessageApi>(client: &C, user: UserId) -> C::Reply<SendMessage> {
///     client.send_chat(user, "hello")
/// }
/// ```
pub trait Caller {
    /// What a call gives: a future of the response or the response itself,
    /// either way with a [`RequestError`](crate::error::RequestError) for a
    /// failure.
    type Reply<R: Request>;

    /// Carries out `request`.
    fn call<R: Request>(&self, request: R) -> Self::Reply<R>;
}

/// Implements the traits of all areas for the client of an adapter, one by
/// one, so that its documentation lists their methods.
///
/// ```
/// use rtm_proto::Request;
/// use rtm_proto::api::Caller;
///
/// /// Carries out nothing.
/// struct Nobody;
///
/// impl Caller for Nobody {
///     type Reply<R: Request> = ();
///
///     fn call<R: Request>(&self, _: R) {}
/// }
///
/// rtm_proto::implement_areas!(Nobody);
/// ```
#[macro_export]
macro_rules! implement_areas {
    (<$generic:ident> $client:ty) => {
        $crate::implement_areas!(@areas [$generic] $client);
    };
    (@areas [$($generic:ident)?] $client:ty) => {
        impl$(<$generic>)? $crate::api::DataApi for $client {}
        impl$(<$generic>)? $crate::api::FileApi for $client {}
        impl$(<$generic>)? $crate::api::FriendApi for $client {}
        impl$(<$generic>)? $crate::api::GroupApi for $client {}
        impl$(<$generic>)? $crate::api::HistoryApi for $client {}
        impl$(<$generic>)? $crate::api::LanguageApi for $client {}
        impl$(<$generic>)? $crate::api::MessageApi for $client {}
        impl$(<$generic>)? $crate::api::RoomApi for $client {}
        impl$(<$generic>)? $crate::api::SessionApi for $client {}
        impl$(<$generic>)? $crate::api::StoredMessageApi for $client {}
        impl$(<$generic>)? $crate::api::UnreadApi for $client {}
        impl$(<$generic>)? $crate::api::UploadApi for $client {}
        impl$(<$generic>)? $crate::api::UserApi for $client {}
    };
    ($client:ty) => {
        $crate::implement_areas!(@areas [] $client);
    };
}

/// Reads an answer that carries nothing.
pub(crate) fn decode_nothing(answer: &Payload) -> Result<(), CodecError> {
    answer.fields(|_, _| Ok(()))
}

/// Reads an answer whose one field of interest is `name`.
pub(crate) fn decode_field<T: FromPayload>(
    answer: &Payload,
    name: &'static str,
) -> Result<T, CodecError> {
    let mut field = None;
    answer.fields(|key, value| {
        if key == name {
            value.read_into(&mut field)
        } else {
            Ok(())
        }
    })?;
    field.required(name)
}

/// Collects what callers pass as ids.
pub(crate) fn ids<T>(ids: impl IntoIterator<Item = impl Into<T>>) -> Vec<T> {
    ids.into_iter().map(Into::into).collect()
}
