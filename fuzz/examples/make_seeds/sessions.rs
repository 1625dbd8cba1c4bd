//! Seeds that are lists of operations: sessions with the calls, answers and
//! pushes of the vectors.

use crate::random;
use crate::streams::server_frame;
use crate::vectors::{Exchange, Vectors};

/// Calls, and records of pushes, in one session.
const CALLS: usize = 5;
const PUSHES: usize = 5;

/// What one session consists of.
struct Session<'a> {
    calls: &'a [Exchange],
    pushes: Vec<Vec<u8>>,
}

fn sessions<'a>(
    calls: &'a [Exchange],
    pushes: &'a [Vec<Vec<u8>>],
) -> impl Iterator<Item = (usize, Session<'a>)> {
    let pushes = pushes.chunks(PUSHES).map(<[_]>::concat);
    let sessions = calls.chunks(CALLS).zip(pushes);
    sessions
        .map(|(calls, pushes)| Session { calls, pushes })
        .enumerate()
}

/// An operation whose last decision is a frame.
fn with_frame(decisions: &[u8], frame: &[u8]) -> Vec<u8> {
    let len = u8::try_from(frame.len()).expect("a short frame");
    [decisions, &[len], frame].concat()
}

/// Operations of the target `connection_ops`.
mod connection {
    pub(super) const CONNECTED: [u8; 1] = [20];
    pub(super) const TRANSMIT: [u8; 2] = [7, 3];
    pub(super) const ANSWER_EMPTY: [u8; 2] = [11, 0];
    pub(super) const ANSWER_ERROR: [u8; 2] = [11, 1];
    /// Raw bytes of the service; what follows is a frame and where to cut it.
    pub(super) const RAW: [u8; 1] = [24];
    pub(super) const NEXT_DEADLINE: [u8; 3] = [18, 0, 0];
    pub(super) const FLOOD_CANCELLED: [u8; 3] = [23, 0, 255];
    pub(super) const FLOOD_EXPIRED: [u8; 3] = [23, 1, 255];
    pub(super) const FLOOD_PINGS: [u8; 4] = [23, 2, 255, 0];
    pub(super) const CLOSE: [u8; 2] = [22, 3];

    /// A quest of so many bytes that may take 200 ms.
    pub(super) fn quest(len: usize) -> [u8; 5] {
        [0, 1, len as u8, 0, 200]
    }
}

pub(crate) fn of_connections(vectors: &Vectors) -> Vec<Vec<u8>> {
    use connection::*;
    let (calls, pushes) = (vectors.exchanges(), vectors.pushes());
    let sessions = sessions(&calls, &pushes).map(|(index, session)| {
        // Every other one is a WebSocket; outputs are mostly taken at once.
        let websocket = index % 2 == 1;
        let switches = u8::from(websocket) | if index % 5 == 4 { 0 } else { 2 };
        let mut out = vec![switches];
        out.extend(CONNECTED);
        out.extend(TRANSMIT);
        if websocket {
            // Where the response is cut.
            out.push(20);
        }
        for (call, seq) in session.calls.iter().zip(1_u32..) {
            out.extend(connection::quest(call.quest.len()));
            out.extend(TRANSMIT);
            let mut answer = call.answer.clone();
            if let (Some(2), Some(place)) = (answer.get(6).copied(), answer.get_mut(12..16)) {
                place.copy_from_slice(&seq.to_le_bytes());
            }
            out.extend(raw(&answer, websocket, index));
        }
        for (at, push) in session.pushes.iter().enumerate() {
            out.extend(raw(push, websocket, at));
            out.extend(if at % 3 == 2 {
                ANSWER_ERROR
            } else {
                ANSWER_EMPTY
            });
        }
        out.extend(TRANSMIT);
        out.extend(connection::quest(40));
        match index % 4 {
            0 => out.extend(FLOOD_CANCELLED),
            1 => out.extend(FLOOD_PINGS),
            2 => out.extend(FLOOD_EXPIRED),
            _ => out.extend([&NEXT_DEADLINE[..], &CLOSE, &TRANSMIT].concat()),
        }
        out
    });
    sessions.chain(random("connection_ops", 10)).collect()
}

