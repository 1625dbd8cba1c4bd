//! Wakers: whose they are, when they run, and when they are forgotten.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use futures_core::Stream;
use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::service::{FLOOD, IGNORE};
use super::world::{World, ask, config_of, join, next, poll_once, request};
use crate::handle::shared::Shared;

/// A waker that uses the client it is to be woken by, as one does that runs a
/// task at once, or ends one that holds a call.
struct Nosy(Weak<Shared>);

impl Nosy {
    fn waker(world: &World) -> Waker {
        Waker::from(Arc::new(Nosy(world.shared())))
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.0.upgrade() {
            drop(shared.lock());
        }
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            drop(shared.lock());
        }
    }
}

#[test]
fn wakers_are_woken_and_dropped_while_the_client_can_be_used() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        // Each place takes two, so that one gives way to the other.
        let wakers = [(); 2].map(|()| Nosy::waker(&world));
        let (mut login, mut events, mut watch) = (handle.login(), handle.events(), handle.watch());
        for waker in &wakers {
            let mut cx = Context::from_waker(waker);
            let _ = Pin::new(&mut login).poll(&mut cx);
            while Pin::new(&mut events).poll_next(&mut cx).is_ready() {}
            while Pin::new(&mut watch).poll_next(&mut cx).is_ready() {}
        }
        drop(wakers);
        block_on(handle.login()).unwrap();
        let wakers = [(); 2].map(|()| Nosy::waker(&world));
        let (mut call, mut given_up) = (request(&handle, "quest"), request(&handle, IGNORE));
        for waker in &wakers {
            let mut cx = Context::from_waker(waker);
            // The first look starts the call, so only the second may end it.
            let _ = Pin::new(&mut call).poll(&mut cx);
            assert!(Pin::new(&mut given_up).poll(&mut cx).is_pending());
            let _ = Pin::new(&mut events).poll_next(&mut cx);
            let _ = Pin::new(&mut watch).poll_next(&mut cx);
        }
        drop(wakers);
        let dropping = thread::spawn(move || drop((given_up, watch)));
        ask(&handle, FLOOD).unwrap();
        dropping.join().unwrap();
        drop((call, login, events, handle));
        world.finish();
    });
}

#[test]
fn whoever_stops_waiting_is_forgotten() {
    explore(|| {
        let (world, handle) = World::online();
        let other = {
            let handle = handle.clone();
            thread::spawn(move || ask(&handle, FLOOD).unwrap())
        };
        let threads = [(); 2].map(|()| {
            let (mut events, mut watch) = (handle.events(), handle.watch());
            thread::spawn(move || {
                next(&mut watch);
                let mut states = std::future::poll_fn(|cx| Pin::new(&mut watch).poll_next(cx));
                assert!(poll_once(&mut states).is_pending());
                while events.try_recv().is_some() {}
                let mut pushes = std::future::poll_fn(|cx| Pin::new(&mut events).poll_next(cx));
                let _ = poll_once(&mut pushes);
            })
        });
        join(threads);
        other.join().unwrap();
        world.assert_nobody_waits();
        drop(handle);
        world.finish();
    });
}
