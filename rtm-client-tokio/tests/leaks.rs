//! What a client leaves behind: nothing. Alone in its process, because it counts what the process has.
#![cfg(target_os = "linux")]

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use rtm_client_tokio::prelude::*;
use rtm_client_tokio::{Builder, Events};
use rtm_gate::Gate;
use tokio::runtime::Handle;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);
const CYCLES: usize = 200;

/// The tests take turns.
static ALONE: Mutex<()> = Mutex::new(());

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("a list of descriptors")
        .count()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn options(gate: &Gate, endpoint: &str) -> Builder {
    let user = &gate.users()[0];
    Client::builder(gate.project_id(), user.id, user.token.as_str())
        .built_in_roots(false)
        .root_certificates_pem(gate.root_certificate())
        .gate(endpoint)
}

/// Waits for the end of the events, which comes with the end of the client.
async fn gone(mut events: Events) {
    let end = async { while events.next().await.is_some() {} };
    timeout(LIMIT, end).await.expect("the events end in time");
}

/// Runs `cycle` over and over; afterwards all is as after the first time.
fn leaves_nothing<F: Future<Output = ()>>(cycle: impl Fn(Arc<Gate>, usize) -> F) {
    let _turn = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let gate = Arc::new(Gate::start().expect("a gate"));
    runtime.block_on(async {
        // The first time may open what stays for good.
        cycle(gate.clone(), 0).await;
        settled(&gate).await;
        let before = (tasks(), descriptors());
        for i in 0..CYCLES {
            cycle(gate.clone(), i).await;
        }
        settled(&gate).await;
        assert_eq!((tasks(), descriptors()), before, "tasks and descriptors");
    });
}

/// Waits until the drivers have ended and the gate has closed every connection.
async fn settled(gate: &Arc<Gate>) {
    let drivers = async {
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, drivers).await.expect("every driver ends");
    let gate = gate.clone();
    let closed = move || gate.wait_for(|seen| seen.open() == 0, LIMIT);
    let closed = tokio::task::spawn_blocking(closed).await;
    assert!(closed.expect("no panic"), "the gate still has connections");
}

#[test]
fn clients_that_log_in_and_are_dropped_leave_nothing() {
    leaves_nothing(async |gate, i| {
        let endpoints = gate.gate();
        let all = [endpoints.tcp, endpoints.ws, endpoints.tls, endpoints.wss];
        let login = options(&gate, &all[i % all.len()]).login();
        let client = timeout(LIMIT, login)
            .await
            .expect("in time")
            .expect("a login");
        let events = client.events();
        let call = timeout(LIMIT, client.get_user_groups()).await;
        call.expect("in time").expect("an answer");
        drop(client);
        gone(events).await;
    });
}

#[test]
fn clients_that_end_in_any_other_way_leave_nothing() {
    leaves_nothing(async |gate, i| {
        let client = options(&gate, &gate.gate().ws)
            .build()
            .expect("valid options");
        let events = client.events();
        match i % 4 {
            // In the middle of a login.
            0 => drop(tokio::spawn(client.login())),
            1 => {
                timeout(LIMIT, client.login())
                    .await
                    .expect("in time")
                    .expect("a login");
                client.abort();
            }
            2 => {
                timeout(LIMIT, client.login())
                    .await
                    .expect("in time")
                    .expect("a login");
                gate.faults().drop_connections();
            }
            _ => {}
        }
        drop(client);
        gone(events).await;
    });
}

#[test]
fn an_idle_client_sleeps() {
    let _turn = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let gate = Gate::start().expect("a gate");
    runtime.block_on(async {
        let mut clients = Vec::new();
        for endpoint in [gate.gate().tcp, gate.gate().wss] {
            let login = options(&gate, &endpoint).login();
            clients.push(
                timeout(LIMIT, login)
                    .await
                    .expect("in time")
                    .expect("a login"),
            );
        }
        let metrics = Handle::current().metrics();
        let before = metrics.worker_park_count(0);
        // The watched time itself, not a wait for something to happen.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let woken = metrics.worker_park_count(0) - before;
        assert!(woken <= 10, "{woken} wake-ups in a second");
    });
}
