//! A relay in front of the gate, for addresses and manners that the gate does not have.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How bytes from the gate are handed on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// As they come.
    Plain,
    /// One segment each.
    SingleBytes,
}

/// Listens at an address and relays to a port of 127.0.0.1 until it is dropped.
pub(crate) struct Forward {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Forward {
    pub(crate) async fn start(at: &str, to_port: u16, manner: Manner) -> io::Result<Forward> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut relays = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(gate) = TcpStream::connect(("127.0.0.1", to_port)).await {
                    relays.spawn(relay(client, gate, manner));
                }
            }
        });
        Ok(Forward {
            address,
            _tasks: tasks,
        })
    }
}

async fn relay(client: TcpStream, gate: TcpStream, manner: Manner) {
    let (mut from_client, to_client) = client.into_split();
    let (from_gate, mut to_gate) = gate.into_split();
    let up = async {
        let _ = copy(&mut from_client, &mut to_gate).await;
        let _ = to_gate.shutdown().await;
    };
    // Either end may hang up first; what is still under way then does not matter.
    let _ = tokio::join!(up, down(from_gate, to_client, manner));
}

async fn down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, manner: Manner) -> io::Result<()> {
    match manner {
        Manner::Plain => copy(&mut from, &mut to).await.map(|_| ())?,
        Manner::SingleBytes => single_bytes(&mut from, &mut to).await?,
    }
    to.shutdown().await
}

async fn single_bytes(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> io::Result<()> {
    to.as_ref().set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        for byte in &buffer[..read] {
            to.write_all(&[*byte]).await?;
            tokio::task::yield_now().await;
        }
    }
}
