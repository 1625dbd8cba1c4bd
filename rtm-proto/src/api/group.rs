//! Members of groups, and what groups say about themselves.
//!
//! Wire methods: `addgroupmembers`, `delgroupmembers`, `getgroupmembers`,
//! `getusergroups`, `setgroupinfo`, `getgroupinfo`, `getgroupopeninfo`.

use alloc::string::String;
use alloc::vec::Vec;

use super::info::{Changes, Info};
use super::{Caller, decode_field, decode_nothing, ids};
use crate::error::RequestError;
use crate::ids::{GroupId, UserId};
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Request};

/// Adds users to a group (`addgroupmembers`).
///
/// At most 100 users a call (200032); the caller must be a member (200041).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddGroupMembers {
    group: GroupId,
    users: Vec<UserId>,
}

impl AddGroupMembers {
    /// Adds `users` to `group`.
    pub fn new(
        group: impl Into<GroupId>,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self {
        AddGroupMembers {
            group: group.into(),
            users: ids(users),
        }
    }
}

impl Request for AddGroupMembers {
    type Response = ();

    fn method(&self) -> &str {
        "addgroupmembers"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group).field("uids", &self.users);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Removes users from a group (`delgroupmembers`).
///
/// At most 100 users a call (200032); the caller must be a member (200041).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveGroupMembers {
    group: GroupId,
    users: Vec<UserId>,
}

impl RemoveGroupMembers {
    /// Removes `users` from `group`.
    pub fn new(
        group: impl Into<GroupId>,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self {
        RemoveGroupMembers {
            group: group.into(),
            users: ids(users),
        }
    }
}

impl Request for RemoveGroupMembers {
    type Response = ();

    fn method(&self) -> &str {
        "delgroupmembers"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group).field("uids", &self.users);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Lists the members of a group (`getgroupmembers`).
///
/// The caller must be a member (200041).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetGroupMembers {
    group: GroupId,
}

impl GetGroupMembers {
    /// The members of `group`.
    pub fn new(group: impl Into<GroupId>) -> Self {
        GetGroupMembers {
            group: group.into(),
        }
    }
}

impl Request for GetGroupMembers {
    type Response = Vec<UserId>;

    fn method(&self) -> &str {
        "getgroupmembers"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Vec<UserId>, CodecError> {
        decode_field(&answer, "uids")
    }
}

/// Lists the groups the user is a member of (`getusergroups`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetUserGroups;

impl GetUserGroups {
    /// The groups of the logged-in user.
    #[must_use]
    pub const fn new() -> Self {
        GetUserGroups
    }
}

impl Request for GetUserGroups {
    type Response = Vec<GroupId>;

    fn method(&self) -> &str {
        "getusergroups"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Vec<GroupId>, CodecError> {
        decode_field(&answer, "gids")
    }
}

/// Sets what a group says about itself (`setgroupinfo`).
///
/// Each text has at most 65 535 bytes (200035). One that is not given stays as
/// it is. The caller must be a member (200041).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetGroupInfo {
    group: GroupId,
    changes: Changes,
}

impl SetGroupInfo {
    /// Sets nothing of `group` yet.
    pub fn new(group: impl Into<GroupId>) -> Self {
        SetGroupInfo {
            group: group.into(),
            changes: Changes::default(),
        }
    }

    /// What everybody may read (`oinfo`; default: unchanged).
    #[must_use]
    pub fn public_info(mut self, text: impl Into<String>) -> Self {
        self.changes.public_info = Some(text.into());
        self
    }

    /// What only members may read (`pinfo`; default: unchanged).
    #[must_use]
    pub fn private_info(mut self, text: impl Into<String>) -> Self {
        self.changes.private_info = Some(text.into());
        self
    }
}

impl Request for SetGroupInfo {
    type Response = ();

    fn method(&self) -> &str {
        "setgroupinfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group);
        self.changes.encode(out);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Reads what a group says about itself (`getgroupinfo`).
///
/// The caller must be a member (200041).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetGroupInfo {
    group: GroupId,
}

impl GetGroupInfo {
    /// The texts of `group`.
    pub fn new(group: impl Into<GroupId>) -> Self {
        GetGroupInfo {
            group: group.into(),
        }
    }
}

impl Request for GetGroupInfo {
    type Response = Info;

    fn method(&self) -> &str {
        "getgroupinfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Info, CodecError> {
        Info::decode(&answer)
    }
}

/// Reads what a group says about itself to everybody (`getgroupopeninfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetGroupPublicInfo {
    group: GroupId,
}

impl GetGroupPublicInfo {
    /// The public text of `group`.
    pub fn new(group: impl Into<GroupId>) -> Self {
        GetGroupPublicInfo {
            group: group.into(),
        }
    }
}

impl Request for GetGroupPublicInfo {
    /// Empty if it was never set.
    type Response = String;

    fn method(&self) -> &str {
        "getgroupopeninfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("gid", &self.group);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<String, CodecError> {
        Info::decode_public(&answer)
    }
}

/// Groups and their members.
pub trait GroupApi: Caller {
    /// Adds users to a group (`addGroupMembers`), at most 100 a call.
    #[doc(alias = "addGroupMembers")]
    fn add_group_members(
        &self,
        group: impl Into<GroupId>,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<AddGroupMembers> {
        self.call(AddGroupMembers::new(group, users))
    }

    /// Removes users from a group (`deleteGroupMembers`), at most 100 a call.
    #[doc(alias = "deleteGroupMembers")]
    fn remove_group_members(
        &self,
        group: impl Into<GroupId>,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<RemoveGroupMembers> {
        self.call(RemoveGroupMembers::new(group, users))
    }

    /// Lists the members of a group (`getGroupMembers`). Gives the user ids.
    #[doc(alias = "getGroupMembers")]
    fn get_group_members(&self, group: impl Into<GroupId>) -> Self::Reply<GetGroupMembers> {
        self.call(GetGroupMembers::new(group))
    }

    /// Lists the groups of the user (`getUserGroups`). Gives the group ids.
    #[doc(alias = "getUserGroups")]
    fn get_user_groups(&self) -> Self::Reply<GetUserGroups> {
        self.call(GetUserGroups)
    }

    /// Sets what a group says about itself (`setGroupInfo`), each text at most
    /// 65 535 bytes; `None` leaves one as it is.
    #[doc(alias = "setGroupInfo")]
    fn set_group_info(
        &self,
        group: impl Into<GroupId>,
        public_info: Option<&str>,
        private_info: Option<&str>,
    ) -> Self::Reply<SetGroupInfo> {
        self.call(SetGroupInfo {
            group: group.into(),
            changes: Changes::new(public_info, private_info),
        })
    }

    /// Reads what a group says about itself (`getGroupInfo`). Gives [`Info`].
    #[doc(alias = "getGroupInfo")]
    fn get_group_info(&self, group: impl Into<GroupId>) -> Self::Reply<GetGroupInfo> {
        self.call(GetGroupInfo::new(group))
    }

    /// Reads what a group says about itself to everybody
    /// (`getGroupOpenInfo`). Gives the text.
    #[doc(alias = "getGroupOpenInfo")]
    fn get_group_public_info(&self, group: impl Into<GroupId>) -> Self::Reply<GetGroupPublicInfo> {
        self.call(GetGroupPublicInfo::new(group))
    }
}
