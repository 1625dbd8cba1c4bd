//! Ways to wait for events and states, and how soon waiting ends.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rtm_client_blocking::api::{Caller, MessageApi};
use rtm_client_blocking::error::{LoginErrorKind, RequestErrorKind};
use rtm_client_blocking::{Client, Event, RecvTimeoutError, State};
use rtm_gate::{Effect, Gate, Times};

use crate::next_text;
use crate::support::{echo, login, within};

const LIMIT: Duration = Duration::from_secs(60);
/// Far above what a wake-up takes, for machines that are busy.
const SOON: Duration = Duration::from_millis(500);

#[test]
fn events_are_taken_in_each_of_four_ways() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let (ann, bob) = (login(&gate, 0), login(&gate, 1));
        let to = gate.users()[1].id;
        let mut events = bob.events();
        // The states of the login, in order.
        assert!(matches!(
            events.try_recv(),
            Some(Event::State(State::Connecting { attempt: 1 }))
        ));
        assert!(matches!(events.recv(), Some(Event::State(s)) if s.is_online()));
        assert!(events.try_recv().is_none());
        let start = Instant::now();
        let brief = Duration::from_millis(20);
        assert_eq!(
            events.recv_timeout(brief).unwrap_err(),
            RecvTimeoutError::Timeout
        );
        assert!(start.elapsed() >= brief);

        for text in ["recv", "recv_timeout", "iterator"] {
            ann.send_chat(to, text).unwrap();
        }
        let text = |event: Event| match event {
            Event::Message(message) => message.body.as_text().map(str::to_owned),
            _ => None,
        };
        assert_eq!(text(events.recv().unwrap()).unwrap(), "recv");
        let next = events.recv_timeout(LIMIT).unwrap();
        assert_eq!(text(next).unwrap(), "recv_timeout");
        assert_eq!(events.by_ref().find_map(text).unwrap(), "iterator");

        drop(bob);
        assert!(
            events
                .by_ref()
                .all(|event| matches!(event, Event::State(_)))
        );
        assert!(events.recv().is_none() && events.try_recv().is_none());
        assert_eq!(
            events.recv_timeout(LIMIT).unwrap_err(),
            RecvTimeoutError::Ended
        );
    });
}

#[test]
fn each_event_goes_to_one_of_many_readers() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let (ann, bob) = (login(&gate, 0), login(&gate, 1));
        let to = gate.users()[1].id;
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let events = bob.events();
                thread::spawn(move || events.filter(|e| matches!(e, Event::Message(_))).count())
            })
            .collect();
        for n in 0..200 {
            ann.send_chat(to, n.to_string()).unwrap();
        }
        let all = |seen: &rtm_gate::Seen| seen.answers_of("pushmsg").count() == 200;
        assert!(gate.wait_for(all, LIMIT));
        bob.logout();
        drop(bob);
        let counts = readers.into_iter().map(|reader| reader.join().unwrap());
        assert_eq!(counts.sum::<usize>(), 200);
    });
}

#[test]
fn states_are_watched_from_another_thread() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let user = &gate.users()[0];
        let client = Client::builder(gate.project_id(), user.id, user.token.as_str())
            .gate(gate.gate().ws)
            .build()
            .unwrap();
        let mut states = client.watch();
        assert_eq!(states.next(), Some(State::Idle));
        assert_eq!(
            states.recv_timeout(Duration::from_millis(5)),
            Err(RecvTimeoutError::Timeout)
        );
        let (tell, told) = mpsc::channel();
        let watching = thread::spawn(move || {
            assert!(states.by_ref().any(|state| state.is_online()));
            tell.send(()).unwrap();
            states.last()
        });
        client.login().unwrap();
        told.recv().unwrap();
        drop(client);
        assert!(watching.join().unwrap().unwrap().is_closed());
    });
}

#[test]
fn a_provider_of_tokens_that_panics_has_none() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        gate.expire_tokens();
        let user = &gate.users()[0];
        let error = Client::builder(gate.project_id(), user.id, user.token.as_str())
            .gate(gate.gate().tcp)
            .token_provider(|| -> Option<String> { panic!("there is none") })
            .login()
            .unwrap_err();
        assert_eq!(error.kind(), &LoginErrorKind::TokenRefused);
    });
}

#[test]
fn a_time_limit_ends_a_call_soon_after_it() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let client = login(&gate, 0);
        gate.faults().on("t_echo", Effect::Ignore, Times::Always);
        for _ in 0..20 {
            let limit = Duration::from_millis(20);
            let start = Instant::now();
            let error = client.with_timeout(limit).call(echo(1)).unwrap_err();
            let took = start.elapsed();
            assert_eq!(error.kind(), &RequestErrorKind::TimedOut { sent: true });
            assert!(took >= limit && took < limit + SOON, "took {took:?}");
        }
    });
}

#[test]
fn a_message_wakes_its_reader_soon() {
    within(LIMIT, || {
        let gate = Gate::start().unwrap();
        let (ann, bob) = (login(&gate, 0), login(&gate, 1));
        let to = gate.users()[1].id;
        let mut events = bob.events();
        let reader = thread::spawn(move || {
            (0..50)
                .map(|_| (next_text(&mut events), Instant::now()))
                .collect::<Vec<_>>()
        });
        let mut sent = Vec::new();
        for n in 0..50 {
            let text = n.to_string();
            sent.push((text.clone(), Instant::now()));
            ann.send_chat(to, text).unwrap();
        }
        for ((text, at), (got, then)) in sent.into_iter().zip(reader.join().unwrap()) {
            assert_eq!(text, got);
            let took = then - at;
            assert!(took < SOON, "took {took:?}");
        }
    });
}
