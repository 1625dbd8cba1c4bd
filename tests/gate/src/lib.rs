//! A faithful RTM service in one process, for first steps and for tests: dispatch, gate and file gate, with the rules of the
//! real ones, and faults on command.
//!
//! It speaks msgpack and JSON over TCP, WebSocket, TLS and WebSocket behind TLS, on two ports of 127.0.0.1: one for the
//! plain transports, one for those behind TLS. It runs on a thread of its own and keeps everything in memory.
//!
//! ```
//! use std::time::Duration;
//!
//! let gate = rtm_gate::Gate::start()?;
//! let user = &gate.users()[0];
//! println!("log in as {} with {} at {}", user.id, user.token, gate.gate().tcp);
//! # use std::io::Write;
//! # let address = gate.gate().tcp.replace("tcp://", "");
//! # let mut client = std::net::TcpStream::connect(address)?;
//! # client.write_all(b"FPNN\x01\x80\x01\x05\x01\0\0\0\x01\0\0\0*ping\x80")?;
//! assert!(gate.wait_for(|seen| seen.count("*ping") == 1, Duration::from_secs(10)));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Clients see a service like the public C++ framework (`highras/fpnn`) running RTM. Beyond RTM it knows two quests:
//! `t_echo {v}` answers `{v}`, and `t_push {n, len = 5, method = "pushmsg", mode = "twoway" | "oneway" | "json",
//! mtype = 30, mid0?}` answers `{n}` and pushes `n` messages of `len` bytes to whoever asked, with message ids from `mid0`
//! on, or rising from quest to quest. Both work without login.
//!
//! A file that was sent is announced by a URL on the plain port, `http://127.0.0.1:PORT/files/NAME`, and served there to
//! anybody who asks with GET: one request per connection, 404 for what is not there. The latest 1 024 files are kept, as
//! far as they are not more than 64 MiB together.

mod area;
mod builder;
mod clock;
mod conn;
mod faults;
mod file_tokens;
mod files;
mod gate;
mod history;
mod outbox;
mod params;
mod refusal;
mod seen;
mod serve;
mod service;
mod tls;
mod wire;
mod wirefault;
mod world;

pub use builder::Builder;
pub use conn::Mode;
pub use faults::{Effect, Faults, Times, Whom};
pub use gate::{Endpoints, Gate, User};
pub use seen::{Connection, Ended, PushAnswer, Quest, Seen, Transport};
pub use wire::{Encoding, Value};
pub use wirefault::WireFault;
