//! Proves that `rtm-proto` without its default features needs no standard
//! library: this program has none, and runs a client through a session.
//!
//! `std` anywhere below it brings a second panic handler, and the build fails
//! with E0152; `check.sh` asserts both. Linux only, as it links libc.

#![no_std]
#![no_main]

extern crate alloc;

mod runtime;
mod service;
mod session;

use core::ffi::c_int;

// `unsafe` here and in `runtime` is what the language demands of whoever
// provides the symbols that `std` usually does: the unmangled names and the
// allocator. The session itself is free of it.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    session::login_message_push_and_file();
    runtime::say("rtm-proto runs without std\n");
    0
}
