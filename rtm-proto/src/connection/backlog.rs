//! How much of what we owe the peer in answers is still unsent.

use alloc::collections::VecDeque;

/// Byte ranges of the outgoing stream that hold answers to the peer's quests.
///
/// Neighbouring answers share a range, so the list is no longer than the
/// number of own quests between them.
#[derive(Debug, Default)]
pub(crate) struct AnswerBacklog {
    ranges: VecDeque<(u64, u64)>,
    bytes: u64,
}

impl AnswerBacklog {
    /// An answer was queued at `start..end` of the stream.
    pub(crate) fn push(&mut self, start: u64, end: u64) {
        self.bytes += end.saturating_sub(start);
        match self.ranges.back_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => self.ranges.push_back((start, end)),
        }
    }

    /// Bytes of answers beyond `handed_out`.
    pub(crate) fn unsent(&mut self, handed_out: u64) -> u64 {
        while let Some(first) = self.ranges.front_mut() {
            let gone = handed_out.min(first.1).saturating_sub(first.0);
            self.bytes -= gone;
            first.0 += gone;
            if first.0 < first.1 {
                break;
            }
            self.ranges.pop_front();
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_not_handed_out_counts() {
        let mut backlog = AnswerBacklog::default();
        backlog.push(0, 10);
        backlog.push(10, 20);
        backlog.push(100, 130);
        assert_eq!(backlog.ranges.len(), 2);
        assert_eq!(backlog.unsent(0), 50);
        assert_eq!(backlog.unsent(15), 35);
        assert_eq!(backlog.unsent(99), 30);
        assert_eq!(backlog.unsent(110), 20);
        assert_eq!(backlog.unsent(130), 0);
        assert!(backlog.ranges.is_empty());
    }
}
