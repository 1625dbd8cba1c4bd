//! Calls: acceptance, sending, waiting, repeating, ending.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::calls::{Call, MethodName, Place};
use super::links::QuestKey;
use super::uploads::{Transfer, quest_error, server_error};
use super::{Client, ConnId, Output, Phase};
use crate::connection::ServerError;
use crate::error::{ErrorCode, RequestError, RequestErrorKind};
use crate::ids::MessageId;
use crate::payload::{Encoding, Payload, PayloadWriter};
use crate::request::{CallId, Context, Remembered, Request, RequestOptions};
use crate::time::Instant;

/// A scratch buffer larger than this is given back after use.
const SCRATCH_LIMIT: usize = 64 * 1024;

/// What an accepted call does first.
enum Start {
    Send(ConnId),
    Wait,
}

impl Client {
    /// Makes a call. It ends exactly once: with one [`Output::Answer`] that
    /// carries the returned id, or by [`cancel`](Self::cancel).
    ///
    /// The deadline runs from `now`.
    ///
    /// # Errors
    ///
    /// A call that is refused here does not exist and sent nothing:
    /// `NotConnected` without a session (unless the options say to wait),
    /// `Invalid` or `Encode` for its arguments, `Backpressure` when too much is
    /// waiting already. The error of a message carries its id all the same.
    pub fn request<R: Request>(
        &mut self,
        now: Instant,
        request: &R,
        options: RequestOptions,
    ) -> Result<CallId, RequestError> {
        self.advance(now);
        let message = request.message();
        let mut context = Context {
            project_id: self.config.project_id,
            user_id: self.config.user_id,
            message_id: MessageId::NONE,
            check_arguments: self.config.check_arguments,
            file_signature: self.config.file_signature,
            deduplicated: false,
        };
        if let Some(message) = message {
            context.message_id = self.choose_message_id(message.id);
        }
        let name = |error: RequestError| {
            error
                .of_method(request.method())
                .with_message_id(context.message_id)
        };
        let start = self.start_of(&options).map_err(name)?;
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        request.encode(&context, &mut out).map_err(name)?;
        out.finish()
            .map_err(|error| name(RequestError::new("", RequestErrorKind::Encode(error))))?;
        let default_limit = match request.upload() {
            Some(_) => self.config.file_timeout,
            None => self.config.request_timeout,
        };
        let tries = message.map_or(0, |_| options.resend_on_loss);
        let call = Call {
            method: MethodName::new(request.method()),
            context,
            deadline: self.clock.now + options.timeout.unwrap_or(default_limit),
            place: Place::Waiting,
            sent: false,
            may_be_duplicate: message.is_some_and(|message| message.resend),
            tries_left: tries,
            held: None,
            remembered: request.remembers().map(Box::new),
            transfer: request.upload().cloned().map(Transfer::new),
        };
        let accepted = self.accept(call, start);
        if self.scratch.capacity() > SCRATCH_LIMIT {
            self.scratch = BytesMut::new();
        }
        accepted.map_err(name)
    }

    /// Ends a call at once; no answer follows, and one that comes later is
    /// ignored. A call that is not pending is left alone.
    ///
    /// Nothing is sent: the server may still carry out what was sent before.
    pub fn cancel(&mut self, call: CallId) {
        let Some(cancelled) = self.calls.remove(call) else {
            // It may have ended without anybody having been told.
            let told =
                |output: &Output| matches!(output, Output::Answer { call: of, .. } if *of == call);
            self.outputs.retain(|output| !told(output));
            return;
        };
        if let Place::InFlight { conn, seq } = cancelled.place {
            if let Some(link) = self.links.get_mut(conn) {
                link.connection.cancel(seq);
            }
        }
        self.abandon_file_link(&cancelled);
    }

    fn choose_message_id(&mut self, wanted: MessageId) -> MessageId {
        if wanted.is_none() {
            let ms = self.clock.unix().as_millis();
            self.message_ids.next(u64::try_from(ms).unwrap_or(u64::MAX))
        } else {
            wanted
        }
    }

    fn start_of(&self, options: &RequestOptions) -> Result<Start, RequestError> {
        let restoring = self.restoring_now.is_some();
        let kind = match self.phase {
            Phase::Online { .. } if options.wait_online && restoring => return self.may_wait(),
            Phase::Online { conn } => return Ok(Start::Send(conn)),
            Phase::Idle | Phase::Attempt(_) | Phase::AwaitingToken | Phase::Backoff
                if options.wait_online =>
            {
                return self.may_wait();
            }
            _ => RequestErrorKind::NotConnected,
        };
        Err(RequestError::new("", kind))
    }

