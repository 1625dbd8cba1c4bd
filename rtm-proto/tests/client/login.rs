//! From `login` to a session: states, pauses, redirects, tokens, losses at
//! every step.

use std::time::Duration;

use rtm_proto::error::{Cause, ErrorCode, LoginErrorKind, LoginStep};
use rtm_proto::{
    Backoff, Config, ConnId, Event, Input, Reason, RequestOptions, SocketEnd, State, Token,
};

use crate::support::{
    Act, Call, Node, Reach, TICK, World, bare_config, endpoint, ms, secs, tcp_config, ws_config,
};

fn retrying() -> Config {
    tcp_config().auto_reconnect(true)
}

fn dispatched() -> Config {
    bare_config().dispatch(endpoint("tcp://dispatch:1"))
}

fn with_gate(config: Config) -> World {
    World::tcp(config)
        .node("dispatch", Node::dispatch("gate:1"))
        .node("gate", Node::gate())
}

/// States by their names, attempts included.
fn names(world: &World) -> Vec<String> {
    let states = world.log.states();
    states
        .iter()
        .map(|state| match state {
            State::Connecting { attempt } => format!("connecting {attempt}"),
            State::Online { .. } => "online".into(),
            State::Backoff { attempt, .. } => format!("backoff {attempt}"),
            State::Closing => "closing".into(),
            State::Closed { .. } => "closed".into(),
            _ => "idle".into(),
        })
        .collect()
}

fn failure(world: &World) -> (LoginErrorKind, ErrorCode) {
    match world.client.state() {
        State::Closed {
            cause: Cause::Login(error),
        }
        | State::Backoff {
            cause: Cause::Login(error),
            ..
        } => (error.kind().clone(), error.code()),
        state => panic!("no failed login but {state}"),
    }
}

fn dialed(world: &World) -> Vec<(Duration, &str)> {
    let dialed = world.log.dialed.iter();
    dialed.map(|(at, host, _)| (*at, host.as_str())).collect()
}

#[test]
fn every_change_of_state_is_one_event_and_state_agrees_with_the_last() {
    let mut world = with_gate(retrying());
    assert_eq!(*world.client.state(), State::Idle);
    world.login();
    world.run_for(secs(1));
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    world.logout();
    world.run_for(secs(1));
    assert_eq!(
        names(&world),
        [
            "connecting 1",
            "online",
            "backoff 0",
            "connecting 1",
            "online",
            "closing",
            "closed"
        ]
    );
    assert_eq!(world.log.states().last(), Some(world.client.state()));
}

#[test]
fn the_online_event_names_the_gate_with_its_scheme() {
    let world = with_gate(dispatched()).online();
    match world.client.state() {
        State::Online { session } => assert_eq!(session.gate.to_string(), "tcp://gate:1"),
        state => panic!("{state}"),
    }
}

#[test]
fn a_second_login_joins_and_one_after_closed_starts_afresh() {
    let mut world = with_gate(tcp_config());
    world.login();
    world.login();
    world.run_for(ms(0));
    world.login();
    world.logout();
    world.run_for(ms(0));
    assert_eq!(names(&world).last().unwrap(), "closed");
    world.login();
    world.run_for(ms(0));
    assert_eq!(world.log.dialed.len(), 2);
    assert!(world.client.state().is_online());
}

#[test]
fn a_login_while_closing_starts_when_the_goodbye_is_over() {
    let mut world = World::tcp(tcp_config())
        .node("gate", Node::quiet_gate())
        .online();
    world.logout();
    world.run_for(secs(1));
    world.login();
    world.run_for(secs(4) - TICK);
    assert_eq!(*world.client.state(), State::Closing);
    world.run_for(TICK);
    let expected = [
        "connecting 1",
        "online",
        "closing",
        "closed",
        "connecting 1",
        "online",
    ];
    assert_eq!(names(&world), expected);
    // A second thought counts: logging out again takes the login back.
    world.logout();
    world.login();
    world.logout();
    world.run_for(secs(10));
    assert!(world.client.state().is_closed());
    assert_eq!(world.log.dialed.len(), 2);
}

