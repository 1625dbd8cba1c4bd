//! Fuzzes one connection.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::connection_ops::run(data));
