//! Reads the bodies of messages, which pushes, history and single messages
//! carry in the same forms.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use super::message::{Body, Translation};
use crate::payload::{COPY_BELOW, CodecError, FromPayload, Text, TextOrBytes, Value, ValueKind};

/// A body, and what it was translated from.
pub(crate) struct Content {
    pub(crate) body: Body,
    pub(crate) translation: Option<Box<Translation>>,
}

impl Content {
    /// What stands for a body that is not there.
    pub(crate) const fn empty() -> Self {
        Content {
            body: Body::Text(String::new()),
            translation: None,
        }
    }
}

impl FromPayload for Content {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        if value.kind() == ValueKind::Map {
            let translation = translation(value)?;
            return Ok(Content {
                body: Body::Text(translation.plain_text().into()),
                translation: Some(Box::new(translation)),
            });
        }
        let body = match value.read()? {
            TextOrBytes::Text(text) => Body::Text(text),
            TextOrBytes::Bytes(bytes) => Body::Binary(unpinned(bytes)),
        };
        Ok(Content {
            body,
            translation: None,
        })
    }
}

fn translation(value: Value<'_>) -> Result<Translation, CodecError> {
    let mut translation = Translation::default();
    value.entries(|key, value| {
        let slot = match key.read::<Text>()?.0.as_str() {
            "source" => &mut translation.source_language,
            "target" => &mut translation.target_language,
            "sourceText" => &mut translation.source_text,
            "targetText" => &mut translation.target_text,
            _ => return Ok(()),
        };
        if let Some(text) = value.read::<Option<Text>>()? {
            *slot = text.0;
        }
        Ok(())
    })?;
    Ok(translation)
}

fn unpinned(bytes: Bytes) -> Bytes {
    if bytes.len() < COPY_BELOW {
        Bytes::copy_from_slice(&bytes)
    } else {
        bytes
    }
}
