//! The events that wait for the application.

use alloc::collections::VecDeque;
use alloc::string::String;

use crate::event::{Event, Message, Translation};

/// What an event weighs besides its body.
const OVERHEAD: usize = 256;

/// A bounded queue. When it is full the oldest pushes give way, and a
/// [`Event::Lagged`] in their place says how many there were. The progress of
/// an upload gives way too, but does not count: the end of the call tells more.
/// Everything else stays.
#[derive(Debug)]
pub(super) struct EventQueue {
    entries: VecDeque<Event>,
    /// No entry before this index may be dropped.
    first_droppable: usize,
    droppable: usize,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl EventQueue {
    pub(super) const fn new(max_events: usize, max_bytes: usize) -> Self {
        EventQueue {
            entries: VecDeque::new(),
            first_droppable: 0,
            droppable: 0,
            bytes: 0,
            max_events,
            max_bytes,
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        if let Some(weight) = droppable_weight(&event) {
            self.droppable += 1;
            self.bytes += weight;
        }
        self.entries.push_back(event);
        while self.droppable > self.max_events || self.bytes > self.max_bytes {
            self.drop_oldest();
        }
    }

    /// Whether it is more than half full of what may be dropped.
    pub(super) const fn is_crowded(&self) -> bool {
        self.droppable > self.max_events / 2 || self.bytes > self.max_bytes / 2
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.entries.pop_front()?;
        self.first_droppable = self.first_droppable.saturating_sub(1);
        if let Some(weight) = droppable_weight(&event) {
            self.droppable -= 1;
            self.bytes -= weight;
        }
        if self.entries.is_empty() && self.entries.capacity() > 64 {
            self.entries = VecDeque::new();
        }
        Some(event)
    }

    fn drop_oldest(&mut self) {
        let rest = self.entries.iter_mut().skip(self.first_droppable);
        let Some((ahead, entry, weight)) = rest
            .enumerate()
            .find_map(|(ahead, entry)| droppable_weight(entry).map(|w| (ahead, entry, w)))
        else {
            return;
        };
        self.droppable -= 1;
        self.bytes -= weight;
        let index = self.first_droppable + ahead;
        if matches!(entry, Event::UploadProgress { .. }) {
            self.first_droppable = index;
            self.entries.remove(index);
        } else {
            *entry = Event::Lagged { missed: 1 };
            self.first_droppable = index + 1;
            self.merge_lag(index);
        }
    }

    /// Joins the lag at `index` with one right before it.
    fn merge_lag(&mut self, index: usize) {
        let before = index.checked_sub(1).and_then(|i| self.entries.get_mut(i));
        if let Some(Event::Lagged { missed }) = before {
            *missed += 1;
            self.entries.remove(index);
            self.first_droppable = index;
        }
    }
}

/// The weight of an event that may be dropped.
fn droppable_weight(event: &Event) -> Option<usize> {
    let content = match event {
        Event::Message(message) => message_weight(message),
        Event::Unknown { method, payload }
        | Event::Undecodable {
            method, payload, ..
        } => method.len() + payload.as_bytes().len(),
        Event::Ping | Event::KickedOutOfRoom(_) | Event::UploadProgress { .. } => 0,
        _ => return None,
    };
    Some(content + OVERHEAD)
}

fn message_weight(message: &Message) -> usize {
    let texts = message.translation.as_ref().map_or(0, |translation| {
        let Translation {
            source_language,
            target_language,
            source_text,
            target_text,
        } = translation.as_ref();
        let all = [source_language, target_language, source_text, target_text];
        all.map(String::len).iter().sum()
    });
    message.body.len() + texts + message.attrs.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::State;
    use crate::event::{Body, Conversation, MessageKind};
    use crate::ids::{MessageId, MessageType, RoomId, UserId};
    use alloc::vec::Vec;

    fn room(id: i64) -> Event {
        Event::KickedOutOfRoom(RoomId(id))
    }

    fn drain(queue: &mut EventQueue) -> Vec<alloc::string::String> {
        core::iter::from_fn(|| queue.pop())
            .map(|event| match event {
                Event::KickedOutOfRoom(room) => alloc::format!("{room}"),
                Event::Lagged { missed } => alloc::format!("lag {missed}"),
                Event::State(state) => alloc::format!("{state}"),
                other => alloc::format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn the_oldest_pushes_give_way_and_are_counted_in_their_place() {
        let mut queue = EventQueue::new(3, usize::MAX);
        for id in 0..10 {
            queue.push(room(id));
        }
        assert_eq!(drain(&mut queue), ["lag 7", "7", "8", "9"]);
    }

    #[test]
    fn state_events_stay_and_separate_the_lags_around_them() {
        let mut queue = EventQueue::new(2, usize::MAX);
        queue.push(Event::State(State::Idle));
        queue.push(room(1));
        queue.push(Event::State(State::Closing));
        for id in 2..7 {
            queue.push(room(id));
        }
        assert_eq!(
            drain(&mut queue),
            ["idle", "lag 1", "closing", "lag 3", "5", "6"]
        );
        assert_eq!((queue.droppable, queue.bytes), (0, 0));
    }

    fn progress(sent: u64) -> Event {
        Event::UploadProgress {
            message_id: MessageId(1),
            sent,
            total: 9,
        }
    }

    #[test]
    fn the_progress_of_uploads_gives_way_without_being_missed() {
        let mut queue = EventQueue::new(2, usize::MAX);
        for event in [progress(1), room(1), progress(2), progress(3), room(2)] {
            queue.push(event);
        }
        assert_eq!((queue.droppable, queue.bytes), (2, 2 * OVERHEAD));
        let left: Vec<_> = core::iter::from_fn(|| queue.pop()).collect();
        assert!(matches!(
            left[..],
            [
                Event::Lagged { missed: 1 },
                Event::UploadProgress { sent: 3, .. },
                Event::KickedOutOfRoom(RoomId(2))
            ]
        ));
    }

    fn message(body: Body, source_text: &str) -> Event {
        let translation = (!source_text.is_empty()).then(|| Translation {
            source_text: source_text.into(),
            ..Translation::default()
        });
        Event::Message(Message {
            conversation: Conversation::P2p,
            sender: UserId(1),
            recipient: None,
            kind: MessageKind::Chat,
            message_type: MessageType::CHAT,
            message_id: MessageId::NONE,
            body,
            attrs: String::new(),
            time_ms: None,
            translation: translation.map(alloc::boxed::Box::new),
        })
    }

    #[test]
    fn the_texts_of_a_translation_weigh_like_the_body() {
        let weight = |event| droppable_weight(&event).unwrap() - OVERHEAD;
        assert_eq!(weight(message("12345".into(), "")), 5);
        assert_eq!(weight(message("12345".into(), "abc")), 8);
    }

    #[test]
    fn bytes_are_bounded_too_and_reading_makes_room() {
        let mut queue = EventQueue::new(100, 3 * OVERHEAD);
        for id in 0..4 {
            queue.push(room(id));
        }
        assert!(matches!(queue.pop(), Some(Event::Lagged { missed: 1 })));
        assert!(matches!(
            queue.pop(),
            Some(Event::KickedOutOfRoom(RoomId(1)))
        ));
        queue.push(room(4));
        assert_eq!(drain(&mut queue), ["2", "3", "4"]);
    }

    #[test]
    fn a_long_lag_costs_no_memory() {
        let mut queue = EventQueue::new(8, usize::MAX);
        for id in 0..100_000 {
            queue.push(room(id));
        }
        assert_eq!(queue.entries.len(), 9);
    }
}
