//! A client with its loop, and what must be true when all is over.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use rmpv::Value;
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::thread;

use super::clock::Clock;
use super::network::Network;
use crate::api::Custom;
use crate::client::Client;
use crate::config::Config;
use crate::error::RequestError;
use crate::handle::shared::Shared;
use crate::handle::{Call, Driver, Handle, drive};
use crate::ids::UserId;

/// One client and the task of its loop.
pub(super) struct World {
    pub(super) clock: Clock,
    shared: Arc<Shared>,
    /// Gone once its end was seen.
    looping: Option<JoinHandle<()>>,
}

/// The settings of a user of the service at `host`.
pub(super) fn config_of(host: &str) -> Config {
    let gate = format!("tcp://{host}:1");
    Config::new(1, UserId(2), "valid").gate(gate.parse().unwrap())
}

impl World {
    /// A client that nothing drives yet.
    pub(super) fn idle(config: Config) -> (World, Driver, Handle) {
        let clock = Clock::default();
        let client = Client::new(config, 7, clock.now(), Duration::ZERO);
        let time = clock.clone();
        let shared = Arc::new(Shared::new(client, move || time.now()));
        let (driver, handle) = (Driver::new(shared.clone()), Handle::new(shared.clone()));
        let world = World {
            clock,
            shared,
            looping: None,
        };
        (world, driver, handle)
    }

    /// A client that its loop drives.
    pub(super) fn start(config: Config) -> (World, Handle) {
        let (mut world, driver, handle) = World::idle(config);
        let network = Network(world.clock.clone());
        world.looping = Some(spawn(drive(driver, network, None)));
        (world, handle)
    }

    /// A client that is logged in.
    pub(super) fn online() -> (World, Handle) {
        let (world, handle) = World::start(config_of("gate"));
        block_on(handle.login()).unwrap();
        (world, handle)
    }

    /// What the handles share; it keeps no client alive.
    pub(super) fn shared(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// Ends the loop wherever it waits, as the end of a runtime does.
    pub(super) fn kill(&mut self) {
        if let Some(looping) = self.looping.take() {
            looping.abort();
            // It may have ended by itself before.
            let _ = block_on(looping);
        }
    }

    /// Waits until the loop has ended, by itself if it was not killed, and
    /// looks that nothing was left behind.
    pub(super) fn finish(mut self) {
        if let Some(looping) = self.looping.take() {
            block_on(looping).unwrap();
        }
        let core = self.shared.lock();
        assert!(core.client.state().is_closed());
        assert_eq!(core.client.in_flight(), 0, "calls in flight");
        assert_eq!(core.waiters.len(), 0, "calls that are waited for");
        drop(core);
        self.assert_nobody_waits();
    }

    /// Looks that nobody is to be woken for an event or a state.
    pub(super) fn assert_nobody_waits(&self) {
        let core = self.shared.lock();
        assert!(core.event_wakers.is_empty(), "readers that wait");
        assert!(core.state_wakers.is_empty(), "tasks that wait for a state");
    }
}

pub(super) fn request(handle: &Handle, method: &str) -> Call<Custom> {
    handle.call(Custom::new(method))
}

pub(super) fn ask(handle: &Handle, method: &str) -> Result<Value, RequestError> {
    block_on(request(handle, method))
}

pub(super) fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    block_on(poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)))
}

/// Polls a future once, with the waker of this thread.
pub(super) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    block_on(poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))))
}

/// What the threads return, once all have ended.
pub(super) fn join<T, const N: usize>(threads: [thread::JoinHandle<T>; N]) -> [T; N] {
    threads.map(|thread| thread.join().unwrap())
}
