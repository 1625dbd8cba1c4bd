use super::*;
use crate::api::Target;
use crate::event::{Body, Conversation, MessageKind};
use crate::ids::{GroupId, MessageId, UserId};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A message of the model: cursor and time.
type Kept = (i64, i64);

/// A service that keeps one history and answers by the rules of the wire.
#[derive(Default)]
struct Model {
    kept: Vec<Kept>,
    deleted: Vec<i64>,
    /// Whether the span it returns says "unbounded" or tells the bounds.
    echoes_span: bool,
    calls: usize,
}

impl Model {
    /// Messages 1 to n, `burst` of them in each millisecond from 1000 on.
    fn with(messages: i64, burst: i64) -> Self {
        let kept = (1..=messages).map(|id| (id, 1000 + (id - 1) / burst));
        Model {
            kept: kept.collect(),
            ..Model::default()
        }
    }

    fn answer(&mut self, request: &GetHistory) -> HistoryPage {
        self.calls += 1;
        let newest_first = *request == request.clone().newest_first();
        let span = Span::of(request);
        let mut found: Vec<Kept> = self
            .kept
            .iter()
            .copied()
            .filter(|kept| span.holds(*kept))
            .collect();
        if newest_first {
            found.reverse();
        }
        let behind = |id: i64| match span.cursor {
            0 => true,
            cursor if newest_first => id < cursor,
            cursor => id > cursor,
        };
        found.retain(|(id, _)| behind(*id));
        found.truncate(request.count() as usize);
        let last = found.last().copied();
        let (mut since_ms, mut until_ms) = (span.since, span.until);
        if let (true, Some((_, time))) = (self.echoes_span, last) {
            if newest_first {
                until_ms = time;
            } else {
                since_ms = time;
            }
        }
        HistoryPage {
            count: found.len() as u32,
            cursor: last.map_or(span.cursor, |(id, _)| id),
            since_ms,
            until_ms,
            records: found.iter().map(|kept| self.record(*kept)).collect(),
        }
    }

    fn record(&self, (cursor, time_ms): Kept) -> HistoryRecord {
        HistoryRecord {
            cursor,
            conversation: Conversation::Group(GroupId(7)),
            sender: UserId(1),
            recipient: None,
            kind: MessageKind::Plain,
            message_type: MessageType(66),
            message_id: MessageId(cursor),
            deleted: self.deleted.contains(&cursor),
            body: Body::from(""),
            attrs: String::new(),
            time_ms,
            translation: None,
        }
    }
}

/// The part of a request that says which messages are meant.
struct Span {
    since: i64,
    until: i64,
    cursor: i64,
}

impl Span {
    fn of(request: &GetHistory) -> Self {
        let (since, until, cursor) = request.span();
        Span {
            since: since.unwrap_or(0),
            until: until.unwrap_or(0),
            cursor: cursor.unwrap_or(0),
        }
    }

    fn holds(&self, (_, time): Kept) -> bool {
        time >= self.since && (self.until == 0 || time <= self.until)
    }
}

fn query() -> HistoryQuery {
    HistoryQuery::new(Target::Group(GroupId(7)))
}

fn read_all(model: &mut Model, query: HistoryQuery) -> Vec<i64> {
    let mut pager = HistoryPager::new(query);
    let mut read = Vec::new();
    while let Some(request) = pager.next_request() {
        pager.take_page(model.answer(&request));
        while let Some(record) = pager.pop() {
            read.push(record.cursor);
        }
        assert!(model.calls < 1000, "the pager does not end");
    }
    read
}

fn up(from: i64, to: i64) -> Vec<i64> {
    (from..=to).collect()
}

fn down(from: i64, to: i64) -> Vec<i64> {
    up(to, from).into_iter().rev().collect()
}

#[test]
fn every_message_comes_once_in_either_order() {
    for echoes_span in [false, true] {
        for messages in [0, 1, 9, 10, 11, 20, 45] {
            let mut model = Model::with(messages, 1);
            model.echoes_span = echoes_span;
            assert_eq!(read_all(&mut model, query()), down(messages, 1));
            assert_eq!(
                read_all(&mut model, query().oldest_first()),
                up(1, messages)
            );
        }
    }
}

