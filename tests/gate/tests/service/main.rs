//! The service as clients see it, over real sockets, with a client made of nothing but bytes.

mod peer;
mod rules;
mod transports;
