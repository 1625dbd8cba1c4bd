//! Refused tokens, and fresh ones.

use rtm_proto::error::{ErrorCode, LoginErrorKind, LoginStep};
use rtm_proto::{Config, Event, Reason, Token};

use crate::support::{Act, Node, Reach, TICK, World, failure, ms, secs, tcp_config};

fn retrying() -> Config {
    tcp_config().auto_reconnect(true)
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
    // A new login asks anew.
    world.login();
    world.run_for(secs(1));
    assert_eq!(refusals(&world), 4);
    assert!(!world.client.state().is_closed());
}

#[test]
fn a_token_set_while_online_is_for_the_next_login() {
    let mut world = World::tcp(retrying()).node("gate", Node::gate()).online();
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
