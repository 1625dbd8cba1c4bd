use crate::conn::Times;
use crate::gate::{Gate, User};
use crate::serve::Listeners;
use crate::service::{Config, Ports};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Ids of the users that are always there, beside those that were asked for.
const READY_USERS: [i64; 4] = [1001, 1002, 1003, 1004];

/// Settings of a [`Gate`]. Made by [`Gate::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) port: u16,
    pub(crate) project_id: u32,
    pub(crate) users: Vec<User>,
    pub(crate) single_room: bool,
    pub(crate) rate_limit: Option<usize>,
    pub(crate) ping_interval: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) push_timeout: Duration,
    pub(crate) record: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            port: 0,
            project_id: 1_000_012,
            users: Vec::new(),
            single_room: false,
            rate_limit: None,
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            push_timeout: Duration::from_secs(5),
            record: true,
        }
    }
}

impl Builder {
    /// The port of tcp and ws; tls and wss get the next one. Default 0: two free ports.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The project id that logins must name. Default 1000012.
    pub fn project_id(mut self, id: u32) -> Self {
        self.project_id = id;
        self
    }

    /// Adds a user with a token of the caller's choice. It comes before the ready ones in [`Gate::users`] and is a
    /// member of the ready group too.
    pub fn user(mut self, id: i64, token: impl Into<String>) -> Self {
        let token = token.into();
        self.users.push(User { id, token });
        self
    }

    /// Entering a room leaves the one before. Default off.
    pub fn single_room(mut self, on: bool) -> Self {
        self.single_room = on;
        self
    }

    /// Calls per second and user; more are refused with 200010. Default none.
    pub fn rate_limit(mut self, calls_per_second: usize) -> Self {
        self.rate_limit = Some(calls_per_second);
        self
    }

    /// Time between two RTM pings to a session; at least 1 ms. Default 20 s.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// A connection without a package either way for this long is closed; at least 1 ms. Default 60 s. Pings are
    /// packages too.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// A push not answered within this time counts as failed; at least 1 ms. Default 5 s.
    pub fn push_timeout(mut self, limit: Duration) -> Self {
        self.push_timeout = limit;
        self
    }

    /// Whether quests and answers are kept for [`Gate::seen`]. Default on; off for long runs under load.
    pub fn record(mut self, on: bool) -> Self {
        self.record = on;
        self
    }

    /// Starts the service.
    ///
    /// # Errors
    /// When a port is taken, or the thread cannot be started.
    pub fn start(self) -> io::Result<Gate> {
        Gate::launch(self)
    }

    pub(crate) fn bind(&self) -> io::Result<(Listeners, Ports)> {
        let next = match self.port {
            0 => 0,
            port => port.checked_add(1).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "no port follows 65535 for TLS")
            })?,
        };
        let listeners = listen(self.port, next)?;
        let ports = Ports {
            plain: listeners.plain.local_addr()?.port(),
            tls: listeners.tls.local_addr()?.port(),
        };
        Ok((listeners, ports))
    }

    pub(crate) fn config(&self) -> Config {
        let shortest = Duration::from_millis(1);
        Config {
            project_id: self.project_id,
            single_room: self.single_room,
            rate_limit: self.rate_limit,
            times: Times {
                idle: self.idle_timeout.max(shortest),
                ping: self.ping_interval.max(shortest),
                push: self.push_timeout.max(shortest),
            },
            salt: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos() as u64)
                ^ u64::from(std::process::id()),
        }
    }

    /// The ids of the ready users that were not asked for by hand.
    pub(crate) fn ready_users(&self) -> impl Iterator<Item = i64> {
        let free = READY_USERS
            .into_iter()
            .filter(|id| self.users.iter().all(|user| user.id != *id));
        free.take(READY_USERS.len().saturating_sub(self.users.len()))
    }
}

/// Listens on loopback.
pub(crate) fn listen(plain: u16, tls: u16) -> io::Result<Listeners> {
    let bind = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| io::Error::new(error.kind(), format!("127.0.0.1:{port}: {error}")))
    };
    Ok(Listeners {
        plain: bind(plain)?,
        tls: bind(tls)?,
    })
}
