//! The writing side of connections.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::{Buf, Bytes};
use rtm_proto::handle::Driver;
use rtm_proto::{ConnId, Instant};

/// How long a write may wait for a peer that does not read, and how long
/// writing goes on at all before everything else gets its turn; the kernel
/// rounds it up to its tick.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_millis(5);
/// How long a peer that does not read is then left alone.
const WRITE_PAUSE: Duration = Duration::from_millis(10);

/// A connection as the writing side sees it.
pub(crate) enum Socket {
    /// Its thread is connecting it.
    Dialing,
    /// It is connected.
    Open(Writer),
}

pub(crate) struct Writer {
    stream: TcpStream,
    /// What is being written; empty when all of it is out.
    piece: Bytes,
    /// When to go on after a pause.
    resume: Option<Instant>,
    /// Writing failed. The reader will find out too, and what it has read by
    /// then is worth more than this error.
    broken: bool,
}

impl Writer {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Writer {
            stream,
            piece: Bytes::new(),
            resume: None,
            broken: false,
        }
    }

    /// Writes what there is for this connection; tells whether the driver has
    /// something new to say because of it.
    fn write(&mut self, conn: ConnId, driver: &mut Driver) -> bool {
        let start = driver.now();
        let mut more = false;
        if self.broken || self.resume.is_some_and(|at| at > start) {
            return more;
        }
        self.resume = None;
        while let Some(written) = self.write_piece(conn, driver, &mut more) {
            match written {
                Ok(()) if driver.now() - start < WRITE_PATIENCE => {}
                // The thread that keeps time goes on from here; this one may
                // have a call of its own to return from.
                Ok(()) => self.resume = Some(driver.now()),
                Err(error) if is_patience(&error) => {
                    self.resume = Some(driver.now() + WRITE_PAUSE);
                }
                Err(_) => self.broken = true,
            }
            if self.broken || self.resume.is_some() {
                break;
            }
        }
        more
    }

    /// Writes once; `None` when there is nothing to write.
    fn write_piece(
        &mut self,
        conn: ConnId,
        driver: &mut Driver,
        more: &mut bool,
    ) -> Option<io::Result<()>> {
        if self.piece.is_empty() {
            // The last piece must be gone before its memory is used again.
            self.piece = Bytes::new();
            let (next, due) = driver.transmit(conn);
            *more |= due;
            self.piece = next?;
        }
        Some(match self.stream.write(&self.piece) {
            Ok(written) => {
                self.piece.advance(written);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        })
    }
}

impl Socket {
    /// Frees the thread that reads from the socket.
    pub(crate) fn close(self) {
        if let Socket::Open(writer) = self {
            // Should it fail, the socket is gone already, and so is the reader.
            let _ = writer.stream.shutdown(Shutdown::Both);
        }
    }
}

/// Writes to every socket what there is for it; tells whether the driver has
/// something new to say because of it, and when to go on.
pub(crate) fn write_all(
    driver: &mut Driver,
    sockets: &mut BTreeMap<ConnId, Socket>,
) -> (bool, Option<Instant>) {
    let mut more = false;
    let mut resume = None;
    for (conn, socket) in sockets {
        if let Socket::Open(writer) = socket {
            more |= writer.write(*conn, driver);
            resume = resume.into_iter().chain(writer.resume).min();
        }
    }
    (more, resume)
}

/// Whether the time limit of a write has passed.
fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
