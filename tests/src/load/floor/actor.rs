//! A client as a careful engineer writes it in an afternoon.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::Quests;
use crate::load::Options;
use crate::load::tally::{Mark, Tally};
use crate::load::wire::{self, Next};

/// Calls that may wait to be written.
const CHANNEL: usize = 1024;
const BUFFER: usize = 64 << 10;

/// A quest, and where its answer goes.
struct Call {
    package: Vec<u8>,
    reply: oneshot::Sender<Bytes>,
}

type Waiting = Arc<Mutex<HashMap<u32, oneshot::Sender<Bytes>>>>;

#[derive(Clone)]
struct Actor {
    calls: mpsc::Sender<Call>,
}

impl Actor {
    async fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reading, writing) = stream.into_split();
        let (calls, queue) = mpsc::channel(CHANNEL);
        let waiting = Waiting::default();
        tokio::spawn(write(writing, queue, waiting.clone()));
        tokio::spawn(read(reading, waiting));
        Ok(Actor { calls })
    }

    /// The answer's package; none once the connection is lost.
    async fn call(&self, package: Vec<u8>) -> Option<Bytes> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(Call { package, reply }).await.ok()?;
        answer.await.ok()
    }
}

/// Numbers the calls that there are and writes them together.
async fn write(
    mut stream: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Call>,
    waiting: Waiting,
) -> io::Result<()> {
    let mut out = BytesMut::new();
    let mut seq = 0_u32;
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(call) = next {
            seq = seq.wrapping_add(1);
            let at = out.len();
            out.extend_from_slice(&call.package);
            wire::set_seq(&mut out, at, seq);
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert(seq, call.reply);
            next = queue.try_recv().ok();
        }
        stream.write_all(&out).await?;
        out.clear();
    }
    Ok(())
}

/// Cuts the stream into packages and hands them to who waits. When it ends,
/// nobody is left waiting.
async fn read(mut stream: OwnedReadHalf, waiting: Waiting) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(BUFFER);
    let ended = 'reading: loop {
        match stream.read_buf(&mut input).await {
            Ok(0) => break ErrorKind::UnexpectedEof.into(),
            Ok(_) => {}
            Err(error) => break error,
        }
        loop {
            match wire::next(&input) {
                Next::Incomplete => break,
                Next::Garbage => break 'reading ErrorKind::InvalidData.into(),
                Next::Package(head) => {
                    let package = input.split_to(head.len).freeze();
                    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(reply) = waiting.remove(&head.seq) {
                        // The caller may have gone away.
                        let _ = reply.send(package);
                    }
                }
            }
        }
        input.reserve(BUFFER / 4);
    };
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.clear();
    Err(ended)
}

pub(super) fn measure(options: &Options, address: &str, quests: &Quests) -> Result<Json, String> {
    super::current_thread()?.block_on(async {
        let actor = Actor::connect(address);
        let actor = actor.await.map_err(|error| error.to_string())?;
        let welcome = actor.call(quests.auth.clone()).await;
        welcome.ok_or("the connection was lost")?;
        let tally = Arc::new(Tally::default());
        let start = Mark::now();
        let until = start.at() + options.span;
        let callers = (0..options.depth).map(|_| {
            let calls = make_calls(actor.clone(), quests.call(), tally.clone(), until);
            tokio::spawn(calls)
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.map_err(|error| error.to_string())?;
        }
        Ok(start.figures(&tally))
    })
}

async fn make_calls(actor: Actor, package: Vec<u8>, tally: Arc<Tally>, until: Instant) {
    let mut start = Instant::now();
    while start < until {
        let answer = actor.call(package.clone()).await;
        let end = Instant::now();
        let status = answer.as_deref().map(wire::next);
        match status {
            Some(Next::Package(head)) if head.small == 0 => tally.answered(end - start),
            Some(_) => tally.failed("the service refused a call"),
            None => return tally.failed("the connection was lost"),
        }
        start = end;
    }
}
