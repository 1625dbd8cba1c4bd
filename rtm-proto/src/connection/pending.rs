//! Quests that wait for their answers.

use alloc::vec::Vec;

use crate::tables::{Deadlines, NumberedMap};
use crate::time::Instant;

/// Outstanding quests by sequence number, with their deadlines.
#[derive(Debug)]
pub(crate) struct PendingTable<K> {
    quests: NumberedMap<PendingQuest<K>>,
    deadlines: Deadlines<u32>,
    next_seq: u32,
}

#[derive(Debug)]
pub(crate) struct PendingQuest<K> {
    pub(crate) key: K,
    pub(crate) deadline: Instant,
    /// Where in the outgoing stream the package begins.
    pub(crate) position: u64,
    /// Where it ends.
    pub(crate) end: u64,
}

impl<K> PendingTable<K> {
    pub(crate) fn new() -> Self {
        PendingTable {
            quests: NumberedMap::default(),
            deadlines: Deadlines::default(),
            next_seq: 1,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.quests.len()
    }

    /// The next free sequence number: counts up from 1, leaves out 0 and
    /// numbers still in use (`highras/fpnn doc/common/fpnn-protocol-spec.txt`).
    pub(crate) fn next_seq(&mut self) -> u32 {
        loop {
            let seq = self.next_seq;
            self.next_seq = seq.wrapping_add(1);
            if seq != 0 && !self.quests.contains_key(seq.into()) {
                return seq;
            }
        }
    }

    pub(crate) fn insert(&mut self, seq: u32, quest: PendingQuest<K>) {
        self.deadlines.insert(quest.deadline, seq);
        self.quests.insert(seq.into(), quest);
    }

    pub(crate) fn remove(&mut self, seq: u32) -> Option<PendingQuest<K>> {
        let quest = self.quests.remove(seq.into())?;
        self.deadlines.remove(quest.deadline, seq);
        Some(quest)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| deadline)
    }

    /// Takes out one quest whose deadline has come.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<PendingQuest<K>> {
        let (deadline, seq) = self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.remove(seq)
    }

    /// Takes out all quests, the lowest number first.
    pub(crate) fn take_all(&mut self) -> Vec<PendingQuest<K>> {
        self.deadlines = Deadlines::default();
        let all = self.quests.take_all().into_iter();
        all.map(|(_, quest)| quest).collect()
    }

    #[cfg(test)]
    pub(crate) fn set_next_seq(&mut self, seq: u32) {
        self.next_seq = seq;
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn quest() -> PendingQuest<()> {
        PendingQuest {
            key: (),
            deadline: Instant::ZERO,
            position: 0,
            end: 0,
        }
    }

    #[test]
    fn numbers_wrap_past_zero_and_skip_those_in_use() {
        let mut table = PendingTable::new();
        table.insert(1, quest());
        table.insert(2, quest());
        table.set_next_seq(u32::MAX);
        assert_eq!(table.next_seq(), u32::MAX);
        assert_eq!(table.next_seq(), 3);
    }

    /// The number `steps` away from the last one there is.
    fn near_the_end(steps: i32) -> u32 {
        u32::MAX.wrapping_add_signed(steps)
    }

    proptest! {
        #[test]
        fn the_next_number_is_the_first_behind_the_last_that_is_free(
            start in -12..12_i32, in_use in btree_set(-12..12_i32, 0..20),
            ends in vec(any::<Option<prop::sample::Index>>(), 1..60),
        ) {
            let mut table = PendingTable::new();
            let mut in_use: BTreeSet<u32> = in_use.into_iter().map(near_the_end).collect();
            in_use.remove(&0);
            for seq in &in_use {
                table.insert(*seq, quest());
            }
            let mut last = near_the_end(start).wrapping_sub(1);
            table.set_next_seq(near_the_end(start));
            for end in ends {
                if let (Some(end), false) = (end, in_use.is_empty()) {
                    let seqs: Vec<u32> = in_use.iter().copied().collect();
                    let seq = *end.get(&seqs);
                    in_use.remove(&seq);
                    prop_assert!(table.remove(seq).is_some());
                    prop_assert!(table.remove(seq).is_none());
                    continue;
                }
                let seq = table.next_seq();
                let mut behind = (1..=u32::MAX).map(|n| last.wrapping_add(n));
                let free = behind.find(|n| *n != 0 && !in_use.contains(n));
                prop_assert_eq!(Some(seq), free);
                table.insert(seq, quest());
                in_use.insert(seq);
                prop_assert_eq!(table.len(), in_use.len());
                last = seq;
            }
        }
    }
}
