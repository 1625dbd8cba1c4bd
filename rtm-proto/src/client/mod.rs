//! RTM on top of FPNN connections: login, reconnect, calls, pushes.

mod calls;
mod dedup;
mod io;
mod links;
mod login;
mod memory;
mod message_ids;
mod requests;
mod session;
mod state;
mod timers;
mod uploads;

pub use io::{ConnId, Input, Output, Reason, SocketEnd};
pub use state::{Session, State};

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use self::calls::Calls;
use self::dedup::Dedup;
use self::links::{Links, Role};
use self::login::{Attempt, Route};
use self::memory::{Memory, Step};
use self::message_ids::MessageIds;
use self::timers::{Timer, Timers};
use crate::config::{Config, Endpoint, Token};
use crate::connection::{ConnectionInput, ConnectionOutput};
use crate::error::{Cause, LoginError, LoginErrorKind, LostReason};
use crate::event::Event;
use crate::random::Random;
use crate::time::Instant;

/// How long the last bytes of a connection may take to leave.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// An RTM client without any I/O: it is told what happened and when, and says
/// what to do next.
///
/// See the [crate documentation](crate) for the run loop and the contract.
pub struct Client {
    config: Config,
    token: Token,
    clock: Clock,
    random: Random,
    message_ids: MessageIds,
    state: State,
    phase: Phase,
    route: Route,
    links: Links,
    calls: Calls,
    timers: Timers,
    dedup: Dedup,
    memory: Memory,
    /// What is still to be restored in this session.
    restoring: VecDeque<Step>,
    /// The step whose quest is under way.
    restoring_now: Option<Step>,
    probe_sent: Option<Instant>,
    last_network_change: Option<Instant>,
    outputs: VecDeque<Output>,
    scratch: BytesMut,
}

/// The caller's clock, made monotonic, and the wall clock derived from it.
#[derive(Debug)]
struct Clock {
    start: Instant,
    now: Instant,
    unix_at_start: Duration,
}

impl Clock {
    fn unix(&self) -> Duration {
        self.unix_at_start.saturating_add(self.now - self.start)
    }
}

/// What the client is doing; [`State`] is what the application sees of it.
#[derive(Debug)]
enum Phase {
    Idle,
    Attempt(Attempt),
    AwaitingToken,
    Online { conn: ConnId },
    Backoff,
    Closing { conn: ConnId, login_again: bool },
    Closed,
    Aborted,
}

impl Client {
    /// A client that has done nothing yet.
    ///
    /// `seed` feeds the jitter of reconnects and the nonce of message ids:
    /// different clients should get different ones. `unix` is the time since
    /// 1970 UTC at `now`; message ids and the validity of certificates follow
    /// from it.
    #[must_use]
    pub fn new(config: Config, seed: u64, now: Instant, unix: Duration) -> Self {
        let mut random = Random::new(seed);
        Client {
            token: config.token.clone(),
            clock: Clock {
                start: now,
                now,
                unix_at_start: unix,
            },
            message_ids: MessageIds::new(random.next()),
            random,
            state: State::Idle,
            phase: Phase::Idle,
            route: Route::default(),
            links: Links::default(),
            calls: Calls::default(),
            timers: Timers::default(),
            dedup: Dedup::new(config.duplicate_lifetime),
            memory: Memory::default(),
            restoring: VecDeque::new(),
            restoring_now: None,
            probe_sent: None,
            last_network_change: None,
            outputs: VecDeque::new(),
            scratch: BytesMut::new(),
            config,
        }
    }

    /// The settings the client was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Where the client stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Calls that have been accepted and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Ends the session in an orderly way: says `bye`, waits up to 5 s for its
    /// answer, closes. No reconnect follows.
    ///
    /// Calls made from now on fail with `NotConnected`; pending ones may still
    /// be answered until the connection closes, then they fail with
    /// `ConnectionLost`. Without a session the client closes at once. Calling
    /// it again changes nothing.
    pub fn logout(&mut self, now: Instant) {
        self.advance(now);
        match self.phase {
            Phase::Online { conn } => self.say_goodbye(conn),
            Phase::Closing {
                ref mut login_again,
                ..
            } => *login_again = false,
            Phase::Closed | Phase::Aborted => {}
            Phase::Attempt(_) | Phase::AwaitingToken | Phase::Backoff | Phase::Idle => {
                self.close(Cause::LoggedOut);
            }
        }
    }

