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
//! | [`group`] | [`GroupApi`] | members of groups |
//! | [`room`] | [`RoomApi`] | entering and leaving rooms |
//! | [`upload`] | [`UploadApi`] | files to users, groups and rooms |
//! | [`language`] | [`LanguageApi`] | automatic translation |
//! | `custom`, with the feature `value` | | any other method, untyped |

#[cfg(feature = "value")]
pub mod custom;
pub mod group;
pub mod language;
pub mod message;
pub mod room;
pub mod session;
pub mod upload;

#[cfg(feature = "value")]
pub use custom::Custom;
pub use group::{AddGroupMembers, GetGroupMembers, GetUserGroups, GroupApi, RemoveGroupMembers};
pub use language::{LanguageApi, SetTranslationLanguage};
pub use message::{MessageApi, Receipt, Recipient, SendMessage};
pub use room::{EnterRoom, GetUserRooms, LeaveRoom, RoomApi};
pub use session::{
    AddDebugLog, AddDevice, GetAttributes, KickSession, RemoveDevice, SessionApi,
    SessionAttributes, SetAttributes,
};

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
        impl$(<$generic>)? $crate::api::GroupApi for $client {}
        impl$(<$generic>)? $crate::api::LanguageApi for $client {}
        impl$(<$generic>)? $crate::api::MessageApi for $client {}
        impl$(<$generic>)? $crate::api::RoomApi for $client {}
        impl$(<$generic>)? $crate::api::SessionApi for $client {}
        impl$(<$generic>)? $crate::api::UploadApi for $client {}
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
