//! A stand-in for the language tools: right in form and in refusals, with a translation and a list of bad words that
//! nobody mistakes for real ones.

use super::{Cx, DONE, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;

pub(super) const METHODS: Table = &[
    ("setlang", setlang),
    ("translate", translate),
    ("profanity", profanity),
];

const LANGUAGES: [&str; 20] = [
    "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "ms", "nl", "pl", "pt", "ru", "th",
    "tr", "vi", "zh-CN", "zh-TW",
];

/// The words that count as profane.
const BAD_WORDS: [&str; 2] = ["damn", "heck"];

fn known(language: &str) -> Result<(), Refusal> {
    if LANGUAGES.contains(&language) {
        Ok(())
    } else {
        Err(Refusal::code(200050))
    }
}

/// The empty language turns automatic translation off.
fn setlang(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let language = params.text("lang")?;
    if !language.is_empty() {
        known(language)?;
    }
    cx.user().language = language.to_owned();
    DONE
}

/// "Translates" a text by putting the target language in front: `[ja] hello`.
fn translate(_: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let (text, target) = (params.text("text")?, params.text("dst")?);
    let source = params.opt_text("src")?.filter(|source| !source.is_empty());
    let source = source.unwrap_or("en");
    let kind = params.opt_text("type")?.unwrap_or("chat");
    let filter = params.opt_text("profanity")?.unwrap_or("off");
    params.opt_bool("postProfanity")?;
    if !["chat", "mail"].contains(&kind) || !["off", "stop", "censor"].contains(&filter) {
        return Err(Refusal::code(200034));
    }
    known(target)?;
    known(source)?;
    if text.is_empty() {
        return Err(Refusal::code(200051));
    }
    let censored = censor(text);
    if filter == "stop" && censored != text {
        return Err(Refusal::code(200057));
    }
    let shown = if filter == "censor" { &censored } else { text };
    Ok(Value::map([
        ("source", source.into()),
        ("target", target.into()),
        ("sourceText", text.into()),
        ("targetText", format!("[{target}] {shown}").into()),
    ]))
}

fn profanity(_: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let text = params.text("text")?;
    let classify = params.opt_bool("classify")?.unwrap_or(false);
    let censored = censor(text);
    let classes = if censored == text {
        vec![]
    } else {
        vec!["abuse".into()]
    };
    let classification = classify.then_some(("classification", Value::Array(classes)));
    let text = ("text", Value::from(censored));
    Ok(Value::map([text].into_iter().chain(classification)))
}

fn censor(text: &str) -> String {
    BAD_WORDS.iter().fold(text.to_owned(), |text, word| {
        text.replace(word, &"*".repeat(word.len()))
    })
}
