//! After a reconnect: rooms, language, attributes, and the calls that wait.

use rtm_proto::api::{EnterRoom, LeaveRoom, SetAttributes, SetTranslationLanguage};
use rtm_proto::error::{ErrorCode, RequestErrorKind};
use rtm_proto::{Config, Event, RequestOptions, RoomId, State};

use crate::support::{Act, Asked, Call, Node, World, map, ms, push, secs, tcp_config};

fn retrying() -> Config {
    tcp_config().auto_reconnect(true)
}

fn world(config: Config) -> World {
    World::tcp(config).node("gate", Node::gate()).online()
}

fn enter(world: &mut World, rooms: &[i64]) {
    for room in rooms {
        world.call(&EnterRoom::new(*room));
        world.run_for(ms(0));
    }
}

fn reconnect(world: &mut World) {
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    assert!(world.client.state().is_online());
}

/// What the newest connection carried after its `auth`, as short texts.
fn restored(world: &World) -> Vec<String> {
    let conn = world.conn();
    let quests = world.log.quests.iter().filter(|asked| asked.conn == conn);
    quests.skip(1).map(text).collect()
}

fn text(asked: &Asked) -> String {
    let values = asked.body.as_map().unwrap().iter();
    let values: Vec<String> = values.map(|(_, value)| value.to_string()).collect();
    format!("{} {}", asked.method, values.join(" "))
        .trim_end()
        .to_owned()
}

fn lost_rooms(world: &World) -> Vec<(RoomId, ErrorCode)> {
    let events = world.log.events.iter();
    events
        .filter_map(|(_, event)| match event {
            Event::RoomLost { room, error } => Some((*room, error.code())),
            _ => None,
        })
        .collect()
}

#[test]
fn rooms_language_and_attributes_come_back_in_this_order() {
    let mut world = world(retrying());
    world.call(&SetAttributes::new([("a", "1")]));
    world.call(&SetAttributes::new([("b", "2")]));
    world.call(&SetTranslationLanguage::new("en"));
    enter(&mut world, &[3, 1, 2, 3]);
    reconnect(&mut world);
    assert_eq!(
        restored(&world),
        [
            "enterroom 1",
            "enterroom 2",
            "enterroom 3",
            "setlang \"en\"",
            "addattrs {\"a\": \"1\", \"b\": \"2\"}"
        ]
    );
    reconnect(&mut world);
    assert_eq!(restored(&world).len(), 5);
}

#[test]
fn the_online_event_comes_first_and_calls_that_wait_come_last() {
    let slow = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        _ => vec![Act::after(ms(10), Act::done())],
    });
    let mut world = world(retrying());
    enter(&mut world, &[1, 2]);
    world.set_node("gate", slow);
    world.act(world.conn(), Act::Reset);
    let patient = RequestOptions::default().wait_online(true);
    let early = world.try_call(&Call("early"), patient).unwrap();
    world.run_for(ms(100));
    assert!(world.client.state().is_online());
    // The session is open, the rooms are not entered yet.
    let late = world.try_call(&Call("late"), patient).unwrap();
    let hasty = world.call(&Call("hasty"));
    world.run_for(ms(50));
    assert_eq!(
        restored(&world),
        ["enterroom 1", "hasty", "enterroom 2", "early", "late"]
    );
    for call in [early, late, hasty] {
        assert_eq!(world.log.end_of(call), Ok(()));
    }
}

#[test]
fn what_was_refused_or_left_or_kicked_from_is_not_entered_again() {
    let gate = || {
        Node::new(|asked| match asked.method.as_str() {
            "auth" => vec![Act::welcome()],
            "enterroom" if asked.field("rid").unwrap().as_i64() == Some(4) => {
                vec![Act::Error(200_047, "too many")]
            }
            "leaveroom" => vec![Act::Error(20_001, "")],
            _ => vec![Act::done()],
        })
    };
    let mut world = World::tcp(retrying()).node("gate", gate()).online();
    enter(&mut world, &[1, 2, 3, 4]);
    // Whatever becomes of the call.
    world.call(&LeaveRoom::new(2));
    world.send(push(1, "kickoutroom", &map(&[("rid", 3.into())])));
    reconnect(&mut world);
    assert_eq!(restored(&world), ["enterroom 1"]);
    assert_eq!(world.log.pushes(), ["kickoutroom"]);
}

#[test]
fn a_room_left_while_its_entering_was_under_way_stays_left() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "enterroom" => vec![Act::after(ms(10), Act::done())],
        _ => vec![],
    });
    let mut world = World::tcp(retrying()).node("gate", gate).online();
    world.call(&EnterRoom::new(1));
    let options = RequestOptions::default().timeout(ms(50));
    world.try_call(&LeaveRoom::new(1), options).unwrap();
    world.run_for(ms(100));
    reconnect(&mut world);
    assert_eq!(restored(&world), [""; 0]);
}

