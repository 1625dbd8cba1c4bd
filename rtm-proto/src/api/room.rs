//! Entering and leaving rooms.
//!
//! A room belongs to a session: when the session ends, the service forgets
//! that the user was in it. The client enters its rooms again after a
//! reconnect ([`Config::restore_rooms`](crate::Config::restore_rooms)).
//!
//! Wire methods: `enterroom`, `leaveroom`, `getuserrooms`.

use alloc::vec::Vec;

use super::{Caller, decode_field, decode_nothing};
use crate::error::RequestError;
use crate::ids::RoomId;
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Remembered, Request};

/// Enters a room (`enterroom`).
///
/// The service limits the rooms a user may be in at a time (200047).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnterRoom {
    room: RoomId,
}

impl EnterRoom {
    /// Enters `room`.
    pub fn new(room: impl Into<RoomId>) -> Self {
        EnterRoom { room: room.into() }
    }
}

impl Request for EnterRoom {
    type Response = ();

    fn method(&self) -> &str {
        "enterroom"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("rid", &self.room);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }

    fn remembers(&self) -> Option<Remembered> {
        Some(Remembered::EnteredRoom(self.room))
    }
}

/// Leaves a room (`leaveroom`).
///
/// Whatever becomes of the call, the room is not entered again after a
/// reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaveRoom {
    room: RoomId,
}

impl LeaveRoom {
    /// Leaves `room`.
    pub fn new(room: impl Into<RoomId>) -> Self {
        LeaveRoom { room: room.into() }
    }
}

impl Request for LeaveRoom {
    type Response = ();

    fn method(&self) -> &str {
        "leaveroom"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("rid", &self.room);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }

    fn remembers(&self) -> Option<Remembered> {
        Some(Remembered::LeftRoom(self.room))
    }
}

/// Lists the rooms the user is in (`getuserrooms`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetUserRooms;

impl GetUserRooms {
    /// The rooms of the logged-in user.
    #[must_use]
    pub const fn new() -> Self {
        GetUserRooms
    }
}

impl Request for GetUserRooms {
    type Response = Vec<RoomId>;

    fn method(&self) -> &str {
        "getuserrooms"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Vec<RoomId>, CodecError> {
        decode_field(&answer, "rooms")
    }
}

/// Rooms.
pub trait RoomApi: Caller {
    /// Enters a room (`enterRoom`).
    fn enter_room(&self, room: impl Into<RoomId>) -> Self::Reply<EnterRoom> {
        self.call(EnterRoom::new(room))
    }

    /// Leaves a room (`leaveRoom`).
    fn leave_room(&self, room: impl Into<RoomId>) -> Self::Reply<LeaveRoom> {
        self.call(LeaveRoom::new(room))
    }

    /// Lists the rooms the user is in (`getUserRooms`). Gives the room ids.
    fn get_user_rooms(&self) -> Self::Reply<GetUserRooms> {
        self.call(GetUserRooms)
    }
}
