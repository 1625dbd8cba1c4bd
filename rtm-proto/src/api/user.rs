//! Who is online, and what users say about themselves.
//!
//! Wire methods: `getonlineusers`, `setuserinfo`, `getuserinfo`,
//! `getuseropeninfo`.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::info::{Changes, Info};
use super::{Caller, decode_field, decode_nothing, ids};
use crate::error::RequestError;
use crate::ids::UserId;
use crate::payload::{CodecError, IdMap, Payload, PayloadWriter, Text};
use crate::request::{Context, Request};

/// Tells which users are online (`getonlineusers`).
///
/// At most 200 users a call, 100 in old services (200032).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOnlineUsers {
    users: Vec<UserId>,
}

impl GetOnlineUsers {
    /// Those of `users` who are online.
    pub fn new(users: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        GetOnlineUsers { users: ids(users) }
    }
}

impl Request for GetOnlineUsers {
    type Response = Vec<UserId>;

    fn method(&self) -> &str {
        "getonlineusers"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("uids", &self.users);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Vec<UserId>, CodecError> {
        decode_field(&answer, "uids")
    }
}

/// Sets what the user says about itself (`setuserinfo`).
///
/// Each text has at most 65 535 bytes (200035). One that is not given stays as
/// it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetUserInfo {
    changes: Changes,
}

impl SetUserInfo {
    /// Sets nothing yet.
    #[must_use]
    pub fn new() -> Self {
        SetUserInfo::default()
    }

    /// What everybody may read (`oinfo`; default: unchanged).
    #[must_use]
    pub fn public_info(mut self, text: impl Into<String>) -> Self {
        self.changes.public_info = Some(text.into());
        self
    }

    /// What only the user itself may read (`pinfo`; default: unchanged).
    #[must_use]
    pub fn private_info(mut self, text: impl Into<String>) -> Self {
        self.changes.private_info = Some(text.into());
        self
    }
}

impl Request for SetUserInfo {
    type Response = ();

    fn method(&self) -> &str {
        "setuserinfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        self.changes.encode(out);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Reads what the user says about itself (`getuserinfo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetUserInfo;

impl GetUserInfo {
    /// The texts of the logged-in user.
    #[must_use]
    pub const fn new() -> Self {
        GetUserInfo
    }
}

impl Request for GetUserInfo {
    type Response = Info;

    fn method(&self) -> &str {
        "getuserinfo"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Info, CodecError> {
        Info::decode(&answer)
    }
}

/// Reads what users say about themselves to everybody (`getuseropeninfo`).
///
/// At most 100 users a call (200032).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetUsersPublicInfo {
    users: Vec<UserId>,
}

impl GetUsersPublicInfo {
    /// The public texts of `users`.
    pub fn new(users: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        GetUsersPublicInfo { users: ids(users) }
    }
}

impl Request for GetUsersPublicInfo {
    type Response = BTreeMap<UserId, String>;

    fn method(&self) -> &str {
        "getuseropeninfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("uids", &self.users);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Self::Response, CodecError> {
        let texts: IdMap<Text> = decode_field(&answer, "info")?;
        let by_user = texts.0.into_iter().map(|(id, text)| (UserId(id), text.0));
        Ok(by_user.collect())
    }
}

/// Users.
pub trait UserApi: Caller {
    /// Tells which users are online (`getOnlineUsers`), at most 200 a call.
    /// Gives the ids of those who are.
    #[doc(alias = "getOnlineUsers")]
    fn get_online_users(
        &self,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<GetOnlineUsers> {
        self.call(GetOnlineUsers::new(users))
    }

    /// Sets what the user says about itself (`setUserInfo`), each text at most
    /// 65 535 bytes; `None` leaves one as it is.
    #[doc(alias = "setUserInfo")]
    fn set_user_info(
        &self,
        public_info: Option<&str>,
        private_info: Option<&str>,
    ) -> Self::Reply<SetUserInfo> {
        let changes = Changes::new(public_info, private_info);
        self.call(SetUserInfo { changes })
    }

    /// Reads what the user says about itself (`getUserInfo`). Gives [`Info`].
    #[doc(alias = "getUserInfo")]
    fn get_user_info(&self) -> Self::Reply<GetUserInfo> {
        self.call(GetUserInfo)
    }

    /// Reads what users say about themselves to everybody
    /// (`getUserOpenInfo`), at most 100 users a call. Gives the texts by user
    /// id.
    #[doc(alias = "getUserOpenInfo")]
    fn get_users_public_info(
        &self,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<GetUsersPublicInfo> {
        self.call(GetUsersPublicInfo::new(users))
    }
}
