//! A thread that calls alone reads its answers itself; nobody may notice but
//! by the time it takes.

use std::thread;
use std::time::{Duration, Instant};

use rtm_client_blocking::api::{Caller, MessageApi};
use rtm_client_blocking::error::{CodecError, RequestError, RequestErrorKind};
use rtm_client_blocking::rtm_proto::payload::{Payload, PayloadWriter};
use rtm_client_blocking::{Client, Context, Request};
use rtm_gate::{Effect, Gate, Times};

use crate::next_text;
use crate::support::{echo, login, within};

const LIMIT: Duration = Duration::from_secs(60);
/// Far above what a wake-up takes, for machines that are busy.
const SOON: Duration = Duration::from_secs(5);

/// Makes calls until the caller surely reads for itself, if it ever does.
fn call_quickly(client: &Client) {
    for n in 0..20 {
        assert_eq!(client.call(echo(n)).unwrap()["v"], n.into());
    }
}

#[test]
fn messages_arrive_between_and_after_its_calls() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let (ann, bob) = (login(&gate, 0), login(&gate, 1));
        let to = gate.users()[1].id;
        let mut events = bob.events();
        for n in 0..100 {
            call_quickly(&bob);
            let start = Instant::now();
            ann.send_chat(to, n.to_string()).unwrap();
            if n % 2 == 0 {
                call_quickly(&bob);
            }
            assert_eq!(next_text(&mut events), n.to_string());
            let took = start.elapsed();
            assert!(took < SOON, "took {took:?}");
        }
    });
}

#[test]
fn others_may_join_it_and_leave_again() {
    within(LIMIT, || {
        let gate = Gate::builder().record(false).start().unwrap();
        let client = login(&gate, 0);
        for round in 0..50 {
            call_quickly(&client);
            thread::scope(|scope| {
                for thread in 1..=round % 4 {
                    let client = &client;
                    scope.spawn(move || {
                        for n in 0..20 {
                            let value = thread * 100 + n;
                            let start = Instant::now();
                            assert_eq!(client.call(echo(value)).unwrap()["v"], value.into());
                            let took = start.elapsed();
                            assert!(took < SOON, "took {took:?}");
                        }
                    });
                }
                call_quickly(&client);
            });
        }
        assert_eq!(client.in_flight(), 0);
    });
}

#[test]
fn a_call_that_is_not_answered_ends_soon_after_its_limit() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let client = login(&gate, 0);
        let limit = Duration::from_millis(150);
        let limited = client.with_timeout(limit);
        for _ in 0..10 {
            call_quickly(&client);
            gate.faults().on("t_echo", Effect::Ignore, Times::N(1));
            let start = Instant::now();
            let error = limited.call(echo(1)).unwrap_err();
            let took = start.elapsed();
            assert_eq!(error.kind(), &RequestErrorKind::TimedOut { sent: true });
            assert!(took >= limit && took < limit + SOON, "took {took:?}");
        }
    });
}

#[test]
fn its_call_ends_with_the_connection_and_with_the_client() {
    type End = fn(&Gate, &Client);
    let ends: [End; 4] = [
        |gate, _| gate.faults().drop_connections(),
        |gate, _| gate.faults().reset_connections(),
        |_, client| client.abort(),
        |_, client| client.logout(),
    ];
    within(LIMIT, move || {
        let gate = Gate::start().unwrap();
        for end in ends.into_iter().cycle().take(80) {
            let client = login(&gate, 0);
            call_quickly(&client);
            gate.forget_seen();
            gate.faults().on("t_echo", Effect::Ignore, Times::N(1));
            thread::scope(|scope| {
                let call = scope.spawn(|| client.call(echo(1)).unwrap_err());
                let sent = |seen: &rtm_gate::Seen| seen.count("t_echo") == 1;
                assert!(gate.wait_for(sent, LIMIT));
                end(&gate, &client);
                let lost = RequestErrorKind::ConnectionLost { sent: true };
                assert_eq!(call.join().unwrap().kind(), &lost);
            });
            assert_eq!(client.in_flight(), 0);
        }
    });
}

/// A request that makes another call when it reads its answer.
struct Nested(Client);

impl Request for Nested {
    type Response = i64;

    fn method(&self) -> &str {
        "*ping"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    fn decode(&self, _: &Context, _: Payload) -> Result<i64, CodecError> {
        let answer = self.0.call(echo(7)).expect("the call inside");
        Ok(answer["v"].as_i64().expect("a number"))
    }
}

/// While it does, somebody must read what comes.
#[test]
fn an_answer_may_be_read_with_the_help_of_another_call() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let client = login(&gate, 0);
        for _ in 0..50 {
            call_quickly(&client);
            let start = Instant::now();
            assert_eq!(client.call(Nested(client.clone())).unwrap(), 7);
            let took = start.elapsed();
            assert!(took < SOON, "took {took:?}");
        }
    });
}
