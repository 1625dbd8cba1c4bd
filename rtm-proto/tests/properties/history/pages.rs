//! The pager, whose calls are made by hand.

use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::api::{GetHistory, HistoryPage, HistoryPager, HistoryRecord};
use rtm_proto::{Context, Request};

use super::model::{Gap, Service, gap, wanted};
use super::reading::{Change, Reading, change};

fn page(service: &Service, request: &GetHistory) -> HistoryPage {
    let answer = service.answer(request);
    request.decode(&Context::default(), answer).unwrap()
}

/// What happens between two pages: the answer is lost, or messages arrive.
type Between = (bool, Vec<Gap>);

proptest! {
    #[test]
    fn paging_lists_what_one_long_page_would(
        gaps in vec(gap(), 0..60), narrows_span in any::<bool>(), wanted in wanted(),
        mut between in vec((any::<bool>(), vec(gap(), 0..3)), 0..6),
    ) {
        let mut service = Service::new(&gaps, narrows_span);
        let mut pager = HistoryPager::new(wanted.query());
        let mut read = Vec::new();
        let (mut at_first, mut at_last) = (None, service.stored.clone());
        let mut pages = 0;
        while let Some(request) = pager.next_request() {
            let (is_lost, arriving): Between = between.pop().unwrap_or_default();
            if is_lost {
                page(&service, &request);
                prop_assert_eq!(pager.next_request(), Some(request.clone()));
            }
            let page = page(&service, &request);
            at_first.get_or_insert_with(|| service.stored.clone());
            at_last.clone_from(&service.stored);
            pager.take_page(page);
            let records = std::iter::from_fn(|| pager.pop());
            read.extend(records.map(|record: HistoryRecord| (record.cursor, record.deleted)));
            arriving.into_iter().for_each(|gap| service.keep(gap));
            pages += 1;
            prop_assert!(pages <= 100, "it does not end");
        }
        // From the newest back, what arrives meanwhile is not part of it.
        let known = if wanted.newest_first { at_first.unwrap_or_default() } else { at_last };
        prop_assert_eq!(read, wanted.of(&known));
    }

    #[test]
    fn what_is_deleted_between_pages_takes_nothing_else_along(
        gaps in vec(gap(), 0..60), narrows_span in any::<bool>(), wanted in wanted(),
        mut between in vec(vec(change(), 0..5), 0..12),
    ) {
        let mut pager = HistoryPager::new(wanted.query());
        let mut reading = Reading::new(Service::new(&gaps, narrows_span), wanted);
        while let Some(request) = pager.next_request() {
            let page = page(&reading.service, &request);
            reading.gives_page();
            pager.take_page(page);
            while let Some(record) = pager.pop() {
                reading.reads(record.cursor, record.deleted);
            }
            let changes: Vec<Change> = between.pop().unwrap_or_default();
            changes.into_iter().for_each(|change| reading.change(change));
        }
        reading.check()?;
    }
}
