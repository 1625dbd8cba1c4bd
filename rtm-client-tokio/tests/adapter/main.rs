//! The client on real sockets: how connections begin and end, what calls give, and what the wire may do to them.

mod aborts;
mod bells;
mod calls;
mod endings;
mod handshakes;
mod logins;
mod reconnects;
mod refusals;
mod support;
mod wire;
