//! What happens to the client: time passes, sockets open and end, the service
//! speaks.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::{ConnId, Input, Instant, Output, SocketEnd};

use super::model::Model;
use super::settings::START;
use super::talk::Talk;

impl Model<'_> {
    pub(super) fn pass_time(&mut self) {
        self.drain();
        let deadline = match self.client.poll_output() {
            Output::Wait { deadline, .. } => deadline,
            output => panic!("not drained: {output:?}"),
        };
        let kind = self.source.below(8);
        let step = u64::from(self.source.byte());
        self.now = match kind {
            0 => START + Duration::from_millis(step),
            1 => self.now + Duration::from_millis(step * 500),
            2 => self.now + Duration::from_millis(step),
            _ => deadline.unwrap_or(self.now).max(self.now),
        };
        if kind > 5 {
            // The next thing to happen tells the time.
            return;
        }
        self.input(Input::Tick);
        self.drain();
        if let Output::Wait {
            deadline: Some(at),
            reason,
        } = self.client.poll_output()
        {
            // A clock that went back counts as the last one, which is not known here.
            assert!(at > self.now, "would spin at {at}: {reason:?}");
        }
    }

    /// The time, for the client to be told at once.
    pub(super) fn tell_time(&mut self) -> Instant {
        self.clock = self.clock.max(self.now);
        self.now
    }

    pub(super) fn input(&mut self, input: Input) {
        let now = self.tell_time();
        self.client.handle_input(now, input);
        self.last_input = self.clock;
    }

    /// Mostly the newest connection, sometimes any that ever was.
    pub(super) fn some_conn(&mut self) -> Option<ConnId> {
        match self.source.byte() {
            0..=15 => {
                let known: Vec<ConnId> = self.peers.keys().copied().collect();
                self.source.pick(&known)
            }
            16..=63 => self.live.first().copied(),
            _ => self.live.last().copied(),
        }
    }

    pub(super) fn connected(&mut self) {
        if let Some(conn) = self.some_conn() {
            self.input(Input::Connected { conn });
        }
    }

    /// Everything that the next step of a login needs.
    pub(super) fn advance_login(&mut self) {
        self.drain();
        let Some(conn) = self.live.last().copied() else {
            return;
        };
        self.input(Input::Connected { conn });
        for _ in 0..3 {
            self.drain();
            self.serve_all(conn);
        }
    }

    pub(super) fn lose(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let reason = match self.source.below(3) {
            0 => {
                let reason = "no route".into();
                let input = Input::ConnectFailed { conn, reason };
                self.input(input);
                self.live.remove(&conn);
                return;
            }
            1 => SocketEnd::Eof,
            _ => SocketEnd::Failed("reset".into()),
        };
        let input = Input::Disconnected { conn, reason };
        self.input(input);
        self.live.remove(&conn);
    }

    /// The service answers what it was asked.
    pub(super) fn serve(&mut self) {
        if let Some(conn) = self.some_conn() {
            self.serve_all(conn);
        }
    }

    fn serve_all(&mut self, conn: ConnId) {
        if let Some(peer) = self.peers.get_mut(&conn) {
            let talk = peer.answer_all();
            self.deliver(conn, talk);
        }
    }

    /// The service sends what it likes.
    pub(super) fn receive(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let Some(peer) = self.peers.get_mut(&conn) else {
            return;
        };
        let mut talk = Talk::default();
        for _ in 0..=self.source.below(3) {
            talk.append(peer.say_something(&mut self.source, &mut self.pushes));
        }
        match self.source.below(16) {
            0 => {
                talk.data.truncate(usize::from(self.source.byte()));
                talk.is_damaged = true;
            }
            1 if !talk.data.is_empty() => {
                let at = self.source.below(talk.data.len());
                talk.data[at] = self.source.byte();
                talk.is_damaged = true;
            }
            _ => {}
        }
        self.deliver(conn, talk);
    }

    /// The service sends what one has sent before.
    pub(super) fn receive_recorded(&mut self) {
        let conn = self.some_conn();
        let package = self.source.some();
        if let Some(conn) = conn {
            let peer = self.peers.get_mut(&conn).expect("a connection");
            let talk = peer.repeat(package);
            self.deliver(conn, talk);
        }
    }

    pub(super) fn receive_noise(&mut self) {
        if let Some(conn) = self.some_conn() {
            let noise = Talk::noise(self.source.some());
            self.deliver(conn, noise);
        }
    }

    pub(super) fn deliver(&mut self, conn: ConnId, talk: Talk) {
        if talk.data.is_empty() {
            return;
        }
        // What comes on a connection that is over is not taken in.
        if self.live.contains(&conn) {
            let peer = self.peers.get_mut(&conn).expect("a connection");
            peer.tell(&talk);
            if peer.is_intact() {
                for (tag, has_id, may_be_ignored) in talk.tagged() {
                    self.pushes.sent(conn, tag, has_id, may_be_ignored);
                }
            } else {
                self.pushes.damaged(conn);
            }
        }
        let data = Bytes::from(talk.data);
        self.input(Input::Received { conn, data });
    }
}
