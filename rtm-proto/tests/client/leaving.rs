//! Kickout and logout, and what arrives beside them.

use rtm_proto::error::Cause;
use rtm_proto::{Config, Event, Input, Reason, State};

use crate::support::{
    Act, Call, Node, TICK, World, answer, cause, chat, map, ms, one_way, push, secs, tcp_config,
};

fn online(config: Config) -> World {
    World::tcp(config).node("gate", Node::quiet_gate()).online()
}

#[test]
fn a_kickout_is_told_then_the_client_closes_and_never_comes_back() {
    let kicks = [
        push(1, "kickout", &map(&[])),
        one_way("kickout", &map(&[("reason", "x".into())])),
    ];
    for kick in kicks {
        let mut world = online(tcp_config().auto_reconnect(true));
        world.send(kick);
        let last_two: Vec<&Event> = world
            .log
            .events
            .iter()
            .map(|(_, e)| e)
            .rev()
            .take(2)
            .collect();
        assert!(matches!(last_two[1], Event::KickedOut(_)));
        assert!(matches!(last_two[0], Event::State(State::Closed { .. })));
        assert_eq!(cause(&world), Cause::KickedOut);
        world.input(Input::NetworkChanged);
        world.run_for(secs(100));
        assert_eq!(world.log.dialed.len(), 1);
        assert_eq!(world.log.hung_up.len(), 1);
    }
}

#[test]
fn a_kickout_during_the_goodbye_takes_back_a_login_asked_for_meanwhile() {
    let mut world = online(tcp_config());
    world.logout();
    world.login();
    world.send(push(1, "kickout", &map(&[])));
    assert_eq!(cause(&world), Cause::KickedOut);
    world.run_for(secs(10));
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn a_kickout_with_the_goodbye_s_answer_behind_it_is_still_a_kickout() {
    let mut world = online(tcp_config());
    world.logout();
    let mut both = push(1, "kickout", &map(&[])).to_vec();
    both.extend_from_slice(&answer(2, &map(&[])));
    world.act(world.conn(), Act::Raw(both.into()));
    let closed = world
        .log
        .states()
        .into_iter()
        .filter(State::is_closed)
        .collect::<Vec<_>>();
    assert_eq!(
        closed,
        [State::Closed {
            cause: Cause::KickedOut
        }]
    );
}

#[test]
fn what_arrives_behind_a_kickout_in_the_same_bytes_still_counts() {
    let mut world = online(tcp_config());
    let call = world.call(&Call("a"));
    let mut bytes = push(1, "kickout", &map(&[])).to_vec();
    bytes.extend_from_slice(&chat(2, 50, "last words"));
    bytes.extend_from_slice(&answer(2, &map(&[])));
    world.act(world.conn(), Act::Raw(bytes.into()));
    assert_eq!(world.log.texts(), ["last words"]);
    assert_eq!(world.log.end_of(call), Ok(()));
    let answered: Vec<u32> = world.log.push_answers.iter().map(|a| a.1.seq).collect();
    assert_eq!(answered, [1, 2]);
}

#[test]
fn pushes_behind_a_refused_auth_are_answered_before_they_are_delivered() {
    for config in [tcp_config(), tcp_config().provide_tokens(true)] {
        let refusal = map(&[("ok", false.into())]);
        let mut bytes = answer(1, &refusal).to_vec();
        bytes.extend_from_slice(&chat(9, 50, "behind"));
        let gate = Node::new(move |_| vec![Act::Raw(bytes.clone().into())]);
        let mut world = World::tcp(config).node("gate", gate);
        world.login();
        world.run_for(ms(0));
        assert_eq!(world.log.texts(), ["behind"]);
        assert_eq!(world.log.push_answers.len(), 1);
        assert_eq!(world.log.push_answers[0].1.seq, 9);
    }
}

#[test]
fn a_logout_says_bye_waits_for_its_answer_and_closes() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        _ => vec![Act::after(secs(2), Act::done())],
    });
    let mut world = World::tcp(tcp_config().auto_reconnect(true))
        .node("gate", gate)
        .online();
    world.logout();
    world.logout();
    assert_eq!(*world.client.state(), State::Closing);
    world.run_for(secs(2));
    assert_eq!(cause(&world), Cause::LoggedOut);
    assert_eq!(world.log.methods("gate"), ["auth", "bye"]);
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(world.wait(), (None, Reason::None));
}

#[test]
fn a_connection_lost_during_the_goodbye_is_the_end_of_it() {
    let mut world = online(tcp_config().auto_reconnect(true));
    world.logout();
    world.act(world.conn(), Act::Reset);
    assert_eq!(cause(&world), Cause::LoggedOut);
    world.run_for(secs(100));
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn pushes_are_answered_and_delivered_until_the_goodbye_is_over() {
    let mut world = online(tcp_config());
    world.logout();
    world.send(chat(7, 50, "still here"));
    assert_eq!(world.log.texts(), ["still here"]);
    assert_eq!(world.log.push_answers.len(), 1);
}

#[test]
fn a_peer_that_takes_no_last_bytes_is_dropped_after_a_second() {
    let mut world = online(tcp_config());
    let conn = world.conn();
    world.stall(conn, true);
    world.call(&Call("a"));
    world.send(push(1, "kickout", &map(&[])));
    assert_eq!(world.wait(), (Some(secs(1)), Reason::Drain));
    world.run_to(secs(1) - TICK);
    world.tick();
    assert_eq!(world.log.hung_up, []);
    world.run_to(secs(1));
    assert_eq!(world.log.hung_up, [(secs(1), conn)]);
    assert_eq!(world.wait(), (None, Reason::None));
}

#[test]
fn what_comes_while_the_last_bytes_leave_is_ignored() {
    let mut world = online(tcp_config());
    let conn = world.conn();
    world.stall(conn, true);
    world.call(&Call("a"));
    world.send(push(1, "kickout", &map(&[])));
    let events = world.log.events.len();
    world.send(chat(2, 50, "too late"));
    assert_eq!(world.log.events.len(), events);
    assert_eq!(world.wait(), (Some(secs(1)), Reason::Drain));
}
