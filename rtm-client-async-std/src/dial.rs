//! Connects TCP sockets.

use std::io;
use std::net::IpAddr;

use async_net::{TcpStream, resolve};
use futures::future;

/// Connects to whichever address of `host` answers first.
pub(crate) async fn dial(host: String, port: u16) -> io::Result<TcpStream> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![(address, port).into()],
        Err(_) => resolve((host.as_str(), port)).await?,
    };
    if addresses.is_empty() {
        let why = format!("{host} has no address");
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    let attempts = addresses
        .into_iter()
        .map(|address| Box::pin(TcpStream::connect(address)));
    let (stream, _) = future::select_ok(attempts).await?;
    // Calls are small and waited for: never hold one back to fill a segment.
    stream.set_nodelay(true)?;
    Ok(stream)
}
