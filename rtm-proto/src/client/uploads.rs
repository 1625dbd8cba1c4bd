//! Files: a token from the gate, a connection to the file gate, the file.
//!
//! ```text
//!             filetoken            connection         sendfile …
//!  accepted ------------> Token ---------------> Dialing -------> InFlight --> ended
//!                           |                       |                |
//!                           +----- fails: ended, or, with tries -----+
//!                                  left, from the start again
//! ```

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::calls::{Call, Place};
use super::links::{QuestKey, Role};
use super::{Client, ConnId, Output, Phase};
use crate::api::Upload;
use crate::config::Endpoint;
use crate::connection::{QuestError, ServerError};
use crate::error::RequestErrorKind;
use crate::event::Event;
use crate::payload::{CodecError, Payload, PayloadWriter, Required};
use crate::request::CallId;
use crate::time::Instant;

/// What a call with a file has besides other calls.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) upload: Upload,
    token: String,
    /// When this try gives up, in whatever step it is.
    until: Instant,
    /// Where in the stream the file ends, once it is queued.
    end: Option<u64>,
    reported: u64,
}

impl Transfer {
    pub(super) fn new(upload: Upload) -> Box<Self> {
        Box::new(Transfer {
            upload,
            token: String::new(),
            until: Instant::ZERO,
            end: None,
            reported: 0,
        })
    }
}

impl Client {
    /// Asks the gate for a file token: the first step of every try.
    pub(super) fn start_upload(&mut self, conn: ConnId, id: CallId, mut call: Call) {
        let until = call.try_deadline(self.clock.now);
        let Some(transfer) = &mut call.transfer else {
            return;
        };
        transfer.until = until;
        transfer.end = None;
        transfer.reported = 0;
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        transfer.upload.write_token_request(&mut out);
        let written = out.finish().map_err(RequestErrorKind::Encode);
        let sent = written.and_then(|()| {
            let link = self.links.get_mut(conn);
            let link = link.ok_or(RequestErrorKind::NotConnected)?;
            let key = QuestKey::FileToken(id);
            link.connection
                .quest(key, "filetoken", &self.scratch, until)
                .map_err(quest_error)
        });
        match sent {
            Ok(seq) => {
                call.place = Place::InFlight { conn, seq };
                self.calls.insert(id, call);
            }
            Err(kind) => self.fail_upload(id, call, kind),
        }
    }

    pub(super) fn file_token_answered(
        &mut self,
        gate: ConnId,
        id: CallId,
        result: Result<Payload, ServerError>,
    ) {
        let Some(mut call) = self.calls.remove(id) else {
            return;
        };
        if self.is_over() {
            // It came with what closed the client.
            let sent = call.sent;
            return self.end_call(id, call, Err(RequestErrorKind::ConnectionLost { sent }));
        }
        let answer = result
            .map_err(server_error)
            .and_then(|answer| read_token(&answer));
        match answer {
            Ok((token, endpoint)) => {
                if let Some(transfer) = &mut call.transfer {
                    transfer.token = token;
                }
                self.dial_file_gate(gate, id, call, endpoint);
            }
            Err(kind) => self.fail_upload(id, call, kind),
        }
    }

    fn dial_file_gate(&mut self, gate: ConnId, id: CallId, mut call: Call, endpoint: Endpoint) {
        let scheme = self.links.get(gate).and_then(|link| link.endpoint.scheme());
        let endpoint = endpoint.with_default_scheme(scheme.unwrap_or(self.config.default_scheme()));
        let at = format!("{endpoint}");
        match self.open_link(Role::File(id), endpoint) {
            Ok(conn) => {
                let until = call
                    .transfer
                    .as_ref()
                    .map_or(call.deadline, |file| file.until);
                call.place = Place::Dialing { conn, until };
                self.calls.insert(id, call);
            }
            Err(error) => {
                let why = format!("{at}: {error}");
                self.fail_upload(id, call, RequestErrorKind::FileGate { why });
            }
        }
    }

    /// The connection to the file gate is open: the file goes out.
    pub(super) fn send_file(&mut self, conn: ConnId, id: CallId) {
        let Some(mut call) = self.calls.remove(id) else {
            return self.close_link(conn);
        };
        let Some(transfer) = &mut call.transfer else {
            return;
        };
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        let signature = self.config.file_signature;
        transfer
            .upload
            .write_file(&call.context, &transfer.token, signature, &mut out);
        let written = out.finish().map_err(RequestErrorKind::Encode);
        let sent = written.and_then(|()| {
            let link = self.links.get_mut(conn);
            let link = link.ok_or(RequestErrorKind::NotConnected)?;
            let method = transfer.upload.method();
            let key = QuestKey::Call(id);
            let seq = link
                .connection
                .urgent_quest(key, method, &self.scratch, transfer.until)
                .map_err(quest_error)?;
            transfer.end = Some(link.connection.position());
            Ok(seq)
        });
        // A file is large, and its token must not linger.
        self.scratch = bytes::BytesMut::new();
        match sent {
            Ok(seq) => {
                call.place = Place::InFlight { conn, seq };
                self.calls.insert(id, call);
            }
            // A handshake that failed: why will be told by its connection.
            Err(RequestErrorKind::NotConnected) => self.calls.insert(id, call),
            Err(kind) => {
                self.fail_upload(id, call, kind);
                self.close_link(conn);
            }
        }
    }

