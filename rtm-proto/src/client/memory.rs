//! What a session consists of besides its connection, to build it up again
//! after a reconnect.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::RoomId;
use crate::request::Remembered;

/// Rooms in entering order, the translation language, added attributes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    rooms: Vec<RoomId>,
    language: Option<String>,
    attributes: BTreeMap<String, String>,
}

/// One thing to restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Room(RoomId),
    Language(String),
    Attributes(BTreeMap<String, String>),
}

impl Memory {
    pub(super) fn apply(&mut self, change: Remembered) {
        match change {
            Remembered::EnteredRoom(room) => {
                self.forget_room(room);
                self.rooms.push(room);
            }
            Remembered::LeftRoom(room) => self.forget_room(room),
            Remembered::Language(language) => {
                self.language = (!language.is_empty()).then_some(language);
            }
            Remembered::Attributes(attributes) => self.attributes.extend(attributes),
        }
    }

    pub(super) fn forget_room(&mut self, room: RoomId) {
        self.rooms.retain(|entered| *entered != room);
    }

    pub(super) fn forget_rooms(&mut self) {
        self.rooms.clear();
    }

    pub(super) fn has_room(&self, room: RoomId) -> bool {
        self.rooms.contains(&room)
    }

    /// Everything there is to restore, in the order to do it.
    pub(super) fn steps(&self) -> VecDeque<Step> {
        let mut steps: VecDeque<Step> = self.rooms.iter().copied().map(Step::Room).collect();
        steps.extend(self.language.clone().map(Step::Language));
        if !self.attributes.is_empty() {
            steps.push_back(Step::Attributes(self.attributes.clone()));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_come_back_in_the_order_they_were_entered_last() {
        let mut memory = Memory::default();
        for room in [1, 2, 3, 1] {
            memory.apply(Remembered::EnteredRoom(RoomId(room)));
        }
        memory.apply(Remembered::LeftRoom(RoomId(3)));
        memory.apply(Remembered::Language("en".into()));
        let steps: Vec<Step> = memory.steps().into();
        assert_eq!(
            steps,
            [
                Step::Room(RoomId(2)),
                Step::Room(RoomId(1)),
                Step::Language("en".into())
            ]
        );
        memory.apply(Remembered::Language(String::new()));
        assert_eq!(memory.steps().len(), 2);
    }
}
