//! Deadlines, the first of which is always known.

use alloc::collections::{BTreeSet, VecDeque};

use crate::time::Instant;

/// A queue with room for so many is kept when it becomes empty.
const KEEP: usize = 256;
/// So many removed entries may stay in the queue however short it is.
const SLACK: usize = 32;

/// Deadlines by time.
///
/// Nearly all come in order, because most calls have the same time limit: they
/// are a queue. The others are a tree.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    /// Sorted; neither the first nor more than half of the rest are removed.
    queue: VecDeque<Entry<K>>,
    removed: usize,
    others: BTreeSet<(Instant, K)>,
}

#[derive(Debug)]
struct Entry<K> {
    at: (Instant, K),
    is_removed: bool,
}

impl<K: Copy + Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines {
            queue: VecDeque::new(),
            removed: 0,
            others: BTreeSet::new(),
        }
    }
}

impl<K: Copy + Ord> Deadlines<K> {
    /// Adds a deadline; no other of the same key and time may be there.
    pub(crate) fn insert(&mut self, deadline: Instant, key: K) {
        let at = (deadline, key);
        if self.queue.back().is_none_or(|last| last.at < at) {
            self.queue.push_back(Entry {
                at,
                is_removed: false,
            });
        } else {
            self.others.insert(at);
        }
    }

    pub(crate) fn remove(&mut self, deadline: Instant, key: K) {
        let at = (deadline, key);
        let found = match self.queue.front() {
            // Answers come mostly in the order of the calls.
            Some(first) if first.at == at => Ok(0),
            _ => self.queue.binary_search_by(|entry| entry.at.cmp(&at)),
        };
        let entry = found.ok().and_then(|index| self.queue.get_mut(index));
        match entry {
            Some(entry) if !entry.is_removed => {
                entry.is_removed = true;
                self.removed += 1;
                self.clean();
            }
            _ => {
                self.others.remove(&at);
            }
        }
    }

    pub(crate) fn first(&self) -> Option<(Instant, K)> {
        let queued = self.queue.front().map(|entry| entry.at);
        match (queued, self.others.first().copied()) {
            (Some(queued), Some(other)) => Some(queued.min(other)),
            (queued, other) => queued.or(other),
        }
    }

    fn clean(&mut self) {
        while self.queue.front().is_some_and(|entry| entry.is_removed) {
            self.queue.pop_front();
            self.removed -= 1;
        }
        if self.removed > self.queue.len() / 2 + SLACK {
            self.queue.retain(|entry| !entry.is_removed);
            self.removed = 0;
        }
        if self.queue.is_empty() && self.queue.capacity() > KEEP {
            self.queue = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::time::Duration;
    use proptest::prelude::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    proptest! {
        #[test]
        fn the_first_is_the_one_a_tree_would_tell(
            steps in prop::collection::vec((0..20_u64, any::<u8>(), any::<bool>()), 0..400)
        ) {
            let mut deadlines = Deadlines::default();
            let mut model = BTreeSet::new();
            for (number, (ms, place, is_removal)) in steps.into_iter().enumerate() {
                let place = usize::from(place).checked_rem(model.len());
                match place.filter(|_| is_removal) {
                    Some(place) => {
                        let known: Option<(Instant, usize)> = model.iter().nth(place).copied();
                        let (deadline, key) = known.unwrap();
                        model.remove(&(deadline, key));
                        deadlines.remove(deadline, key);
                    }
                    None => {
                        // Mostly in order, as time limits are.
                        let ms = if ms < 15 { number as u64 } else { ms * 10 };
                        model.insert((at(ms), number));
                        deadlines.insert(at(ms), number);
                    }
                }
                prop_assert_eq!(deadlines.first(), model.first().copied());
                let known = deadlines.queue.len() + deadlines.others.len();
                prop_assert!(known <= 2 * model.len() + 2 * SLACK + 2);
            }
        }
    }

    #[test]
    fn one_that_stays_while_many_come_and_go_costs_no_memory() {
        let mut deadlines = Deadlines::default();
        deadlines.insert(at(0), 0);
        for key in 1..100_000 {
            deadlines.insert(at(key), key);
            deadlines.remove(at(key), key);
        }
        assert!(deadlines.queue.len() <= SLACK + 3);
        assert_eq!(deadlines.first(), Some((at(0), 0)));
    }

    #[test]
    fn what_a_rush_took_is_given_back() {
        let mut deadlines = Deadlines::default();
        let times: Vec<_> = (0..10_000).map(at).collect();
        times.iter().for_each(|&time| deadlines.insert(time, 1));
        times.iter().for_each(|&time| deadlines.remove(time, 1));
        assert_eq!(deadlines.queue.capacity(), 0);
        assert_eq!(deadlines.first(), None);
    }
}
