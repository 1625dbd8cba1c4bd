//! The state machine on virtual time: a client, scripted services of our own,
//! and not one socket or thread.

mod bounds;
mod chaos;
mod connection;
mod contract;
mod endings;
mod leaving;
mod liveness;
mod login;
mod login_scenarios;
mod messages;
mod peers;
mod pushes;
mod random;
mod restore;
mod routes;
mod steps;
mod support;
mod tokens;
mod uploads;
