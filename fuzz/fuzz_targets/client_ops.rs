//! Fuzzes a client with its logins, redirects, reconnects and files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::client_ops::run(data));
