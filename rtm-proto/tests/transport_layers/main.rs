//! The transports against peers in memory: rustls as the TLS server, frames written by hand or by
//! tungstenite's server role as the WebSocket server.
#![cfg(all(feature = "tls", feature = "websocket"))]

mod accounting;
mod closing;
mod proxy;
mod schemes;
mod support;
mod tls;
mod upgrade;
mod websocket;
