//! Logins that are joined, refused, revoked and dropped.

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::network::NOBODY;
use super::service::EXPIRED;
use super::world::{World, ask, config_of, join, next, poll_once};
use crate::client::Session;
use crate::error::{LoginError, LoginErrorKind};
use crate::event::Event;
use crate::handle::Handle;

fn login_on_a_thread(handle: &Handle) -> thread::JoinHandle<Result<Session, LoginError>> {
    let handle = handle.clone();
    thread::spawn(move || block_on(handle.login()))
}

#[test]
fn all_who_join_a_login_learn_that_it_succeeded() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let threads = [(); 3].map(|()| login_on_a_thread(&handle));
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
        ask(&handle, "quest").unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn all_who_join_a_login_learn_that_it_failed() {
    explore(|| {
        let (world, handle) = World::start(config_of(NOBODY));
        let threads = [(); 3].map(|()| login_on_a_thread(&handle));
        for thread in threads {
            let error = thread.join().unwrap().unwrap_err();
            assert!(matches!(error.kind(), LoginErrorKind::Connect { .. }));
        }
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_login_dropped_while_it_waits_leaves_those_who_joined_it() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let joined = login_on_a_thread(&handle);
        let mut login = handle.login();
        let _ = poll_once(&mut login);
        drop(login);
        joined.join().unwrap().unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn logins_and_logouts_at_once_all_come_to_an_end() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let logins = [(); 2].map(|()| login_on_a_thread(&handle));
        let logouts = [(); 2].map(|()| {
            let handle = handle.clone();
            thread::spawn(move || block_on(handle.logout()))
        });
        join(logouts);
        for login in logins {
            if let Err(error) = login.join().unwrap() {
                assert_eq!(*error.kind(), LoginErrorKind::LoggedOut);
            }
        }
        block_on(handle.login()).unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_login_that_meets_a_logout_finds_a_session_or_opens_one() {
    explore(|| {
        let (world, handle) = World::online();
        let leaving = {
            let handle = handle.clone();
            thread::spawn(move || block_on(handle.logout()))
        };
        let joined = login_on_a_thread(&handle).join().unwrap();
        leaving.join().unwrap();
        joined.unwrap();
        drop(handle);
        world.finish();
    });
}

#[test]
fn an_abort_ends_the_logins_under_way() {
    explore(|| {
        let (world, handle) = World::start(config_of("gate"));
        let logins = [(); 2].map(|()| login_on_a_thread(&handle));
        handle.abort();
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
fn a_token_from_another_thread_continues_the_login_that_waits_for_it() {
    explore(|| {
        let mut config = config_of("gate").provide_tokens(true);
        config.token = EXPIRED.into();
        let (world, handle) = World::start(config);
        let login = login_on_a_thread(&handle);
        let mut events = handle.events();
        while !matches!(next(&mut events), Some(Event::TokenRefused)) {}
        handle.set_token("fresh");
        login.join().unwrap().unwrap();
        drop((handle, events));
        world.finish();
    });
}
