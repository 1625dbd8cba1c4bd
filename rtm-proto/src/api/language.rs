//! Translation, and the filter for profanity.
//!
//! Wire methods: `setlang`, `translate`, `profanity`.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Caller, decode_nothing};
use crate::error::RequestError;
use crate::event::Translation;
use crate::payload::{CodecError, Payload, PayloadWriter, Required, Text};
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

/// What sort of text is translated (`type`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TextType {
    /// `"chat"`.
    Chat,
    /// `"mail"`.
    Mail,
    /// A type that this list does not know.
    Other(String),
}

impl TextType {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            TextType::Chat => "chat",
            TextType::Mail => "mail",
            TextType::Other(name) => name,
        }
    }
}

impl From<&str> for TextType {
    fn from(name: &str) -> Self {
        match name {
            "chat" => TextType::Chat,
            "mail" => TextType::Mail,
            other => TextType::Other(other.into()),
        }
    }
}

/// What becomes of profanity in a text that is translated (`profanity`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Profanity {
    /// It stays: `"off"`.
    Off,
    /// The call fails, with 200057 in newer services: `"stop"`.
    Stop,
    /// It is masked: `"censor"`.
    Censor,
    /// A mode that this list does not know.
    Other(String),
}

impl Profanity {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Profanity::Off => "off",
            Profanity::Stop => "stop",
            Profanity::Censor => "censor",
            Profanity::Other(name) => name,
        }
    }
}

impl From<&str> for Profanity {
    fn from(name: &str) -> Self {
        match name {
            "off" => Profanity::Off,
            "stop" => Profanity::Stop,
            "censor" => Profanity::Censor,
            other => Profanity::Other(other.into()),
        }
    }
}

/// Translates a text (`translate`).
///
/// Errors worth knowing: 200050 for a language the service does not know,
/// 200051 for an empty text, 200056 if the translation failed.
///
/// ```
/// use rtm_proto::api::{Profanity, Translate};
///
/// let request = Translate::new("hello", "ja")
///     .source_language("en")
///     .profanity(Profanity::Censor);
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translate {
    text: String,
    target_language: String,
    source_language: Option<String>,
    text_type: Option<TextType>,
    profanity: Option<Profanity>,
    post_profanity: Option<bool>,
}

impl Translate {
    /// Translates `text` to `target_language`, for example `"en"`.
    pub fn new(text: impl Into<String>, target_language: impl Into<String>) -> Self {
        Translate {
            text: text.into(),
            target_language: target_language.into(),
            source_language: None,
            text_type: None,
            profanity: None,
            post_profanity: None,
        }
    }

    /// The language of the text (`src`; default: not sent, and the service
    /// finds out).
    #[must_use]
    pub fn source_language(mut self, language: impl Into<String>) -> Self {
        self.source_language = Some(language.into());
        self
    }

    /// What sort of text it is (`type`; default: not sent, which is
    /// [`TextType::Chat`]).
    #[must_use]
    pub fn text_type(mut self, text_type: impl Into<TextType>) -> Self {
        self.text_type = Some(text_type.into());
        self
    }

    /// What becomes of profanity (`profanity`; default: not sent, which is
    /// [`Profanity::Off`]).
    #[must_use]
    pub fn profanity(mut self, profanity: impl Into<Profanity>) -> Self {
        self.profanity = Some(profanity.into());
        self
    }

    /// Whether the translation is filtered too (`postProfanity`; default: not
    /// sent). Newer services ignore it.
    #[must_use]
    pub fn post_profanity(mut self, on: bool) -> Self {
        self.post_profanity = Some(on);
        self
    }
}

impl Request for Translate {
    type Response = Translation;

    fn method(&self) -> &str {
        "translate"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("text", self.text.as_str())
            .field("dst", self.target_language.as_str())
            .field_opt("src", self.source_language.as_ref())
            .field_opt("type", self.text_type.as_ref().map(TextType::as_str))
            .field_opt("profanity", self.profanity.as_ref().map(Profanity::as_str))
            .field_opt("postProfanity", self.post_profanity.as_ref());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Translation, CodecError> {
        let (mut source, mut target): (Option<Text>, Option<Text>) = (None, None);
        let (mut source_text, mut target_text): (Option<Text>, Option<Text>) = (None, None);
        answer.fields(|key, value| match key {
            "source" => value.read_into(&mut source),
            "target" => value.read_into(&mut target),
            "sourceText" => value.read_into(&mut source_text),
            "targetText" => value.read_into(&mut target_text),
            _ => Ok(()),
        })?;
        Ok(Translation {
            source_language: source.required("source")?.0,
            target_language: target.required("target")?.0,
            source_text: source_text.required("sourceText")?.0,
            target_text: target_text.required("targetText")?.0,
        })
    }
}

/// Masks profanity in a text (`profanity`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterProfanity {
    text: String,
    classify: Option<bool>,
}

impl FilterProfanity {
    /// Masks profanity in `text`.
    pub fn new(text: impl Into<String>) -> Self {
        FilterProfanity {
            text: text.into(),
            classify: None,
        }
    }

    /// Whether the service should also say what it found (`classify`;
    /// default: not sent, which is no).
    #[must_use]
    pub fn classify(mut self, on: bool) -> Self {
        self.classify = Some(on);
        self
    }
}

/// A text without profanity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilteredText {
    /// The text, masked where need was.
    pub text: String,
    /// What was found, in the service's words; empty unless asked for.
    pub classification: Vec<String>,
}

impl Request for FilterProfanity {
    type Response = FilteredText;

    fn method(&self) -> &str {
        "profanity"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("text", self.text.as_str())
            .field_opt("classify", self.classify.as_ref());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<FilteredText, CodecError> {
        let (mut text, mut classification): (Option<Text>, Option<Vec<String>>) = (None, None);
        answer.fields(|key, value| match key {
            "text" => value.read_into(&mut text),
            "classification" => value.read_into(&mut classification),
            _ => Ok(()),
        })?;
        Ok(FilteredText {
            text: text.required("text")?.0,
            classification: classification.unwrap_or_default(),
        })
    }
}

/// Languages.
pub trait LanguageApi: Caller {
    /// Sets the language that chats are translated to
    /// (`setTranslationLanguage`); empty turns translation off.
    #[doc(alias = "setTranslationLanguage")]
    fn set_translation_language(
        &self,
        language: impl Into<String>,
    ) -> Self::Reply<SetTranslationLanguage> {
        self.call(SetTranslationLanguage::new(language))
    }

    /// Translates a text to a language (`translate`). Gives a
    /// [`Translation`].
    fn translate(
        &self,
        text: impl Into<String>,
        target_language: impl Into<String>,
    ) -> Self::Reply<Translate> {
        self.call(Translate::new(text, target_language))
    }

    /// Masks profanity in a text (`profanity`). Gives a [`FilteredText`].
    #[doc(alias = "profanity")]
    fn filter_profanity(&self, text: impl Into<String>) -> Self::Reply<FilterProfanity> {
        self.call(FilterProfanity::new(text))
    }
}
