//! A service whose answers are fixed, so that it costs next to nothing:
//! `load --serve-fixed`.
//!
//! It answers whatever one read brings in one write. Whoever asks is logged in
//! and has sent his message; `t_push` is obeyed. It is for measuring clients
//! and checks nothing.

mod link;
mod pushes;
mod websocket;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use link::Link;

/// A service that listens.
#[derive(Debug)]
pub struct FixedService {
    listener: TcpListener,
    address: SocketAddr,
}

impl FixedService {
    /// Listens on this port of the loopback address; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        Ok(FixedService { listener, address })
    }

    /// Where it is to be found: the same port speaks both.
    pub fn endpoints(&self) -> serde_json::Value {
        serde_json::json!({
            "tcp": format!("tcp://{}", self.address),
            "ws": format!("ws://{}", self.address),
        })
    }

    /// Serves, a thread for each connection, until accepting fails.
    ///
    /// # Errors
    ///
    /// Accepting failed.
    pub fn serve(&self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                // The peer was gone before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            let small_stack = thread::Builder::new().stack_size(256 << 10);
            small_stack.spawn(move || {
                // A client that goes away is none of our business.
                let _ = serve_one(stream);
            })?;
        }
    }
}

fn serve_one(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Packages begin with an F, requests with a G.
    let mut start = [0; 1];
    if stream.peek(&mut start)? == 0 {
        return Ok(());
    }
    if start == *b"G" {
        websocket::accept(&stream)?;
        Link::new(stream, true)?.serve()
    } else {
        Link::new(stream, false)?.serve()
    }
}
