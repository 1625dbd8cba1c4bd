//! Wakers: whose they are, when they run, and when they are forgotten.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

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

impl Nosy {
    fn waker(world: &World) -> Waker {
        Waker::from(Arc::new(Nosy(world.shared())))
    }
}

/// Polls with a waker of its own until there is nothing more.
fn look(world: &World, mut poll: impl FnMut(&mut Context<'_>) -> bool) {
    let waker = Nosy::waker(world);
    while poll(&mut Context::from_waker(&waker)) {}
}

/// Looks twice, so that one waker gives way to the other.
fn look_at_stream<S: Stream + Unpin>(world: &World, stream: &mut S) {
    for _ in 0..2 {
        look(world, |cx| {
            matches!(Pin::new(&mut *stream).poll_next(cx), Poll::Ready(Some(_)))
        });
    }
}

fn look_at_future<F: Future + Unpin>(world: &World, future: &mut F) {
    for _ in 0..2 {
        look(world, |cx| {
            let _ = Pin::new(&mut *future).poll(cx);
            false
        });
    }
}

#[test]
fn wakers_of_calls_run_while_the_client_can_be_used() {
    explore(|| {
        let (world, handle) = World::online();
        let (mut call, mut given_up) = (request(&handle, "quest"), request(&handle, IGNORE));
        look_at_future(&world, &mut call);
        look_at_future(&world, &mut given_up);
        let dropping = thread::spawn(move || drop(given_up));
        ask(&handle, "quest").unwrap();
        dropping.join().unwrap();
        drop((call, handle));
        world.finish();
    });
}

#[test]
fn wakers_of_streams_and_logins_run_while_the_client_can_be_used() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let (mut login, mut leaving) = (handle.login(), handle.events());
        let (mut events, mut watch) = (handle.events(), handle.watch());
        look_at_future(&world, &mut login);
        look_at_stream(&world, &mut events);
        look_at_stream(&world, &mut watch);
        block_on(handle.login()).unwrap();
        look_at_stream(&world, &mut leaving);
        drop((login, leaving));
        look_at_stream(&world, &mut events);
        look_at_stream(&world, &mut watch);
        let mut logout = handle.logout();
        look_at_future(&world, &mut logout);
        block_on(handle.logout());
        look_at_stream(&world, &mut events);
        look_at_stream(&world, &mut watch);
        drop(handle);
        world.finish();
    });
}

#[test]
fn the_doorbell_rings_while_the_client_can_be_used() {
    explore(|| {
        let (world, mut driver, handle) = World::idle(config_of("gate"));
        driver.turn(&Nosy::waker(&world), []);
        driver.turn(&Nosy::waker(&world), []);
        let aborting = thread::spawn(move || handle.abort());
        driver.turn(&Nosy::waker(&world), []);
        aborting.join().unwrap();
        drop(driver);
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
