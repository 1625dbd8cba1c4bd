//! From `login` to an open session: lookup, connection, authentication,
//! redirects, refused tokens, pauses between attempts.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::links::{Link, QuestKey, Role};
use super::timers::Timer;
use super::{Client, ConnId, Output, Phase, State};
use crate::config::{Endpoint, Token};
use crate::connection::{Connection, ConnectionLimits, QuestError, ServerError};
use crate::error::{Cause, ErrorCode, LoginError, LoginErrorKind, LoginStep};
use crate::event::Event;
use crate::payload::{CodecError, Payload, PayloadWriter, Required};
use crate::time::Instant;
use crate::transport::{Scheme, Target, Transport, TransportError, TransportLimits};

const MAX_REDIRECTS: u8 = 5;
const TOKEN_LIMIT: Duration = Duration::from_secs(30);
/// Fresh tokens tried in a row before a refusal is final.
const MAX_TOKENS: u8 = 3;
const NETWORK_CHANGE_PAUSE: Duration = Duration::from_secs(2);

/// A login attempt under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) conn: ConnId,
    redirects: u8,
}

/// Where the next attempt goes and how many failed before it.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// Attempts since the last session opened, the running one included.
    attempts: u32,
    /// Failures in a row; a session must last to clear them.
    failures: u32,
    /// Fresh tokens asked for in a row.
    tokens: u8,
    /// Whether the configured gate was tried in this login.
    gate_tried: bool,
    /// The gate of the last session.
    pub(super) last_gate: Option<Endpoint>,
}

impl Client {
    /// Starts to log in; the outcome is a state change.
    ///
    /// While a login is under way or a session open it changes nothing: the
    /// caller joins what there is. After `Closed` it starts afresh, without
    /// what an earlier session had entered or set. While `Closing` the new
    /// login starts once the old session is closed. An aborted client stays
    /// aborted.
    pub fn login(&mut self, now: Instant) {
        self.advance(now);
        match self.phase {
            Phase::Idle | Phase::Closed => self.begin_login(),
            Phase::Closing {
                ref mut login_again,
                ..
            } => *login_again = true,
            Phase::Attempt(_)
            | Phase::AwaitingToken
            | Phase::Online { .. }
            | Phase::Backoff
            | Phase::Aborted => {}
        }
    }

    pub(super) fn begin_login(&mut self) {
        self.route = Route::default();
        self.memory = super::Memory::default();
        self.start_attempt();
    }

    pub(super) fn start_attempt(&mut self) {
        self.route.attempts = self.route.attempts.saturating_add(1);
        self.set_state(State::Connecting {
            attempt: self.route.attempts,
        });
        let to_connect = self.config.connection_timeout;
        let limit = to_connect.saturating_add(self.config.request_timeout);
        self.timers.set(Timer::Attempt, self.clock.now + limit);
        match self.choose_target() {
            Some((role, endpoint)) => self.open(role, endpoint, 0),
            None => self.attempt_failed(LoginError::new(LoginErrorKind::NoEndpoint)),
        }
    }

    /// A given gate is tried once, before all else; then dispatch is asked if
    /// there is one, and otherwise the gate of the last session.
    fn choose_target(&mut self) -> Option<(Role, Endpoint)> {
        let first = !core::mem::replace(&mut self.route.gate_tried, true);
        if first {
            if let Some(gate) = &self.config.gate {
                return Some((Role::Gate, gate.clone()));
            }
        }
        if let Some(dispatch) = &self.config.dispatch {
            return Some((Role::Dispatch, dispatch.clone()));
        }
        self.gate_endpoint().map(|gate| (Role::Gate, gate.clone()))
    }

    /// Opens a connection to `endpoint` and makes it the attempt's current one.
    fn open(&mut self, role: Role, endpoint: Endpoint, redirects: u8) {
        let endpoint = endpoint.with_default_scheme(self.config.default_scheme());
        let at = format!("{endpoint}");
        match self.open_link(role, endpoint) {
            Ok(conn) => {
                self.phase = Phase::Attempt(Attempt { conn, redirects });
                let deadline = self.clock.now + self.config.connection_timeout;
                self.timers.set(Timer::Connect, deadline);
            }
            Err(error) => {
                let error = LoginError::new(LoginErrorKind::Transport(error));
                self.attempt_failed(error.at(at));
            }
        }
    }