#[test]
fn after_an_abort_nothing_ever_starts_again() {
    let mut world = with_gate(retrying()).online();
    world.client.abort();
    world.settle();
    world.login();
    world.client.set_token(world.now, Token::from("new"));
    world.input(Input::NetworkChanged);
    world.logout();
    world.client.abort();
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (None, Reason::None));
    let aborted = State::Closed {
        cause: Cause::Aborted,
    };
    assert_eq!(*world.client.state(), aborted);
    assert_eq!(
        world.log.states().iter().filter(|s| **s == aborted).count(),
        1
    );
}

#[test]
fn without_auto_reconnect_the_first_failure_and_a_lost_session_are_final() {
    let mut world = World::tcp(tcp_config()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(100));
    assert_eq!(names(&world), ["connecting 1", "closed"]);

    let mut world = with_gate(tcp_config()).online();
    world.act(world.conn(), Act::Close);
    world.run_for(secs(100));
    assert_eq!(names(&world), ["connecting 1", "online", "closed"]);
    assert_eq!(world.wait(), (None, Reason::None));
}

#[test]
fn attempts_follow_exactly_when_the_backoff_says_and_are_counted() {
    let mut world = World::tcp(retrying()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(ms(100) - TICK);
    world.tick();
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (Some(ms(100)), Reason::Backoff));
    world.run_for(TICK);
    assert_eq!(world.log.dialed.len(), 2);
    world.run_for(ms(100));
    let expected = [
        "connecting 1",
        "backoff 1",
        "connecting 2",
        "backoff 2",
        "connecting 3",
        "backoff 3",
    ];
    assert_eq!(names(&world), expected);
    match world.client.state() {
        State::Backoff { retry_at, .. } => assert_eq!(*retry_at, world.now + ms(100)),
        state => panic!("{state}"),
    }
}

#[test]
fn attempts_that_are_used_up_close_with_the_last_error() {
    let config = retrying().backoff(Backoff::fixed(ms(100)).max_attempts(3));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(10));
    assert_eq!(world.log.dialed.len(), 3);
    assert!(world.client.state().is_closed());
    assert!(matches!(failure(&world).0, LoginErrorKind::Connect { .. }));
}

#[test]
fn full_jitter_stays_below_a_ceiling_that_doubles_from_one_second_to_twenty() {
    let ceilings = [1, 2, 4, 8, 16, 20, 20];
    let config = retrying().backoff(Backoff::default());
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(300));
    let at: Vec<Duration> = dialed(&world).into_iter().map(|(at, _)| at).collect();
    let pauses: Vec<Duration> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() > 10);
    for (n, pause) in pauses.iter().enumerate() {
        assert!(
            *pause <= secs(*ceilings.get(n).unwrap_or(&20)),
            "{n}: {pause:?}"
        );
    }
}

/// Fails for a while, opens a session, loses it after `lasting`; gives how
/// often the client had to fail until it gave up.
fn failures_left_after(lasting: Duration, told_of_time: bool) -> usize {
    let config = retrying().backoff(Backoff::fixed(ms(100)).max_attempts(3));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(ms(150));
    world.set_node("gate", Node::gate());
    world.run_to(ms(200));
    assert!(world.client.state().is_online());
    let conn = world.conn();
    if told_of_time {
        world.run_for(lasting);
    } else {
        world.now = world.now + lasting;
    }
    world.set_node("gate", Node::that_is(Reach::Refused));
    let reason = SocketEnd::Eof;
    world.input(Input::Disconnected { conn, reason });
    let before = world.log.dialed.len();
    world.run_for(secs(10));
    assert!(world.client.state().is_closed());
    world.log.dialed.len() - before
}

