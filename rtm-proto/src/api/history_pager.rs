//! A history as one sequence of messages, whatever its pages are.

use alloc::collections::VecDeque;

use super::history::{GetHistory, HistoryPage, MAX_HISTORY_COUNT};
use super::history_record::HistoryRecord;
use super::target::Target;
use crate::ids::MessageType;

/// How many messages a page has unless told otherwise: what every service
/// gives.
const PAGE_SIZE: u32 = 10;

/// Which part of a history to read, and in which order.
///
/// ```
/// use rtm_proto::GroupId;
/// use rtm_proto::api::HistoryQuery;
///
/// // The hundred newest messages of the group before a point in time.
/// let query = HistoryQuery::new(GroupId(7)).until_ms(1_591_322_544_000).limit(100);
/// # let _ = query;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    request: GetHistory,
    limit: Option<u64>,
}

impl HistoryQuery {
    /// All messages of a conversation, the newest first.
    pub fn new(target: impl Into<Target>) -> Self {
        HistoryQuery {
            request: GetHistory::new(target, PAGE_SIZE),
            limit: None,
        }
    }

    /// All chats of a conversation, the newest first: messages of the
    /// [`CHAT_TYPES`](super::CHAT_TYPES).
    pub fn chat(target: impl Into<Target>) -> Self {
        HistoryQuery {
            request: GetHistory::chat(target, PAGE_SIZE),
            limit: None,
        }
    }

    fn set(mut self, change: impl FnOnce(GetHistory) -> GetHistory) -> Self {
        self.request = change(self.request);
        self
    }

    /// From the newest message back (the default). Messages that arrive
    /// meanwhile are not part of it.
    #[must_use]
    pub fn newest_first(self) -> Self {
        self.set(GetHistory::newest_first)
    }

    /// From the oldest message on. Messages that arrive meanwhile come at the
    /// end, unless the service or [`until_ms`](Self::until_ms) sets an end.
    #[must_use]
    pub fn oldest_first(self) -> Self {
        self.set(GetHistory::oldest_first)
    }

    /// Nothing older than this, in milliseconds since 1970 UTC, inclusive
    /// (default: no limit).
    #[must_use]
    pub fn since_ms(self, time: i64) -> Self {
        self.set(|request| request.since_ms(time))
    }

    /// Nothing newer than this, in milliseconds since 1970 UTC, inclusive
    /// (default: no limit).
    #[must_use]
    pub fn until_ms(self, time: i64) -> Self {
        self.set(|request| request.until_ms(time))
    }

    /// Goes on behind a message that was read earlier, given its
    /// [`HistoryRecord::cursor`] (default: from the start).
    #[must_use]
    pub fn cursor(self, cursor: i64) -> Self {
        self.set(|request| request.cursor(cursor))
    }

    /// Messages of these types only (default: all).
    #[must_use]
    pub fn message_types(self, types: impl IntoIterator<Item = impl Into<MessageType>>) -> Self {
        self.set(|request| request.message_types(types))
    }

    /// At most this many messages, deleted ones included (default: all).
    #[must_use]
    pub fn limit(mut self, messages: u64) -> Self {
        self.limit = Some(messages);
        self
    }

    /// How many messages to ask for at a time, 1 to 20; other numbers count
    /// as the nearest of these (default: 10).
    ///
    /// A service that gives fewer than it is asked for looks as if its history
    /// had ended, so ask for no more than it gives.
    #[must_use]
    pub fn page_size(self, messages: u32) -> Self {
        self.set(|request| request.with_count(messages.clamp(1, MAX_HISTORY_COUNT)))
    }
}

/// Reads a history page by page and hands out its messages one by one; pure,
/// so that it works with and without a runtime.
///
/// Take messages with [`pop`](Self::pop); when there are none, make the call
/// of [`next_request`](Self::next_request) and hand its page to
/// [`take_page`](Self::take_page); when there is no request either, that was
/// all. A call that failed is made again by asking for it again: nothing is
/// lost and nothing repeated.
///
/// Pages follow each other by the cursor that the service returns, so messages
/// that share a millisecond are neither lost nor repeated. The history ends
/// with a page that has fewer messages than were asked for, or whose cursor
/// does not go on.
///
/// ```
/// use rtm_proto::GroupId;
/// use rtm_proto::api::{GetHistory, HistoryPage, HistoryPager, HistoryQuery, HistoryRecord};
/// use rtm_proto::error::RequestError;
///
/// fn read_all(
///     mut call: impl FnMut(GetHistory) -> Result<HistoryPage, RequestError>,
/// ) -> Result<Vec<HistoryRecord>, RequestError> {
///     let mut pager = HistoryPager::new(HistoryQuery::new(GroupId(7)));
///     let mut records = Vec::new();
///     while let Some(request) = pager.next_request() {
///         pager.take_page(call(request)?);
///         records.extend(std::iter::from_fn(|| pager.pop()));
///     }
///     Ok(records)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HistoryPager {
    /// The request for the page to come.
    request: GetHistory,
    page_size: u32,
    /// Messages that may still be taken from pages to come.
    left: Option<u64>,
    ready: VecDeque<HistoryRecord>,
    ended: bool,
}

impl HistoryPager {
    /// A pager at the start of what `query` asks for.
    #[must_use]
    pub fn new(query: HistoryQuery) -> Self {
        HistoryPager {
            page_size: query.request.count(),
            request: query.request,
            left: query.limit,
            ready: VecDeque::new(),
            ended: query.limit == Some(0),
        }
    }

    /// The next message of the pages that were taken.
    pub fn pop(&mut self) -> Option<HistoryRecord> {
        self.ready.pop_front()
    }

    /// The call to make now; none while messages are ready, and none at the
    /// end. It stays the same until a page is taken.
    #[must_use]
    pub fn next_request(&self) -> Option<GetHistory> {
        let due = self.ready.is_empty() && !self.ended;
        due.then(|| self.request.clone().with_count(self.asked()))
    }

    /// Takes the answer of the last [`next_request`](Self::next_request).
    ///
    /// A page that was not asked for is ignored.
    pub fn take_page(&mut self, mut page: HistoryPage) {
        if self.ended || !self.ready.is_empty() {
            return;
        }
        let short = page.count < self.asked();
        let stuck = !self.request.goes_on_at(page.cursor);
        if stuck {
            // A service that ignores cursors gives the first page for ever.
            page.records.retain(|r| self.request.goes_on_at(r.cursor));
        }
        self.request = self.request.after(&page);
        self.ready.extend(page.records);
        if let Some(left) = &mut self.left {
            let taken = usize::try_from(*left).unwrap_or(usize::MAX);
            self.ready.truncate(taken);
            *left -= self.ready.len() as u64;
        }
        self.ended = short || stuck || self.left == Some(0);
    }

    /// How many messages the page to come should have.
    fn asked(&self) -> u32 {
        let left = self.left.and_then(|left| u32::try_from(left).ok());
        left.map_or(self.page_size, |left| left.min(self.page_size))
    }
}

#[cfg(test)]
#[path = "history_pager_tests.rs"]
mod tests;
