//! Logins: every way to the gate, every refusal.

use rtm_client_tokio::error::{Cause, LoginErrorKind};
use rtm_client_tokio::prelude::*;
use rtm_client_tokio::{Endpoint, Session};
use rtm_gate::{Effect, Times};

use crate::support::*;

fn gate_of(client: &Client) -> Endpoint {
    match client.state() {
        State::Online { session } => session.gate,
        state => panic!("not online, but {state}"),
    }
}

#[tokio::test]
async fn every_transport_leads_to_the_gate_directly_and_by_dispatch() {
    let gate = start_gate();
    for via in Via::ALL {
        let endpoint = via.of(&gate.gate());
        let straight = login(&gate, 0, via).await;
        assert_eq!(gate_of(&straight).to_string(), endpoint);
        let asked = log_in(options(&gate, 1).dispatch(via.of(&gate.dispatch()))).await;
        assert_eq!(
            gate_of(&asked).to_string(),
            endpoint,
            "a bare gate takes the scheme"
        );
        for client in [straight, asked] {
            within("a call", client.call(echo(1)))
                .await
                .expect("an answer");
            within("logout", client.logout()).await;
        }
    }
    assert_eq!(gate.seen().count("which"), 4);
}

#[tokio::test]
async fn a_host_name_works_like_an_address() {
    let gate = start_gate();
    for via in Via::ALL {
        let endpoint = format!("{}://localhost:{}", via.scheme(), via.port(&gate));
        let client = log_in(options(&gate, 0).gate(&endpoint)).await;
        assert_eq!(gate_of(&client).to_string(), endpoint);
    }
}

#[tokio::test]
async fn an_ipv6_address_works_in_brackets() {
    let gate = start_gate();
    for via in Via::ALL {
        let relay = match Forward::start("[::1]:0", via.port(&gate), Manner::Plain).await {
            Ok(relay) => relay,
            Err(error) => {
                println!("skipped: this machine has no ::1: {error}");
                return;
            }
        };
        let endpoint = format!("{}://{}", via.scheme(), relay.address);
        assert!(endpoint.contains("://[::1]:"));
        let client = log_in(options(&gate, 0).gate(&endpoint)).await;
        assert_eq!(gate_of(&client).to_string(), endpoint);
        within("a call", client.call(echo(1)))
            .await
            .expect("an answer");
    }
}

#[tokio::test]
async fn a_bare_endpoint_follows_the_ssl_option() {
    let gate = start_gate();
    let bare = |via: Via| format!("localhost:{}", via.port(&gate));
    let secure = log_in(options(&gate, 0).gate(bare(Via::Wss))).await;
    assert_eq!(
        gate_of(&secure).scheme(),
        Some(rtm_client_tokio::Scheme::Wss)
    );
    let plain = log_in(options(&gate, 0).gate(bare(Via::Ws)).ssl(false)).await;
    assert_eq!(gate_of(&plain).scheme(), Some(rtm_client_tokio::Scheme::Ws));
}

#[tokio::test]
async fn a_wrong_or_expired_token_is_refused_once_and_for_all() {
    let gate = start_gate();
    for via in Via::THREE {
        let endpoint = via.of(&gate.gate());
        let user = gate.users()[0].id;
        let wrong = Client::builder(gate.project_id(), user, "S3CRET-0")
            .built_in_roots(false)
            .root_certificates_pem(gate.root_certificate())
            .gate(&endpoint)
            .auto_reconnect(true);
        let before = gate.seen().count("auth");
        let error = refused(wrong).await;
        assert_eq!(error.kind(), &LoginErrorKind::TokenRefused);
        assert_eq!(error.code(), ErrorCode::INVALID_AUTH_TOEKN);
        let expected =
            format!("login at {endpoint}: the token was refused: it is wrong or expired");
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("S3CRET"));
        assert_eq!(gate.seen().count("auth"), before + 1, "no retry");
    }
    let good = direct(&gate, 0, Via::Tcp);
    gate.expire_tokens();
    assert_eq!(refused(good).await.kind(), &LoginErrorKind::TokenRefused);
}

#[tokio::test]
async fn a_fresh_token_continues_a_login_whose_token_was_refused() {
    for via in Via::THREE {
        let gate = start_gate();
        let user = gate.users()[0].id;
        let stale = direct(&gate, 0, via).provide_tokens(true);
        gate.expire_tokens();
        let client = stale.build().expect("valid options");
        let mut events = client.events();
        let login = tokio::spawn(client.login());
        next_where("the request", &mut events, |event| {
            matches!(event, Event::TokenRefused).then_some(())
        })
        .await;
        client.set_token(gate.token(user));
        let session = within("login", login).await.expect("no panic");
        session.expect("the fresh token is good");
        online(&mut events).await;
        assert_eq!(gate.seen().count("auth"), 2);
    }
}

