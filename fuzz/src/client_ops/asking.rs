//! What the application asks of the client.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::api::{
    Custom, EnterRoom, LeaveRoom, SendFile, SendMessage, SetAttributes, SetTranslationLanguage,
};
use rtm_proto::frame::Frame;
use rtm_proto::{CallId, Input, MessageType, Request, RequestOptions, UserId};

use super::model::Model;
use super::settings::{CALL_LIMIT, FILE_LIMIT};
use super::talk::read;

/// How a call is made.
#[derive(Clone, Copy, Default)]
struct Options {
    wait_online: bool,
    resends: u8,
    /// Zero is the client's own.
    timeout: Duration,
}

/// Floods per input; more find nothing new and take long.
const MAX_FLOODS: u8 = 2;

impl Model<'_> {
    pub(super) fn call(&mut self) {
        let switches = self.source.byte();
        let options = Options {
            wait_online: switches & 1 != 0,
            resends: switches >> 1 & 3,
            timeout: Duration::from_millis(u64::from(switches >> 3 & 3) * 4000),
        };
        let what = self.source.byte();
        let size = usize::from(what) * 12;
        let room = i64::from(what % 4);
        match switches >> 5 {
            0 => self.request(&EnterRoom::new(room), options),
            1 => self.request(&LeaveRoom::new(room), options),
            2 => self.request(&SetTranslationLanguage::new("en"), options),
            3 => self.request(&SetAttributes::new([("a", "b")]), options),
            4 | 5 => {
                let file = SendFile::new(UserId(1), MessageType(40), vec![what; size]);
                self.request(&file, options)
            }
            _ => self.request(&SendMessage::chat(UserId(1), "x".repeat(size)), options),
        };
    }

    fn request<R: Request>(&mut self, request: &R, options: Options) -> Option<CallId> {
        let limit = match request.upload() {
            _ if !options.timeout.is_zero() => options.timeout,
            Some(_) => FILE_LIMIT,
            None => CALL_LIMIT,
        };
        let carried_out = RequestOptions::default()
            .wait_online(options.wait_online)
            .resend_on_loss(options.resends)
            .timeout(options.timeout);
        let now = self.tell_time();
        match self.client.request(now, request, carried_out) {
            Ok(call) => {
                let repeats = options.resends > 0;
                self.calls.accepted(call, self.clock + limit, repeats);
                Some(call)
            }
            Err(error) => {
                self.calls.failed(&error);
                self.digest(&error);
                None
            }
        }
    }

    /// A call with the bytes of a recorded one.
    pub(super) fn call_recorded(&mut self) {
        let package = Bytes::copy_from_slice(self.source.some());
        let Some(Frame::Quest(quest)) = read(package) else {
            return;
        };
        let body = quest.payload.to_value().ok();
        let fields = body.as_ref().and_then(|body| body.as_map());
        let mut request = Custom::new(quest.method());
        for (key, value) in fields.into_iter().flatten() {
            request = request.field(key.as_str().unwrap_or_default(), value.clone());
        }
        self.request(&request, Options::default());
    }

    /// Much of the same while nothing leaves.
    pub(super) fn flood(&mut self) {
        self.drain();
        let (kind, count) = (self.source.below(3), self.source.byte());
        self.floods += 1;
        if self.floods > MAX_FLOODS {
            return;
        }
        if kind == 2 {
            if let Some(conn) = self.gate {
                let pings = self.peers[&conn].ping(8 * usize::from(count));
                self.deliver(conn, pings);
            }
            return;
        }
        let moment = Duration::from_millis(1);
        let options = Options {
            timeout: moment,
            ..Options::default()
        };
        for _ in 0..count {
            let message = SendMessage::chat(UserId(1), "x".repeat(2000));
            let Some(call) = self.request(&message, options) else {
                return;
            };
            if kind == 0 {
                self.client.cancel(call);
                self.calls.cancelled(call);
            } else {
                self.now = self.clock + moment;
                self.input(Input::Tick);
            }
        }
    }

    pub(super) fn cancel(&mut self) {
        let known = self.calls.known();
        if let Some(call) = self.source.pick(&known) {
            self.client.cancel(call);
            self.calls.cancelled(call);
        }
    }
}
