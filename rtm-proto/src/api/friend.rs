//! Friends.
//!
//! Wire methods: `addfriends`, `delfriends`, `getfriends`.

use alloc::vec::Vec;

use super::{Caller, decode_field, decode_nothing, ids};
use crate::error::RequestError;
use crate::ids::UserId;
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Request};

/// Makes users friends (`addfriends`).
///
/// At most 100 users a call (200032); the service limits the friends a user
/// may have (200048).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddFriends {
    friends: Vec<UserId>,
}

impl AddFriends {
    /// Makes `friends` friends of the logged-in user.
    pub fn new(friends: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        AddFriends {
            friends: ids(friends),
        }
    }
}

impl Request for AddFriends {
    type Response = ();

    fn method(&self) -> &str {
        "addfriends"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("friends", &self.friends);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Ends friendships (`delfriends`).
///
/// At most 100 users a call (200032).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveFriends {
    friends: Vec<UserId>,
}

impl RemoveFriends {
    /// Ends the friendship of the logged-in user with `friends`.
    pub fn new(friends: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        RemoveFriends {
            friends: ids(friends),
        }
    }
}

impl Request for RemoveFriends {
    type Response = ();

    fn method(&self) -> &str {
        "delfriends"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("friends", &self.friends);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Lists the friends of the user (`getfriends`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetFriends;

impl GetFriends {
    /// The friends of the logged-in user.
    #[must_use]
    pub const fn new() -> Self {
        GetFriends
    }
}

impl Request for GetFriends {
    type Response = Vec<UserId>;

    fn method(&self) -> &str {
        "getfriends"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Vec<UserId>, CodecError> {
        decode_field(&answer, "uids")
    }
}

/// Friends.
pub trait FriendApi: Caller {
    /// Makes users friends (`addFriends`), at most 100 a call.
    #[doc(alias = "addFriends")]
    fn add_friends(
        &self,
        friends: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<AddFriends> {
        self.call(AddFriends::new(friends))
    }

    /// Ends friendships (`deleteFriends`), at most 100 a call.
    #[doc(alias = "deleteFriends")]
    fn remove_friends(
        &self,
        friends: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> Self::Reply<RemoveFriends> {
        self.call(RemoveFriends::new(friends))
    }

    /// Lists the friends of the user (`getFriends`). Gives the user ids.
    #[doc(alias = "getFriends")]
    fn get_friends(&self) -> Self::Reply<GetFriends> {
        self.call(GetFriends)
    }
}