    /// Bytes of the file were handed out.
    pub(super) fn report_progress(&mut self, conn: ConnId) {
        let Some(link) = self.links.get(conn) else {
            return;
        };
        let Role::File(id) = link.role else {
            return;
        };
        let handed_out = link.connection.handed_out();
        let Some((call, transfer)) = self.calls.transfer_mut(id) else {
            return;
        };
        let Some(end) = transfer.end else {
            return;
        };
        let total = transfer.upload.content().len() as u64;
        // The file is the last thing of its package.
        let sent = total.saturating_sub(end.saturating_sub(handed_out));
        if sent > transfer.reported {
            transfer.reported = sent;
            let message_id = call;
            self.outputs.push_back(Output::Event(Event::UploadProgress {
                message_id,
                sent,
                total,
            }));
        }
    }

    /// The file gate cannot be reached, or went away before the file was sent.
    pub(super) fn file_gate_failed(
        &mut self,
        conn: ConnId,
        id: CallId,
        at: &Endpoint,
        why: String,
    ) {
        // A call that has moved on to another try is not concerned.
        let concerned = match self.calls.place_of(id) {
            Some(Place::Dialing { conn: dialing, .. }) => dialing == conn,
            _ => false,
        };
        let Some(call) = concerned.then(|| self.calls.remove(id)).flatten() else {
            return;
        };
        let why = format!("{at}: {why}");
        self.retry_upload(id, call, RequestErrorKind::FileGate { why });
    }

    /// The connection to the file gate is given up before the file was sent.
    pub(super) fn dialing_lost(&mut self, conn: ConnId, id: CallId) {
        // No quest went out on it, so no quest of it is lost.
        if matches!(self.calls.place_of(id), Some(Place::Dialing { conn: dialing, .. }) if dialing == conn)
        {
            self.call_lost(id, false);
        }
    }

    /// Whether a call waits for a connection to a file gate, or on one.
    pub(super) fn file_link_of(&self, call: &Call) -> Option<ConnId> {
        let conn = match call.place {
            Place::Dialing { conn, .. } | Place::InFlight { conn, .. } => conn,
            Place::Waiting => return None,
        };
        let role = self.links.get(conn).map(|link| link.role);
        matches!(role, Some(Role::File(_))).then_some(conn)
    }

    /// Closes the connection that served nothing but this call.
    pub(super) fn close_file_link(&mut self, call: &Call) {
        if let Some(conn) = self.file_link_of(call) {
            self.close_link(conn);
        }
    }

    /// The same for a call that ends before its answer: what of the file has
    /// not left yet must not leave any more.
    pub(super) fn abandon_file_link(&mut self, call: &Call) {
        if let Some(conn) = self.file_link_of(call) {
            self.drop_link(conn);
        }
    }

    /// Starts the transfer again if it may, or ends the call with `kind`.
    pub(super) fn retry_upload(&mut self, id: CallId, mut call: Call, kind: RequestErrorKind) {
        if call.tries_left == 0 || self.clock.now >= call.deadline {
            return self.fail_upload(id, call, kind);
        }
        self.count_try(&mut call);
        match self.phase {
            Phase::Online { conn } => self.start_upload(conn, id, call),
            Phase::Attempt(_) | Phase::AwaitingToken | Phase::Backoff
                if self.calls.waiting() < self.config.max_waiting =>
            {
                call.place = Place::Waiting;
                self.calls.insert(id, call);
            }
            _ => self.fail_upload(id, call, kind),
        }
    }

    /// Ends a call with a file. That the last try did not leave is no comfort
    /// if one before it did: the file may have arrived.
    fn fail_upload(&mut self, id: CallId, call: Call, kind: RequestErrorKind) {
        let kind = match kind {
            RequestErrorKind::NotConnected
            | RequestErrorKind::Backpressure
            | RequestErrorKind::FileGate { .. }
                if call.sent =>
            {
                RequestErrorKind::ConnectionLost { sent: true }
            }
            kind => kind,
        };
        self.end_call(id, call, Err(kind));
    }

    /// The client closed: ends the calls whose connection was being opened,
    /// the only ones left that no connection keeps.
    pub(super) fn end_dialing_calls(&mut self) {
        while let Some(id) = self
            .calls
            .next_deadline()
            .and_then(|deadline| self.calls.first_expired(deadline))
        {
            if let Some(call) = self.calls.remove(id) {
                let sent = call.sent;
                self.end_call(id, call, Err(RequestErrorKind::ConnectionLost { sent }));
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Aborted)
    }
}

fn read_token(answer: &Payload) -> Result<(String, Endpoint), RequestErrorKind> {
    let mut token: Option<String> = None;
    let mut endpoint: Option<String> = None;
    let read = answer.fields(|key, value| match key {
        "token" => value.read_into(&mut token),
        "endpoint" => value.read_into(&mut endpoint),
        _ => Ok(()),
    });
    let required = || -> Result<(String, String), CodecError> {
        read?;
        Ok((token.required("token")?, endpoint.required("endpoint")?))
    };
    let (token, endpoint) = required().map_err(RequestErrorKind::Decode)?;
    let endpoint = endpoint
        .parse()
        .map_err(|error| RequestErrorKind::FileGate {
            why: format!("{error}"),
        })?;
    Ok((token, endpoint))
}

pub(super) fn server_error(error: ServerError) -> RequestErrorKind {
    RequestErrorKind::Server {
        code: error.code,
        message: error.message,
        raiser: error.raiser,
    }
}

pub(super) fn quest_error(error: QuestError) -> RequestErrorKind {
    match error {
        QuestError::Closed => RequestErrorKind::NotConnected,
        QuestError::Backpressure => RequestErrorKind::Backpressure,
        QuestError::Encode(error) => RequestErrorKind::Encode(error),
    }
}
