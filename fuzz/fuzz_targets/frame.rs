//! Fuzzes the package decoder.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::frame::run(data));