    /// Opens a connection to `endpoint`, which has a scheme.
    pub(super) fn open_link(
        &mut self,
        role: Role,
        endpoint: Endpoint,
    ) -> Result<ConnId, TransportError> {
        let target = self.target_of(&endpoint);
        let limits = ConnectionLimits {
            max_package: self.config.max_package,
            max_unsent: self.config.max_unsent,
        };
        let transport = self.transport(&target)?;
        let conn = self.links.next_id();
        self.links.push(Link {
            id: conn,
            role,
            endpoint,
            connection: Connection::new(transport, limits),
            connected: false,
            last_received: self.clock.now,
            draining: None,
        });
        self.outputs.push_back(Output::Connect {
            conn,
            host: target.host,
            port: target.port,
        });
        Ok(conn)
    }

    fn target_of(&self, endpoint: &Endpoint) -> Target {
        match &self.config.proxy {
            Some(proxy) if self.config.ssl => {
                let scheme = proxy.scheme().unwrap_or(Scheme::Wss);
                Target::new(scheme, proxy.host(), proxy.port()).wrapping(endpoint.authority())
            }
            _ => {
                let scheme = endpoint.scheme().unwrap_or(self.config.default_scheme());
                Target::new(scheme, endpoint.host(), endpoint.port())
            }
        }
    }

    fn transport(&self, target: &Target) -> Result<Transport, TransportError> {
        let limits = TransportLimits::default().with_max_package(self.config.max_package);
        #[cfg(feature = "tls")]
        let tls = self.config.tls.as_ref();
        #[cfg(not(feature = "tls"))]
        let tls = None;
        Transport::new(target, tls, limits)
    }

    /// The transport of the attempt's connection is open.
    pub(super) fn link_ready(&mut self, conn: ConnId) {
        let role = self.links.get(conn).map(|link| link.role);
        if let Some(Role::File(call)) = role {
            return self.send_file(conn, call);
        }
        if !self.is_current_attempt(conn) {
            return;
        }
        self.timers.clear(Timer::Connect);
        match role {
            Some(Role::Dispatch) => self.look_up(conn),
            Some(Role::Gate) if self.config.plain_fpnn => self.go_online(conn),
            Some(Role::Gate) => self.authenticate(conn),
            _ => {}
        }
    }

    fn is_current_attempt(&self, conn: ConnId) -> bool {
        matches!(&self.phase, Phase::Attempt(attempt) if attempt.conn == conn)
    }

    fn look_up(&mut self, conn: ConnId) {
        let addr_type = if self.config.ipv6 { "ipv6" } else { "ipv4" };
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        out.field("pid", &self.config.project_id)
            .field("uid", &self.config.user_id)
            .field("what", "rtmGated")
            .field("addrType", addr_type)
            .field("version", self.config.version.as_str());
        let written = out.finish();
        let limit = self.config.connection_timeout;
        self.login_quest(conn, QuestKey::Lookup, "which", written, limit);
    }

    fn authenticate(&mut self, conn: ConnId) {
        let version = &self.config.version;
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        out.field("pid", &self.config.project_id)
            .field("uid", &self.config.user_id)
            .field("token", self.token.expose())
            .field_opt("version", Some(version).filter(|text| !text.is_empty()))
            .field_opt("attrs", self.config.attributes.as_ref());
        let written = out.finish();
        let limit = self.config.request_timeout;
        self.login_quest(conn, QuestKey::Auth, "auth", written, limit);
    }

    fn login_quest(
        &mut self,
        conn: ConnId,
        key: QuestKey,
        method: &str,
        written: Result<(), CodecError>,
        limit: Duration,
    ) {
        let deadline = self.clock.now + limit;
        let Some(link) = self.links.get_mut(conn) else {
            return;
        };
        let sent = written.map_err(QuestError::Encode).and_then(|()| {
            link.connection
                .urgent_quest(key, method, &self.scratch, deadline)
        });
        // The token must not linger in a buffer that is used again.
        self.scratch.fill(0);
        if let Err(QuestError::Encode(error)) = sent {
            let at = format!("{}", link.endpoint);
            self.attempt_failed(LoginError::new(LoginErrorKind::Encode(error)).at(at));
        }
    }

