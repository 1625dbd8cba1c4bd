//! Calls that are made, moved, cancelled and ended at the same time.

use std::task::Poll;
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::service::{HANG_UP, IGNORE};
use super::world::{World, ask, config_of, join, poll_once, request};
use crate::error::{RequestError, RequestErrorKind};
use crate::request::RequestOptions;

fn is_timeout(error: &RequestError) -> bool {
    matches!(error.kind(), RequestErrorKind::TimedOut { .. })
}

#[test]
fn no_call_is_lost_while_the_loop_falls_asleep() {
    explore(|| {
        let (world, handle) = World::online();
        let threads = [(); 3].map(|()| {
            let handle = handle.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    ask(&handle, "quest").unwrap();
                }
            })
        });
        // Nothing but its own wake-up gets an answer to each of them: the
        // handle stays until all are there.
        join(threads);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_call_dropped_while_its_answer_arrives_leaves_nothing_behind() {
    explore(|| {
        let (world, handle) = World::online();
        let other = {
            let handle = handle.clone();
            thread::spawn(move || ask(&handle, "quest").unwrap())
        };
        let mut call = request(&handle, "quest");
        assert!(poll_once(&mut call).is_pending());
        if let Poll::Ready(end) = poll_once(&mut call) {
            end.unwrap();
        }
        drop(call);
        other.join().unwrap();
        assert_eq!(handle.in_flight(), 0);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_call_dropped_by_another_thread_than_its_own_leaves_nothing_behind() {
    explore(|| {
        let (world, handle) = World::online();
        let mut call = request(&handle, IGNORE);
        assert!(poll_once(&mut call).is_pending());
        let dropping = thread::spawn(move || drop(call));
        ask(&handle, "quest").unwrap();
        dropping.join().unwrap();
        assert_eq!(handle.in_flight(), 0);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_call_that_moves_to_another_thread_wakes_that_one() {
    explore(|| {
        let (world, handle) = World::online();
        let mut call = request(&handle, "quest");
        assert!(poll_once(&mut call).is_pending());
        let waiting = thread::spawn(move || block_on(call).unwrap());
        waiting.join().unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn an_answer_and_a_deadline_end_a_call_once_between_them() {
    explore(|| {
        let (world, handle) = World::online();
        let clock = world.clock.clone();
        let passing = thread::spawn(move || clock.advance(20));
        if let Err(error) = ask(&handle, "quest") {
            assert!(is_timeout(&error), "{error}");
        }
        passing.join().unwrap();
        ask(&handle, "quest").unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_call_brings_the_alarm_of_a_sleeping_loop_forward() {
    explore(|| {
        let (world, handle) = World::online();
        let [first, second] = [5, 10].map(|limit| {
            let call = request(&handle, IGNORE).timeout(Duration::from_secs(limit));
            thread::spawn(move || block_on(call).unwrap_err())
        });
        while handle.in_flight() < 2 {
            thread::yield_now();
        }
        // Time passes once: an alarm that is set too late never rings.
        for thread in [first, second] {
            world.clock.advance(5);
            let error = thread.join().unwrap();
            assert!(is_timeout(&error), "{error}");
        }
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_connection_lost_while_calls_are_made_ends_each_of_them() {
    explore(|| {
        let (world, handle) = World::online();
        let threads = [IGNORE, HANG_UP, "quest"].map(|method| {
            let handle = handle.clone();
            thread::spawn(move || ask(&handle, method))
        });
        let [ignored, hung_up, _] = join(threads);
        assert!(ignored.is_err() && hung_up.is_err());
        assert!(handle.state().is_closed());
        block_on(handle.login()).unwrap();
        ask(&handle, "quest").unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn calls_that_wait_for_a_session_go_out_whoever_comes_first() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let threads = [(); 2].map(|()| {
            let handle = handle.with_options(RequestOptions::default().wait_online(true));
            thread::spawn(move || ask(&handle, "quest").unwrap())
        });
        block_on(handle.login()).unwrap();
        join(threads);
        drop(handle);
        world.finish();
    });
}
