//! Entering and leaving rooms, and what rooms say about themselves.
//!
//! A room belongs to a session: when the session ends, the service forgets
//! that the user was in it. The client enters its rooms again after a
//! reconnect ([`Config::restore_rooms`](crate::Config::restore_rooms)).
//!
//! Wire methods: `enterroom`, `leaveroom`, `getuserrooms`, `setroominfo`,
//! `getroominfo`, `getroomopeninfo`.

use alloc::string::String;
use alloc::vec::Vec;

use super::info::{Changes, Info};
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

/// Sets what a room says about itself (`setroominfo`).
///
/// Each text has at most 65 535 bytes (200035). One that is not given stays as
/// it is. The user must be in the room (200040).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRoomInfo {
    room: RoomId,
    changes: Changes,
}

impl SetRoomInfo {
    /// Sets nothing of `room` yet.
    pub fn new(room: impl Into<RoomId>) -> Self {
        SetRoomInfo {
            room: room.into(),
            changes: Changes::default(),
        }
    }

    /// What everybody may read (`oinfo`; default: unchanged).
    #[must_use]
    pub fn public_info(mut self, text: impl Into<String>) -> Self {
        self.changes.public_info = Some(text.into());
        self
    }

    /// What only those in the room may read (`pinfo`; default: unchanged).
    #[must_use]
    pub fn private_info(mut self, text: impl Into<String>) -> Self {
        self.changes.private_info = Some(text.into());
        self
    }
}

impl Request for SetRoomInfo {
    type Response = ();

    fn method(&self) -> &str {
        "setroominfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("rid", &self.room);
        self.changes.encode(out);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Reads what a room says about itself (`getroominfo`).
///
/// The user must be in the room (200040).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetRoomInfo {
    room: RoomId,
}

impl GetRoomInfo {
    /// The texts of `room`.
    pub fn new(room: impl Into<RoomId>) -> Self {
        GetRoomInfo { room: room.into() }
    }
}

impl Request for GetRoomInfo {
    type Response = Info;

    fn method(&self) -> &str {
        "getroominfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("rid", &self.room);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Info, CodecError> {
        Info::decode(&answer)
    }
}

/// Reads what a room says about itself to everybody (`getroomopeninfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetRoomPublicInfo {
    room: RoomId,
}

impl GetRoomPublicInfo {
    /// The public text of `room`.
    pub fn new(room: impl Into<RoomId>) -> Self {
        GetRoomPublicInfo { room: room.into() }
    }
}

impl Request for GetRoomPublicInfo {
    /// Empty if it was never set.
    type Response = String;

    fn method(&self) -> &str {
        "getroomopeninfo"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("rid", &self.room);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<String, CodecError> {
        Info::decode_public(&answer)
    }
}

/// Rooms.
pub trait RoomApi: Caller {
    /// Enters a room (`enterRoom`).
    #[doc(alias = "enterRoom")]
    fn enter_room(&self, room: impl Into<RoomId>) -> Self::Reply<EnterRoom> {
        self.call(EnterRoom::new(room))
    }

    /// Leaves a room (`leaveRoom`).
    #[doc(alias = "leaveRoom")]
    fn leave_room(&self, room: impl Into<RoomId>) -> Self::Reply<LeaveRoom> {
        self.call(LeaveRoom::new(room))
    }

    /// Lists the rooms the user is in (`getUserRooms`). Gives the room ids.
    #[doc(alias = "getUserRooms")]
    fn get_user_rooms(&self) -> Self::Reply<GetUserRooms> {
        self.call(GetUserRooms)
    }

    /// Sets what a room says about itself (`setRoomInfo`), each text at most
    /// 65 535 bytes; `None` leaves one as it is.
    #[doc(alias = "setRoomInfo")]
    fn set_room_info(
        &self,
        room: impl Into<RoomId>,
        public_info: Option<&str>,
        private_info: Option<&str>,
    ) -> Self::Reply<SetRoomInfo> {
        self.call(SetRoomInfo {
            room: room.into(),
            changes: Changes::new(public_info, private_info),
        })
    }

    /// Reads what a room says about itself (`getRoomInfo`). Gives [`Info`].
    #[doc(alias = "getRoomInfo")]
    fn get_room_info(&self, room: impl Into<RoomId>) -> Self::Reply<GetRoomInfo> {
        self.call(GetRoomInfo::new(room))
    }

    /// Reads what a room says about itself to everybody
    /// (`getRoomOpenInfo`). Gives the text.
    #[doc(alias = "getRoomOpenInfo")]
    fn get_room_public_info(&self, room: impl Into<RoomId>) -> Self::Reply<GetRoomPublicInfo> {
        self.call(GetRoomPublicInfo::new(room))
    }
}
