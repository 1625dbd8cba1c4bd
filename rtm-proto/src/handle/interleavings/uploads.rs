//! Files, whose connections come and go with their calls.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::world::{World, poll_once};
use crate::api::SendFile;
use crate::error::RequestErrorKind;
use crate::ids::{GroupId, MessageType, UserId};

/// The connections that are open for files, and who waits for their number to
/// change.
#[derive(Default)]
struct Table {
    open: usize,
    waiting: Option<Waker>,
}

std::thread_local! {
    /// All tasks of a run share the system thread that the test has.
    static TABLE: RefCell<Table> = RefCell::default();
}

/// A connection for a file that is open.
pub(super) struct Open;

impl Open {
    pub(super) fn count() -> Open {
        change(|open| *open += 1);
        Open
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        change(|open| *open -= 1);
    }
}

fn change(change: impl FnOnce(&mut usize)) {
    let waiting = TABLE.with_borrow_mut(|table| {
        change(&mut table.open);
        table.waiting.take()
    });
    waiting.into_iter().for_each(Waker::wake);
}

fn wait_until_open(count: usize) {
    block_on(poll_fn(|cx| {
        TABLE.with_borrow_mut(|table| {
            if table.open == count {
                return Poll::Ready(());
            }
            table.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
    }));
}

#[test]
fn a_file_that_is_given_up_closes_its_connection_though_the_loop_sleeps() {
    explore(|| {
        let (world, handle) = World::online();
        let file = SendFile::new(UserId(3), MessageType::FILE, &b"content"[..]);
        let mut call = handle.call(file);
        assert!(poll_once(&mut call).is_pending());
        wait_until_open(1);
        // Nothing else happens that the loop could wake for.
        drop(call);
        wait_until_open(0);
        assert_eq!(handle.in_flight(), 0);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_file_that_arrived_closes_its_connection_before_the_loop_sleeps() {
    explore(|| {
        let (world, handle) = World::online();
        let file = SendFile::new(GroupId(3), MessageType::FILE, &b"content"[..]);
        let call = handle.call(file);
        let sending = thread::spawn(move || block_on(call).unwrap());
        sending.join().unwrap();
        wait_until_open(0);
        drop(handle);
        world.finish();
    });
}

#[test]
fn a_file_and_its_session_lost_at_once_end_the_call_once() {
    explore(|| {
        let (world, handle) = World::online();
        let file = SendFile::new(UserId(3), MessageType::FILE, &b"content"[..]);
        let call = handle.call(file);
        let sending = thread::spawn(move || block_on(call).unwrap_err());
        handle.abort();
        let error = sending.join().unwrap();
        assert!(matches!(
            error.kind(),
            RequestErrorKind::ConnectionLost { .. } | RequestErrorKind::NotConnected
        ));
        wait_until_open(0);
        drop(handle);
        world.finish();
    });
}
