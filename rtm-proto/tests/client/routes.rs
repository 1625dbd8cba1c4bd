//! Where a login goes: dispatch, given gates, redirects, and servers that talk
//! nonsense.

use rtm_proto::error::{ErrorCode, LoginErrorKind, LoginStep};
use rtm_proto::{Config, State};

use crate::support::{
    Act, Node, Reach, TICK, World, answer, bare_config, dialed, endpoint, failure, map, ms, push,
    secs, tcp_config,
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
fn without_any_endpoint_a_login_fails_for_good() {
    let mut world = World::tcp(bare_config().auto_reconnect(true));
    world.login();
    assert_eq!(failure(&world).0, LoginErrorKind::NoEndpoint);
    assert!(world.client.state().is_closed());
}

#[test]
fn answers_of_dispatch_and_gate_that_make_no_sense_are_failures() {
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
fn where_the_last_gate_refuses_the_given_one_is_tried_again() {
    let mut world = World::tcp(retrying())
        .node("gate", Node::new(|_| vec![Act::redirect("other:1")]))
        .node("other", Node::gate())
        .online();
    world.set_node("other", Node::that_is(Reach::Refused));
    world.act(world.conn(), Act::Reset);
    world.run_for(ms(150));
    world.set_node("gate", Node::gate());
    world.run_for(secs(1));
    let hosts: Vec<&str> = dialed(&world).into_iter().map(|(_, host)| host).collect();
    assert_eq!(hosts, ["gate", "other", "other", "gate"]);
    assert!(world.client.state().is_online());
}

#[test]
fn the_dispatch_connection_is_closed_once_it_has_named_a_gate() {
    let world = with_gate(dispatched()).online();
    assert_eq!(world.log.closed, ["dispatch"]);
    assert_eq!(world.log.hung_up.len(), 1);
}

#[test]
fn a_kickout_behind_a_redirect_comes_from_a_gate_that_is_left_already() {
    let moved = map(&[("ok", false.into()), ("gate", "other:1".into())]);
    let mut bytes = answer(1, &moved).to_vec();
    bytes.extend_from_slice(&push(1, "kickout", &map(&[])));
    let gate = Node::new(move |_| vec![Act::Raw(bytes.clone().into())]);
    let world = World::tcp(tcp_config())
        .node("gate", gate)
        .node("other", Node::gate())
        .online();
    assert_eq!(world.log.pushes(), [""; 0]);
    // It was answered all the same.
    assert_eq!(world.log.push_answers.len(), 1);
}
