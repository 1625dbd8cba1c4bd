//! One user: a machine, and the sockets it asked for.

use std::error::Error;
use std::io;

use mio::Token;
use rtm_proto::api::SendMessage;
use rtm_proto::error::Cause;
use rtm_proto::{Client, Event, Input, Instant, Output, RequestOptions, SocketEnd, State, UserId};

use crate::socket::{Socket, Watcher};

pub(crate) struct User {
    pub(crate) client: Client,
    sockets: Vec<Socket>,
    peer: UserId,
    has_spoken: bool,
}

impl User {
    pub(crate) fn new(client: Client, peer: UserId) -> Self {
        User {
            client,
            sockets: Vec::new(),
            peer,
            has_spoken: false,
        }
    }

    pub(crate) fn is_online(&self) -> bool {
        matches!(self.client.state(), State::Online { .. })
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.client.state(), State::Closed { .. })
    }

    pub(crate) fn say(&mut self, text: &str, now: Instant) -> Result<(), Box<dyn Error>> {
        self.has_spoken = true;
        let chat = SendMessage::chat(self.peer, text);
        let options = RequestOptions::default();
        self.client.request(now, &chat, options)?;
        Ok(())
    }

    /// Does what the client wants and writes what it has, until it waits; gives
    /// the time to wake it.
    pub(crate) fn advance(
        &mut self,
        watcher: &mut Watcher,
        now: &impl Fn() -> Instant,
    ) -> Result<Option<Instant>, Box<dyn Error>> {
        loop {
            let deadline = loop {
                match self.client.poll_output() {
                    Output::Connect { conn, host, port } => {
                        match Socket::dial(watcher, conn, &host, port) {
                            Ok(socket) => self.sockets.push(socket),
                            Err(error) => {
                                let reason = error.to_string();
                                let failed = Input::ConnectFailed { conn, reason };
                                self.client.handle_input(now(), failed);
                            }
                        }
                    }
                    Output::Disconnect { conn } => self.sockets.retain(|open| open.conn != conn),
                    Output::Event(event) => self.handle(event, now())?,
                    Output::Answer { result, .. } => {
                        result?;
                        println!("sent");
                    }
                    Output::Wait { deadline, .. } => break deadline,
                    _ => {}
                }
            };
            self.write(now());
            // The last bytes of a connection may be followed by an order to
            // close it.
            if !self.client.has_output() {
                return Ok(deadline);
            }
        }
    }

    fn handle(&mut self, event: Event, now: Instant) -> Result<(), Box<dyn Error>> {
        match event {
            Event::State(State::Online { session }) => println!("online at {}", session.gate),
            Event::State(State::Closed {
                cause: Cause::LoggedOut,
            }) => println!("logged out"),
            Event::State(State::Closed { cause }) => return Err(cause.to_string().into()),
            Event::Message(message) => {
                println!("{} says {:?}", message.sender, message.body);
                if !self.has_spoken {
                    self.say("hello yourself", now)?;
                }
                // What was said is still answered before the session ends.
                self.client.logout(now);
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, now: Instant) {
        let User {
            client, sockets, ..
        } = self;
        sockets.retain_mut(
            |socket| match socket.write(|conn| client.poll_transmit(conn)) {
                Ok(()) => true,
                Err(error) => {
                    client.handle_input(now, lost(socket, &error));
                    false
                }
            },
        );
    }

    /// Reads what has come for the socket of this token, if it is one of ours.
    pub(crate) fn ready(&mut self, watcher: &mut Watcher, token: Token, now: Instant) {
        let User {
            client, sockets, ..
        } = self;
        sockets.retain_mut(|socket| {
            if socket.token != token {
                return true;
            }
            let gone = receive(client, socket, watcher, now).err();
            let goes_on = gone.is_none();
            if let Some(input) = gone {
                client.handle_input(now, input);
            }
            goes_on
        });
    }
}

/// Gives the client what a socket has; an error is the end of the socket.
fn receive(
    client: &mut Client,
    socket: &mut Socket,
    watcher: &mut Watcher,
    now: Instant,
) -> Result<(), Input> {
    let conn = socket.conn;
    if !socket.is_open {
        let dialed = socket.finish_dialing(watcher);
        dialed.map_err(|error| Input::ConnectFailed {
            conn,
            reason: error.to_string(),
        })?;
        if !socket.is_open {
            return Ok(());
        }
        client.handle_input(now, Input::Connected { conn });
    }
    let read = socket.read(|data| client.handle_input(now, Input::Received { conn, data }));
    match read {
        Ok(true) => Ok(()),
        Ok(false) => Err(Input::Disconnected {
            conn,
            reason: SocketEnd::Eof,
        }),
        Err(error) => Err(lost(socket, &error)),
    }
}

fn lost(socket: &Socket, error: &io::Error) -> Input {
    Input::Disconnected {
        conn: socket.conn,
        reason: SocketEnd::Failed(error.to_string()),
    }
}
