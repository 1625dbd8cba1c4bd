//! The client behind its lock, and the handle to it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::sync::PoisonError;

use super::call::Call;
use super::driver::Action;
use super::events::{Events, Watch};
use super::futures::{Login, Logout};
use super::queue::EventQueue;
use super::sync::{Mutex, MutexGuard};
use super::wakers::{Seat, Wakers};
use crate::client::{Client, Input, Output, Session, State};
use crate::config::{Config, Token};
use crate::error::{Cause, LoginError, LoginErrorKind, RequestError};
use crate::event::Event;
use crate::payload::Payload;
use crate::request::{CallId, Context, Request, RequestOptions};
use crate::tables::NumberedMap;
use crate::time::Instant;

/// The time, from an adapter's runtime.
pub trait Clock: Send + Sync + 'static {
    /// Now, on a monotonic clock.
    fn now(&self) -> Instant;
}

impl<F: Fn() -> Instant + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Instant {
        self()
    }
}

pub(super) struct Shared {
    clock: Box<dyn Clock>,
    core: Mutex<Core>,
}

/// Where the answer of a call is waited for, or waits.
pub(super) enum Waiter {
    Pending(Waker),
    Done(Context, Result<Payload, RequestError>),
}

/// Everything behind the lock.
pub(super) struct Core {
    pub(super) client: Client,
    pub(super) waiters: NumberedMap<Waiter>,
    pub(super) events: EventQueue,
    pub(super) event_wakers: Wakers,
    pub(super) state_wakers: Wakers,
    /// Counts state changes, so that a watcher knows what it has seen.
    pub(super) state_version: u64,
    /// Counts the logins that have ended, with the outcome of the last.
    pub(super) logins_ended: u64,
    pub(super) last_login: Option<Result<Session, LoginError>>,
    /// Counts the sessions that have opened, with the last of them: a login
    /// that opened one has succeeded, however soon it closed again.
    pub(super) sessions_opened: u64,
    pub(super) last_session: Option<Session>,
    pub(super) actions: VecDeque<Action>,
    pub(super) doorbell: Option<Waker>,
    pub(super) token_wanted: bool,
    pub(super) handles_gone: bool,
    pub(super) driver_gone: bool,
}

