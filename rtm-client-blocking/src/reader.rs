//! The thread of a connection: connects it, then reads from it.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rtm_proto::{ConnId, Input, SocketEnd};

use crate::engine::Engine;
use crate::seat::Place;
use crate::socket::WRITE_PATIENCE;

/// How long one address may take before the next is tried. The client's own
/// limit for the connection as a whole ends the wait.
const ADDRESS_LIMIT: Duration = Duration::from_secs(10);

/// Starts the thread of a connection.
///
/// A connection that nobody wants any more while it is being opened ends the
/// thread as soon as the system lets go of it: after [`ADDRESS_LIMIT`] at the
/// latest, or what the lookup of its name takes.
pub(crate) fn start(engine: Arc<Engine>, conn: ConnId, host: String, port: u16) -> io::Result<()> {
    let name = thread::Builder::new().name("rtm-reader".into());
    name.spawn(
        move || match dial(&engine, conn, &host, port).and_then(both_sides) {
            Ok((reading, writing)) => {
                if let Some(_reading) = engine.connected(conn, writing) {
                    let reason = read(&engine, conn, reading);
                    engine.ended(conn, Input::Disconnected { conn, reason });
                }
            }
            Err(error) => {
                let reason = error.to_string();
                engine.ended(conn, Input::ConnectFailed { conn, reason });
            }
        },
    )?;
    Ok(())
}

/// Connects to the first address of `host` that answers, as long as somebody
/// wants it.
fn dial(engine: &Arc<Engine>, conn: ConnId, host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let mut failed = io::Error::new(ErrorKind::NotFound, format!("{host} has no address"));
    for address in addresses {
        if !engine.wants(conn) {
            break;
        }
        match TcpStream::connect_timeout(&address, ADDRESS_LIMIT) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The reading and the writing side of a socket.
fn both_sides(stream: TcpStream) -> io::Result<(TcpStream, TcpStream)> {
    // Calls are small and waited for: never hold one back to fill a segment.
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    Ok((stream.try_clone()?, stream))
}

/// Reads until the socket ends.
fn read(engine: &Arc<Engine>, conn: ConnId, stream: TcpStream) -> SocketEnd {
    let mut place = Place::new(conn, stream);
    loop {
        let data = match place.read() {
            Ok(Some(data)) => data,
            Ok(None) => continue,
            Err(end) => return end,
        };
        // Asked beforehand: the caller may be gone once it has its answer.
        let is_quick = engine.seat.is_quick();
        engine.report(Input::Received { conn, data });
        if is_quick {
            place = match engine.seat.offer(place) {
                Ok(place) => place,
                Err(end) => return end,
            };
        }
    }
}
