//! A history as a stream.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::call::Call;
use super::shared::Handle;
use crate::api::{GetHistory, HistoryPager, HistoryQuery, HistoryRecord};
use crate::error::RequestError;

/// The messages of a history, read page by page as they are asked for; a
/// stream.
///
/// A failed call is an item of its own, and the next look makes the call
/// again: a program that gives up drops the stream, one that does not loses
/// and repeats nothing. The stream holds a clone of the client's handle.
///
/// # Cancel safety
///
/// A message is taken when the stream yields it, never before: a `next()` that
/// is dropped loses nothing. Dropping the stream ends the call it waits for.
#[must_use = "a stream does nothing unless polled"]
pub struct HistoryStream {
    handle: Handle,
    pager: HistoryPager,
    call: Option<Call<GetHistory>>,
}

impl Handle {
    /// Reads the messages that `query` asks for, with this handle's options
    /// for each call. Nothing is sent before the stream is polled.
    pub fn history(&self, query: HistoryQuery) -> HistoryStream {
        HistoryStream {
            handle: self.clone(),
            pager: HistoryPager::new(query),
            call: None,
        }
    }
}

impl Stream for HistoryStream {
    type Item = Result<HistoryRecord, RequestError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(record) = this.pager.pop() {
                return Poll::Ready(Some(Ok(record)));
            }
            let Some(request) = this.pager.next_request() else {
                return Poll::Ready(None);
            };
            let handle = &this.handle;
            let call = this.call.get_or_insert_with(|| handle.call(request));
            let Poll::Ready(answer) = Pin::new(call).poll(cx) else {
                return Poll::Pending;
            };
            this.call = None;
            match answer {
                Ok(page) => this.pager.take_page(page),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl fmt::Debug for HistoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryStream")
            .field("pager", &self.pager)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::interleavings::alone;
    use super::*;
    use crate::client::{ConnId, Input};
    use crate::config::Config;
    use crate::error::{ErrorCode, RequestErrorKind};
    use crate::frame::{Decoder, Frame, Quest, encode_answer};
    use crate::handle::{Action, Driver};
    use crate::ids::GroupId;
    use crate::payload::{Encoding, Payload, PayloadWriter, ToPayload, ValueWriter};
    use crate::time::Instant;
    use alloc::vec::Vec;
    use bytes::BytesMut;
    use core::task::Waker;
    use core::time::Duration;

    /// A client online at a plain FPNN service that the test plays.
    struct World {
        driver: Driver,
        handle: Handle,
        conn: ConnId,
        decoder: Decoder,
    }

    impl World {
        fn online() -> Self {
            let config = Config::fpnn("tcp://service.example:1".parse().unwrap());
            let clock = || Instant::from_duration(Duration::from_secs(1));
            let (mut driver, handle) = super::super::new(config, 7, Duration::ZERO, clock);
            let mut login = handle.login();
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut login).poll(&mut cx).is_pending());
            let turn = driver.turn(Waker::noop(), None);
            let Some(Action::Connect { conn, .. }) = turn.actions.front() else {
                panic!("{turn:?}");
            };
            let conn = *conn;
            driver.turn(Waker::noop(), [Input::Connected { conn }]);
            assert!(Pin::new(&mut login).poll(&mut cx).is_ready());
            World {
                driver,
                handle,
                conn,
                decoder: Decoder::new(1 << 20),
            }
        }

        /// What the client has sent since the last look.
        fn quests(&mut self) -> Vec<Quest> {
            self.driver.turn(Waker::noop(), None);
            while let (Some(bytes), _) = self.driver.transmit(self.conn) {
                self.decoder.push(bytes);
            }
            let mut quests = Vec::new();
            while let Some(frame) = self.decoder.next_frame().unwrap() {
                let Frame::Quest(quest) = frame else {
                    panic!("{frame:?}");
                };
                quests.push(quest);
            }
            quests
        }

        fn answer(&mut self, quest: &Quest, status: u8, write: impl FnOnce(&mut PayloadWriter)) {
            let mut body = BytesMut::new();
            let mut writer = PayloadWriter::new(&mut body);
            write(&mut writer);
            writer.finish().unwrap();
            let mut data = BytesMut::new();
            let seq = quest.seq.unwrap();
            encode_answer(&mut data, seq, status, Encoding::MsgPack, &body).unwrap();
            let input = Input::Received {
                conn: self.conn,
                data: data.freeze(),
            };
            self.driver.turn(Waker::noop(), [input]);
        }