impl Shared {
    pub(super) fn new(client: Client, clock: impl Clock) -> Self {
        let config = client.config();
        let events = EventQueue::new(config.event_capacity, config.event_bytes);
        Shared {
            clock: Box::new(clock),
            core: Mutex::new(Core {
                client,
                waiters: NumberedMap::default(),
                events,
                event_wakers: Wakers::default(),
                state_wakers: Wakers::default(),
                state_version: 0,
                logins_ended: 0,
                last_login: None,
                sessions_opened: 0,
                last_session: None,
                actions: VecDeque::new(),
                doorbell: None,
                token_wanted: false,
                handles_gone: false,
                driver_gone: false,
            }),
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A panic of user code while encoding a request must not take the client
    /// with it, so a poisoned lock is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the waker of one who no longer waits.
    pub(super) fn leave(&self, seat: &Seat, list: impl FnOnce(&mut Core) -> &mut Wakers) {
        if seat.is_taken() {
            let mut core = self.lock();
            let waker = list(&mut core).leave(seat);
            drop(core);
            drop(waker);
        }
    }

    /// Changes the client, passes on what comes of it, and wakes the driver.
    pub(super) fn act<T>(&self, change: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let mut woken = Vec::new();
        let now = self.now();
        let mut core = self.lock();
        // What happened before the change is told before it.
        core.pump(&mut woken);
        let result = change(&mut core, now);
        core.pump(&mut woken);
        woken.extend(core.doorbell.take());
        drop(core);
        woken.into_iter().for_each(Waker::wake);
        result
    }
}

impl Core {
    /// Passes on all outputs; the deadline of the final `Wait` is returned.
    pub(super) fn pump(&mut self, woken: &mut Vec<Waker>) -> Option<Instant> {
        loop {
            match self.client.poll_output() {
                Output::Answer {
                    call,
                    context,
                    result,
                } => self.deliver(call, context, result, woken),
                Output::Event(event) => self.tell(event, woken),
                Output::Connect { conn, host, port } => {
                    self.actions.push_back(Action::Connect { conn, host, port });
                }
                Output::Disconnect { conn } => {
                    self.actions.push_back(Action::Disconnect { conn });
                }
                Output::Wait { deadline, .. } => return deadline,
            }
        }
    }

    fn deliver(
        &mut self,
        call: CallId,
        context: Context,
        result: Result<Payload, RequestError>,
        woken: &mut Vec<Waker>,
    ) {
        if let Some(waiter) = self.waiters.get_mut(call.0) {
            let done = Waiter::Done(context, result);
            if let Waiter::Pending(waker) = core::mem::replace(waiter, done) {
                woken.push(waker);
            }
        }
    }

    fn tell(&mut self, event: Event, woken: &mut Vec<Waker>) {
        match &event {
            Event::State(state) => {
                self.state_version += 1;
                if let State::Online { session } = state {
                    self.sessions_opened += 1;
                    self.last_session = Some(session.clone());
                }
                if let Some(outcome) = login_outcome(state) {
                    self.logins_ended += 1;
                    self.last_login = Some(outcome);
                }
                self.state_wakers.take_into(woken);
            }
            Event::TokenRefused => self.token_wanted = true,
            _ => {}
        }
        self.events.push(event);
        self.event_wakers.take_into(woken);
    }

    /// Whether no event will ever follow those in the queue.
    pub(super) fn is_over(&self) -> bool {
        self.driver_gone || (self.handles_gone && self.client.state().is_closed())
    }
}

/// What a state means for somebody who waits for a login.
pub(super) fn login_outcome(state: &State) -> Option<Result<Session, LoginError>> {
    match state {
        State::Online { session } => Some(Ok(session.clone())),
        State::Closed { cause } => Some(Err(match cause {
            Cause::Login(error) => error.clone(),
            Cause::Lost(reason) => LoginError::new(LoginErrorKind::Lost(reason.clone())),
            Cause::KickedOut => LoginError::new(LoginErrorKind::KickedOut),
            Cause::LoggedOut => LoginError::new(LoginErrorKind::LoggedOut),
            Cause::Aborted => LoginError::new(LoginErrorKind::Aborted),
        })),
        _ => None,
    }
}

/// A handle to a client: cheap to clone, usable from any task or thread.
///
/// When the last clone is dropped the client logs out. [`Events`], [`Watch`]
/// and calls under way do not count.
#[derive(Clone)]
pub struct Handle {
    guard: Arc<Guard>,
    options: RequestOptions,
}

/// Notices when the last handle is gone.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.act(|core, now| {
            core.handles_gone = true;
            core.client.logout(now);
        });
        let mut woken = Vec::new();
        let mut core = self.0.lock();
        core.event_wakers.take_into(&mut woken);
        core.state_wakers.take_into(&mut woken);
        drop(core);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Handle {
            guard: Arc::new(Guard(shared)),
            options: RequestOptions::default(),
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.guard.0
    }

    /// Makes a call with this handle's options; nothing is sent before the
    /// future is polled.
    pub fn call<R: Request>(&self, request: R) -> Call<R> {
        Call::new(self.shared().clone(), request, self.options)
    }

    /// Logs in; see [`Client::login`].
    pub fn login(&self) -> Login {
        Login::new(self.shared().clone())
    }

    /// Logs out; see [`Client::logout`].
    pub fn logout(&self) -> Logout {
        Logout::new(self.shared().clone())
    }

    /// Drops everything at once; see [`Client::abort`].
    pub fn abort(&self) {
        self.shared().act(|core, _| core.client.abort());
    }

    /// Replaces the token; see [`Client::set_token`].
    pub fn set_token(&self, token: impl Into<Token>) {
        let token = token.into();
        self.shared()
            .act(|core, now| core.client.set_token(now, token));
    }

    /// Tells that the network changed; see [`Input::NetworkChanged`].
    pub fn network_changed(&self) {
        self.shared()
            .act(|core, now| core.client.handle_input(now, Input::NetworkChanged));
    }

    /// Where the client stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared().lock().client.state().clone()
    }

    /// A reader of the client's events.
    ///
    /// There is one queue, which fills from the first moment; each event goes
    /// to one of its readers.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.shared().clone())
    }

    /// A stream of the client's state: the current one first, then the latest
    /// one after each change.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.shared().clone())
    }

    /// The options of calls made through this handle.
    #[must_use]
    pub const fn options(&self) -> RequestOptions {
        self.options
    }

    /// How long calls made through this handle may take, unless they send a
    /// file: the limit of its options, or else the default of the client.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        let default = || self.shared().lock().client.config().request_timeout;
        self.options.timeout.unwrap_or_else(default)
    }

    /// A handle to the same client whose calls have other options.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Handle {
            guard: self.guard.clone(),
            options,
        }
    }

    /// A handle to the same client whose calls have another time limit.
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        self.with_options(self.options.timeout(limit))
    }

    /// Calls that were accepted and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared().lock().client.in_flight()
    }

    /// The settings the client was made with.
    #[must_use]
    pub fn config(&self) -> Config {
        self.shared().lock().client.config().clone()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("client", &self.shared().lock().client)
            .field("options", &self.options)
            .finish()
    }
}
