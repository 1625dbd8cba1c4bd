//! Time, chunks, ids, pauses and repetitions against what the rules say.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::api::SendMessage;
use rtm_proto::{
    Backoff, Client, ConnId, Event, Input, Instant, Output, RequestOptions, State, UserId,
};

use crate::peer::{
    START, UNIX, answer, config, dialed, map, online, outputs, push, quests, receive,
};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A message to `target`: a user, a group, a room, or all of them.
fn message(mid: i64, from: i64, sort: usize, target: i64) -> Bytes {
    let (method, name) = [
        ("pushmsg", "to"),
        ("pushgroupmsg", "gid"),
        ("pushroommsg", "rid"),
        ("pushbroadcastmsg", "anything"),
    ][sort];
    let fields = [
        ("from", from.into()),
        (name, target.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", "x".into()),
    ];
    push(1, method, &map(&fields))
}

/// What is done from outside, and when.
#[derive(Clone, Debug)]
enum Step {
    Call { limit: u64, tries: u8, waits: bool },
    Answer,
    Push(i64),
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
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

/// A client whose every dial succeeds and whose every login is welcome.
struct Run {
    client: Client,
    conn: Option<ConnId>,
    owed: Vec<u32>,
    now: Instant,
    story: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let mut client = Client::new(config().auto_reconnect(true), 9, START, UNIX);
        client.login(START);
        Run {
            client,
            conn: None,
            owed: Vec::new(),
            now: START,
            story: Vec::new(),
        }
    }

    /// Obeys the client until it waits; gives the deadline.
    fn settle(&mut self) -> Option<Instant> {
        loop {
            match self.client.poll_output() {
                Output::Wait { deadline, .. } if !self.transmit() => return deadline,
                Output::Wait { .. } => {}
                output => {
                    self.story.push(format!("{} {output:?}", self.now));
                    match output {
                        Output::Connect { conn, .. } => {
                            self.conn = Some(conn);
                            self.owed.clear();
                            self.client
                                .handle_input(self.now, Input::Connected { conn });
                        }
                        Output::Disconnect { .. } => self.conn = None,
                        _ => {}
                    }
                }
            }
        }
    }

    fn transmit(&mut self) -> bool {
        let Some(conn) = self.conn else { return false };
        let sent = quests(&mut self.client, conn);
        for quest in &sent {
            let seq = quest.seq.unwrap();
            if quest.method() == "auth" {
                let welcome = answer(seq, &map(&[("ok", true.into())]));
                receive(&mut self.client, self.now, conn, welcome);
            } else {
                self.owed.push(seq);
            }
        }
        !sent.is_empty() || self.client.has_output()
    }

    /// Time passes: the deadlines on the way are met exactly, and there are
    /// ticks that nobody asked for.
    fn pass_to(&mut self, end: Instant, extra: &[Instant]) {
        loop {
            let deadline = self.settle().filter(|at| *at <= end);
            let extra = extra
                .iter()
                .copied()
                .filter(|at| *at > self.now && *at <= end)
                .min();
            let Some(next) = deadline.into_iter().chain(extra).min() else {
                break;
            };
            self.now = self.now.max(next);
            self.client.handle_input(self.now, Input::Tick);
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
                self.story.push(format!("{} {call:?}", self.now));
            }
            Step::Answer => {
                if let (Some(conn), Some(seq)) = (self.conn, self.owed.pop()) {
                    receive(&mut self.client, self.now, conn, answer(seq, &map(&[])));
                }
            }
            Step::Push(mid) => {
                if let Some(conn) = self.conn {
                    receive(&mut self.client, self.now, conn, message(*mid, 1, 0, 1));
                }
            }
            Step::Lose => {
                if let Some(conn) = self.conn.take() {
                    let reason = rtm_proto::SocketEnd::Eof;
                    self.client
                        .handle_input(self.now, Input::Disconnected { conn, reason });
                }
            }
        }
    }
}

fn story(steps: &[(u64, Step)], extra: &[Instant]) -> Vec<String> {
    let mut run = Run::new();
    run.settle();
    for (pause, step) in steps {
        run.pass_to(run.now + ms(*pause), extra);
        run.act(step);
        run.settle();
    }
    run.pass_to(run.now + Duration::from_secs(60), extra);
    run.story
}

/// The messages that came out.
fn delivered(client: &mut Client) -> usize {
    let outputs = outputs(client);
    let is_message = |output: &&Output| matches!(output, Output::Event(Event::Message(_)));
    outputs.iter().filter(is_message).count()
}

