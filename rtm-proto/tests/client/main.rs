//! The state machine on virtual time: a client, scripted services of our own,
//! and not one socket or thread.

mod login_scenarios;
mod support;