#[test]
fn ten_seconds_online_clear_the_failures_and_less_does_not() {
    for told_of_time in [true, false] {
        // Two failures before; a session that did not last is the third.
        assert_eq!(failures_left_after(secs(10) - TICK, told_of_time), 0);
        assert_eq!(failures_left_after(secs(10), told_of_time), 3);
    }
}

#[test]
fn stop_codes_are_final_and_others_are_retried() {
    for (code, is_final) in [
        (20_013, true),
        (200_001, true),
        (200_002, true),
        (200_021, true),
        (200_024, true),
        (200_025, true),
        (200_026, true),
        (200_027, true),
        (200_049, true),
        (200_010, false),
        (20_001, false),
    ] {
        let node = Node::new(move |_| vec![Act::Error(code, "no")]);
        let mut world = World::tcp(retrying()).node("gate", node);
        world.login();
        world.run_for(ms(50));
        assert_eq!(world.client.state().is_closed(), is_final, "{code}");
        assert_eq!(failure(&world).1, ErrorCode(code));
    }
}

#[test]
fn already_authenticated_is_success() {
    let node = Node::new(|_| vec![Act::Error(200_023, "again")]);
    let world = World::tcp(tcp_config()).node("gate", node).online();
    assert_eq!(names(&world), ["connecting 1", "online"]);
}

#[test]
fn a_network_change_cuts_a_pause_short_once_in_two_seconds() {
    let config = retrying().backoff(Backoff::fixed(secs(10)));
    let mut world = World::tcp(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(secs(1));
    world.input(Input::NetworkChanged);
    world.run_to(secs(3) - TICK);
    world.input(Input::NetworkChanged);
    assert_eq!(world.log.dialed.len(), 2);
    world.run_to(secs(3));
    world.input(Input::NetworkChanged);
    let at: Vec<Duration> = dialed(&world).into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, [secs(0), secs(1), secs(3)]);
    // The pause that was cut short does not come back.
    world.run_to(secs(13) - TICK);
    assert_eq!(world.log.dialed.len(), 3);
    world.run_to(secs(13));
    assert_eq!(world.log.dialed.len(), 4);
}

#[test]
fn a_network_change_outside_a_pause_changes_nothing() {
    let mut world = with_gate(retrying());
    world.input(Input::NetworkChanged);
    world.login();
    world.input(Input::NetworkChanged);
    world.run_for(ms(0));
    world.input(Input::NetworkChanged);
    assert_eq!(names(&world), ["connecting 1", "online"]);
}

#[test]
fn a_given_gate_is_tried_once_and_then_dispatch_is_asked() {
    let config = retrying().dispatch(endpoint("tcp://dispatch:1"));
    let mut world = with_gate(config).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(ms(0));
    world.set_node("gate", Node::gate());
    world.run_for(secs(1));
    let hosts: Vec<&str> = dialed(&world).into_iter().map(|(_, host)| host).collect();
    assert_eq!(hosts, ["gate", "dispatch", "gate"]);
    assert!(world.client.state().is_online());
}

#[test]
fn the_lookup_and_the_auth_carry_what_the_settings_say() {
    let config = dispatched()
        .ipv6(true)
        .version("1.2")
        .attributes([("a", "b")]);
    let world = with_gate(config).online();
    let which = &world.log.quests[0];
    assert_eq!(which.field("what").unwrap().as_str(), Some("rtmGated"));
    assert_eq!(which.field("addrType").unwrap().as_str(), Some("ipv6"));
    assert_eq!(which.field("version").unwrap().as_str(), Some("1.2"));
    let auth = &world.log.quests[1];
    assert_eq!(auth.method, "auth");
    assert_eq!(auth.field("pid").unwrap().as_i64(), Some(1_000_012));
    assert_eq!(auth.field("uid").unwrap().as_i64(), Some(654_321));
    assert_eq!(auth.field("token").unwrap().as_str(), Some("the token"));
    assert_eq!(auth.field("attrs").unwrap().as_map().unwrap().len(), 1);
}

