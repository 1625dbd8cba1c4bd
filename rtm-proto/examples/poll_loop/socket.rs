//! A socket that never blocks, and what tells when it is ready.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::vec::IntoIter;

use bytes::{Buf, Bytes};
use mio::net::TcpStream;
use mio::{Interest, Poll, Token};
use rtm_proto::ConnId;

/// Watches sockets, each under a token of its own.
pub(crate) struct Watcher {
    pub(crate) poll: Poll,
    last_token: usize,
}

impl Watcher {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Watcher {
            poll: Poll::new()?,
            last_token: 0,
        })
    }

    fn watch(&mut self, stream: &mut TcpStream) -> io::Result<Token> {
        self.last_token += 1;
        let token = Token(self.last_token);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream, token, interest)?;
        Ok(token)
    }
}

pub(crate) struct Socket {
    pub(crate) conn: ConnId,
    pub(crate) token: Token,
    pub(crate) is_open: bool,
    stream: TcpStream,
    /// Where else the host may be found.
    addresses: IntoIter<SocketAddr>,
    unsent: Bytes,
}

impl Socket {
    /// Begins to connect.
    ///
    /// Looking a name up blocks; a loop that must never wait does it on
    /// another thread.
    pub(crate) fn dial(
        watcher: &mut Watcher,
        conn: ConnId,
        host: &str,
        port: u16,
    ) -> io::Result<Self> {
        let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
        let mut addresses = addresses.into_iter();
        let missing = io::Error::from(ErrorKind::NotFound);
        let (stream, token) = dial_next(watcher, &mut addresses, missing)?;
        Ok(Socket {
            conn,
            token,
            is_open: false,
            stream,
            addresses,
            unsent: Bytes::new(),
        })
    }

    /// Finds out whether it is connected by now, and goes on to the next
    /// address if it cannot be.
    pub(crate) fn finish_dialing(&mut self, watcher: &mut Watcher) -> io::Result<()> {
        let failed = match self.stream.take_error()? {
            Some(error) => error,
            None => match self.stream.peer_addr() {
                Ok(_) => {
                    self.is_open = true;
                    return Ok(());
                }
                // Readiness may be told of too early.
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
                Err(error) => error,
            },
        };
        (self.stream, self.token) = dial_next(watcher, &mut self.addresses, failed)?;
        Ok(())
    }

    /// Writes until there is no more to write, or the socket takes no more. A
    /// piece goes out completely before the next is asked for.
    pub(crate) fn write(
        &mut self,
        mut next: impl FnMut(ConnId) -> Option<Bytes>,
    ) -> io::Result<()> {
        while self.is_open {
            if self.unsent.is_empty() {
                match next(self.conn) {
                    Some(piece) => self.unsent = piece,
                    None => break,
                }
            }
            match self.stream.write(&self.unsent) {
                Ok(len) => self.unsent.advance(len),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until nothing is left, as readiness is told of once; `false` is
    /// the end of the stream.
    pub(crate) fn read(&mut self, mut take: impl FnMut(Bytes)) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(len) => take(Bytes::copy_from_slice(&buffer[..len])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn dial_next(
    watcher: &mut Watcher,
    addresses: &mut IntoIter<SocketAddr>,
    mut failed: io::Error,
) -> io::Result<(TcpStream, Token)> {
    for address in addresses {
        match TcpStream::connect(address) {
            Ok(mut stream) => {
                stream.set_nodelay(true)?;
                let token = watcher.watch(&mut stream)?;
                return Ok((stream, token));
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
