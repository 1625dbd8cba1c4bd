//! What the heap sees of calls through the whole client of tokio; the rows
//! `alloc` and `dealloc` count.
//!
//! `cargo bench -p rtm-tests --bench allocations`

use std::sync::Arc;
use std::thread;

use divan::{AllocProfiler, Bencher};
use futures::future::join_all;
use rtm_client_tokio::prelude::*;
use rtm_tests::load::FixedService;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A client of a service that answers from other threads, which are not counted.
struct Bench {
    runtime: Runtime,
    client: Client,
}

impl Bench {
    fn new(scheme: &str) -> Self {
        let service = Arc::new(FixedService::bind(0).expect("a free port"));
        let serving = service.clone();
        thread::spawn(move || serving.serve());
        let endpoint = service.endpoints()[scheme]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let login = async { Client::builder(1, 2, "token").gate(endpoint).login().await };
        let client = runtime.block_on(login).expect("the login works");
        Bench { runtime, client }
    }
}

/// Calls of a measurement; the columns count for all of them.
const CALLS: usize = 64_000;

/// Typed messages of 50 bytes, one call after the other in each of so many
/// tasks.
#[divan::bench(args = [("tcp", 1), ("tcp", 64), ("ws", 1), ("ws", 64)], sample_count = 9, sample_size = 1)]
fn messages_64_000(bencher: Bencher<'_, '_>, (scheme, tasks): (&str, usize)) {
    let Bench { runtime, client } = Bench::new(scheme);
    let text = "x".repeat(50);
    let caller = || {
        let (client, text) = (client.clone(), text.clone());
        tokio::spawn(async move {
            for _ in 0..CALLS / tasks {
                let sent = client.send_chat(3, text.as_str()).await;
                sent.expect("an answer");
            }
        })
    };
    bencher.bench_local(|| {
        runtime.block_on(async {
            for outcome in join_all((0..tasks).map(|_| caller())).await {
                outcome.expect("no panic");
            }
        });
    });
}