fn raw(frame: &[u8], websocket: bool, cut: usize) -> Vec<u8> {
    let frame = match websocket {
        true => server_frame(0x82, frame),
        false => frame.to_vec(),
    };
    [with_frame(&connection::RAW, &frame), vec![cut as u8]].concat()
}

/// Operations of the target `client_ops`.
mod client {
    pub(super) const LOGIN: [u8; 1] = [0];
    pub(super) const LOGOUT: [u8; 1] = [3];
    pub(super) const ADVANCE_LOGIN: [u8; 1] = [41];
    pub(super) const STALL: [u8; 1] = [44];
    pub(super) const CALL_RECORDED: [u8; 1] = [46];
    /// Behind it a recorded package for the newest connection.
    pub(super) const RECEIVE_RECORDED: [u8; 2] = [47, 255];
    /// The service answers everything on the newest connection.
    pub(super) const SERVE: [u8; 2] = [24, 255];
    /// The newest connection ends.
    pub(super) const LOSE: [u8; 3] = [23, 255, 1];
    pub(super) const NEXT_DEADLINE: [u8; 3] = [15, 3, 0];
    pub(super) const ENTER_ROOM: [u8; 3] = [5, 0, 2];
    pub(super) const SET_LANGUAGE: [u8; 3] = [5, 2 << 5, 0];
    pub(super) const SEND_FILE: [u8; 3] = [5, 4 << 5, 20];
    /// A message that may take 4 s.
    pub(super) const SEND: [u8; 3] = [5, 7 << 5 | 1 << 3, 3];
    /// The next deadline comes, and whatever happens next tells so.
    pub(super) const PASS_UNNOTICED: [u8; 3] = [15, 7, 0];
    /// A message that is sent again, and waits for that.
    pub(super) const SEND_SURELY: [u8; 3] = [5, 7 << 5 | 2 << 1 | 1, 3];

    pub(super) fn flood(kind: usize) -> [u8; 3] {
        [45, kind as u8, 255]
    }
}

/// Settings: the gate is given (by TCP or WebSocket), or asked for; duplicates
/// are dropped, or not.
const SETTINGS: [u8; 5] = [0, 64, 32 | 128, 16, 64 | 16];

pub(crate) fn of_clients(vectors: &Vectors) -> Vec<Vec<u8>> {
    use client::*;
    let (calls, pushes) = (vectors.exchanges(), vectors.pushes());
    let sessions = sessions(&calls, &pushes).map(|(index, session)| {
        // Outputs are taken at once; every other one looks for the answers of
        // pushes before their events; some are compared with a second run.
        let modes = [0, 2, 0xe0, 2][index % 4];
        let switches = SETTINGS[index % SETTINGS.len()];
        let log_in = [&LOGIN[..], &ADVANCE_LOGIN, &ADVANCE_LOGIN].concat();
        // Pauses of 10 ms.
        let mut out = vec![modes, switches, 10 << 2 | 1, index as u8];
        out.extend(&log_in);
        for call in session.calls {
            out.extend(with_frame(&CALL_RECORDED, &call.quest));
            out.extend(with_frame(&RECEIVE_RECORDED, &call.answer));
        }
        out.extend([&ENTER_ROOM[..], &SET_LANGUAGE, &SERVE].concat());
        for push in &session.pushes {
            out.extend(with_frame(&RECEIVE_RECORDED, push));
        }
        out.extend([&SEND_SURELY[..], &LOSE, &NEXT_DEADLINE].concat());
        out.extend([&ADVANCE_LOGIN[..], &ADVANCE_LOGIN, &SERVE].concat());
        match index % 3 {
            0 => {
                // The gate says where to send the file, the file gate takes it.
                out.extend(SEND_FILE);
                out.extend([&SERVE[..], &ADVANCE_LOGIN].concat());
            }
            1 => out.extend([&STALL[..], &SEND, &flood(index / 3 % 3)].concat()),
            // The answer comes with the end of its time.
            _ => out.extend([&SEND[..], &PASS_UNNOTICED, &SERVE].concat()),
        }
        if index % 3 != 1 {
            out.extend([&LOGOUT[..], &SERVE].concat());
        }
        out
    });
    sessions.chain(random("client_ops", 10)).collect()
}
