//! Pushes, and those who read them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures_core::Stream;
use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::service::{FLOOD, PUSHES};
use super::world::{World, ask, config_of, join, next, poll_once};
use crate::event::Event;
use crate::handle::Events;

/// Reads to the end; the numbers of the pushes in the order they came, and
/// how many were missed.
fn read(events: &mut Events) -> (Vec<usize>, u64) {
    let (mut numbers, mut lag) = (Vec::new(), 0);
    while let Some(event) = next(events) {
        numbers.extend(number(&event));
        if let Event::Lagged { missed } = event {
            lag += missed;
        }
    }
    (numbers, lag)
}

fn number(event: &Event) -> Option<usize> {
    match event {
        Event::Unknown { method, .. } => Some(method.parse().unwrap()),
        _ => None,
    }
}

#[test]
fn each_push_goes_to_one_reader_in_order() {
    explore(|| {
        let (world, handle) = World::online();
        let readers = [(); 3].map(|()| {
            let mut events = handle.events();
            thread::spawn(move || read(&mut events))
        });
        ask(&handle, FLOOD).unwrap();
        drop(handle);
        let mut all = Vec::new();
        for reader in readers {
            let (numbers, lag) = reader.join().unwrap();
            assert!(numbers.is_sorted(), "{numbers:?}");
            assert_eq!(lag, 0);
            all.extend(numbers);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..PUSHES));
        world.finish();
    });
}

#[test]
fn a_waiting_reader_is_woken_by_each_push() {
    explore(|| {
        let (world, handle) = World::online();
        let mut events = handle.events();
        let reader = thread::spawn(move || {
            let numbers = std::iter::from_fn(|| next(&mut events)).filter_map(|e| number(&e));
            numbers.take(PUSHES).collect::<Vec<_>>()
        });
        let asked = {
            let handle = handle.clone();
            thread::spawn(move || ask(&handle, FLOOD).unwrap())
        };
        // Before anything else could wake it: the handle is still there.
        assert!(reader.join().unwrap().into_iter().eq(0..PUSHES));
        asked.join().unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_reader_dropped_while_it_waits_takes_nothing_from_the_others() {
    explore(|| {
        let (world, handle) = World::online();
        let mut events = handle.events();
        let reader = thread::spawn(move || read(&mut events).0);
        let mut leaving = handle.events();
        let leaver = thread::spawn(move || {
            let mut looked = poll_fn(|cx| Pin::new(&mut leaving).poll_next(cx));
            match poll_once(&mut looked) {
                Poll::Ready(Some(event)) => number(&event),
                _ => None,
            }
        });
        ask(&handle, FLOOD).unwrap();
        drop(handle);
        let mut all = reader.join().unwrap();
        all.extend(leaver.join().unwrap());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..PUSHES));
        world.finish();
    });
}

#[test]
fn readers_that_are_too_slow_learn_of_every_push_or_that_they_missed_it() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate").event_capacity(2));
        block_on(handle.login()).unwrap();
        let readers = [(); 2].map(|()| {
            let mut events = handle.events();
            thread::spawn(move || read(&mut events))
        });
        let floods = [(); 2].map(|()| {
            let handle = handle.clone();
            thread::spawn(move || ask(&handle, FLOOD).unwrap())
        });
        join(floods);
        drop(handle);
        let [a, b] = join(readers);
        let read = a.0.len() + b.0.len();
        assert_eq!(read as u64 + a.1 + b.1, 2 * PUSHES as u64);
        world.finish();
    });
}

#[test]
fn a_reader_that_only_looks_takes_events_from_one_that_waits() {
    explore(|| {
        let (world, handle) = World::online();
        let mut events = handle.events();
        let waiting = thread::spawn(move || read(&mut events).0);
        let mut looking = handle.events();
        let looker = thread::spawn(move || {
            let looks = (0..PUSHES).filter_map(|_| looking.try_recv());
            looks.filter_map(|event| number(&event)).collect::<Vec<_>>()
        });
        ask(&handle, FLOOD).unwrap();
        drop(handle);
        let mut all = waiting.join().unwrap();
        all.extend(looker.join().unwrap());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..PUSHES));
        world.finish();
    });
}