proptest! {
    #[test]
    fn ticks_that_nobody_asked_for_change_nothing(
        steps in vec((0..4000_u64, step()), 1..25), extra in vec(0..100_000_u64, 0..60),
    ) {
        let extra: Vec<Instant> = extra.iter().map(|at| START + ms(*at)).collect();
        let only_deadlines = story(&steps, &[]);
        prop_assert!(only_deadlines.iter().any(|line| line.contains("Online")));
        prop_assert_eq!(story(&steps, &extra), only_deadlines);
    }

    #[test]
    fn chunks_of_what_a_gate_sends_change_nothing(
        mids in vec(0..5_i64, 1..20), sizes in vec(1..50_usize, 1..20),
    ) {
        let play = |sizes: &[usize]| {
            let (mut client, conn) = online(config());
            let packages = mids.iter().map(|mid| message(*mid, *mid % 2, 0, 1));
            let mut rest = Bytes::from(packages.collect::<Vec<_>>().concat());
            let mut sizes = sizes.iter().cycle();
            while !rest.is_empty() {
                let size = rest.len().min(*sizes.next().unwrap());
                receive(&mut client, START, conn, rest.split_to(size));
            }
            let told: Vec<String> = outputs(&mut client).iter().map(|o| format!("{o:?}")).collect();
            let mut answers = Vec::new();
            while let Some(bytes) = client.poll_transmit(conn) {
                answers.extend_from_slice(&bytes);
            }
            (told, answers)
        };
        prop_assert_eq!(play(&sizes), play(&[usize::MAX]));
    }

    #[test]
    fn message_ids_rise_strictly_under_any_clock(
        unix in any::<u64>(), times in vec(any::<u64>(), 1..40), burst in 1..200_usize,
    ) {
        let gate = config().max_unsent(usize::MAX);
        let mut client = Client::new(gate, 3, START, Duration::from_millis(unix));
        let mut last = 0;
        for time in times {
            let now = Instant::from_duration(Duration::from_nanos(time));
            for _ in 0..burst {
                // Nobody is logged in: the error tells the id all the same.
                let request = SendMessage::chat(UserId(1), "x");
                let error = client.request(now, &request, RequestOptions::default()).unwrap_err();
                let id = error.message_id().unwrap().0;
                prop_assert!(id > last, "{} after {}", id, last);
                last = id;
            }
        }
    }

    #[test]
    fn pauses_stay_within_their_bounds(
        first in 1..5000_u64, most in 1..60_000_u64, seed in any::<u64>(), failures in 1..12_u32,
    ) {
        let backoff = Backoff::exponential(ms(first), ms(most));
        let config = config().auto_reconnect(true).backoff(backoff);
        let mut client = Client::new(config, seed, START, UNIX);
        let mut now = START;
        client.login(now);
        for failed in 1..=failures {
            let conn = dialed(&outputs(&mut client));
            let reason = "refused".into();
            client.handle_input(now, Input::ConnectFailed { conn, reason });
            let State::Backoff { retry_at, attempt, .. } = *client.state() else {
                panic!("{}", client.state());
            };
            prop_assert_eq!(attempt, failed);
            let ceiling = first.saturating_mul(1 << failed).min(most);
            prop_assert!(retry_at >= now && retry_at - now <= ms(ceiling));
            now = retry_at;
            client.handle_input(now, Input::Tick);
        }
    }

    #[test]
    fn repetitions_are_dropped_for_exactly_their_lifetime(
        lifetime in 1..5000_u64,
        pushes in vec((0..1500_u64, 0..3_i64, 1..3_i64, 0..4_usize, 1..3_i64), 1..80),
    ) {
        let silent = config().max_ping_interval(None);
        let (mut client, conn) = online(silent.duplicate_lifetime(ms(lifetime)));
        // From the first sighting, and never renewed.
        let mut forgotten_at = BTreeMap::new();
        let mut now = START;
        for (pause, mid, from, sort, target) in pushes {
            now = now + ms(pause);
            receive(&mut client, now, conn, message(mid, from, sort, target));
            // All users are one target.
            let key = (mid, from, sort, if sort == 3 { 0 } else { target });
            let known = forgotten_at.get(&key).is_some_and(|until| now < *until);
            let dropped = known && mid != 0;
            if !dropped {
                forgotten_at.insert(key, now + ms(lifetime));
            }
            prop_assert_eq!(delivered(&mut client), usize::from(!dropped));
        }
    }
}
