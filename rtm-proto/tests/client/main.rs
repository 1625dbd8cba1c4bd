//! The state machine on virtual time: a client, scripted services of our own,
//! and not one socket or thread.

mod contract;
mod endings;
mod login;
mod login_scenarios;
mod messages;
mod pushes;
mod restore;
mod session;
mod support;
