//! The core without any adapter: one thread, one `std::net::TcpStream`.
//!
//! It logs a user in at the local gate, sends a chat, prints the answer and
//! logs out. Waiting is a blocking read with a time limit; a game loop or an
//! `epoll` would look for readiness instead.
// The machine is told the time; this program is what tells it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock, SystemTime, UNIX_EPOCH};

use rtm_proto::api::SendMessage;
use rtm_proto::{
    Client, Config, ConnId, Event, Input, Instant, Output, Request, RequestOptions, SocketEnd,
    State, UserId,
};

fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (me, peer) = (&gate.users()[0], &gate.users()[1]);
    let config = Config::new(gate.project_id(), UserId(me.id), me.token.as_str())
        .gate(gate.gate().tcp.parse()?);

    let start = Clock::now();
    let now = || Instant::from_duration(start.elapsed());
    let unix = SystemTime::now().duration_since(UNIX_EPOCH)?;
    // A fleet of clients wants real randomness for its seeds.
    let mut client = Client::new(config, unix.as_nanos() as u64, now(), unix);
    let mut socket: Option<(ConnId, TcpStream)> = None;
    let chat = SendMessage::chat(UserId(peer.id), "hello from a loop of my own");

    client.login(now());
    loop {
        // 1. Do what the client wants until it waits.
        let deadline = loop {
            match client.poll_output() {
                Output::Connect { conn, host, port } => {
                    let input = match TcpStream::connect((host.as_str(), port)) {
                        Ok(stream) => {
                            socket = Some((conn, stream));
                            Input::Connected { conn }
                        }
                        Err(error) => Input::ConnectFailed {
                            conn,
                            reason: error.to_string(),
                        },
                    };
                    client.handle_input(now(), input);
                }
                Output::Disconnect { conn } => {
                    socket.take_if(|(open, _)| *open == conn);
                }
                Output::Event(Event::State(State::Online { session })) => {
                    println!("online at {}", session.gate);
                    client.request(now(), &chat, RequestOptions::default())?;
                }
                Output::Event(Event::State(State::Closed { .. })) => return Ok(()),
                Output::Event(event) => println!("{event:?}"),
                Output::Answer {
                    context, result, ..
                } => {
                    println!("{:?}", chat.decode(&context, result?)?);
                    client.logout(now());
                }
                Output::Wait { deadline, .. } => break deadline,
                _ => {}
            }
        };

        // 2. Write what it has, then look again: the last bytes of a
        //    connection may be followed by an order to close it.
        if let Some((conn, stream)) = &mut socket {
            while let Some(piece) = client.poll_transmit(*conn) {
                stream.write_all(&piece)?;
            }
        }
        if client.has_output() {
            continue;
        }

        // 3. Wait for bytes or the deadline.
        let limit = deadline.map(|at| (at - now()).max(Duration::from_millis(1)));
        let input = match &mut socket {
            Some((conn, stream)) => {
                stream.set_read_timeout(limit)?;
                read(*conn, stream)
            }
            None => {
                std::thread::sleep(limit.unwrap_or_default());
                Input::Tick
            }
        };
        if let Input::Disconnected { .. } = input {
            socket = None;
        }
        client.handle_input(now(), input);
    }
}

fn read(conn: ConnId, stream: &mut TcpStream) -> Input {
    let mut buffer = vec![0; 4096];
    let reason = match stream.read(&mut buffer) {
        Ok(0) => SocketEnd::Eof,
        Ok(len) => {
            buffer.truncate(len);
            let data = buffer.into();
            return Input::Received { conn, data };
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Input::Tick;
        }
        Err(error) => SocketEnd::Failed(error.to_string()),
    };
    Input::Disconnected { conn, reason }
}
