//! Fuzzes the WebSocket transport.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtm_fuzz::websocket::run(data));