        fn page(&mut self, quest: &Quest, ids: &[i64]) {
            self.answer(quest, 0, |out| {
                let tuples: Vec<Tuple> = ids.iter().copied().map(Tuple).collect();
                out.field("num", &u32::try_from(ids.len()).unwrap())
                    .field("lastid", ids.last().unwrap_or(&0))
                    .field("begin", &0_i64)
                    .field("end", &0_i64)
                    .field("msgs", &tuples);
            });
        }
    }

    struct Tuple(i64);

    impl ToPayload for Tuple {
        fn write(&self, w: &mut ValueWriter<'_>) {
            w.array(8);
            [self.0, 5, 30, self.0].iter().for_each(|n| n.write(w));
            w.bool(false);
            w.str("hello");
            w.str("");
            w.int(1_591_322_544_000);
        }
    }

    fn poll(stream: &mut HistoryStream) -> Poll<Option<Result<i64, ErrorCode>>> {
        let mut cx = Context::from_waker(Waker::noop());
        let item = Pin::new(stream).poll_next(&mut cx);
        item.map(|item| item.map(|r| r.map(|r| r.cursor).map_err(|e| e.code())))
    }

    fn i64_of(payload: &Payload, name: &str) -> Option<i64> {
        let mut found = None;
        let walked = payload.fields(|key, value| match key == name {
            true => value.read_into(&mut found),
            false => Ok(()),
        });
        walked.unwrap();
        found
    }

    #[test]
    fn messages_of_all_pages_come_one_by_one_and_then_it_ends() {
        alone(|| {
            let mut world = World::online();
            let query = HistoryQuery::new(GroupId(7)).oldest_first().page_size(2);
            let mut stream = world.handle.history(query);
            assert!(world.quests().is_empty(), "nothing is sent unasked");
            assert!(poll(&mut stream).is_pending());
            let quests = world.quests();
            assert_eq!(quests.len(), 1);
            assert_eq!(quests[0].method(), "getgroupmsg");
            world.page(&quests[0], &[1, 2]);
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Ok(1))));
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Ok(2))));
            assert!(world.quests().is_empty(), "a page is asked for when needed");
            assert!(poll(&mut stream).is_pending());
            let quests = world.quests();
            assert_eq!(i64_of(&quests[0].payload, "lastid"), Some(2));
            world.page(&quests[0], &[3]);
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Ok(3))));
            assert_eq!(poll(&mut stream), Poll::Ready(None));
            assert_eq!(poll(&mut stream), Poll::Ready(None));
            assert!(world.quests().is_empty());
        });
    }

    #[test]
    fn after_an_error_the_next_look_asks_for_the_same_page_again() {
        alone(|| {
            let mut world = World::online();
            let mut stream = world
                .handle
                .history(HistoryQuery::new(GroupId(7)).page_size(1));
            assert!(poll(&mut stream).is_pending());
            let quest = world.quests().remove(0);
            world.page(&quest, &[9]);
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Ok(9))));
            assert!(poll(&mut stream).is_pending());
            let quest = world.quests().remove(0);
            world.answer(&quest, 1, |out| {
                out.field("code", &200_010_i64).field("ex", "slow down");
            });
            let error = ErrorCode::API_FREQUENCY_LIMITED;
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Err(error))));
            assert!(
                world.quests().is_empty(),
                "the retry waits for the next look"
            );
            assert!(poll(&mut stream).is_pending());
            let again = world.quests().remove(0);
            assert_eq!(again.payload, quest.payload);
            world.page(&again, &[8]);
            assert_eq!(poll(&mut stream), Poll::Ready(Some(Ok(8))));
        });
    }

    #[test]
    fn a_page_that_cannot_be_read_is_an_error_of_the_stream() {
        alone(|| {
            let mut world = World::online();
            let mut stream = world.handle.history(HistoryQuery::new(GroupId(7)));
            assert!(poll(&mut stream).is_pending());
            let quest = world.quests().remove(0);
            world.answer(&quest, 0, |out| {
                out.field("num", &1_i64);
            });
            let mut cx = Context::from_waker(Waker::noop());
            let Poll::Ready(Some(Err(error))) = Pin::new(&mut stream).poll_next(&mut cx) else {
                panic!("an error is due");
            };
            assert!(matches!(error.kind(), RequestErrorKind::Decode(_)));
            assert_eq!(error.code(), ErrorCode::CORE_INVALID_PACKAGE);
        });
    }

    #[test]
    fn dropping_the_stream_leaves_no_call_behind() {
        alone(|| {
            let mut world = World::online();
            let mut stream = world.handle.history(HistoryQuery::new(GroupId(7)));
            assert!(poll(&mut stream).is_pending());
            assert_eq!((world.quests().len(), world.handle.in_flight()), (1, 1));
            drop(stream);
            assert_eq!(world.handle.in_flight(), 0);
        });
    }
}
