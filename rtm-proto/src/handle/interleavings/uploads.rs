//! Files, whose connections come and go with their calls.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::world::{World, ask, poll_once};
use crate::api::SendFile;
use crate::error::RequestErrorKind;
use crate::ids::{MessageType, UserId};

/// The connections that are open for files, and who waits for there to be
/// none.
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
        TABLE.with_borrow_mut(|table| table.open += 1);
        Open
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let waiting = TABLE.with_borrow_mut(|table| {
            table.open -= 1;
            table.waiting.take_if(|_| table.open == 0)
        });
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn wait_until_all_are_closed() {
    block_on(poll_fn(|cx| {
        TABLE.with_borrow_mut(|table| match table.open {
            0 => Poll::Ready(()),
            _ => {
                table.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
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
        let giving_up = thread::spawn(move || drop(call));
        ask(&handle, "quest").unwrap();
        giving_up.join().unwrap();
        wait_until_all_are_closed();
        assert_eq!(handle.in_flight(), 0);
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
        wait_until_all_are_closed();
        drop(handle);
        world.finish();
    });
}
