//! A map for keys that are counted up.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A table of so many slots is kept when the map becomes empty.
const KEEP: usize = 256;
const SMALLEST: usize = 4;

/// A map for keys that are counted up.
///
/// Those that live at the same time are mostly close together, so the low bits
/// of a key lead to its slot at once. When one lives long while many come and
/// go, some meet in a slot; the later one is then kept in a tree, so that the
/// worst case is that of the tree and memory follows the number of entries.
#[derive(Debug)]
pub(crate) struct NumberedMap<V> {
    /// A power of two of them, or none; more than half are free.
    slots: Vec<Option<(u64, V)>>,
    crowded_out: BTreeMap<u64, V>,
    len: usize,
}

impl<V> Default for NumberedMap<V> {
    fn default() -> Self {
        NumberedMap {
            slots: Vec::new(),
            crowded_out: BTreeMap::new(),
            len: 0,
        }
    }
}

impl<V> NumberedMap<V> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry, or replaces the one that has the key.
    pub(crate) fn insert(&mut self, key: u64, value: V) {
        if let Some(known) = self.get_mut(key) {
            *known = value;
            return;
        }
        if 2 * (self.len + 1) > self.slots.len() {
            self.grow();
        }
        self.len += 1;
        self.place(key, value);
    }

    pub(crate) fn contains_key(&self, key: u64) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        match self.slots.get(self.slot_of(key)) {
            Some(Some((of, value))) if *of == key => Some(value),
            _ => self.crowded_out.get(&key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        let slot = self.slot_of(key);
        match self.slots.get_mut(slot) {
            Some(Some((of, value))) if *of == key => Some(value),
            _ => self.crowded_out.get_mut(&key),
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let slot = self.slot_of(key);
        let found = self.slots.get_mut(slot);
        let found = found.and_then(|slot| slot.take_if(|(of, _)| *of == key));
        let value = match found {
            Some((_, value)) => value,
            None => self.crowded_out.remove(&key)?,
        };
        self.len -= 1;
        if self.len == 0 && self.slots.len() > KEEP {
            self.slots = Vec::new();
        }
        Some(value)
    }

    /// Takes everything, in the order of the keys.
    pub(crate) fn take_all(&mut self) -> Vec<(u64, V)> {
        self.len = 0;
        let slots = core::mem::take(&mut self.slots);
        let crowded_out = core::mem::take(&mut self.crowded_out);
        let mut all: Vec<_> = slots.into_iter().flatten().chain(crowded_out).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let slots = self.slots.iter_mut().flatten().map(|(_, value)| value);
        slots.chain(self.crowded_out.values_mut())
    }

    fn slot_of(&self, key: u64) -> usize {
        // What is cut off are bits that the mask would clear.
        key as usize & self.slots.len().wrapping_sub(1)
    }

    fn place(&mut self, key: u64, value: V) {
        let slot = self.slot_of(key);
        match self.slots.get_mut(slot) {
            Some(slot @ None) => *slot = Some((key, value)),
            _ => {
                self.crowded_out.insert(key, value);
            }
        }
    }

    fn grow(&mut self) {
        let room = (2 * self.slots.len()).max(SMALLEST);
        let mut slots = Vec::new();
        slots.resize_with(room, || None);
        let old = core::mem::replace(&mut self.slots, slots);
        let crowded_out = core::mem::take(&mut self.crowded_out);
        for (key, value) in old.into_iter().flatten().chain(crowded_out) {
            self.place(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// Adds so many in a row, after leaving out some.
        Add(u8, u8),
        /// Removes the one at this place of those that are left.
        Remove(usize),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (1..40_u8, 0..3_u8).prop_map(|(many, gap)| Step::Add(many, gap)),
            20 => any::<usize>().prop_map(Step::Remove),
            1 => Just(Step::Clear),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn it_holds_what_a_tree_would_hold(start in any::<u32>(), steps in steps()) {
            let mut map = NumberedMap::default();
            let mut model = BTreeMap::new();
            let mut next = u64::from(start);
            for step in steps {
                match step {
                    Step::Add(many, gap) => {
                        next += u64::from(gap);
                        for _ in 0..many {
                            map.insert(next, next);
                            model.insert(next, next);
                            next += 1;
                        }
                    }
                    Step::Remove(place) => {
                        let place = place.checked_rem(model.len()).unwrap_or(0);
                        let key = model.keys().nth(place).copied().unwrap_or(next);
                        prop_assert_eq!(map.remove(key), model.remove(&key));
                        prop_assert!(!map.contains_key(key));
                    }
                    Step::Clear => {
                        let all: Vec<_> = core::mem::take(&mut model).into_iter().collect();
                        prop_assert_eq!(map.take_all(), all);
                    }
                }
                prop_assert_eq!(map.len(), model.len());
                for (key, value) in &model {
                    prop_assert_eq!(map.get(*key), Some(value));
                }
                let mut values: Vec<_> = map.values_mut().map(|value| *value).collect();
                values.sort_unstable();
                prop_assert!(values.iter().eq(model.values()));
            }
        }
    }

    #[test]
    fn one_that_stays_while_many_come_and_go_costs_no_memory() {
        let mut map = NumberedMap::default();
        map.insert(0, ());
        for key in 1..100_000 {
            map.insert(key, ());
            map.remove(key);
        }
        assert!(map.slots.len() <= SMALLEST);
        assert!(map.contains_key(0));
    }

    #[test]
    fn what_a_rush_took_is_given_back() {
        let mut map = NumberedMap::default();
        (0..10_000).for_each(|key| map.insert(key, ()));
        (0..10_000).for_each(|key| assert_eq!(map.remove(key), Some(())));
        assert_eq!(map.slots.capacity(), 0);
    }

    #[test]
    fn an_entry_added_again_is_replaced() {
        let mut map = NumberedMap::default();
        for key in [0, 4, 8, 4] {
            map.insert(key, key);
        }
        map.insert(8, 9);
        assert_eq!(map.take_all(), vec![(0, 0), (4, 4), (8, 9)]);
    }
}
