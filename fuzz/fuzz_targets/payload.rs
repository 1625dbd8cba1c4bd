//! Fuzzes the reader of bodies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::payload::run(data));
