//! Fuzzes the filter for the 126-byte defect.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::repair::run(data));
