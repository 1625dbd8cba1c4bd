//! The bodies of the fuzz targets, one module each.
//!
//! Every module has a function `run` that takes any bytes and panics if the
//! client breaks a promise on them. The programs in `fuzz_targets` hand it what
//! libFuzzer makes up; ordinary tests hand it the seeds.

pub mod client_ops;
pub mod connection_ops;
pub mod encode_decode;
pub mod frame;
pub mod payload;
pub mod repair;
mod source;
mod tree;
pub mod websocket;
mod wire;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 7] = [
    ("client_ops", client_ops::run),
    ("connection_ops", connection_ops::run),
    ("encode_decode", encode_decode::run),
    ("frame", frame::run),
    ("payload", payload::run),
    ("repair", repair::run),
    ("websocket", websocket::run),
];
