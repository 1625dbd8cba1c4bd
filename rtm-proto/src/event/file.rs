//! What a message of a file type says about its file.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use serde_json::value::RawValue;

use super::message::Body;

/// The file that a message of types 40 to 50 tells of.
///
/// Services write it in two ways: a plain URL with attributes
/// `{"sign", "ext"}`, or JSON with more in it, and the sender's own attributes
/// set apart (`highras/rtm-client-sdk-unity Assets/Plugins/rtm`). Both are
/// understood, mixed too. Nothing that a sender writes is an error: what is
/// not as expected is absent, and a body that is no such JSON is the URL as a
/// whole.
///
/// ```
/// use rtm_proto::{Body, FileInfo};
///
/// let old = FileInfo::parse(&Body::from("http://f.example/1.png"), r#"{"sign":"AB","ext":"png"}"#);
/// let new = FileInfo::parse(
///     &Body::from(r#"{"url":"http://f.example/1.png","size":70}"#),
///     r#"{"rtm":{"sign":"ab","ext":"png","filename":"me.png"},"custom":{"mood":"good"}}"#,
/// );
/// assert_eq!(old.url, new.url);
/// assert_eq!(new.size, Some(70));
/// assert_eq!(new.name.as_deref(), Some("me.png"));
/// assert_eq!(new.custom.as_deref(), Some(r#"{"mood":"good"}"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Where to download it.
    pub url: String,
    /// Its length in bytes, if told (`size`).
    pub size: Option<u64>,
    /// Where to download a small version of an image, if there is one
    /// (`surl`).
    pub thumbnail_url: Option<String>,
    /// Its name at the sender, if told (`filename`).
    pub name: Option<String>,
    /// What followed the last dot of its name, if told (`ext`).
    pub extension: Option<String>,
    /// The signature the sender uploaded it with, if told (`sign`).
    pub signature: Option<String>,
    /// What a voice message says about itself (`"type": "audiomsg"`).
    pub voice: Option<VoiceInfo>,
    /// The attributes the sender's application attached (`custom`): a text,
    /// or the JSON it wrote; none if it attached none. Attributes in neither
    /// of the two forms are the application's as a whole.
    pub custom: Option<String>,
}

/// What a voice message says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VoiceInfo {
    /// The language spoken, for example `"en-US"` (`lang`).
    pub language: Option<String>,
    /// How long it lasts, in milliseconds (`duration`).
    pub duration_ms: Option<u64>,
    /// The codec, for example `"AMR_WB"` (`codec`).
    pub codec: Option<String>,
    /// Samples per second (`srate`).
    pub sample_rate: Option<u64>,
}

/// A JSON object whose values are still text.
type Object<'t> = BTreeMap<String, &'t RawValue>;

impl FileInfo {
    /// Reads the body and the attributes of a file message.
    #[must_use]
    pub fn parse(body: &Body, attrs: &str) -> Self {
        let mut info = FileInfo::default();
        info.read_body(&String::from_utf8_lossy(body.as_bytes()));
        info.read_attrs(attrs);
        info
    }

    fn read_body(&mut self, body: &str) {
        let object = object(body).unwrap_or_default();
        match string(&object, "url") {
            Some(url) => {
                self.url = url;
                self.size = number(&object, "size");
                self.thumbnail_url = text(&object, "surl");
            }
            None => self.url = body.into(),
        }
    }

    fn read_attrs(&mut self, attrs: &str) {
        let Some(outer) = object(attrs) else {
            self.custom = present(attrs.into());
            return;
        };
        match outer.get("rtm").map(|rtm| object(rtm.get())) {
            Some(rtm) => {
                self.read_service_attrs(&rtm.unwrap_or_default());
                self.custom = outer.get("custom").and_then(|custom| application(custom));
            }
            None if outer.contains_key("sign") || outer.contains_key("ext") => {
                self.read_service_attrs(&outer);
            }
            None => self.custom = Some(attrs.into()),
        }
    }

    fn read_service_attrs(&mut self, attrs: &Object<'_>) {
        self.name = text(attrs, "filename");
        self.extension = text(attrs, "ext");
        self.signature = text(attrs, "sign");
        if text(attrs, "type").as_deref() == Some("audiomsg") {
            self.voice = Some(VoiceInfo {
                language: text(attrs, "lang"),
                duration_ms: number(attrs, "duration"),
                codec: text(attrs, "codec"),
                sample_rate: number(attrs, "srate"),
            });
        }
    }
}

fn object(json: &str) -> Option<Object<'_>> {
    serde_json::from_str(json).ok()
}

fn string(object: &Object<'_>, key: &str) -> Option<String> {
    serde_json::from_str(object.get(key)?.get()).ok()
}

/// Services write an unknown text as null or as an empty one.
fn text(object: &Object<'_>, key: &str) -> Option<String> {
    string(object, key).and_then(present)
}

fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A number, also in quotes.
fn number(object: &Object<'_>, key: &str) -> Option<u64> {
    let json = object.get(key)?.get();
    match serde_json::from_str::<String>(json) {
        Ok(text) => text.parse().ok(),
        Err(_) => json.parse().ok(),
    }
}

