//! Two users in one thread, over TLS and WebSocket, with nothing but readiness.
//!
//! Both log in through the dispatch service of the local gate, talk and log
//! out. `mio` says which sockets are ready; the core does TLS and WebSocket
//! itself, so the loop is the same for every transport: run it with `wss`
//! (the default), `ws`, `tls` or `tcp` as its argument.
// The machines are told the time; this program is what tells them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod socket;
mod user;

use std::error::Error;
use std::io::ErrorKind;
use std::time::{Duration, Instant as Clock, SystemTime, UNIX_EPOCH};

use mio::Events;
use rtm_proto::transport::TlsOptions;
use rtm_proto::{Client, Config, Input, Instant, UserId};

use socket::Watcher;
use user::User;

fn main() -> Result<(), Box<dyn Error>> {
    let scheme = std::env::args().nth(1).unwrap_or("wss".into());
    let gate = rtm_gate::Gate::start()?;
    let endpoints = gate.dispatch();
    let dispatch = match scheme.as_str() {
        "wss" => endpoints.wss,
        "ws" => endpoints.ws,
        "tls" => endpoints.wss.replace("wss:", "tls:"),
        "tcp" => endpoints.tcp,
        other => return Err(format!("no such transport: {other}").into()),
    };
    // Shared by both clients: sessions resume, roots are read once.
    let tls = TlsOptions::builder()
        .add_root_pem(gate.root_certificate())?
        .build()?;

    let start = Clock::now();
    let now = || Instant::from_duration(start.elapsed());
    let unix = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut users = Vec::new();
    for (me, peer) in [(0, 1), (1, 0)] {
        let (me, peer) = (&gate.users()[me], UserId(gate.users()[peer].id));
        let config = Config::new(gate.project_id(), UserId(me.id), me.token.as_str())
            .dispatch(dispatch.parse()?)
            .tls(tls.clone());
        // A fleet of clients wants real randomness for its seeds.
        let seed = unix.as_nanos() as u64 ^ me.id as u64;
        let mut client = Client::new(config, seed, now(), unix);
        client.login(now());
        users.push(User::new(client, peer));
    }

    let mut watcher = Watcher::new()?;
    let mut events = Events::with_capacity(64);
    let mut greeted = false;
    loop {
        // 1. Let each machine do what it wants until it waits.
        let mut deadline: Option<Instant> = None;
        for user in &mut users {
            let wake = user.advance(&mut watcher, &now)?;
            deadline = [deadline, wake].into_iter().flatten().min();
        }
        if !greeted && users.iter().all(User::is_online) {
            greeted = true;
            users[0].say("hello from a loop of my own", now())?;
            continue;
        }
        if users.iter().all(User::is_closed) {
            return Ok(());
        }

        // 2. Wait for a socket or the deadline. The limit is rounded up, so
        //    that the time has come when the wait ends.
        let limit = deadline.map(|at| (at - now()) + Duration::from_millis(1));
        match watcher.poll.poll(&mut events, limit) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }

        // 3. Tell the machines what happened.
        for user in &mut users {
            user.client.handle_input(now(), Input::Tick);
            for event in &events {
                user.ready(&mut watcher, event.token(), now());
            }
        }
    }
}