#[test]
fn five_redirects_are_followed_and_the_sixth_is_a_failure() {
    for (redirects, is_online) in [(5, true), (6, false)] {
        let gate = Node::new(move |asked| match asked.nth {
            nth if nth <= redirects => vec![Act::redirect("gate:1")],
            _ => vec![Act::welcome()],
        });
        let mut world = World::tcp(tcp_config()).node("gate", gate);
        world.login();
        world.run_for(secs(1));
        assert_eq!(world.client.state().is_online(), is_online);
        if !is_online {
            assert_eq!(failure(&world).0, LoginErrorKind::TooManyRedirects);
            assert_eq!(failure(&world).1, ErrorCode::CORE_INVALID_CONNECTION);
        }
    }
}

#[test]
fn a_bare_endpoint_from_a_server_takes_the_scheme_that_brought_it() {
    let config = bare_config().dispatch(endpoint("ws://dispatch:1"));
    let mut world = World::ws(config)
        .node("dispatch", Node::dispatch("gate:1"))
        .node("gate", Node::new(|_| vec![Act::redirect("other:2")]))
        .node("other", Node::gate());
    world.login();
    world.run_for(secs(1));
    match world.client.state() {
        State::Online { session } => assert_eq!(session.gate.to_string(), "ws://other:2"),
        state => panic!("{state}"),
    }
}

#[test]
fn redirects_share_one_deadline_with_the_attempt() {
    let gate = Node::new(|_| vec![Act::after(secs(12), Act::redirect("gate:1"))]);
    let mut world = World::tcp(tcp_config()).node("gate", gate);
    world.login();
    world.run_to(secs(50) - TICK);
    assert!(!world.client.state().is_closed());
    world.run_to(secs(50));
    let attempt = LoginErrorKind::TimedOut(LoginStep::Attempt);
    assert_eq!(failure(&world), (attempt, ErrorCode::CORE_TIMEOUT));
}

#[test]
fn after_a_redirect_the_session_comes_back_at_the_gate_it_was_at() {
    let mut world = World::tcp(retrying())
        .node("gate", Node::new(|_| vec![Act::redirect("other:1")]))
        .node("other", Node::gate())
        .online();
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    let hosts: Vec<&str> = dialed(&world).into_iter().map(|(_, host)| host).collect();
    assert_eq!(hosts, ["gate", "other", "other"]);
}

#[test]
fn a_refused_token_is_final_with_its_own_code() {
    let answers = [Act::refuse(), Act::Error(200_027, "bad token")];
    for answer in answers {
        let node = Node::new(move |_| vec![answer.clone()]);
        let mut world = World::tcp(retrying()).node("gate", node);
        world.login();
        world.run_for(secs(10));
        assert_eq!(
            failure(&world),
            (LoginErrorKind::TokenRefused, ErrorCode::INVALID_AUTH_TOEKN)
        );
        assert_eq!(world.log.dialed.len(), 1);
    }
}

/// A gate that knows one token.
fn picky_gate() -> Node {
    Node::new(|asked| match asked.field("token") {
        Some(token) if token.as_str() == Some("fresh") => vec![Act::welcome()],
        Some(_) => vec![Act::refuse()],
        None => vec![Act::done()],
    })
}

fn refusals(world: &World) -> usize {
    let events = world.log.events.iter();
    events
        .filter(|(_, event)| matches!(event, Event::TokenRefused))
        .count()
}

#[test]
fn a_fresh_token_continues_the_login_at_once() {
    let config = tcp_config().provide_tokens(true);
    let mut world = World::tcp(config).node("gate", picky_gate());
    world.login();
    world.run_for(secs(20));
    assert_eq!(refusals(&world), 1);
    assert_eq!(world.wait(), (Some(secs(30)), Reason::Token));
    world.client.set_token(world.now, Token::from("fresh"));
    world.run_for(ms(0));
    assert!(world.client.state().is_online());
    world.run_for(secs(100));
    assert_eq!(refusals(&world), 1);
}