    fn may_wait(&self) -> Result<Start, RequestError> {
        if self.calls.waiting() < self.config.max_waiting {
            Ok(Start::Wait)
        } else {
            Err(RequestError::new("", RequestErrorKind::Backpressure))
        }
    }

    /// Takes a call whose body is in the scratch buffer.
    fn accept(&mut self, mut call: Call, start: Start) -> Result<CallId, RequestError> {
        if call.transfer.is_some() {
            return self.accept_upload(call, start);
        }
        let body_len = self.scratch.len();
        crate::frame::check_quest(
            call.method.as_str(),
            true,
            body_len,
            self.config.max_package,
        )
        .map_err(|error| RequestError::new("", RequestErrorKind::Encode(error)))?;
        if matches!(start, Start::Wait) || call.tries_left > 0 {
            if self.calls.held_bytes() + body_len > self.config.max_unsent {
                return Err(RequestError::new("", RequestErrorKind::Backpressure));
            }
            call.held = Some(Box::new(Bytes::copy_from_slice(&self.scratch)));
        }
        let id = self.calls.next_id();
        if let Start::Send(conn) = start {
            let deadline = call.try_deadline(self.clock.now);
            let body = core::mem::take(&mut self.scratch);
            let seq = self.send_call(conn, id, call.method.as_str(), &body, deadline);
            self.scratch = body;
            let seq = seq.map_err(|kind| RequestError::new("", kind))?;
            call.place = Place::InFlight { conn, seq };
        }
        if let Some(Remembered::LeftRoom(room)) = call.remembered.as_deref() {
            // Whatever becomes of the call, the user wants out; only a room
            // entered after this is a wish to be in.
            self.memory.forget_room(*room);
            self.calls.forget_entering(*room);
            call.remembered = None;
        }
        self.calls.insert(id, call);
        Ok(id)
    }

    fn accept_upload(&mut self, call: Call, start: Start) -> Result<CallId, RequestError> {
        let file = call.transfer.as_ref().map(|transfer| &transfer.upload);
        let len = file.map_or(0, |file| file.content().len());
        // The package will hold more than the file: not the last check, but
        // the one that comes before anything is sent.
        crate::frame::check_quest(
            call.method.as_str(),
            true,
            len.max(1),
            self.config.max_package,
        )
        .map_err(|error| RequestError::new("", RequestErrorKind::Encode(error)))?;
        let id = self.calls.next_id();
        match start {
            Start::Send(conn) => self.start_upload(conn, id, call),
            Start::Wait if self.calls.held_bytes() + len > self.config.max_unsent => {
                return Err(RequestError::new("", RequestErrorKind::Backpressure));
            }
            Start::Wait => self.calls.insert(id, call),
        }
        Ok(id)
    }

    fn send_call(
        &mut self,
        conn: ConnId,
        id: CallId,
        method: &str,
        body: &[u8],
        deadline: Instant,
    ) -> Result<u32, RequestErrorKind> {
        let link = self
            .links
            .get_mut(conn)
            .ok_or(RequestErrorKind::NotConnected)?;
        link.connection
            .quest(QuestKey::Call(id), method, body, deadline)
            .map_err(quest_error)
    }

    /// Sends every call that waits for a session.
    pub(super) fn send_waiting_calls(&mut self) {
        let Phase::Online { conn } = self.phase else {
            return;
        };
        while let Some(id) = self.calls.first_waiting() {
            if let Some(call) = self.calls.remove(id) {
                let lost = call.sent;
                self.send_held(conn, id, call, |kind| match lost {
                    true => RequestErrorKind::ConnectionLost { sent: true },
                    false => kind,
                });
            }
        }
    }

    /// Sends a call whose body was kept; `refused` says how it ends if that
    /// cannot be done.
    fn send_held(
        &mut self,
        conn: ConnId,
        id: CallId,
        mut call: Call,
        refused: impl FnOnce(RequestErrorKind) -> RequestErrorKind,
    ) {
        if call.transfer.is_some() {
            return self.start_upload(conn, id, call);
        }
        let deadline = call.try_deadline(self.clock.now);
        let body = call.held.as_ref().map_or(&[][..], |body| body);
        match self.send_call(conn, id, call.method.as_str(), body, deadline) {
            Ok(seq) => {
                call.place = Place::InFlight { conn, seq };
                if call.tries_left == 0 {
                    call.held = None;
                }
                self.calls.insert(id, call);
            }
            Err(kind) => self.end_call(id, call, Err(refused(kind))),
        }
    }

