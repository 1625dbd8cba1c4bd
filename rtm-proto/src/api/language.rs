//! Automatic translation.
//!
//! Wire method: `setlang`.

use alloc::string::String;

use super::{Caller, decode_nothing};
use crate::error::RequestError;
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Remembered, Request};

/// Sets the language that chats are translated to (`setlang`).
///
/// A service that does not know the language answers 200050. The client sets
/// it again after a reconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetTranslationLanguage {
    language: String,
}

impl SetTranslationLanguage {
    /// Translates to `language`, for example `"en"`; empty turns translation
    /// off.
    pub fn new(language: impl Into<String>) -> Self {
        SetTranslationLanguage {
            language: language.into(),
        }
    }
}

impl Request for SetTranslationLanguage {
    type Response = ();

    fn method(&self) -> &str {
        "setlang"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("lang", self.language.as_str());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }

    fn remembers(&self) -> Option<Remembered> {
        Some(Remembered::Language(self.language.clone()))
    }
}

/// Languages.
pub trait LanguageApi: Caller {
    /// Sets the language that chats are translated to
    /// (`setTranslationLanguage`); empty turns translation off.
    fn set_translation_language(
        &self,
        language: impl Into<String>,
    ) -> Self::Reply<SetTranslationLanguage> {
        self.call(SetTranslationLanguage::new(language))
    }
}
