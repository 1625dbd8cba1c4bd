//! What networks and peers do to packages, on real sockets.

use std::time::Duration;

use rmpv::Value;
use rtm_gate::{Encoding, Gate, Whom, WireFault};
use rtm_proto::api::{Caller, Custom};
use rtm_proto::error::{Cause, LostReason, RequestErrorKind};
use rtm_proto::{Backoff, Event, State};

use crate::adapters::Adapter;
use crate::stage::{Reader, Stage, Transport, echo};

/// The largest package, and the server's limit too.
const LIMIT: usize = 8 << 20;

/// How long the peer takes for a byte, in ms; the environment may ask for more.
const PACE: u64 = 20;

/// Every byte is a sign of life, so a peer may take longer for an answer than it
/// may be silent.
pub(crate) fn a_peer_that_sends_byte_by_byte_is_understood<A: Adapter>(transport: Transport) {
    let pace = std::env::var("RTM_TRICKLE_MS").map_or(PACE, |ms| ms.parse().unwrap());
    let pace = Duration::from_millis(pace);
    let stage = Stage::<A>::new(transport);
    let silence = (pace * 5).max(Duration::from_secs(5));
    let client = stage.login_with(stage.options(0).max_ping_interval(Some(silence)));
    let patient = client.with_timeout(Duration::from_secs(300));
    stage
        .gate
        .faults()
        .wire(Whom::Open, WireFault::Trickle(pace));
    assert_eq!(patient.echo("drop by drop").unwrap(), "drop by drop".into());
    // Meanwhile time limits hold: this answer takes far longer.
    let limit = (pace * 10).min(Duration::from_secs(2));
    let error = client.with_timeout(limit).echo("late").unwrap_err();
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(error.kind(), &late);
    stage.gate.faults().clear();
    assert_eq!(client.echo("stream").unwrap(), "stream".into());
    assert_eq!(stage.gate.seen().count("auth"), 1);
}

pub(crate) fn a_reset_inside_a_package_leads_nothing_astray<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let pause = Backoff::fixed(Duration::from_millis(10));
    let options = stage.options(0).auto_reconnect(true).backoff(pause);
    let client = stage.login_with(options);
    let mut events = client.events();
    while !events.state().is_online() {}
    for cut in [1, 11, 12, 15, 16, 100, 70_000] {
        stage
            .gate
            .faults()
            .wire(Whom::Open, WireFault::ResetAfter(cut));
        let error = client.call(echo(vec![7; 100_000])).unwrap_err();
        let lost = RequestErrorKind::ConnectionLost { sent: true };
        assert_eq!(error.kind(), &lost, "after {cut} bytes");
        let backoff = events.state();
        assert!(
            matches!(
                &backoff,
                State::Backoff {
                    cause: Cause::Lost(_),
                    ..
                }
            ),
            "{backoff}"
        );
        while !events.state().is_online() {}
        // Nothing of the package that was cut leads the next connection astray.
        assert_eq!(client.echo(cut).unwrap(), cut.into());
    }
    assert_eq!(client.in_flight(), 0);
}

/// A push whose package is of this size.
fn push_of<A: Adapter>(stage: &Stage<A>, package: usize) {
    let encoded = |body: usize| {
        let payload = Value::Map(vec![
            ("from".into(), 5.into()),
            ("mtype".into(), 66.into()),
            ("mid".into(), package.into()),
            ("msg".into(), Value::Binary(vec![7; body])),
        ]);
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &payload).unwrap();
        bytes
    };
    // Header, sequence number and method come before the payload. What it has
    // around the body is the same for all bodies whose length takes four bytes.
    let rest = 12 + 4 + "pushmsg".len() + encoded(LIMIT / 2).len() - LIMIT / 2;
    let payload = encoded(package - rest);
    let (user, encoding) = (stage.user(0), Encoding::Msgpack);
    let gate = &stage.gate;
    assert_eq!(
        gate.push_encoded(user, "pushmsg", encoding, &payload, true),
        1
    );
}

pub(crate) fn packages_are_received_up_to_the_limit<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let mut events = client.events();
    for size in [LIMIT - 1, LIMIT] {
        push_of(&stage, size);
        let message = events.message();
        assert_eq!(i64::from(message.message_id), size as i64);
        assert!(message.body.as_bytes().iter().all(|byte| *byte == 7));
        assert!((LIMIT - 200..LIMIT).contains(&message.body.len()));
    }
    assert_eq!(client.echo(1).unwrap(), 1.into());
    push_of(&stage, LIMIT + 1);
    let state = client.until(State::is_closed);
    let State::Closed {
        cause: Cause::Lost(reason),
    } = &state
    else {
        panic!("{state}")
    };
    // The layer that notices first depends on the transport.
    assert!(
        matches!(reason, LostReason::Corrupt(_) | LostReason::Transport(_)),
        "{reason}"
    );
    assert_eq!(client.in_flight(), 0);
}

pub(crate) fn packages_are_sent_up_to_the_limit<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    // {"v": bin} behind header, sequence number and method.
    let rest = 12 + 4 + "t_echo".len() + 1 + 2 + 5;
    for size in [LIMIT - 1, LIMIT] {
        let bytes = Value::from(vec![size as u8; size - rest]);
        assert!(client.echo(bytes.clone()).unwrap() == bytes, "{size}");
    }
    let error = client.call(echo(vec![7; LIMIT + 1 - rest])).unwrap_err();
    assert!(
        matches!(error.kind(), RequestErrorKind::Encode(_)),
        "{error}"
    );
    // It was refused before a byte of it was sent.
    assert_eq!(client.echo(1).unwrap(), 1.into());
    assert_eq!(stage.gate.seen().count("t_echo"), 3);
}

/// A consumer that takes one event for each answer is far too slow for messages
/// that come as fast as they can; neither answers nor the account of what was
/// missed may suffer.
pub(crate) fn answers_flow_while_messages_flood_a_slow_consumer<A: Adapter>(transport: Transport) {
    const COUNT: i64 = 30_000;
    // A ping that was missed would count too.
    let gate = Gate::builder().ping_interval(Duration::from_secs(3600));
    let gate = gate.record(false).start().unwrap();
    let stage = Stage::<A>::at(gate, transport);
    let client = stage.login_with(stage.options(0).event_capacity(64));
    let mut events = client.events();
    let quest = Custom::new("t_push").field("n", COUNT).field("mid0", 1);
    client.call(quest).unwrap();
    let mut account = Account::default();
    for n in 0.. {
        if account.take(&mut events) == COUNT {
            break;
        }
        assert_eq!(client.echo(n).unwrap(), n.into());
    }
    assert!(account.missed > 0, "the consumer was too fast");
    assert_eq!(account.got + account.missed, COUNT as u64);
}

/// What became of pushes with the ids 1, 2, 3 and so on.
#[derive(Default)]
struct Account {
    got: u64,
    missed: u64,
    last: i64,
}

impl Account {
    /// Takes the next message or lag; gives the last id so far.
    fn take<A: Adapter>(&mut self, events: &mut Reader<A>) -> i64 {
        let before = self.missed;
        for event in events {
            match event {
                Event::Lagged { missed } => self.missed += missed,
                Event::Message(message) => {
                    let id = i64::from(message.message_id);
                    let skipped = (id - self.last - 1) as u64;
                    assert_eq!(
                        skipped,
                        self.missed - before,
                        "each gap is told in its place"
                    );
                    self.last = id;
                    self.got += 1;
                    break;
                }
                _ => {}
            }
        }
        self.last
    }
}
