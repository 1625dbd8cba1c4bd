use crate::seen::Ended;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Bytes that may wait for a peer; one that lets more pile up does not read and is disconnected.
const MAX_WAITING: usize = 64 << 20;
/// Below this a producer of many packages may go on.
const ROOM: usize = 1 << 20;
/// What is written at once, as far as it can be joined.
const BATCH: usize = 64 << 10;

#[derive(Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    end: Option<Ended>,
    overflowed: bool,
    writer: Option<Waker>,
    /// Who waits for the overflow.
    guard: Option<Waker>,
    producers: Vec<Waker>,
}

/// Framed bytes on their way to the socket, and the wish to end the connection behind them. Any thread may add.
#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
}

/// What the writer has to do next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    Write(Vec<u8>),
    End(Ended),
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds bytes; they are dropped when the connection is ending.
    pub(crate) fn push(&self, bytes: Vec<u8>) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        state.bytes += bytes.len();
        state.queue.push_back(bytes);
        if state.bytes > MAX_WAITING {
            state.end = Some(Ended::NotReading);
            state.overflowed = true;
            state.queue.clear();
            state.guard.take().into_iter().for_each(Waker::wake);
        }
        state.wake_writer();
    }

    /// Ends the connection once what waits is written. The first reason counts.
    pub(crate) fn finish(&self, reason: Ended) {
        let mut state = self.lock();
        state.end.get_or_insert(reason);
        state.wake_writer();
        state.producers.drain(..).for_each(Waker::wake);
    }

    /// Waits for something to do.
    pub(crate) async fn next(&self) -> Next {
        poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(batch) = state.take_batch() {
                return Poll::Ready(Next::Write(batch));
            }
            if let Some(reason) = state.end {
                return Poll::Ready(Next::End(reason));
            }
            state.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Waits until the peer has let too much pile up. The writer cannot tell: it is stuck with what it has.
    pub(crate) async fn overflow(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.overflowed {
                return Poll::Ready(());
            }
            state.guard = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until little waits to be written; false when the connection is ending.
    pub(crate) async fn room(&self) -> bool {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.end.is_some() {
                return Poll::Ready(false);
            }
            if state.bytes < ROOM {
                return Poll::Ready(true);
            }
            if !state.producers.iter().any(|w| w.will_wake(cx.waker())) {
                state.producers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

impl State {
    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    fn take_batch(&mut self) -> Option<Vec<u8>> {
        let mut batch = self.queue.pop_front()?;
        while let Some(next) = self.queue.front() {
            if batch.len() + next.len() > BATCH {
                break;
            }
            batch.extend_from_slice(next);
            self.queue.pop_front();
        }
        self.bytes -= batch.len();
        if self.bytes < ROOM {
            self.producers.drain(..).for_each(Waker::wake);
        }
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::block_on;

    #[test]
    fn what_waits_is_written_before_the_end_and_in_order() {
        let outbox = Outbox::default();
        outbox.push(vec![1]);
        outbox.push(vec![2, 3]);
        outbox.finish(Ended::Kicked);
        outbox.finish(Ended::Idle);
        outbox.push(vec![4]);
        assert_eq!(block_on(outbox.next()), Next::Write(vec![1, 2, 3]));
        assert_eq!(block_on(outbox.next()), Next::End(Ended::Kicked));
        assert!(!block_on(outbox.room()));
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up() {
        let outbox = Outbox::default();
        for _ in 0..65 {
            outbox.push(vec![0; 1 << 20]);
        }
        block_on(outbox.overflow());
        assert_eq!(block_on(outbox.next()), Next::End(Ended::NotReading));
    }
}
