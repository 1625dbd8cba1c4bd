//! Fuzzes what is written and read back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::encode_decode::run(data));
