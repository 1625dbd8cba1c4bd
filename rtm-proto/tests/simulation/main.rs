//! Clients and a service in one thread on virtual time, over networks that
//! lose, cut, delay, slow down and repeat.
//!
//! Each seed is a world of its own. A seed that fails runs by itself with the
//! command that is printed then:
//!
//! ```text
//! RTM_SIM_SEED=17 cargo test -p rtm-proto --test simulation -- --exact the::test
//! ```
//!
//! `RTM_SIM_SEEDS=100000` runs that many instead of the default.
#![cfg(feature = "websocket")]

mod chaos;
mod dice;
mod fleet;
mod lane;
mod link;
mod network;
mod own;
mod pushing;
mod seeds;
mod service;
mod user;
mod watch;
mod watching;
mod wire;
mod world;