#[test]
fn a_room_entered_after_a_leave_that_failed_comes_back() {
    let gate = Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "leaveroom" => vec![],
        _ => vec![Act::done()],
    });
    let mut world = World::tcp(retrying()).node("gate", gate).online();
    enter(&mut world, &[1]);
    world.call(&LeaveRoom::new(1));
    enter(&mut world, &[1]);
    world.run_for(secs(21));
    reconnect(&mut world);
    assert_eq!(restored(&world), ["enterroom 1"]);
}

#[test]
fn a_room_that_cannot_be_entered_again_is_lost_and_the_rest_goes_on() {
    let mut world = world(retrying());
    enter(&mut world, &[1, 2, 3]);
    world.set_node(
        "gate",
        Node::new(|asked| match asked.method.as_str() {
            "auth" => vec![Act::welcome()],
            _ if asked.field("rid").unwrap().as_i64() == Some(2) => {
                vec![Act::Error(200_047, "too many")]
            }
            _ => vec![Act::done()],
        }),
    );
    reconnect(&mut world);
    let code = ErrorCode(200_047);
    assert_eq!(lost_rooms(&world), [(RoomId(2), code)]);
    reconnect(&mut world);
    assert_eq!(restored(&world), ["enterroom 1", "enterroom 3"]);
    assert_eq!(lost_rooms(&world).len(), 1);
}

#[test]
fn restoring_that_is_not_answered_gives_up_one_thing_at_a_time() {
    let mut world = world(retrying().request_timeout(secs(2)).max_ping_interval(None));
    enter(&mut world, &[1]);
    world.call(&SetTranslationLanguage::new("en"));
    world.run_for(ms(0));
    world.set_node("gate", Node::quiet_gate());
    world.act(world.conn(), Act::Reset);
    world.run_for(ms(100));
    let patient = RequestOptions::default()
        .wait_online(true)
        .timeout(secs(10));
    let call = world.try_call(&Call("patient"), patient).unwrap();
    world.run_for(secs(2));
    assert_eq!(lost_rooms(&world), [(RoomId(1), ErrorCode::CORE_TIMEOUT)]);
    world.run_for(secs(2));
    let settings = world.log.events.iter();
    let settings = settings.filter(|(_, event)| matches!(event, Event::SettingLost(_)));
    assert_eq!(settings.count(), 1);
    assert_eq!(
        restored(&world),
        ["enterroom 1", "setlang \"en\"", "patient"]
    );
    assert!(!world.log.has_ended(call));
}

#[test]
fn a_loss_while_restoring_starts_over_in_the_next_session() {
    let mut world = world(retrying());
    enter(&mut world, &[1, 2]);
    let mut first = true;
    world.set_node(
        "gate",
        Node::new(move |asked| match asked.method.as_str() {
            "auth" => vec![Act::welcome()],
            _ if std::mem::take(&mut first) => vec![Act::Reset],
            _ => vec![Act::done()],
        }),
    );
    let patient = RequestOptions::default().wait_online(true);
    world.act(world.conn(), Act::Reset);
    let call = world.try_call(&Call("patient"), patient).unwrap();
    world.run_for(secs(1));
    assert_eq!(restored(&world), ["enterroom 1", "enterroom 2", "patient"]);
    assert_eq!(lost_rooms(&world), []);
    assert_eq!(world.log.end_of(call), Ok(()));
}

#[test]
fn rooms_are_not_restored_where_that_is_off_and_the_rest_is() {
    let mut world = world(retrying().restore_rooms(false));
    enter(&mut world, &[1]);
    world.call(&SetTranslationLanguage::new("en"));
    reconnect(&mut world);
    assert_eq!(restored(&world), ["setlang \"en\""]);
}

#[test]
fn a_new_login_after_closed_starts_with_nothing() {
    let mut world = world(retrying());
    enter(&mut world, &[1]);
    world.logout();
    world.run_for(secs(1));
    assert!(matches!(world.client.state(), State::Closed { .. }));
    world.login();
    world.run_for(secs(1));
    assert_eq!(restored(&world), [""; 0]);
}

#[test]
fn a_logout_while_restoring_ends_the_calls_that_wait_for_it() {
    let mut world = world(retrying());
    enter(&mut world, &[1]);
    world.set_node("gate", Node::quiet_gate());
    world.act(world.conn(), Act::Reset);
    world.run_for(ms(100));
    let patient = RequestOptions::default().wait_online(true);
    let call = world.try_call(&Call("patient"), patient).unwrap();
    world.logout();
    assert_eq!(world.log.end_of(call), Err(RequestErrorKind::NotConnected));
    world.run_for(secs(30));
    assert_eq!(restored(&world), ["enterroom 1", "bye"]);
    assert_eq!(lost_rooms(&world), []);
}
