//! The two texts that users, groups and rooms have.

use alloc::string::String;

use crate::payload::{CodecError, Payload, PayloadWriter, Text};

/// What a user, a group or a room says about itself. The meaning of the texts
/// is the application's.
///
/// A text that was never set is empty, and so is one that the service does not
/// send. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// What everybody may read (`oinfo`).
    pub public_info: String,
    /// What only the user itself, or those in the group or room, may read
    /// (`pinfo`).
    pub private_info: String,
}

impl Info {
    pub(super) fn decode(answer: &Payload) -> Result<Self, CodecError> {
        let (mut public_info, mut private_info): (Option<Text>, Option<Text>) = (None, None);
        answer.fields(|key, value| match key {
            "oinfo" => value.read_into(&mut public_info),
            "pinfo" => value.read_into(&mut private_info),
            _ => Ok(()),
        })?;
        Ok(Info {
            public_info: public_info.unwrap_or_default().0,
            private_info: private_info.unwrap_or_default().0,
        })
    }

    /// The public text of an answer; services put the private one beside it or
    /// do not.
    pub(super) fn decode_public(answer: &Payload) -> Result<String, CodecError> {
        let mut public_info: Option<Text> = None;
        answer.fields(|key, value| match key {
            "oinfo" => value.read_into(&mut public_info),
            _ => Ok(()),
        })?;
        Ok(public_info.unwrap_or_default().0)
    }
}

/// The texts that a call changes; one that is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) public_info: Option<String>,
    pub(super) private_info: Option<String>,
}

impl Changes {
    pub(super) fn new(public_info: Option<&str>, private_info: Option<&str>) -> Self {
        Changes {
            public_info: public_info.map(Into::into),
            private_info: private_info.map(Into::into),
        }
    }

    pub(super) fn encode(&self, out: &mut PayloadWriter<'_>) {
        out.field_opt("oinfo", self.public_info.as_ref())
            .field_opt("pinfo", self.private_info.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Encoding;
    use bytes::Bytes;

    fn decode(json: &'static str) -> Info {
        let json = Bytes::from_static(json.as_bytes());
        Info::decode(&Payload::new(Encoding::Json, json).unwrap()).unwrap()
    }

    #[test]
    fn a_text_the_service_does_not_send_is_empty() {
        let both = decode(r#"{"oinfo":"open","pinfo":"private"}"#);
        assert_eq!(
            (&*both.public_info, &*both.private_info),
            ("open", "private")
        );
        let public = decode(r#"{"oinfo":"open"}"#);
        assert_eq!((&*public.public_info, &*public.private_info), ("open", ""));
        assert_eq!(decode("{}"), Info::default());
        assert_eq!(decode(r#"{"oinfo":null,"pinfo":null}"#), Info::default());
    }
}