#[test]
fn messages_of_one_millisecond_are_neither_lost_nor_repeated() {
    for echoes_span in [false, true] {
        for burst in [2, 7, 45] {
            let mut model = Model::with(45, burst);
            model.echoes_span = echoes_span;
            assert_eq!(read_all(&mut model, query().page_size(3)), down(45, 1));
            let forward = query().oldest_first().page_size(3);
            assert_eq!(read_all(&mut model, forward), up(1, 45));
        }
    }
}

#[test]
fn deleted_messages_are_kept_and_marked() {
    let mut model = Model::with(25, 1);
    model.deleted = vec![3, 24, 25];
    let mut pager = HistoryPager::new(query().oldest_first());
    let mut deleted = Vec::new();
    while let Some(request) = pager.next_request() {
        pager.take_page(model.answer(&request));
        deleted.extend(core::iter::from_fn(|| pager.pop()).filter(|r| r.deleted));
    }
    assert_eq!(
        deleted.iter().map(|r| r.cursor).collect::<Vec<_>>(),
        [3, 24, 25]
    );
}

#[test]
fn a_service_that_leaves_deleted_messages_out_is_read_to_its_end() {
    let mut model = Model::with(30, 1);
    let mut pager = HistoryPager::new(query().oldest_first());
    let mut read = Vec::new();
    while let Some(request) = pager.next_request() {
        let mut page = model.answer(&request);
        page.records.retain(|record| record.cursor > 12);
        pager.take_page(page);
        read.extend(core::iter::from_fn(|| pager.pop()).map(|r| r.cursor));
    }
    assert_eq!(read, up(13, 30));
}

/// Reads all while one message arrives after each of the first two pages.
fn read_while_messages_arrive(echoes_span: bool, query: HistoryQuery) -> Vec<i64> {
    let mut model = Model::with(25, 1);
    model.echoes_span = echoes_span;
    let mut pager = HistoryPager::new(query);
    let mut read = Vec::new();
    while let Some(request) = pager.next_request() {
        pager.take_page(model.answer(&request));
        read.extend(core::iter::from_fn(|| pager.pop()).map(|r| r.cursor));
        if model.calls <= 2 {
            let id = model.kept.len() as i64 + 1;
            model.kept.push((id, 1024));
        }
    }
    read
}

#[test]
fn messages_that_arrive_while_paging_shift_nothing() {
    for echoes_span in [false, true] {
        let back = read_while_messages_arrive(echoes_span, query());
        assert_eq!(back, down(25, 1));
        let forward = read_while_messages_arrive(echoes_span, query().oldest_first());
        assert_eq!(forward, up(1, 27));
    }
}

#[test]
fn a_time_span_holds_both_its_bounds() {
    let mut model = Model::with(40, 2);
    let spanned = query().since_ms(1003).until_ms(1005).page_size(2);
    assert_eq!(read_all(&mut model, spanned.clone()), down(12, 7));
    assert_eq!(read_all(&mut model, spanned.oldest_first()), up(7, 12));
}

#[test]
fn a_bound_that_the_service_does_not_return_still_holds() {
    let mut model = Model::with(40, 1);
    let mut pager = HistoryPager::new(query().since_ms(1021).page_size(5));
    let mut read = Vec::new();
    while let Some(request) = pager.next_request() {
        let mut page = model.answer(&request);
        page.since_ms = 0;
        page.until_ms = 0;
        pager.take_page(page);
        read.extend(core::iter::from_fn(|| pager.pop()).map(|r| r.cursor));
    }
    assert_eq!(read, down(40, 22));
}