    pub(super) fn lookup_answered(&mut self, conn: ConnId, result: Result<Payload, ServerError>) {
        if !self.is_current_attempt(conn) {
            return;
        }
        let Some(link) = self.links.get(conn) else {
            return;
        };
        let at = format!("{}", link.endpoint);
        let scheme = link.endpoint.scheme();
        match result
            .map_err(refused)
            .and_then(|answer| read_gate(&answer))
        {
            Ok(gate) => {
                let gate = gate.with_default_scheme(scheme.unwrap_or(self.config.default_scheme()));
                self.leave_link(conn);
                self.open(Role::Gate, gate, 0);
            }
            Err(kind) => self.attempt_failed(LoginError::new(kind).at(at)),
        }
    }

    pub(super) fn auth_answered(&mut self, conn: ConnId, result: Result<Payload, ServerError>) {
        if !self.is_current_attempt(conn) {
            return;
        }
        let Some(link) = self.links.get(conn) else {
            return;
        };
        let at = format!("{}", link.endpoint);
        let scheme = link.endpoint.scheme();
        let verdict = match result {
            Err(error) if error.code == ErrorCode::DUPLCATED_AUTH => Ok(Verdict::Accepted),
            Err(error) if error.code == ErrorCode::INVALID_AUTH_TOEKN => Ok(Verdict::TokenRefused),
            Err(error) => Err(refused(error)),
            Ok(answer) => read_verdict(&answer),
        };
        match verdict {
            Ok(Verdict::Accepted) => self.go_online(conn),
            Ok(Verdict::Redirected(gate)) => {
                let gate = gate.with_default_scheme(scheme.unwrap_or(self.config.default_scheme()));
                self.follow_redirect(conn, gate, at);
            }
            Ok(Verdict::TokenRefused) => self.token_refused(conn, at),
            Err(kind) => self.attempt_failed(LoginError::new(kind).at(at)),
        }
    }

    fn follow_redirect(&mut self, conn: ConnId, gate: Endpoint, at: String) {
        let Phase::Attempt(attempt) = &self.phase else {
            return;
        };
        let redirects = attempt.redirects + 1;
        if redirects > MAX_REDIRECTS {
            let error = LoginError::new(LoginErrorKind::TooManyRedirects);
            return self.attempt_failed(error.at(at));
        }
        self.leave_link(conn);
        self.open(Role::Gate, gate, redirects);
    }

    fn token_refused(&mut self, conn: ConnId, at: String) {
        if !self.config.provide_tokens || self.route.tokens >= MAX_TOKENS {
            let error = LoginError::new(LoginErrorKind::TokenRefused);
            return self.attempt_failed(error.at(at));
        }
        self.route.tokens += 1;
        self.leave_link(conn);
        self.timers.clear(Timer::Attempt);
        self.timers.set(Timer::Token, self.clock.now + TOKEN_LIMIT);
        self.event(Event::TokenRefused);
    }

    /// The attempt goes on without this connection.
    fn leave_link(&mut self, conn: ConnId) {
        self.phase = Phase::AwaitingToken;
        self.close_link(conn);
    }

    pub(super) fn login_quest_expired(&mut self, conn: ConnId, step: LoginStep) {
        if self.is_current_attempt(conn) {
            let at = self
                .links
                .get(conn)
                .map(|link| format!("{}", link.endpoint));
            let error = LoginError::new(LoginErrorKind::TimedOut(step));
            self.attempt_failed(error.at(at.unwrap_or_default()));
        }
    }

    pub(super) fn login_timed_out(&mut self, timer: Timer) {
        let step = match timer {
            Timer::Connect => LoginStep::Connect,
            Timer::Token => LoginStep::Token,
            _ => LoginStep::Attempt,
        };
        let mut error = LoginError::new(LoginErrorKind::TimedOut(step));
        if let Phase::Attempt(attempt) = &self.phase {
            if let Some(link) = self.links.get(attempt.conn) {
                error = error.at(format!("{}", link.endpoint));
            }
        }
        self.attempt_failed(error);
    }

