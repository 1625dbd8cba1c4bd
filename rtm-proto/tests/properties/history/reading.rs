//! A reading of a history that changes meanwhile, and what must be true of it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::model::{Fate, Gap, Service, Stored, Wanted, gap};

/// What happens to a history.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Arrives(Gap),
    Becomes(Index, Fate),
    /// Deleted without a trace: neither listed nor counted.
    Vanishes(Index),
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        2 => gap().prop_map(Change::Arrives),
        1 => index().prop_map(|index| Change::Becomes(index, Fate::Marked)),
        1 => index().prop_map(|index| Change::Becomes(index, Fate::Gone)),
        2 => index().prop_map(Change::Vanishes),
    ]
}

pub(super) struct Reading {
    wanted: Wanted,
    pub(super) service: Service,
    /// What the service had when it gave each page.
    pages: Vec<Vec<Stored>>,
    /// What was deleted meanwhile.
    deleted: BTreeSet<i64>,
    /// What was read: from which page, and whether it was marked as deleted.
    read: Vec<(usize, (i64, bool))>,
}

impl Reading {
    pub(super) fn new(service: Service, wanted: Wanted) -> Self {
        Reading {
            wanted,
            service,
            pages: Vec::new(),
            deleted: BTreeSet::new(),
            read: Vec::new(),
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        let stored = &mut self.service.stored;
        match change {
            Change::Arrives(gap) => self.service.keep(gap),
            Change::Becomes(..) | Change::Vanishes(_) if stored.is_empty() => {}
            Change::Becomes(index, fate) => {
                let one = index.get_mut(stored);
                one.fate = fate;
                self.deleted.insert(one.cursor);
            }
            Change::Vanishes(index) => {
                let one = stored.remove(index.index(stored.len()));
                self.deleted.insert(one.cursor);
            }
        }
    }

    /// The service gives the next page now.
    pub(super) fn gives_page(&mut self) {
        self.pages.push(self.service.stored.clone());
        assert!(self.pages.len() <= 100, "it does not end");
    }

    pub(super) fn reads(&mut self, cursor: i64, deleted: bool) {
        let page = self.pages.len() - 1;
        self.read.push((page, (cursor, deleted)));
    }

    /// What is read was there and comes in order, once; what was there all
    /// along is read, up to the limit.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        let read: Vec<i64> = self.read.iter().map(|(_, (cursor, _))| *cursor).collect();
        let in_order = |pair: &[i64]| match self.wanted.newest_first {
            true => pair[1] < pair[0],
            false => pair[1] > pair[0],
        };
        prop_assert!(read.windows(2).all(in_order), "{:?}", read);
        let limit = self.wanted.limit.unwrap_or(u64::MAX);
        prop_assert!(read.len() as u64 <= limit);

        let mut unlimited = self.wanted.clone();
        unlimited.limit = None;
        let listed = |stored: &[Stored]| unlimited.of(stored);
        for (page, record) in &self.read {
            prop_assert!(listed(&self.pages[*page]).contains(record), "{:?}", record);
        }
        // From the newest back, what arrives meanwhile is not part of it.
        let all = match self.wanted.newest_first {
            true => self.pages.first(),
            false => self.pages.last(),
        };
        let all = all.map_or(Vec::new(), |stored| listed(stored));
        let lasting = all.iter().map(|(cursor, _)| *cursor);
        let lasting = lasting.filter(|cursor| !self.deleted.contains(cursor));
        let is_full = read.len() as u64 == limit;
        for cursor in lasting {
            let is_beyond = read.last().is_none_or(|last| !in_order(&[cursor, *last]));
            let may_miss = is_full && is_beyond;
            prop_assert!(may_miss || read.contains(&cursor), "{} is missing", cursor);
        }
        Ok(())
    }
}