#[test]
fn a_limit_ends_it_and_asks_for_no_more_than_is_left() {
    let mut model = Model::with(45, 1);
    assert_eq!(read_all(&mut model, query().limit(13)), down(45, 33));
    assert_eq!(model.calls, 2);
    assert_eq!(read_all(&mut model, query().limit(10)), down(45, 36));
    assert_eq!(model.calls, 3);
    assert!(read_all(&mut model, query().limit(0)).is_empty());
    assert_eq!(model.calls, 3);
    let mut pager = HistoryPager::new(query().limit(13));
    pager.take_page(model.answer(&pager.next_request().unwrap()));
    assert!(pager.next_request().is_none(), "ten are ready");
    while pager.pop().is_some() {}
    assert_eq!(pager.next_request().unwrap().count(), 3);
}

#[test]
fn a_page_larger_than_asked_for_does_not_exceed_the_limit() {
    let mut model = Model::with(45, 1);
    let mut pager = HistoryPager::new(query().limit(3));
    pager.take_page(model.answer(&pager.next_request().unwrap().with_count(20)));
    assert_eq!(core::iter::from_fn(|| pager.pop()).count(), 3);
    assert!(pager.next_request().is_none());
}

#[test]
fn a_call_that_failed_is_made_again_without_repeating_messages() {
    let mut model = Model::with(45, 3);
    let mut pager = HistoryPager::new(query().oldest_first());
    let mut read = Vec::new();
    while let Some(request) = pager.next_request() {
        // The answer of the first try is lost.
        model.answer(&request);
        assert_eq!(pager.next_request().unwrap(), request);
        pager.take_page(model.answer(&request));
        read.extend(core::iter::from_fn(|| pager.pop()).map(|r| r.cursor));
    }
    assert_eq!(read, up(1, 45));
}

#[test]
fn a_cursor_that_does_not_advance_ends_it() {
    for (forward, cursors) in [
        (true, [5, 5]),
        (true, [5, 4]),
        (false, [5, 5]),
        (false, [5, 6]),
    ] {
        let mut model = Model::with(10, 1);
        let query = if forward {
            query().oldest_first()
        } else {
            query()
        };
        let mut pager = HistoryPager::new(query);
        for cursor in cursors {
            let mut page = model.answer(&pager.next_request().unwrap());
            page.count = 10;
            page.cursor = cursor;
            pager.take_page(page);
            while pager.pop().is_some() {}
        }
        assert!(pager.next_request().is_none(), "{forward} {cursors:?}");
    }
}

#[test]
fn a_service_that_ignores_cursors_is_read_once() {
    for query in [query(), query().oldest_first()] {
        let mut model = Model::with(45, 1);
        let mut pager = HistoryPager::new(query);
        let first = pager.next_request().unwrap();
        let mut read = 0;
        while pager.next_request().is_some() {
            pager.take_page(model.answer(&first));
            read += core::iter::from_fn(|| pager.pop()).count();
        }
        assert_eq!((read, model.calls), (10, 2));
    }
}

#[test]
fn a_cursor_of_zero_ends_it_instead_of_starting_over() {
    let mut model = Model::with(45, 1);
    let mut pager = HistoryPager::new(query());
    let mut page = model.answer(&pager.next_request().unwrap());
    page.cursor = 0;
    pager.take_page(page);
    assert_eq!(core::iter::from_fn(|| pager.pop()).count(), 10);
    assert!(pager.next_request().is_none());
}

#[test]
fn a_page_nobody_asked_for_is_ignored() {
    let mut model = Model::with(45, 1);
    let mut pager = HistoryPager::new(query());
    let page = model.answer(&pager.next_request().unwrap());
    pager.take_page(page.clone());
    pager.take_page(page);
    assert_eq!(core::iter::from_fn(|| pager.pop()).count(), 10);
}

#[test]
fn a_cursor_kept_from_earlier_goes_on_behind_its_message() {
    let mut model = Model::with(45, 5);
    assert_eq!(read_all(&mut model, query().cursor(23)), down(22, 1));
    let forward = query().oldest_first().cursor(23);
    assert_eq!(read_all(&mut model, forward), up(24, 45));
}

#[test]
fn the_page_size_stays_within_what_services_take() {
    let size = |messages| {
        let pager = HistoryPager::new(query().page_size(messages));
        pager.next_request().unwrap().count()
    };
    assert_eq!([size(0), size(1), size(20), size(21)], [1, 1, 20, 20]);
}
