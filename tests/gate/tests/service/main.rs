//! The service as clients see it, over real sockets, with a client made of nothing but bytes.

mod areas;
mod faults;
mod files;
mod foreign_clients;
mod peer;
mod probes_tcp;
mod probes_websocket;
mod program;
mod rules;
mod transports;