    /// Drops everything at once: connections without a goodbye, calls with
    /// `ConnectionLost` or `NotConnected`. The client can never log in again.
    pub fn abort(&mut self) {
        if matches!(self.phase, Phase::Aborted) {
            return;
        }
        self.phase = Phase::Aborted;
        for conn in self.links.ids() {
            self.lose_calls_of(conn);
            self.drop_link(conn);
        }
        self.finish_close(Cause::Aborted);
        self.phase = Phase::Aborted;
    }

    /// Replaces the token for the next login attempt. While the client waits
    /// for a fresh token, the attempt starts now.
    pub fn set_token(&mut self, now: Instant, token: Token) {
        self.advance(now);
        self.token = token;
        if matches!(self.phase, Phase::AwaitingToken) {
            self.timers.clear(Timer::Token);
            self.start_attempt();
        }
    }

    /// Tells that there is no fresh token. While the client waits for one, the
    /// refusal becomes final.
    pub fn withhold_token(&mut self, now: Instant) {
        self.advance(now);
        if matches!(self.phase, Phase::AwaitingToken) {
            let error = LoginError::new(LoginErrorKind::TokenRefused);
            self.attempt_failed(error);
        }
    }

    /// Takes in what happened. Late news of connections that are gone is
    /// ignored.
    ///
    /// Look at [`poll_output`](Self::poll_output) and
    /// [`poll_transmit`](Self::poll_transmit) afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.advance(now);
        match input {
            Input::Connected { conn } => self.connected(conn),
            Input::ConnectFailed { conn, reason } => self.connect_failed(conn, reason),
            Input::Received { conn, data } => self.received(conn, data),
            Input::Disconnected { conn, reason } => self.disconnected(conn, reason),
            Input::NetworkChanged => self.network_changed(),
            Input::Tick => {}
        }
        self.run_timers();
    }

    /// What to do, or to know, next; [`Output::Wait`] once there is nothing.
    ///
    /// The value changes after inputs, calls and
    /// [`poll_transmit`](Self::poll_transmit); repeating it after `Wait` is
    /// harmless.
    pub fn poll_output(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let (deadline, reason) = match self.next_deadline() {
            Some((deadline, reason)) => (Some(deadline), reason),
            None => (None, Reason::None),
        };
        Output::Wait { deadline, reason }
    }

    /// Whether [`poll_output`](Self::poll_output) has something other than
    /// `Wait`.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Raw bytes to write to the socket of `conn`, at most 64 KiB; write them
    /// completely before asking for more. `None` when there are none now.
    ///
    /// Returning `None` for a connection that is over adds
    /// [`Output::Disconnect`]: ask [`poll_output`](Self::poll_output) again.
    pub fn poll_transmit(&mut self, conn: ConnId) -> Option<Bytes> {
        let link = self.links.get_mut(conn)?;
        if !link.connected {
            return None;
        }
        let piece = link.connection.poll_transmit();
        if piece.is_some() && matches!(link.role, Role::File(_)) {
            self.report_progress(conn);
        } else if piece.is_none() && link.draining.is_some() {
            self.drop_link(conn);
        }
        piece
    }

    /// Time never goes back: an earlier `now` counts as the last one.
    fn advance(&mut self, now: Instant) {
        self.clock.now = self.clock.now.max(now);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.config.tls {
            tls.set_unix_time(self.clock.unix());
        }
        self.expire_calls();
    }

    fn run_timers(&mut self) {
        let now = self.clock.now;
        while let Some(conn) = self.links.first_due(now) {
            match self.links.get_mut(conn) {
                Some(link) if link.draining.is_none() => {
                    link.connection.handle_input(now, ConnectionInput::Tick);
                    self.drain_link(conn);
                }
                _ => self.drop_link(conn),
            }
        }
        // A timer may set another that is due at once, where pauses are zero or
        // the clock is at its end: the rest is for the next tick.
        for _ in 0..timers::COUNT {
            let Some(timer) = self.timers.pop_due(now) else {
                return;
            };
            match timer {
                Timer::Connect | Timer::Attempt | Timer::Token => self.login_timed_out(timer),
                Timer::Backoff => self.start_attempt(),
                Timer::Stable => self.session_is_stable(),
                Timer::Liveness => self.check_liveness(),
                Timer::Logout => self.close(Cause::LoggedOut),
            }
        }
    }

    fn next_deadline(&self) -> Option<(Instant, Reason)> {
        let waiting = self.calls.next_deadline();
        self.links
            .iter()
            .filter_map(links::Link::deadline)
            .chain(waiting.map(|at| (at, Reason::WaitingCall)))
            .chain(self.timers.next())
            .min()
    }

    /// Handles everything a connection has to report.
    fn drain_link(&mut self, conn: ConnId) {
        while let Some(link) = self.links.get_mut(conn) {
            let Some(output) = link.connection.poll_output() else {
                return;
            };
            match output {
                ConnectionOutput::Ready => self.link_ready(conn),
                ConnectionOutput::Answered { key, result } => self.answered(conn, key, result),
                ConnectionOutput::Expired { key, sent } => self.expired(conn, key, sent),
                ConnectionOutput::Quest(quest) => self.asked(conn, &quest),
                ConnectionOutput::Lost { key, sent } => {
                    self.quest_lost(key, sent);
                }
                ConnectionOutput::Closed(reason) => self.link_closed(conn, reason),
            }
        }
    }

    fn connected(&mut self, conn: ConnId) {
        let now = self.clock.now;
        if let Some(link) = self.links.get_mut(conn) {
            link.connected = true;
            link.last_received = now;
            link.connection
                .handle_input(now, ConnectionInput::Connected);
            self.drain_link(conn);
        }
    }

    fn connect_failed(&mut self, conn: ConnId, why: alloc::string::String) {
        // News that come too late to be true; the socket is gone all the same.
        let is_connected = |link: &links::Link| link.connected || link.draining.is_some();
        if self.links.get(conn).is_some_and(is_connected) {
            return self.disconnected(conn, SocketEnd::Failed(why));
        }
        let Some(link) = self.links.remove(conn) else {
            return self.forget_disconnect(conn);
        };
        if let Role::File(call) = link.role {
            return self.file_gate_failed(conn, call, &link.endpoint, why);
        }
        let error = LoginError::new(LoginErrorKind::Connect { why });
        self.attempt_failed(error.at(alloc::format!("{}", link.endpoint)));
    }

    fn received(&mut self, conn: ConnId, data: Bytes) {
        let now = self.clock.now;
        if let Some(link) = self.links.get_mut(conn) {
            if link.draining.is_none() {
                link.last_received = now;
                let input = ConnectionInput::Received(data);
                link.connection.handle_input(now, input);
                self.drain_link(conn);
            }
        }
    }

    fn disconnected(&mut self, conn: ConnId, reason: SocketEnd) {
        let now = self.clock.now;
        let Some(link) = self.links.get_mut(conn) else {
            return self.forget_disconnect(conn);
        };
        let input = match reason {
            SocketEnd::Eof => ConnectionInput::Ended,
            SocketEnd::Failed(why) => ConnectionInput::Failed(why),
        };
        link.connection.handle_input(now, input);
        self.drain_link(conn);
        // Nothing can be drained any more.
        self.links.remove(conn);
        self.forget_disconnect(conn);
    }

    /// The socket is gone: nobody need close it.
    fn forget_disconnect(&mut self, conn: ConnId) {
        let forgotten = Output::is_disconnect_of(conn);
        self.outputs.retain(|output| !forgotten(output));
    }

    /// A live connection ended by itself.
    fn link_closed(&mut self, conn: ConnId, reason: LostReason) {
        let drain_until = self.clock.now + DRAIN_LIMIT;
        let Some(link) = self.links.get_mut(conn) else {
            return;
        };
        if link.draining.is_some() {
            return;
        }
        link.draining = Some(drain_until);
        let role = link.role;
        let endpoint = link.endpoint.clone();
        if !link.connected || !link.connection.wants_transmit() {
            self.drop_link(conn);
        }
        if let Role::File(call) = role {
            let why = alloc::format!("{reason}");
            return self.file_gate_failed(conn, call, &endpoint, why);
        }
        match self.phase {
            Phase::Online { conn: gate } if gate == conn => self.session_lost(reason),
            Phase::Closing { conn: gate, .. } if gate == conn => self.close(Cause::LoggedOut),
            Phase::Attempt(ref attempt) if attempt.conn == conn => {
                let kind = match reason {
                    LostReason::Transport(error) => LoginErrorKind::Transport(error),
                    reason => LoginErrorKind::Lost(reason),
                };
                self.attempt_failed(LoginError::new(kind).at(alloc::format!("{endpoint}")));
            }
            _ => {}
        }
    }

    /// Ends a connection on purpose: what is queued still leaves, then the
    /// socket closes.
    fn close_link(&mut self, conn: ConnId) {
        let drain_until = self.clock.now + DRAIN_LIMIT;
        let Some(link) = self.links.get_mut(conn) else {
            return;
        };
        if link.draining.is_none() {
            link.draining = Some(drain_until);
            // What came in the same bytes still counts, and its answers belong
            // before the goodbye of the transport.
            self.drain_link(conn);
            if let Some(link) = self.links.get_mut(conn) {
                link.connection.close();
            }
            self.lose_calls_of(conn);
        }
        let idle = |link: &links::Link| !link.connected || !link.connection.wants_transmit();
        if self.links.get(conn).is_some_and(idle) {
            self.drop_link(conn);
        }
    }

    fn lose_calls_of(&mut self, conn: ConnId) {
        if let Some(link) = self.links.get_mut(conn) {
            link.draining.get_or_insert(self.clock.now);
            link.connection.fail(LostReason::PeerClosed);
            let role = link.role;
            self.drain_link(conn);
            if let Role::File(call) = role {
                self.dialing_lost(conn, call);
            }
        }
    }

    fn drop_link(&mut self, conn: ConnId) {
        if self.links.remove(conn).is_some() {
            self.outputs.push_back(Output::Disconnect { conn });
        }
    }

    /// Closes for good, with everything that belongs to it.
    fn close(&mut self, cause: Cause) {
        // A kickout takes back a login asked for during the goodbye.
        let login_again = cause == Cause::LoggedOut
            && matches!(
                self.phase,
                Phase::Closing {
                    login_again: true,
                    ..
                }
            );
        self.phase = Phase::Closed;
        for conn in self.links.ids() {
            self.close_link(conn);
        }
        self.finish_close(cause);
        if login_again {
            self.begin_login();
        }
    }

    fn finish_close(&mut self, cause: Cause) {
        self.timers.clear_all();
        self.restoring.clear();
        self.restoring_now = None;
        self.end_waiting_calls();
        if !matches!(self.state, State::Closed { .. }) || cause == Cause::Aborted {
            self.set_state(State::Closed { cause });
        }
    }

    fn set_state(&mut self, state: State) {
        if self.state != state {
            self.state = state.clone();
            self.event(Event::State(state));
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn gate_endpoint(&self) -> Option<&Endpoint> {
        self.route.last_gate.as_ref().or(self.config.gate.as_ref())
    }
}

impl Output {
    fn is_disconnect_of(wanted: ConnId) -> impl Fn(&Output) -> bool {
        move |output| matches!(output, Output::Disconnect { conn } if *conn == wanted)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("user_id", &self.config.user_id)
            .field("state", &self.state)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
