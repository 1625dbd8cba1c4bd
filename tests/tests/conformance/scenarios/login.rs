//! Ways to log in, and ways not to.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rtm_gate::{Effect, Gate, Seen, Times};
use rtm_proto::api::MessageApi;
use rtm_proto::error::{Cause, ErrorCode, LoginErrorKind};
use rtm_proto::{Backoff, Event, State, Token};

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport};

fn logins(seen: &Seen) -> usize {
    seen.count("auth")
}

pub(crate) fn dispatch_names_the_gate<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let options = stage.options(0).dispatch(stage.endpoint());
    let client = stage.try_login(options).unwrap();
    assert!(client.state().is_online());
    let seen = stage.gate.seen();
    assert_eq!((seen.count("which"), logins(&seen)), (1, 1));
    client.send_chat(stage.user(1), "hello").unwrap();
}

pub(crate) fn a_known_gate_needs_no_dispatch<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.build(stage.options(0).gate(stage.endpoint()));
    assert_eq!(client.state(), State::Idle);
    let session = client.try_login().unwrap();
    assert_eq!(session.gate.to_string(), stage.endpoint());
    let seen = stage.gate.seen();
    assert_eq!((seen.count("which"), logins(&seen)), (0, 1));
}

pub(crate) fn redirects_keep_the_transport<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let faults = stage.gate.faults();
    faults.on("auth", Effect::RedirectToSelf, Times::N(2));
    let client = stage.login(0);
    client.send_chat(stage.user(1), "hello").unwrap();
    let seen = stage.gate.seen();
    assert_eq!(logins(&seen), 3);
    let spoken = seen.connections.iter().map(|c| c.transport);
    let expected = match transport {
        Transport::Tcp => rtm_gate::Transport::Tcp,
        Transport::Ws => rtm_gate::Transport::Ws,
        Transport::Wss => rtm_gate::Transport::Wss,
    };
    assert_eq!(spoken.collect::<Vec<_>>(), [expected; 3]);
}

pub(crate) fn endless_redirects_end<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let faults = stage.gate.faults();
    faults.on("auth", Effect::RedirectToSelf, Times::Always);
    let options = stage.options(0).gate(stage.endpoint());
    let error = stage.try_login(options).err().unwrap();
    assert_eq!(error.kind(), &LoginErrorKind::TooManyRedirects);
    assert_eq!(logins(&stage.gate.seen()), 6);
}

pub(crate) fn a_refused_token_is_final<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    stage.gate.expire_tokens();
    let options = stage.options(0).auto_reconnect(true);
    let client = stage.build(options.gate(stage.endpoint()));
    let error = client.try_login().unwrap_err();
    assert_eq!(error.kind(), &LoginErrorKind::TokenRefused);
    assert_eq!(error.code(), ErrorCode(200_027));
    let cause = Cause::Login(error);
    assert_eq!(client.state(), State::Closed { cause });
    assert_eq!(logins(&stage.gate.seen()), 1);
}

pub(crate) fn a_fresh_token_continues_the_login<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    stage.gate.expire_tokens();
    let options = stage.options(0).provide_tokens(true);
    let client = stage.build(options.gate(stage.endpoint()));
    let mut events = client.events();
    thread::scope(|scope| {
        let login = scope.spawn(|| client.try_login());
        assert!(events.any(|event| matches!(event, Event::TokenRefused)));
        client.set_token(stage.gate.token(stage.user(0)));
        login.join().unwrap().unwrap();
    });
    assert_eq!(logins(&stage.gate.seen()), 2);
}

pub(crate) fn a_provider_of_tokens_continues_the_login<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    stage.gate.expire_tokens();
    let fresh = Token::from(stage.gate.token(stage.user(0)));
    let options = stage.options(0).gate(stage.endpoint());
    let client = stage.build_with_tokens(options, move || Some(fresh.clone()));
    client.try_login().unwrap();
    assert_eq!(logins(&stage.gate.seen()), 2);

    let options = stage.options(1).gate(stage.endpoint());
    let client = stage.build_with_tokens(options, || None);
    let error = client.try_login().unwrap_err();
    assert_eq!(error.kind(), &LoginErrorKind::TokenRefused);
}

pub(crate) fn a_certificate_of_somebody_else_is_refused<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let somebody_else = Gate::start().unwrap();
    let options = stage.options(0).gate(somebody_else.gate().wss);
    let error = stage.try_login(options).err().unwrap();
    assert!(
        matches!(error.kind(), LoginErrorKind::Transport(_)),
        "{error}"
    );
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(logins(&somebody_else.seen()), 0);
}

pub(crate) fn a_name_that_does_not_resolve_is_told<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    // Too long for a label, so that no name server has to be asked.
    let name = format!("ws://{}.invalid:13321", "n".repeat(64));
    let error = stage.try_login(stage.options(0).gate(&name)).err().unwrap();
    assert!(
        matches!(error.kind(), LoginErrorKind::Connect { .. }),
        "{error}"
    );
    assert_eq!(error.endpoint(), Some(name.as_str()));
}

pub(crate) fn a_closed_client_logs_in_again<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    for round in 2..=3 {
        client.logout();
        assert!(client.state().is_closed());
        client.try_login().unwrap();
        client.send_chat(stage.user(1), "again").unwrap();
        assert_eq!(logins(&stage.gate.seen()), round);
    }
}

pub(crate) fn an_aborted_client_never_logs_in_again<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    client.abort();
    let error = client.try_login().unwrap_err();
    assert_eq!(error.kind(), &LoginErrorKind::Aborted);
    let cause = Cause::Aborted;
    assert_eq!(client.state(), State::Closed { cause });
}

pub(crate) fn a_server_that_comes_back_is_found<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let nobody_there = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("ws://{}", listener.local_addr().unwrap())
    };
    let error = stage.try_login(stage.options(0).gate(nobody_there));
    assert!(matches!(
        error.err().unwrap().kind(),
        LoginErrorKind::Connect { .. }
    ));

    stage.gate.stop();
    let options = stage.options(0).auto_reconnect(true);
    let options = options.backoff(Backoff::fixed(Duration::from_millis(20)));
    let client = stage.build(options.gate(stage.endpoint()));
    thread::scope(|scope| {
        let login = scope.spawn(|| client.try_login());
        client.until(|state| matches!(state, State::Backoff { attempt: 2.., .. }));
        stage.gate.restart().unwrap();
        login.join().unwrap().unwrap();
    });
}

pub(crate) fn many_logins_at_once_are_one<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.build(stage.options(0).gate(stage.endpoint()));
    thread::scope(|scope| {
        let logins: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| client.try_login()))
            .collect();
        for login in logins {
            login.join().unwrap().unwrap();
        }
    });
    assert_eq!(logins(&stage.gate.seen()), 1);
}
