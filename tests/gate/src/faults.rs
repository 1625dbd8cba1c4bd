//! Faults on command.

use crate::wire::Value;
use crate::wirefault::{Wire, WireFault};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// This many times.
    N(u32),
    /// Until [`Faults::clear`].
    Always,
}

/// What happens to a quest instead of the usual.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// It is not executed and gets an error answer with this code.
    Error(i64),
    /// It is not executed and gets this payload as a successful answer.
    Answer(Value),
    /// It is not executed and never answered.
    Ignore,
    /// It is executed, and the answer is lost.
    LoseAnswer,
    /// It is executed, and the answer comes this much later; other answers overtake it.
    Delay(Duration),
    /// It is not executed; the connection is closed.
    Close,
    /// It is executed; then the connection is closed instead of answering.
    LoseAnswerAndClose,
    /// It is not executed; the connection is reset (RST).
    Reset,
    /// For `auth`: `ok: false` without a gate, as for a wrong token.
    RefuseToken,
    /// For `auth`: `ok: false` with this `host:port` as the gate.
    Redirect(String),
    /// For `auth`: `ok: false` with this very gate as the gate.
    RedirectToSelf,
}

/// Which connections a fault of the wire strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those that are open now.
    Open,
    /// The next one to be accepted; asking twice arms the next two, one fault each.
    Next,
    /// Those that are open now and all to come, until [`Faults::clear`].
    All,
}

struct Rule {
    /// `None` is any method.
    method: Option<String>,
    effect: Effect,
    times: Times,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    duplicate_pushes: bool,
    swallow_push_answers: bool,
    defect_126: bool,
    next: VecDeque<WireFault>,
    all: Vec<WireFault>,
    open: Vec<Weak<Wire>>,
}

/// Faults on command, of quests and of the wire. Without any call the service behaves.
///
/// ```
/// use rtm_gate::{Effect, Gate, Times, Whom, WireFault};
///
/// let gate = Gate::start()?;
/// // The next message is taken, but its sender never learns of it.
/// gate.faults().on("sendmsg", Effect::LoseAnswerAndClose, Times::N(1));
/// // The connection after that is cut in the middle of the first answer's header.
/// gate.faults().wire(Whom::Next, WireFault::CutSent(7));
/// gate.faults().clear();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct Faults {
    state: Mutex<State>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next quests of `method` meet `effect`. Several rules for one method are used up one after the other.
    pub fn on(&self, method: &str, effect: Effect, times: Times) {
        self.rule(Some(method.to_owned()), effect, times);
    }

    /// The next quests of whatever method meet `effect`. Rules of [`on`](Self::on) and of this one count in the order
    /// in which they were made.
    pub fn on_any(&self, effect: Effect, times: Times) {
        self.rule(None, effect, times);
    }

    fn rule(&self, method: Option<String>, effect: Effect, times: Times) {
        self.lock().rules.push(Rule {
            method,
            effect,
            times,
        });
    }

    /// Every push of a message goes out twice, the second with its own sequence number and the same content.
    pub fn duplicate_pushes(&self, on: bool) {
        self.lock().duplicate_pushes = on;
    }

    /// Answers to pushes are recorded, but do not count: each push fails after its time.
    pub fn swallow_push_answers(&self, on: bool) {
        self.lock().swallow_push_answers = on;
    }

    /// WebSocket frames around packages of exactly 126 bytes lack their length, as the public C++ server writes them
    /// (`highras/fpnn core/IOBuffer.cpp`).
    pub fn defect_126(&self, on: bool) {
        self.lock().defect_126 = on;
    }

    /// A fault of the wire, below TLS and WebSocket.
    pub fn wire(&self, whom: Whom, fault: WireFault) {
        let mut state = self.lock();
        match whom {
            Whom::Next => return state.next.push_back(fault),
            Whom::All => state.all.push(fault),
            Whom::Open => {}
        }
        for wire in state.open.iter().filter_map(Weak::upgrade) {
            wire.strike(fault);
        }
    }

    /// Every open connection is closed now.
    pub fn drop_connections(&self) {
        self.wire(Whom::Open, WireFault::Drop);
    }

    /// Every open connection is reset (RST) now.
    pub fn reset_connections(&self) {
        self.wire(Whom::Open, WireFault::Reset);
    }

    /// Ends every fault. What is stalled or mute goes on; connections that were cut stay cut.
    pub fn clear(&self) {
        let mut state = self.lock();
        let open = std::mem::take(&mut state.open);
        open.iter().filter_map(Weak::upgrade).for_each(|w| w.heal());
        *state = State {
            open,
            ..State::default()
        };
    }

    /// What happens to a quest of this method now.
    pub(crate) fn effect(&self, method: &str) -> Option<Effect> {
        let mut state = self.lock();
        let at = state
            .rules
            .iter()
            .position(|rule| rule.method.as_deref().is_none_or(|name| name == method))?;
        let rule = &mut state.rules[at];
        let effect = rule.effect.clone();
        match &mut rule.times {
            Times::Always => {}
            Times::N(0) => {
                state.rules.remove(at);
                drop(state);
                return self.effect(method);
            }
            Times::N(left) => {
                *left -= 1;
                if *left == 0 {
                    state.rules.remove(at);
                }
            }
        }
        Some(effect)
    }

    pub(crate) fn duplicates_pushes(&self) -> bool {
        self.lock().duplicate_pushes
    }

    pub(crate) fn swallows_push_answers(&self) -> bool {
        self.lock().swallow_push_answers
    }

    pub(crate) fn has_defect_126(&self) -> bool {
        self.lock().defect_126
    }

    /// The state of the wire of a connection that was just accepted.
    pub(crate) fn new_wire(&self) -> Arc<Wire> {
        let mut state = self.lock();
        let wire = Arc::new(Wire::default());
        let next = state.next.pop_front();
        for fault in state.all.iter().copied().chain(next) {
            wire.strike(fault);
        }
        state.open.retain(|other| other.strong_count() > 0);
        state.open.push(Arc::downgrade(&wire));
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_used_up_in_order() {
        let faults = Faults::default();
        faults.on("a", Effect::Error(1), Times::N(2));
        faults.on("a", Effect::Ignore, Times::N(1));
        faults.on_any(Effect::Close, Times::Always);
        let got = [(); 5].map(|()| faults.effect("a").unwrap());
        let expected = [
            Effect::Error(1),
            Effect::Error(1),
            Effect::Ignore,
            Effect::Close,
            Effect::Close,
        ];
        assert_eq!(got, expected);
        assert_eq!(faults.effect("b"), Some(Effect::Close));
        faults.clear();
        assert_eq!(faults.effect("a"), None);
    }

    #[test]
    fn a_rule_for_no_time_never_strikes() {
        let faults = Faults::default();
        faults.on("a", Effect::Close, Times::N(0));
        assert_eq!(faults.effect("a"), None);
    }
}
