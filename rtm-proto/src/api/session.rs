//! The user's sessions: attributes, kicking another session, devices, the
//! debug log.
//!
//! Wire methods: `addattrs`, `getattrs`, `kickout`, `adddevice`,
//! `removedevice`, `adddebuglog`. `auth` and `bye` are the client's own:
//! [`Client::login`](crate::Client::login) and
//! [`Client::logout`](crate::Client::logout).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Caller, decode_nothing};
use crate::config::Token;
use crate::error::RequestError;
use crate::payload::{
    CodecError, FromPayload, Payload, PayloadWriter, Required, Text, Value, ValueKind,
};
use crate::request::{Context, Remembered, Request};

/// Adds attributes to the connection (`addattrs`).
///
/// They last as long as the connection; the client adds them again after a
/// reconnect. All sessions of the user can read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAttributes {
    attributes: BTreeMap<String, String>,
}

impl SetAttributes {
    /// Adds `attributes`, replacing those with the same keys.
    pub fn new<K, V>(attributes: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = attributes.into_iter();
        SetAttributes {
            attributes: pairs.map(|(k, v)| (k.into(), v.into())).collect(),
        }
    }
}

impl Request for SetAttributes {
    type Response = ();

    fn method(&self) -> &str {
        "addattrs"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("attrs", &self.attributes);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }

    fn remembers(&self) -> Option<Remembered> {
        Some(Remembered::Attributes(self.attributes.clone()))
    }
}

/// Reads the attributes of all sessions of the user (`getattrs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetAttributes;

impl GetAttributes {
    /// The attributes of the logged-in user's sessions.
    #[must_use]
    pub const fn new() -> Self {
        GetAttributes
    }
}

/// The attributes of one session: those the application set, and those the
/// gate adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionAttributes(pub BTreeMap<String, String>);

impl SessionAttributes {
    /// What names the session for [`KickSession`], if the gate tells (`ce`).
    #[must_use]
    pub fn session_endpoint(&self) -> Option<&str> {
        self.get("ce")
    }

    /// When the session was opened, as the gate writes it, UTC (`login`).
    #[must_use]
    pub fn login_time(&self) -> Option<&str> {
        self.get("login")
    }

    /// The attribute `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

impl FromPayload for SessionAttributes {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let mut attributes = BTreeMap::new();
        value.entries(|key, value| {
            let key = key.read::<Text>()?.0;
            if let Some(text) = value.read::<Option<Text>>()? {
                attributes.insert(key, text.0);
            }
            Ok(())
        })?;
        Ok(SessionAttributes(attributes))
    }
}

impl Request for GetAttributes {
    type Response = Vec<SessionAttributes>;

    fn method(&self) -> &str {
        "getattrs"
    }

    fn encode(&self, _: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        Ok(())
    }

    /// Gates answer with a list of maps, or with a single map.
    fn decode(&self, _: &Context, answer: Payload) -> Result<Self::Response, CodecError> {
        let mut sessions = None;
        answer.fields(|key, value| {
            if key != "attrs" {
                return Ok(());
            }
            sessions = match value.kind() {
                ValueKind::Map => Some(alloc::vec![value.read()?]),
                _ => value.read()?,
            };
            Ok(())
        })?;
        sessions.required("attrs")
    }
}

/// Ends another session of the same user (`kickout`).
///
/// One's own session is refused with 200012.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KickSession {
    session_endpoint: String,
}

impl KickSession {
    /// Ends the session that [`SessionAttributes::session_endpoint`] names.
    pub fn new(session_endpoint: impl Into<String>) -> Self {
        KickSession {
            session_endpoint: session_endpoint.into(),
        }
    }
}

impl Request for KickSession {
    type Response = ();

    fn method(&self) -> &str {
        "kickout"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("ce", self.session_endpoint.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Registers a device for push notifications (`adddevice`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddDevice {
    app_type: String,
    device_token: Token,
}

impl AddDevice {
    /// `app_type` is `"apns"` or `"fcm"`, `device_token` what that service
    /// gave the device.
    pub fn new(app_type: impl Into<String>, device_token: impl Into<String>) -> Self {
        AddDevice {
            app_type: app_type.into(),
            device_token: Token::from(device_token.into()),
        }
    }
}

impl Request for AddDevice {
    type Response = ();

    fn method(&self) -> &str {
        "adddevice"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("apptype", self.app_type.as_str())
            .field("devicetoken", self.device_token.expose());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Unregisters a device (`removedevice`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveDevice {
    device_token: Token,
}

impl RemoveDevice {
    /// Unregisters the device with this token.
    pub fn new(device_token: impl Into<String>) -> Self {
        RemoveDevice {
            device_token: Token::from(device_token.into()),
        }
    }
}

impl Request for RemoveDevice {
    type Response = ();

    fn method(&self) -> &str {
        "removedevice"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("devicetoken", self.device_token.expose());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Writes to the service's debug log (`adddebuglog`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddDebugLog {
    message: String,
    attrs: String,
}

impl AddDebugLog {
    /// Logs `message` with `attrs`.
    pub fn new(message: impl Into<String>, attrs: impl Into<String>) -> Self {
        AddDebugLog {
            message: message.into(),
            attrs: attrs.into(),
        }
    }
}

impl Request for AddDebugLog {
    type Response = ();

    fn method(&self) -> &str {
        "adddebuglog"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("msg", self.message.as_str())
            .field("attrs", self.attrs.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Sessions, devices and the debug log.
pub trait SessionApi: Caller {
    /// Adds attributes to the connection (`addAttrs`).
    #[doc(alias = "addAttrs")]
    fn set_attributes<K, V>(
        &self,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self::Reply<SetAttributes>
    where
        K: Into<String>,
        V: Into<String>,
    {
        self.call(SetAttributes::new(attributes))
    }

    /// Reads the attributes of all sessions of the user (`getAttrs`). Gives
    /// one [`SessionAttributes`] a session.
    #[doc(alias = "getAttrs")]
    fn get_attributes(&self) -> Self::Reply<GetAttributes> {
        self.call(GetAttributes)
    }

    /// Ends another session of the user (`kickout`).
    #[doc(alias = "kickout")]
    fn kick_session(&self, session_endpoint: impl Into<String>) -> Self::Reply<KickSession> {
        self.call(KickSession::new(session_endpoint))
    }

    /// Registers a device for push notifications (`addDevice`).
    #[doc(alias = "addDevice")]
    fn add_device(
        &self,
        app_type: impl Into<String>,
        device_token: impl Into<String>,
    ) -> Self::Reply<AddDevice> {
        self.call(AddDevice::new(app_type, device_token))
    }

    /// Unregisters a device (`removeDevice`).
    #[doc(alias = "removeDevice")]
    fn remove_device(&self, device_token: impl Into<String>) -> Self::Reply<RemoveDevice> {
        self.call(RemoveDevice::new(device_token))
    }

    /// Writes to the service's debug log (`addDebugLog`).
    #[doc(alias = "addDebugLog")]
    fn add_debug_log(
        &self,
        message: impl Into<String>,
        attrs: impl Into<String>,
    ) -> Self::Reply<AddDebugLog> {
        self.call(AddDebugLog::new(message, attrs))
    }
}
