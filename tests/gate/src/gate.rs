use crate::area;
use crate::builder::{Builder, listen};
use crate::conn::Mode;
use crate::faults::Faults;
use crate::seen::Seen;
use crate::serve::{self, Command};
use crate::service::{Ports, Service};
use crate::tls;
use crate::wire::{Encoding, Value};
use crate::world::World;
use smol::channel::Sender;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The group that the ready users are in.
const READY_GROUP: i64 = 2001;
/// How long to try to listen again on a port that somebody else has taken meanwhile.
const RESTART_LIMIT: Duration = Duration::from_secs(5);

/// A user and a token that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: i64,
    /// The token.
    pub token: String,
}

/// One service by each transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `tcp://127.0.0.1:PORT`
    pub tcp: String,
    /// `ws://127.0.0.1:PORT`, the same port
    pub ws: String,
    /// `tls://localhost:PORT`
    pub tls: String,
    /// `wss://localhost:PORT`, the same port as `tls`
    pub wss: String,
}

/// A running RTM service. Dropping it ends the service and all its connections.
///
/// Every method is synchronous, short, and may be called from any thread and in any runtime.
pub struct Gate {
    service: Arc<Service>,
    commands: Sender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
    root_pem: String,
    users: Vec<User>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("ports", &self.service.ports)
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Starts a service with the default settings on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Settings, to be followed by [`Builder::start`].
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn launch(settings: Builder) -> io::Result<Self> {
        let (listeners, ports) = settings.bind()?;
        let (acceptor, root_pem) = tls::make().map_err(io::Error::other)?;
        let config = settings.config();
        let mut world = World::default();
        let mut users = settings.users.clone();
        for user in &users {
            let tokens = &mut world.users.entry(user.id).or_default().tokens;
            tokens.push(user.token.clone());
        }
        for id in settings.ready_users() {
            // The same in every run, so that tools need not be told.
            let token = world.token(id, 0);
            users.push(User { id, token });
        }
        let group = world.groups.entry(READY_GROUP).or_default();
        group.members.extend(users.iter().map(|user| user.id));
        let service = Arc::new(Service::new(config, ports, world, settings.record));
        let (commands, inbox) = smol::channel::unbounded();
        let for_thread = Arc::clone(&service);
        let thread = std::thread::Builder::new()
            .name("rtm-gate".into())
            .spawn(move || serve::run(&for_thread, &acceptor, listeners, &inbox))?;
        Ok(Self {
            service,
            commands,
            thread: Mutex::new(Some(thread)),
            root_pem,
            users,
        })
    }

    /// Where to look up the gate with `which`.
    pub fn dispatch(&self) -> Endpoints {
        self.gate()
    }

    /// Where to log in. The same ports as [`dispatch`](Self::dispatch): one service answers both.
    pub fn gate(&self) -> Endpoints {
        let Ports { plain, tls } = self.service.ports;
        Endpoints {
            tcp: format!("tcp://127.0.0.1:{plain}"),
            ws: format!("ws://127.0.0.1:{plain}"),
            tls: format!("tls://localhost:{tls}"),
            wss: format!("wss://localhost:{tls}"),
        }
    }

    /// The project id.
    pub fn project_id(&self) -> u32 {
        self.service.config.project_id
    }

    /// At least four users, with the tokens they had at the start.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// A group that all of [`users`](Self::users) are members of.
    pub fn group(&self) -> i64 {
        READY_GROUP
    }

    /// A token that is accepted for this user. Makes the user, or a token, where there is none; otherwise the same
    /// token comes back.
    pub fn token(&self, uid: i64) -> String {
        self.service.world().token(uid, self.service.config.salt)
    }

    /// Makes a user a member of a group, making the group if need be.
    pub fn add_to_group(&self, gid: i64, uid: i64) {
        let mut world = self.service.world();
        world.groups.entry(gid).or_default().members.insert(uid);
    }

    /// Ends a membership.
    pub fn remove_from_group(&self, gid: i64, uid: i64) {
        if let Some(group) = self.service.world().groups.get_mut(&gid) {
            group.members.remove(&uid);
        }
    }

    /// Makes two users friends of each other.
    pub fn make_friends(&self, uid: i64, other: i64) {
        let mut world = self.service.world();
        for (user, friend) in [(uid, other), (other, uid)] {
            world.users.entry(user).or_default().friends.insert(friend);
        }
    }

    /// Sends a text to every session, as the project's own server does.
    pub fn broadcast(&self, from: i64, mtype: u8, text: &str) {
        let mut world = self.service.world();
        area::broadcast(&self.service, &mut world, from, mtype.into(), text);
    }

    /// Pushes anything to every session of a user. Returns the number of sessions.
    pub fn push(&self, uid: i64, method: &str, payload: impl Into<Value>, mode: Mode) -> usize {
        let payload = payload.into();
        let world = self.service.world();
        let sessions = world.sessions_of(uid);
        sessions
            .map(|session| self.service.push(&session.conn, method, &payload, mode))
            .count()
    }

    /// Pushes a payload of any bytes, valid or not, to every session of a user. Returns the number of sessions.
    pub fn push_encoded(
        &self,
        uid: i64,
        method: &str,
        encoding: Encoding,
        payload: &[u8],
        two_way: bool,
    ) -> usize {
        let world = self.service.world();
        let flag = encoding.flag();
        let sessions = world.sessions_of(uid);
        sessions
            .map(|session| {
                let conn = &session.conn;
                self.service
                    .push_encoded(conn, flag, method, payload, two_way);
            })
            .count()
    }