    /// Ends the running attempt; the reconnect policy says what follows.
    pub(super) fn attempt_failed(&mut self, error: LoginError) {
        for timer in [Timer::Connect, Timer::Attempt, Timer::Token] {
            self.timers.clear(timer);
        }
        if let Phase::Attempt(attempt) = core::mem::replace(&mut self.phase, Phase::Backoff) {
            self.close_link(attempt.conn);
        }
        // Without dispatch the gate of the last session is only a guess.
        if self.config.gate.is_some() {
            self.route.last_gate = None;
        }
        self.route.failures = self.route.failures.saturating_add(1);
        let is_final = error.is_final();
        self.pause_or_close(Cause::Login(error), is_final);
    }

    /// Waits for the next attempt, or closes if none will follow.
    pub(super) fn pause_or_close(&mut self, cause: Cause, is_final: bool) {
        let backoff = &self.config.backoff;
        if is_final || !self.config.auto_reconnect || backoff.is_exhausted(self.route.failures) {
            return self.close(cause);
        }
        let pause = backoff.pause(self.route.failures, &mut self.random);
        let retry_at = self.clock.now + pause;
        self.phase = Phase::Backoff;
        self.timers.set(Timer::Backoff, retry_at);
        self.set_state(State::Backoff {
            retry_at,
            cause,
            attempt: self.route.attempts,
        });
    }

    pub(super) fn network_changed(&mut self) {
        let now = self.clock.now;
        let recently = |last: Instant| now < last + NETWORK_CHANGE_PAUSE;
        if matches!(self.phase, Phase::Backoff) && !self.last_network_change.is_some_and(recently) {
            self.last_network_change = Some(now);
            self.timers.clear(Timer::Backoff);
            self.start_attempt();
        }
    }

    /// A session opened: the route starts counting anew.
    pub(super) fn login_succeeded(&mut self, gate: Endpoint) {
        for timer in [Timer::Connect, Timer::Attempt] {
            self.timers.clear(timer);
        }
        self.route.attempts = 0;
        self.route.tokens = 0;
        self.route.last_gate = Some(gate);
    }

    /// A session that has lasted clears the failures before it.
    pub(super) fn session_is_stable(&mut self) {
        self.route.failures = 0;
    }

    /// A session that ended before it was stable counts as a failure, so that
    /// a gate that accepts and drops is not stormed.
    pub(super) fn count_unstable_session(&mut self) {
        self.route.failures = self.route.failures.saturating_add(1);
    }

    /// The token in use; for adapters that provide fresh ones.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }
}

enum Verdict {
    Accepted,
    Redirected(Endpoint),
    TokenRefused,
}

fn refused(error: ServerError) -> LoginErrorKind {
    LoginErrorKind::Refused {
        code: error.code,
        message: error.message,
    }
}

fn read_gate(answer: &Payload) -> Result<Endpoint, LoginErrorKind> {
    let mut endpoint: Option<String> = None;
    answer
        .fields(|key, value| match key {
            "endpoint" => value.read_into(&mut endpoint),
            _ => Ok(()),
        })
        .map_err(LoginErrorKind::Decode)?;
    match endpoint {
        Some(text) if !text.is_empty() => text.parse().map_err(LoginErrorKind::Endpoint),
        _ => Err(LoginErrorKind::NoGate),
    }
}

fn read_verdict(answer: &Payload) -> Result<Verdict, LoginErrorKind> {
    let mut ok: Option<bool> = None;
    let mut gate: Option<String> = None;
    answer
        .fields(|key, value| match key {
            "ok" => value.read_into(&mut ok),
            "gate" => value.read_into(&mut gate),
            _ => Ok(()),
        })
        .map_err(LoginErrorKind::Decode)?;
    if ok.required("ok").map_err(LoginErrorKind::Decode)? {
        return Ok(Verdict::Accepted);
    }
    match gate {
        Some(text) if !text.is_empty() => text
            .parse()
            .map(Verdict::Redirected)
            .map_err(LoginErrorKind::Endpoint),
        _ => Ok(Verdict::TokenRefused),
    }
}