/// What an application attached: a JSON string stands for its text, anything
/// else for itself.
fn application(custom: &RawValue) -> Option<String> {
    match serde_json::from_str::<Option<String>>(custom.get()) {
        Ok(text) => text.and_then(present),
        Err(_) => Some(custom.get().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn parse(body: &str, attrs: &str) -> FileInfo {
        FileInfo::parse(&Body::from(body), attrs)
    }

    #[test]
    fn a_file_of_the_old_form_has_a_url_a_signature_and_an_extension() {
        let info = parse("http://f/1.png", r#"{"sign":"AB12","ext":"png"}"#);
        let expected = FileInfo {
            url: "http://f/1.png".into(),
            extension: Some("png".into()),
            signature: Some("AB12".into()),
            ..FileInfo::default()
        };
        assert_eq!(info, expected);
    }

    #[test]
    fn a_missing_extension_is_absent_in_all_its_spellings() {
        for attrs in [
            r#"{"sign":"A","ext":null}"#,
            r#"{"sign":"A","ext":""}"#,
            r#"{"sign":"A"}"#,
        ] {
            let info = parse("u", attrs);
            assert_eq!(
                (info.extension, info.signature.as_deref()),
                (None, Some("A"))
            );
            assert_eq!(info.custom, None, "{attrs}");
        }
    }

    #[test]
    fn a_file_of_the_new_form_has_everything() {
        let info = parse(
            r#"{"url":"http://f/1.png","size":5242880,"surl":"http://f/s.png"}"#,
            r#"{"rtm":{"sign":"ab","ext":"png","filename":"a b.png"},"custom":"my text"}"#,
        );
        let expected = FileInfo {
            url: "http://f/1.png".into(),
            size: Some(5_242_880),
            thumbnail_url: Some("http://f/s.png".into()),
            name: Some("a b.png".into()),
            extension: Some("png".into()),
            signature: Some("ab".into()),
            voice: None,
            custom: Some("my text".into()),
        };
        assert_eq!(info, expected);
    }

    #[test]
    fn a_voice_message_tells_its_language_and_length() {
        let attrs = r#"{"rtm":{"type":"audiomsg","codec":"AMR_WB","srate":16000,"lang":"en-US","duration":1234,"sign":"ab"},"custom":""}"#;
        let info = parse(r#"{"url":"u","size":1}"#, attrs);
        let voice = VoiceInfo {
            language: Some("en-US".into()),
            duration_ms: Some(1234),
            codec: Some("AMR_WB".into()),
            sample_rate: Some(16_000),
        };
        assert_eq!((info.voice, info.custom), (Some(voice), None));
    }

    #[test]
    fn the_applications_attributes_keep_every_digit_and_the_order_of_their_keys() {
        let attrs = r#"{"custom": {"z": 18446744073709551617, "a": 0.10},"rtm":{}}"#;
        let custom = parse("u", attrs).custom;
        assert_eq!(
            custom.as_deref(),
            Some(r#"{"z": 18446744073709551617, "a": 0.10}"#)
        );
        let escaped = r#"{"rtm":{},"custom":"say \"hi\" \u00e9"}"#;
        let custom = parse("u", escaped).custom;
        assert_eq!(custom.as_deref(), Some("say \"hi\" é"));
    }

    #[test]
    fn attributes_of_neither_form_belong_to_the_application() {
        for attrs in ["plain text", "[1]", r#"{"mood":"good"}"#, "{\"rtm\":"] {
            let info = parse("u", attrs);
            assert_eq!(info.custom.as_deref(), Some(attrs));
            assert_eq!(info.signature, None);
        }
        assert_eq!(parse("u", "").custom, None);
        assert_eq!(parse("u", r#"{"rtm":5,"custom":null}"#).custom, None);
        assert_eq!(
            parse("u", r#"{"rtm":[],"custom":7}"#).custom.as_deref(),
            Some("7")
        );
    }

    #[test]
    fn a_body_that_is_no_object_with_a_url_is_the_url() {
        for body in [
            "http://f/1",
            "",
            "{",
            "{}",
            "null",
            "[\"url\"]",
            r#"{"url":5}"#,
            r#"{"url":null,"size":3}"#,
            r#"{"uri":"x"}"#,
        ] {
            let info = parse(body, "");
            assert_eq!((info.url.as_str(), info.size), (body, None));
        }
    }

    #[test]
    fn binary_bodies_are_read_like_text() {
        let body = Body::Binary(r#"{"url":"u","size":"12"}"#.as_bytes().to_vec().into());
        let info = FileInfo::parse(&body, "");
        assert_eq!((info.url.as_str(), info.size), ("u", Some(12)));
        let info = FileInfo::parse(&Body::from(&b"\xffu"[..]), "");
        assert_eq!(info.url, "\u{fffd}u");
    }

    #[test]
    fn odd_sizes_are_absent() {
        for size in ["-1", "1.5", "\"x\"", "null", "[]", "99999999999999999999"] {
            let info = parse(&format!(r#"{{"url":"u","size":{size}}}"#), "");
            assert_eq!((info.url.as_str(), info.size), ("u", None), "{size}");
        }
    }

    #[test]
    fn deep_nesting_is_no_error() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let attrs = format!(r#"{{"rtm":{{"sign":"a"}},"custom":{deep}}}"#);
        let info = parse("u", &attrs);
        assert_eq!(info.signature.as_deref(), Some("a"));
        assert_eq!(info.custom.map(|c| c.len()), Some(deep.len()));
    }
}