    /// Sends any bytes, a package or not, to every session of a user: over WebSocket as one message, over a byte
    /// stream as they are. Returns the number of sessions.
    pub fn send_bytes(&self, uid: i64, bytes: &[u8]) -> usize {
        let defect = self.service.faults.has_defect_126();
        let world = self.service.world();
        let sessions = world.sessions_of(uid);
        sessions
            .map(|session| session.conn.send(bytes.to_vec(), defect))
            .count()
    }

    /// How many sessions a user has.
    pub fn sessions(&self, uid: i64) -> usize {
        self.service.world().sessions_of(uid).count()
    }

    /// Ends every session of a user: each gets the push `kickout`, then its connection is closed. Returns their number.
    pub fn kick(&self, uid: i64) -> usize {
        let mut world = self.service.world();
        let numbers = world
            .sessions_of(uid)
            .map(|session| session.conn.number)
            .collect::<Vec<_>>();
        for number in &numbers {
            area::end_session(&self.service, &mut world, *number);
        }
        numbers.len()
    }

    /// Puts a user out of a room: sessions that were in it get the push `kickoutroom`.
    pub fn kick_from_room(&self, uid: i64, rid: i64) {
        area::expel(&self.service, &mut self.service.world(), uid, rid);
    }

    /// Bans a user from the project, or lifts the ban: logins are refused with 200024. Sessions stay.
    pub fn ban(&self, uid: i64, banned: bool) {
        self.service.world().users.entry(uid).or_default().banned = banned;
    }

    /// Mutes a user in a group, or lifts that: sends are refused with 200044.
    pub fn ban_in_group(&self, gid: i64, uid: i64, banned: bool) {
        let mut world = self.service.world();
        let muted = &mut world.groups.entry(gid).or_default().muted;
        set(muted, uid, banned);
    }

    /// Mutes a user in a room, or lifts that: sends are refused with 200045.
    pub fn ban_in_room(&self, rid: i64, uid: i64, banned: bool) {
        let mut world = self.service.world();
        let muted = &mut world.rooms.entry(rid).or_default().muted;
        set(muted, uid, banned);
    }

    /// Makes every token there is unacceptable. Sessions stay; [`token`](Self::token) makes fresh ones.
    pub fn expire_tokens(&self) {
        let mut world = self.service.world();
        world
            .users
            .values_mut()
            .for_each(|user| user.tokens.clear());
    }

    /// Faults on command.
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// A copy of the record of everything received.
    pub fn seen(&self) -> Seen {
        self.service.recorder.snapshot()
    }

    /// Starts the record afresh; connections that are open stay in it.
    pub fn forget_seen(&self) {
        self.service.recorder.forget();
    }

    /// Waits until the record fulfils a condition, at most for `limit`; says whether it does. The condition is asked
    /// at each change and must not call the gate.
    pub fn wait_for(&self, condition: impl Fn(&Seen) -> bool, limit: Duration) -> bool {
        self.service.recorder.wait_for(condition, limit)
    }

    /// The root certificate (PEM) behind the TLS port, made at the start. It vouches for `localhost`, 127.0.0.1 and ::1.
    pub fn root_certificate(&self) -> &str {
        &self.root_pem
    }

    /// Stops listening and drops all connections; sessions end with them. Users, tokens and groups stay. Returns when
    /// it is done.
    pub fn stop(&self) {
        let (confirm, done) = std::sync::mpsc::channel();
        if self.commands.try_send(Command::Pause(confirm)).is_ok() {
            // The thread drops its end when everything is closed; nothing is ever sent.
            let _ = done.recv();
        }
    }

    /// [`stop`](Self::stop), then listens again on the same ports; also after a [`stop`](Self::stop) before.
    ///
    /// # Errors
    /// When a port is taken by somebody else and stays so for 5 s.
    pub fn restart(&self) -> io::Result<()> {
        self.stop();
        let Ports { plain, tls } = self.service.ports;
        let give_up = Instant::now() + RESTART_LIMIT;
        let listeners = loop {
            match listen(plain, tls) {
                Ok(listeners) => break listeners,
                Err(error) if Instant::now() >= give_up => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.commands
            .try_send(Command::Resume(listeners))
            .map_err(|_| io::Error::other("the thread of the service is gone"))
    }

    /// Blocks for as long as the service runs: for a program that does nothing else.
    pub fn serve_forever(&self) {
        let thread = {
            let mut slot = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            slot.take()
        };
        if let Some(thread) = thread {
            // It ends by a panic or never.
            let _ = thread.join();
        }
    }
}

fn set(members: &mut std::collections::BTreeSet<i64>, uid: i64, present: bool) {
    if present {
        members.insert(uid);
    } else {
        members.remove(&uid);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.commands.try_send(Command::Stop);
        let mut slot = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = slot.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn the_handle_may_be_shared_and_sent() {
        fn check<T: Send + Sync + 'static>(value: T) -> T {
            value
        }
        let gate = check(std::sync::Arc::new(Gate::start().unwrap()));
        let elsewhere = std::sync::Arc::clone(&gate);
        let token = std::thread::spawn(move || elsewhere.token(5))
            .join()
            .unwrap();
        assert_eq!(token, gate.token(5));
    }
}
