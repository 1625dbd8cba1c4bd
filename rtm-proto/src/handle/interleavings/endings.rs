//! The end of a client while others wait for something of it.

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::service::IGNORE;
use super::world::{World, ask, config_of, join, next, request};
use crate::error::{LoginErrorKind, RequestError, RequestErrorKind};
use crate::event::Event;
use crate::handle::Handle;

fn ask_on_a_thread(
    handle: &Handle,
    method: &'static str,
) -> thread::JoinHandle<Result<rmpv::Value, RequestError>> {
    let handle = handle.clone();
    thread::spawn(move || ask(&handle, method))
}

/// Readers and watchers of a client, each on a thread until it ends.
fn observe(handle: &Handle) -> [thread::JoinHandle<()>; 4] {
    let readers = [(); 2].map(|()| {
        let mut events = handle.events();
        thread::spawn(move || while next(&mut events).is_some() {})
    });
    let watchers = [(); 2].map(|()| {
        let mut watch = handle.watch();
        thread::spawn(move || {
            let mut last = None;
            while let Some(state) = next(&mut watch) {
                last = Some(state);
            }
            assert!(last.unwrap().is_closed(), "the end is not missed");
        })
    });
    let [a, b] = readers;
    let [c, d] = watchers;
    [a, b, c, d]
}

fn is_lost(error: &RequestError) -> bool {
    matches!(
        error.kind(),
        RequestErrorKind::ConnectionLost { .. } | RequestErrorKind::NotConnected
    )
}

#[test]
fn the_last_handle_dropped_ends_all_who_read_and_watch() {
    explore(|| {
        let (world, handle) = World::online();
        let observers = observe(&handle);
        let other = handle.clone();
        let dropping = thread::spawn(move || drop(other));
        drop(handle);
        dropping.join().unwrap();
        join(observers);
        world.finish();
    });
}

#[test]
fn the_last_handle_dropped_before_any_login_ends_all_who_read_and_watch() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let observers = observe(&handle);
        drop(handle);
        join(observers);
        world.finish();
    });
}

#[test]
fn the_last_handle_of_a_closed_client_ends_all_though_the_loop_is_busy() {
    explore(|| {
        let (world, driver, handle) = World::idle(config_of("gate"));
        block_on(handle.logout());
        let observers = observe(&handle);
        drop(handle);
        join(observers);
        drop(driver);
        world.finish();
    });
}

#[test]
fn a_loop_that_dies_ends_all_who_read_and_watch_though_nothing_changes() {
    explore(|| {
        let (mut world, handle) = World::online();
        handle.abort();
        let observers = observe(&handle);
        world.kill();
        join(observers);
        drop(handle);
        world.finish();
    });
}

#[test]
fn the_last_handle_dropped_ends_calls_that_outlive_it() {
    explore(|| {
        let (world, handle) = World::online();
        let [late, waiting] = ["quest", IGNORE].map(|method| {
            let call = request(&handle, method);
            thread::spawn(move || block_on(call))
        });
        drop(handle);
        if let Err(error) = late.join().unwrap() {
            assert!(is_lost(&error), "{error}");
        }
        let error = waiting.join().unwrap().unwrap_err();
        assert!(is_lost(&error), "{error}");
        world.finish();
    });
}

#[test]
fn a_login_that_outlives_the_last_handle_comes_to_an_end() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let logins = [(); 2].map(|()| {
            let login = handle.login();
            thread::spawn(move || block_on(login))
        });
        drop(handle);
        for login in logins {
            if let Err(error) = login.join().unwrap() {
                assert_eq!(*error.kind(), LoginErrorKind::LoggedOut);
            }
        }
        world.finish();
    });
}

#[test]
fn a_logout_ends_each_call_and_everybody_who_joined_it() {
    explore(|| {
        let (world, handle) = World::online();
        let answered = ask_on_a_thread(&handle, "quest");
        let ignored = ask_on_a_thread(&handle, IGNORE);
        let logouts = [(); 2].map(|()| {
            let handle = handle.clone();
            thread::spawn(move || block_on(handle.logout()))
        });
        join(logouts);
        assert!(handle.state().is_closed());
        assert_eq!(handle.in_flight(), 0);
        if let Err(error) = answered.join().unwrap() {
            assert!(is_lost(&error), "{error}");
        }
        let error = ignored.join().unwrap().unwrap_err();
        assert!(is_lost(&error), "{error}");
        drop(handle);
        world.finish();
    });
}

#[test]
fn an_abort_ends_each_call_once() {
    explore(|| {
        let (world, handle) = World::online();
        let calls = ["quest", IGNORE, IGNORE].map(|method| ask_on_a_thread(&handle, method));
        handle.abort();
        for call in calls {
            if let Err(error) = call.join().unwrap() {
                assert!(is_lost(&error), "{error}");
            }
        }
        assert_eq!(handle.in_flight(), 0);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_loop_that_dies_leaves_nobody_waiting() {
    explore(|| {
        let (mut world, handle) = World::online();
        let observers = observe(&handle);
        let calls = ["quest", IGNORE].map(|method| ask_on_a_thread(&handle, method));
        let leaving = {
            let handle = handle.clone();
            thread::spawn(move || block_on(handle.logout()))
        };
        world.kill();
        for call in calls {
            if let Err(error) = call.join().unwrap() {
                assert!(is_lost(&error), "{error}");
            }
        }
        leaving.join().unwrap();
        join(observers);
        let error = ask(&handle, "quest").unwrap_err();
        assert!(is_lost(&error), "{error}");
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_loop_that_dies_during_a_login_ends_it_for_all_who_joined() {
    explore(|| {
        let (mut world, handle) = World::start(config_of("gate"));
        let logins = [(); 2].map(|()| {
            let handle = handle.clone();
            thread::spawn(move || block_on(handle.login()))
        });
        world.kill();
        for login in logins {
            if let Err(error) = login.join().unwrap() {
                assert_eq!(*error.kind(), LoginErrorKind::Aborted);
            }
        }
        let error = block_on(handle.login()).unwrap_err();
        assert_eq!(*error.kind(), LoginErrorKind::Aborted);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_loop_that_dies_while_the_last_handle_goes_ends_its_readers() {
    explore(|| {
        let (mut world, handle) = World::online();
        let observers = observe(&handle);
        let call = request(&handle, IGNORE);
        let call = thread::spawn(move || block_on(call));
        let dropping = thread::spawn(move || drop(handle));
        world.kill();
        dropping.join().unwrap();
        join(observers);
        assert!(is_lost(&call.join().unwrap().unwrap_err()));
        world.finish();
    });
}

#[test]
fn the_end_of_a_session_is_an_event_for_one_reader_and_a_state_for_all() {
    explore(|| {
        let (world, handle) = World::online();
        let readers = [(); 2].map(|()| {
            let mut events = handle.events();
            thread::spawn(move || {
                let mut closed = 0;
                while let Some(event) = next(&mut events) {
                    closed += usize::from(matches!(event, Event::State(s) if s.is_closed()));
                }
                closed
            })
        });
        block_on(handle.logout());
        drop(handle);
        let [a, b] = join(readers);
        assert_eq!(a + b, 1);
        world.finish();
    });
}
