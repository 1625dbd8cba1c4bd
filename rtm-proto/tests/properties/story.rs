//! A client whose service answers, pushes and breaks off on command, and what
//! comes out of it.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use rtm_proto::api::SendMessage;
use rtm_proto::{
    CallId, Client, Config, ConnId, Input, Instant, Output, RequestOptions, SocketEnd, UserId,
};

use crate::peer::{START, UNIX, answer, map, message, ms, quests};

/// What is done from outside, and when.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Call { limit: u64, tries: u8, waits: bool },
    Answer,
    Push(i64),
    Lose,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..9000_u64, 0..3_u8, any::<bool>()).prop_map(|(limit, tries, waits)| Step::Call {
            limit,
            tries,
            waits
        }),
        Just(Step::Answer),
        (1..4_i64).prop_map(Step::Push),
        Just(Step::Lose),
    ]
}

/// When the client is told that time has passed.
#[derive(Clone, Debug)]
pub(crate) enum Ticks {
    /// At each deadline, and then too.
    InTime(Vec<Instant>),
    /// While a session is open only then, whatever the deadlines are.
    Late(Vec<Instant>),
    /// Always only then.
    AlwaysLate(Vec<Instant>),
}

/// A client whose every dial succeeds and whose every login is welcome.
struct Run {
    client: Client,
    conn: Option<ConnId>,
    owed: Vec<u32>,
    now: Instant,
    /// Calls that have not ended, and their deadlines.
    open: BTreeMap<CallId, Instant>,
    ticks: Ticks,
    story: Story,
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Story {
    /// What the client said, and when.
    pub(crate) told: Vec<(Instant, String)>,
    /// What became of attempts to call.
    pub(crate) calls: Vec<String>,
}

impl Run {
    fn new(config: Config, ticks: Ticks) -> Self {
        let mut client = Client::new(config.auto_reconnect(true), 9, START, UNIX);
        client.login(START);
        Run {
            client,
            conn: None,
            owed: Vec::new(),
            now: START,
            open: BTreeMap::new(),
            ticks,
            story: Story::default(),
        }
    }

    /// Obeys the client until it waits; gives the deadline.
    fn settle(&mut self) -> Option<Instant> {
        loop {
            match self.client.poll_output() {
                Output::Wait { deadline, .. } if !self.transmit() => return deadline,
                Output::Wait { .. } => {}
                output => self.obey(output),
            }
        }
    }

    fn obey(&mut self, output: Output) {
        self.story.told.push((self.now, format!("{output:?}")));
        match output {
            Output::Connect { conn, .. } => {
                self.conn = Some(conn);
                self.owed.clear();
                let connected = Input::Connected { conn };
                self.client.handle_input(self.now, connected);
            }
            Output::Disconnect { .. } => self.conn = None,
            Output::Answer { call, result, .. } => {
                let deadline = self.open.remove(&call).expect("it ended before");
                let is_late = result.is_ok() && self.now >= deadline;
                assert!(!is_late, "{call:?} was answered at its deadline, or later");
            }
            _ => {}
        }
    }

    fn transmit(&mut self) -> bool {
        let Some(conn) = self.conn else { return false };
        let sent = quests(&mut self.client, conn);
        for quest in &sent {
            let seq = quest.seq.unwrap();
            if quest.method() == "auth" {
                let data = answer(seq, &map(&[("ok", true.into())]));
                let welcome = Input::Received { conn, data };
                self.client.handle_input(self.now, welcome);
            } else {
                self.owed.push(seq);
            }
        }
        !sent.is_empty() || self.client.has_output()
    }

    /// However late an input is: behind it nothing waits beyond its deadline.
    fn input(&mut self, input: Input) {
        self.client.handle_input(self.now, input);
        self.settle();
        let overdue = self
            .open
            .iter()
            .find(|(_, deadline)| **deadline <= self.now);
        assert_eq!(overdue, None, "at {}", self.now);
    }

    /// When the next tick is due.
    fn next_tick(&mut self) -> Option<Instant> {
        let deadline = self.settle();
        let is_online = self.client.state().is_online();
        let (deadline, planned) = match &self.ticks {
            Ticks::InTime(planned) => (deadline, planned),
            Ticks::Late(planned) => (deadline.filter(|_| !is_online), planned),
            Ticks::AlwaysLate(planned) => (None, planned),
        };
        let planned = planned.iter().copied().filter(|at| *at > self.now);
        deadline.into_iter().chain(planned).min()
    }

    fn pass_to(&mut self, end: Instant) {
        while let Some(tick) = self.next_tick().filter(|at| *at <= end) {
            self.now = self.now.max(tick);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Call {
                limit,
                tries,
                waits,
            } => {
                let options = RequestOptions::default()
                    .timeout(ms(*limit))
                    .resend_on_loss(*tries)
                    .wait_online(*waits);
                let request = SendMessage::chat(UserId(1), "x");
                let call = self.client.request(self.now, &request, options);
                self.story.calls.push(format!("{call:?}"));
                if let Ok(call) = call {
                    self.open.insert(call, self.now + ms(*limit));
                }
                self.settle();
            }
            Step::Answer => {
                if let (Some(conn), Some(seq)) = (self.conn, self.owed.pop()) {
                    let data = answer(seq, &map(&[]));
                    self.input(Input::Received { conn, data });
                }
            }
            Step::Push(mid) => {
                if let Some(conn) = self.conn {
                    let data = message(*mid, 1, 0, 1);
                    self.input(Input::Received { conn, data });
                }
            }
            Step::Lose => {
                if let Some(conn) = self.conn.take() {
                    let reason = SocketEnd::Eof;
                    self.input(Input::Disconnected { conn, reason });
                }
            }
        }
    }
}

/// Plays steps, each so many milliseconds after the last, and then lets a
/// minute pass.
pub(crate) fn story(config: Config, steps: &[(u64, Step)], ticks: Ticks) -> Story {
    let mut run = Run::new(config, ticks);
    run.settle();
    for (pause, step) in steps {
        run.pass_to(run.now + ms(*pause));
        run.act(step);
    }
    run.pass_to(run.now + Duration::from_secs(60));
    run.input(Input::Tick);
    assert!(run.open.is_empty(), "a call never ends");
    run.story
}