#[tokio::test]
async fn a_token_that_never_comes_is_waited_for_half_a_minute() {
    let gate = start_gate();
    let stale = direct(&gate, 0, Via::Tcp).provide_tokens(true);
    gate.expire_tokens();
    let client = stale.build().expect("valid options");
    let mut events = client.events();
    let login = tokio::spawn(client.login());
    next_where("the request", &mut events, |event| {
        matches!(event, Event::TokenRefused).then_some(())
    })
    .await;
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let error = login.await.expect("no panic").expect_err("no token came");
    assert!((29..=30).contains(&before.elapsed().as_secs()));
    assert_eq!(error.code(), ErrorCode::INVALID_AUTH_TOEKN);
    let text = error.to_string();
    let expected = "login: the token was refused and no fresh one came in time";
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_banned_user_gets_the_servers_code() {
    let gate = start_gate();
    gate.ban(gate.users()[0].id, true);
    for via in Via::THREE {
        let error = refused(direct(&gate, 0, via).auto_reconnect(true)).await;
        assert_eq!(error.code(), ErrorCode(200024));
        let expected = format!(
            "login at {}: refused by the server: 200024",
            via.of(&gate.gate())
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn a_misspelt_endpoint_is_refused_before_anything_is_tried() {
    let at = |gate: &str| Client::builder(1, 1, "S3CRET").gate(gate);
    let cases = [
        (
            at("::1:13321"),
            "login: option `gate`: endpoint \"::1:13321\": put an IPv6 address in brackets, as in [::1]:13321",
        ),
        (
            at("wsss://gate.example:13322"),
            "login: option `gate`: endpoint \"wsss://gate.example:13322\": unknown scheme, use wss://, ws://, tls:// or tcp://",
        ),
        (
            at("gate.example"),
            "login: option `gate`: endpoint \"gate.example\": no port, expected host:port",
        ),
        (
            Client::builder(1, 1, "S3CRET").dispatch("ws://dispatch.example:0"),
            "login: option `dispatch`: endpoint \"ws://dispatch.example:0\": the port is not a number from 1 to 65535",
        ),
        (
            Client::builder(1, 1, "S3CRET"),
            "login: no address: configure a dispatch or a gate endpoint",
        ),
    ];
    for (builder, expected) in cases {
        assert_eq!(refused(builder).await.to_string(), expected);
    }
}

#[tokio::test]
async fn a_closed_client_logs_in_again_afresh() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        within("enter", client.enter_room(1))
            .await
            .expect("entered");
        for _ in 0..2 {
            within("logout", client.logout()).await;
            within("login", client.login()).await.expect("a login");
        }
        gate.faults().drop_connections();
        online(&mut events).await;
        assert_eq!(closed(&mut events).await, Cause::LoggedOut);
        assert_eq!(closed(&mut events).await, Cause::LoggedOut);
        assert!(matches!(closed(&mut events).await, Cause::Lost(_)));
        within("login", client.login()).await.expect("a login");
        let rooms = within("rooms", client.get_user_rooms())
            .await
            .expect("rooms");
        assert_eq!(
            rooms,
            [],
            "a new login starts without the rooms of the old one"
        );
        assert_eq!(gate.seen().count("auth"), 4);
    }
}

#[tokio::test]
async fn the_gate_of_a_session_may_be_cached_and_skips_dispatch() {
    let gate = start_gate();
    let first = log_in(options(&gate, 0).dispatch(gate.dispatch().wss)).await;
    let cached = gate_of(&first);
    gate.forget_seen();
    let second = log_in(
        options(&gate, 1)
            .dispatch(gate.dispatch().wss)
            .gate(&cached),
    )
    .await;
    assert_eq!(gate_of(&second), cached);
    assert_eq!(gate.seen().count("which"), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_transport() {
    let other = start_gate();
    for via in Via::THREE {
        let gate = rtm_gate::Gate::builder()
            .user(other.users()[0].id, other.users()[0].token.as_str())
            .start()
            .expect("a gate");
        let gate = std::sync::Arc::new(gate);
        let target = format!("localhost:{}", via.port(&other));
        gate.faults()
            .on("auth", Effect::Redirect(target), Times::N(1));
        let builder = options(&gate, 0)
            .root_certificates_pem(other.root_certificate())
            .gate(via.of(&gate.gate()));
        let client = log_in(builder).await;
        let expected = format!("{}://localhost:{}", via.scheme(), via.port(&other));
        assert_eq!(gate_of(&client).to_string(), expected);
        seen(&gate, "the first connection's end", |s| s.open() == 0).await;
    }
}

#[tokio::test]
async fn redirects_in_a_circle_stop_after_five() {
    for via in Via::THREE {
        let gate = start_gate();
        gate.faults()
            .on("auth", Effect::RedirectToSelf, Times::Always);
        let error = refused(direct(&gate, 0, via)).await;
        assert_eq!(error.kind(), &LoginErrorKind::TooManyRedirects);
        let text = error.to_string();
        assert!(text.ends_with(": too many redirects"), "{text}");
        assert!(text.contains(&via.port(&gate).to_string()), "{text}");
        assert_eq!(gate.seen().count("auth"), 6);
        seen(&gate, "the end", |s| s.open() == 0).await;
    }
}

#[tokio::test]
async fn a_second_login_joins_the_first_and_an_open_session() {
    let gate = start_gate();
    let client = direct(&gate, 0, Via::Ws).build().expect("valid options");
    let logins = futures::future::join_all((0..5).map(|_| client.login()));
    let sessions: Vec<Session> = within("logins", logins)
        .await
        .into_iter()
        .map(|login| login.expect("a login"))
        .collect();
    assert!(sessions.windows(2).all(|pair| pair[0] == pair[1]));
    within("login", client.login())
        .await
        .expect("the open session");
    assert_eq!(gate.seen().count("auth"), 1);
}

#[tokio::test]
async fn dropping_the_future_of_a_login_stops_nothing() {
    let gate = start_gate();
    let client = direct(&gate, 0, Via::Ws).build().expect("valid options");
    let mut watch = client.watch();
    tokio::select! {
        biased;
        _ = client.login() => panic!("a login takes more than one poll"),
        () = std::future::ready(()) => {}
    }
    let online = async {
        while let Some(state) = watch.next().await {
            if state.is_online() {
                return;
            }
        }
    };
    within("online", online).await;
    assert!(client.state().is_online());
}