    pub(super) fn call_answered(&mut self, id: CallId, result: Result<Payload, ServerError>) {
        let Some(mut call) = self.calls.remove(id) else {
            return;
        };
        let result = match result {
            Err(error) if error.code == ErrorCode::DUPLCATED_MID && call.may_be_duplicate => {
                call.context.deduplicated = true;
                Ok(Payload::empty(Encoding::MsgPack))
            }
            Err(error) => Err(server_error(error)),
            Ok(answer) => Ok(answer),
        };
        self.close_file_link(&call);
        if result.is_ok() {
            if let Some(change) = call.remembered.take() {
                self.memory.apply(*change);
            }
        }
        self.end_call(id, call, result);
    }

    pub(super) fn call_expired(&mut self, conn: ConnId, id: CallId, sent: bool) {
        let Some(mut call) = self.calls.remove(id) else {
            return;
        };
        call.sent |= sent;
        let sent = call.sent;
        if call.transfer.is_some() {
            self.abandon_file_link(&call);
            return self.retry_upload(id, call, RequestErrorKind::TimedOut { sent });
        }
        let in_session = matches!(self.phase, Phase::Online { .. });
        if call.tries_left > 0 && in_session && self.clock.now < call.deadline {
            self.count_try(&mut call);
            let late = |_| RequestErrorKind::TimedOut { sent };
            return self.send_held(conn, id, call, late);
        }
        self.end_call(id, call, Err(RequestErrorKind::TimedOut { sent }));
    }

    pub(super) fn quest_lost(&mut self, key: QuestKey, sent: bool) {
        match key {
            QuestKey::Call(call) => self.call_lost(call, sent),
            // The file itself was not sent.
            QuestKey::FileToken(call) => self.call_lost(call, false),
            _ => {}
        }
    }

    /// The connection of a call ended before its answer came.
    pub(super) fn call_lost(&mut self, id: CallId, sent: bool) {
        let Some(mut call) = self.calls.remove(id) else {
            return;
        };
        call.sent |= sent;
        if self.file_link_of(&call).is_some() {
            // The session is not concerned, and may be used for another try.
            let sent = call.sent;
            return self.retry_upload(id, call, RequestErrorKind::ConnectionLost { sent });
        }
        let session_follows =
            self.config.auto_reconnect && matches!(self.phase, Phase::Online { .. });
        let may_wait = session_follows && self.calls.waiting() < self.config.max_waiting;
        if call.tries_left > 0 && may_wait && self.clock.now < call.deadline {
            self.count_try(&mut call);
            call.place = Place::Waiting;
            self.calls.insert(id, call);
            return;
        }
        let sent = call.sent;
        self.end_call(id, call, Err(RequestErrorKind::ConnectionLost { sent }));
    }

    pub(super) fn count_try(&self, call: &mut Call) {
        call.tries_left -= 1;
        call.may_be_duplicate |= call.sent;
    }

    /// Ends, or repeats, the calls whose time is up and that no connection
    /// keeps.
    pub(super) fn expire_calls(&mut self) {
        while let Some(id) = self.calls.first_expired(self.clock.now) {
            let Some(call) = self.calls.remove(id) else {
                continue;
            };
            let timed_out = RequestErrorKind::TimedOut { sent: call.sent };
            if matches!(call.place, Place::Dialing { .. }) {
                self.abandon_file_link(&call);
                self.retry_upload(id, call, timed_out);
            } else {
                self.end_call(id, call, Err(timed_out));
            }
        }
    }

    /// No session will follow: what waits for one ends.
    pub(super) fn end_waiting_calls(&mut self) {
        while let Some(id) = self.calls.first_waiting() {
            if let Some(call) = self.calls.remove(id) {
                let kind = match call.sent {
                    true => RequestErrorKind::ConnectionLost { sent: true },
                    false => RequestErrorKind::NotConnected,
                };
                self.end_call(id, call, Err(kind));
            }
        }
        if self.is_over() {
            self.end_dialing_calls();
        }
    }

    pub(super) fn end_call(
        &mut self,
        id: CallId,
        call: Call,
        result: Result<Payload, RequestErrorKind>,
    ) {
        let result = result.map_err(|kind| {
            RequestError::new(call.method.as_str(), kind).with_message_id(call.context.message_id)
        });
        self.outputs.push_back(Output::Answer {
            call: id,
            context: call.context,
            result,
        });
    }
}
