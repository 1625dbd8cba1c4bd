//! The stream, over the wire, with calls that are refused, lost or late.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, Quest};
use rtm_proto::handle::{self, Action, Driver, Handle, HistoryStream};
use rtm_proto::{Config, ConnId, Input, Instant, SocketEnd};

use super::model::{Service, gap, wanted};
use super::reading::{Change, Reading, change};
use crate::peer::{START, answer, refusal};

/// What becomes of a call for a page.
#[derive(Clone, Copy, Debug)]
enum Call {
    Answered,
    Refused,
    /// The page was on its way when the connection broke.
    Lost,
    TimedOut,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => Just(Call::Answered),
        1 => Just(Call::Refused),
        1 => Just(Call::Lost),
        1 => Just(Call::TimedOut),
    ]
}

/// A client of a plain FPNN service, and the time.
struct World {
    driver: Driver,
    handle: Handle,
    now: Arc<Mutex<Instant>>,
    conn: Option<ConnId>,
    decoder: Decoder,
}

impl World {
    fn online() -> Self {
        let config = Config::fpnn("tcp://gate:1".parse().unwrap())
            .auto_reconnect(true)
            .max_ping_interval(None);
        let now = Arc::new(Mutex::new(START));
        let clock = now.clone();
        let clock = move || *clock.lock().unwrap();
        let (driver, handle) = handle::new(config, 7, Duration::ZERO, clock);
        let mut world = World {
            driver,
            handle,
            now,
            conn: None,
            decoder: Decoder::new(DEFAULT_MAX_PACKAGE),
        };
        let mut login = Box::pin(world.handle.login());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(login.as_mut().poll(&mut cx).is_pending());
        world.go_online();
        world
    }

    fn turn(&mut self, input: Input) -> Option<Instant> {
        let turn = self.driver.turn(Waker::noop(), [input]);
        for action in turn.actions {
            if let Action::Connect { conn, .. } = action {
                self.conn = Some(conn);
                self.decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
                self.turn(Input::Connected { conn });
            }
        }
        turn.deadline
    }

    fn pass_to(&mut self, at: Instant) {
        *self.now.lock().unwrap() = at;
    }

    fn go_online(&mut self) {
        while let (Some(deadline), false) =
            (self.turn(Input::Tick), self.handle.state().is_online())
        {
            self.pass_to(deadline);
        }
        assert!(self.handle.state().is_online());
    }

    /// What the client has sent since the last look.
    fn quests(&mut self) -> Vec<Quest> {
        self.turn(Input::Tick);
        while let (Some(bytes), _) = self.driver.transmit(self.conn.unwrap()) {
            self.decoder.push(bytes);
        }
        let frames = std::iter::from_fn(|| self.decoder.next_frame().unwrap());
        let quests = frames.map(|frame| match frame {
            Frame::Quest(quest) => quest,
            Frame::Answer(answer) => panic!("{answer:?}"),
        });
        quests.collect()
    }

    fn fail(&mut self, quest: &Quest, call: Call) {
        let conn = self.conn.unwrap();
        match call {
            Call::Answered => {}
            Call::Refused => {
                let data = refusal(quest.seq.unwrap(), 200_010);
                self.turn(Input::Received { conn, data });
            }
            Call::Lost => {
                let reason = SocketEnd::Eof;
                self.turn(Input::Disconnected { conn, reason });
                self.go_online();
            }
            Call::TimedOut => {
                let now = *self.now.lock().unwrap();
                self.pass_to(now + self.handle.time_limit());
                self.turn(Input::Tick);
            }
        }
    }

    fn give_page(&mut self, quest: &Quest, service: &Service) {
        let body = service.answer_to(quest.payload.as_bytes());
        let (conn, data) = (self.conn.unwrap(), answer(quest.seq.unwrap(), &body));
        self.turn(Input::Received { conn, data });
    }
}

/// The next item: a record's cursor and whether it is marked, or a failure.
fn poll(stream: &mut HistoryStream) -> Poll<Option<Result<(i64, bool), ()>>> {
    let mut cx = Context::from_waker(Waker::noop());
    let item = Pin::new(stream).poll_next(&mut cx);
    item.map(|item| item.map(|read| read.map(|one| (one.cursor, one.deleted)).map_err(|_| ())))
}

proptest! {
    #[test]
    fn a_stream_reads_what_was_there_all_along_whatever_becomes_of_its_calls(
        gaps in vec(gap(), 0..60), narrows_span in any::<bool>(), wanted in wanted(),
        mut between in vec((call(), vec(change(), 0..4)), 0..20),
    ) {
        let mut world = World::online();
        let mut stream = world.handle.history(wanted.query());
        let mut reading = Reading::new(Service::new(&gaps, narrows_span), wanted);
        let (mut failed, mut told) = (0, 0);
        loop {
            match poll(&mut stream) {
                Poll::Ready(Some(Ok((cursor, deleted)))) => reading.reads(cursor, deleted),
                Poll::Ready(Some(Err(()))) => told += 1,
                Poll::Ready(None) => break,
                Poll::Pending => {
                    let quests = world.quests();
                    prop_assert!(quests.len() == 1 && poll(&mut stream).is_pending());
                    prop_assert!(world.quests().is_empty(), "another look asks for nothing more");
                    let (call, changes): (Call, Vec<Change>) =
                        between.pop().unwrap_or((Call::Answered, Vec::new()));
                    if let Call::Answered = call {
                        world.give_page(&quests[0], &reading.service);
                        reading.gives_page();
                    } else {
                        world.fail(&quests[0], call);
                        failed += 1;
                    }
                    changes.into_iter().for_each(|change| reading.change(change));
                }
            }
        }
        prop_assert_eq!(told, failed);
        prop_assert_eq!(world.handle.in_flight(), 0);
        reading.check()?;
    }
}