#[test]
fn without_a_fresh_token_the_client_closes_after_thirty_seconds() {
    let config = tcp_config().provide_tokens(true).auto_reconnect(true);
    let mut world = World::tcp(config).node("gate", picky_gate());
    world.login();
    world.run_for(secs(30) - TICK);
    world.tick();
    assert!(!world.client.state().is_closed());
    world.run_for(TICK);
    let late = LoginErrorKind::TimedOut(LoginStep::Token);
    assert_eq!(failure(&world), (late, ErrorCode::INVALID_AUTH_TOEKN));
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn three_fresh_tokens_in_a_row_are_tried_and_then_the_refusal_is_final() {
    let config = tcp_config().provide_tokens(true);
    let mut world = World::tcp(config).node("gate", picky_gate());
    world.login();
    for _ in 0..3 {
        world.run_for(secs(1));
        world.client.set_token(world.now, Token::from("stale"));
    }
    world.run_for(secs(1));
    assert_eq!(failure(&world).0, LoginErrorKind::TokenRefused);
    assert_eq!(refusals(&world), 3);
}

#[test]
fn a_token_set_while_online_is_for_the_next_login() {
    let mut world = with_gate(retrying()).online();
    world.client.set_token(world.now, Token::from("second"));
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    let auths = world.log.quests.iter().filter(|q| q.method == "auth");
    let tokens: Vec<_> = auths
        .map(|q| q.field("token").unwrap().to_string())
        .collect();
    assert_eq!(tokens, ["\"the token\"", "\"second\""]);
}

#[test]
fn a_logout_while_waiting_for_a_token_or_a_retry_closes_at_once() {
    let config = tcp_config().provide_tokens(true);
    let mut world = World::tcp(config).node("gate", picky_gate());
    world.login();
    world.run_for(secs(1));
    world.logout();
    assert!(world.client.state().is_closed());
    assert_eq!(world.wait(), (None, Reason::None));

    let mut world = World::tcp(retrying()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(ms(50));
    world.logout();
    world.run_for(secs(10));
    assert_eq!(world.log.dialed.len(), 1);
    assert!(world.client.state().is_closed());
}

#[test]
fn without_any_endpoint_a_login_fails_for_good() {
    let mut world = World::tcp(bare_config().auto_reconnect(true));
    world.login();
    assert_eq!(failure(&world).0, LoginErrorKind::NoEndpoint);
    assert!(world.client.state().is_closed());
}

#[test]
fn answers_of_dispatch_and_gate_that_make_no_sense_are_failures() {
    use crate::support::map;
    let nonsense = [
        map(&[]),
        map(&[("endpoint", "".into())]),
        map(&[("endpoint", "::1:2".into())]),
    ];
    for answer in nonsense {
        let node = Node::new(move |_| vec![Act::Answer(answer.clone())]);
        let mut world = World::tcp(dispatched()).node("dispatch", node);
        world.login();
        world.run_for(ms(0));
        assert_eq!(failure(&world).1, ErrorCode::CORE_INVALID_CONNECTION);
    }
    let nonsense = [map(&[]), map(&[("ok", "yes".into())])];
    for answer in nonsense {
        let node = Node::new(move |_| vec![Act::Answer(answer.clone())]);
        let mut world = World::tcp(tcp_config()).node("gate", node);
        world.login();
        world.run_for(ms(0));
        assert!(matches!(failure(&world).0, LoginErrorKind::Decode(_)));
    }
}

#[test]
fn each_step_has_its_deadline_to_the_tick() {
    let silent = || Node::that_is(Reach::Served);
    let cases: [(World, Duration, LoginStep); 4] = [
        (
            with_gate(tcp_config()).node("gate", Node::that_is(Reach::Lost)),
            secs(30),
            LoginStep::Connect,
        ),
        (
            World::ws(ws_config()).node("gate", Node::that_is(Reach::Mute)),
            secs(30),
            LoginStep::Connect,
        ),
        (
            with_gate(dispatched()).node("dispatch", silent()),
            secs(30),
            LoginStep::Lookup,
        ),
        (
            with_gate(tcp_config()).node("gate", silent()),
            secs(20),
            LoginStep::Auth,
        ),
    ];
    for (mut world, limit, step) in cases {
        world.login();
        world.run_to(limit - TICK);
        world.tick();
        assert!(!world.client.state().is_closed(), "{step:?}");
        world.run_to(limit);
        let expected = LoginErrorKind::TimedOut(step);
        assert_eq!(failure(&world), (expected, ErrorCode::CORE_TIMEOUT));
        world.run_for(secs(2));
        assert_eq!(world.wait(), (None, Reason::None), "{step:?}");
        assert_eq!(world.log.hung_up.len(), 1);
    }
}

/// What an adapter can report of a connection at any step.
fn ends(conn: ConnId) -> [Input; 3] {
    [
        Input::ConnectFailed {
            conn,
            reason: "no".into(),
        },
        Input::Disconnected {
            conn,
            reason: SocketEnd::Eof,
        },
        Input::Disconnected {
            conn,
            reason: SocketEnd::Failed("reset".into()),
        },
    ]
}

#[test]
fn a_loss_at_every_step_of_the_login_leads_to_the_next_attempt() {
    for kind in 0..3 {
        // With a latency of 10 ms each step lasts some of them.
        for at in (0..90).step_by(5) {
            let config = bare_config()
                .dispatch(endpoint("ws://dispatch:1"))
                .auto_reconnect(true);
            let mut world = World::ws(config)
                .node("dispatch", Node::dispatch("gate:1"))
                .node("gate", Node::gate());
            world.latency = ms(10);
            world.login();
            world.run_to(ms(at));
            let conn = world.conn();
            world.input(ends(conn)[kind].clone());
            assert!(
                matches!(world.client.state(), State::Backoff { .. }),
                "{at}"
            );
            world.run_for(secs(1));
            assert!(
                world.client.state().is_online(),
                "{at}: {}",
                world.client.state()
            );
        }
    }
}

#[test]
fn a_disconnect_reported_by_the_socket_is_not_asked_for_again() {
    let mut world = with_gate(retrying()).online();
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    assert_eq!(world.log.hung_up, []);
    assert_eq!(world.log.closed, ["gate"]);
}

#[test]
fn late_news_of_connections_that_are_gone_changes_nothing() {
    let mut world = with_gate(dispatched().auto_reconnect(true)).online();
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    let current = world.conn();
    let stale: Vec<ConnId> = world.log.dialed.iter().map(|dialed| dialed.2).collect();
    let call = world
        .try_call(&Call("x"), RequestOptions::default())
        .unwrap();
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
    let events = world.log.events.len();
    for conn in stale.into_iter().filter(|conn| *conn != current) {
        let data = crate::support::push(1, "kickout", &crate::support::map(&[]));
        world.input(Input::Connected { conn });
        world.input(Input::Received { conn, data });
        for end in ends(conn) {
            world.input(end);
        }
        assert!(world.client.poll_transmit(conn).is_none());
    }
    assert_eq!(world.log.events.len(), events);
    assert!(world.client.state().is_online());
}

#[test]
fn connection_names_are_never_used_twice() {
    let mut world = World::tcp(retrying()).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_for(secs(10));
    let mut conns: Vec<ConnId> = world.log.dialed.iter().map(|dialed| dialed.2).collect();
    let count = conns.len();
    conns.dedup();
    assert!(count > 50 && conns.len() == count);
}

#[test]
fn limits_of_any_length_are_taken() {
    let config = tcp_config()
        .connection_timeout(Duration::MAX)
        .request_timeout(Duration::MAX)
        .duplicate_lifetime(Duration::MAX)
        .max_ping_interval(Some(Duration::MAX));
    let mut world = World::tcp(config).node("gate", Node::gate()).online();
    let options = RequestOptions::default().timeout(Duration::MAX);
    let call = world.try_call(&Call("x"), options).unwrap();
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
}
