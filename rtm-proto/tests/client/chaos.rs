//! Whole sessions over streams and WebSockets with services that misbehave at
//! random: what holds of calls and messages must hold here too.

use rtm_proto::api::{EnterRoom, SendMessage};
use rtm_proto::{CallId, Reason, RequestOptions, State, UserId};

use crate::random::Dice;
use crate::support::{Act, Asked, Call, Node, Reach, World, bare_config, chat, endpoint, ms, secs};

/// What a gate does with a quest.
fn whim(dice: &mut Dice, asked: &Asked) -> Vec<Act> {
    let good = match asked.method.as_str() {
        "auth" => Act::welcome(),
        "which" => Act::name_gate("gate:1"),
        _ => Act::done(),
    };
    match dice.roll(24) {
        0 => vec![],
        1 => vec![Act::Close],
        2 => vec![Act::Reset],
        3 => vec![good, Act::Close],
        4 => vec![good, Act::after(ms(dice.roll(3000)), Act::Reset)],
        5 => vec![Act::Error(200_010, "later")],
        6..=9 => vec![Act::after(ms(dice.roll(4000)), good)],
        _ => vec![good],
    }
}

fn node(seed: u64) -> Node {
    let mut dice = Dice::new(seed);
    Node::new(move |asked| whim(&mut dice, asked))
}

struct Run {
    world: World,
    dice: Dice,
    calls: Vec<CallId>,
    said: i64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (dispatch, is_ws) = match seed % 2 {
            0 => ("ws://dispatch:1", true),
            _ => ("tcp://dispatch:1", false),
        };
        let config = bare_config()
            .dispatch(endpoint(dispatch))
            .auto_reconnect(true)
            .connection_timeout(secs(5))
            .request_timeout(secs(6))
            .max_ping_interval(Some(secs(30)));
        let world = match is_ws {
            true => World::ws(config),
            false => World::tcp(config),
        };
        let mut world = world
            .node("dispatch", node(seed + 1000))
            .node("gate", node(seed + 2000));
        world.latency = ms(dice.roll(40));
        world.piece = [usize::MAX, 1, 7][dice.roll(3) as usize];
        Run {
            world,
            dice,
            calls: Vec::new(),
            said: 0,
        }
    }

    fn step(&mut self) {
        let world = &mut self.world;
        match self.dice.roll(20) {
            0 => world.login(),
            1 if self.dice.roll(8) == 0 => world.logout(),
            2..=8 => self.call(),
            9..=12 => self.push(),
            13 if !world.log.dialed.is_empty() => {
                let stalled = self.dice.roll(2) == 0;
                world.stall(world.conn(), stalled);
            }
            14 => {
                let reach = [Reach::Refused, Reach::Lost, Reach::Mute];
                let reach = reach[self.dice.roll(3) as usize];
                world.set_node("gate", Node::that_is(reach));
            }
            15 | 16 => world.set_node("gate", node(self.dice.roll(1 << 20))),
            _ => {}
        }
        let pause = ms(self.dice.roll(900));
        self.world.run_for(pause);
    }

    fn call(&mut self) {
        let options = RequestOptions::default()
            .wait_online(self.dice.roll(2) > 0)
            .resend_on_loss(self.dice.roll(4) as u8);
        let world = &mut self.world;
        let call = match self.dice.roll(3) {
            0 => world.try_call(&Call("anything"), options),
            1 => world.try_call(&EnterRoom::new(self.dice.roll(5) as i64), options),
            _ => world.try_call(&SendMessage::chat(UserId(1), "x"), options),
        };
        self.calls.extend(call.ok());
    }

    /// Each message is sent twice, as gates do in doubt.
    fn push(&mut self) {
        if self.world.client.state().is_online() {
            self.said += 1;
            let package = chat(self.said as u32, self.said, &self.said.to_string());
            self.world.send(package.clone());
            self.world.send(package);
        }
    }

    fn finish(mut self) -> World {
        self.world.logout();
        self.world.run_for(secs(60));
        let world = self.world;
        assert!(matches!(
            world.client.state(),
            State::Idle | State::Closed { .. }
        ));
        assert_eq!(world.client.in_flight(), 0);
        assert_eq!(world.wait(), (None, Reason::None));
        assert_eq!(world.log.ends.len(), self.calls.len());
        for call in self.calls {
            let _ = world.log.end_of(call);
        }
        let heard: Vec<i64> = world
            .log
            .texts()
            .iter()
            .map(|t| t.parse().unwrap())
            .collect();
        assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "{heard:?}");
        world
    }
}

#[test]
fn calls_end_once_and_messages_come_once_and_in_order_whatever_services_do() {
    let (mut sessions, mut answered, mut failed, mut heard) = (0, 0, 0, 0);
    for seed in 1..=40 {
        let mut run = Run::new(seed);
        for _ in 0..120 {
            run.step();
        }
        let world = run.finish();
        let states = world.log.states();
        sessions += states.iter().filter(|state| state.is_online()).count();
        answered += world.log.ends.iter().filter(|end| end.3.is_ok()).count();
        failed += world.log.ends.iter().filter(|end| end.3.is_err()).count();
        heard += world.log.texts().len();
    }
    let reached = (sessions, answered, failed, heard);
    assert!(
        sessions > 100 && answered > 300 && failed > 400 && heard > 300,
        "{reached:?}"
    );
}
