//! The history of a conversation as an iterator.

use rtm_proto::api::{Caller, HistoryPager, HistoryQuery, HistoryRecord};
use rtm_proto::error::RequestError;

use crate::client::Client;

/// The messages of a conversation, one after the other.
///
/// It asks for pages as it goes, and waits for them. After an error the next
/// look tries the same page again; nothing is repeated and nothing is lost.
#[derive(Debug)]
pub struct History {
    client: Client,
    pager: HistoryPager,
}

impl History {
    pub(crate) fn new(client: Client, query: HistoryQuery) -> Self {
        History {
            client,
            pager: HistoryPager::new(query),
        }
    }
}

impl Iterator for History {
    type Item = Result<HistoryRecord, RequestError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.pager.pop() {
                return Some(Ok(record));
            }
            match self.client.call(self.pager.next_request()?) {
                Ok(page) => self.pager.take_page(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
