//! Data, languages, the filter for profanity.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::Translation;
use rtm_proto::api::*;

use super::methods;
use super::values::{given, lenient, list, text};

methods! {
    "dataset" => data_is_kept |method| (key in text(), value in text()) {
        let request = SetData::new(key.as_str(), value.as_str());
        method.writes(&request, &[("key", key.into()), ("val", value.into())]);
        method.gives_nothing(&request);
    }

    "dataget" => data_is_read |method| (key in text(), value in of(text())) {
        let request = GetData::new(key.as_str());
        method.writes(&request, &[("key", key.into())]);
        let answer = given([("val", value.clone().map(Value::from))]);
        method.reads(&request, &[], &answer, |got| got, &value);
    }

    "datadel" => data_is_removed |method| (key in text()) {
        let request = DeleteData::new(key.as_str());
        method.writes(&request, &[("key", key.into())]);
        method.gives_nothing(&request);
    }

    "setlang" => a_language_is_set |method| (language in text()) {
        let request = SetTranslationLanguage::new(language.as_str());
        method.writes(&request, &[("lang", language.into())]);
        method.gives_nothing(&request);
    }

    "translate" => a_text_is_translated |method| (
        (original, to) in (text(), text()),
        from in of(text()),
        sort in of(prop_oneof![Just("chat".into()), Just("mail".into()), text()]),
        mode in of(prop_oneof![
            Just("off".into()), Just("stop".into()), Just("censor".into()), text(),
        ]),
        post in any::<Option<bool>>(),
        (source, source_read) in lenient(),
        (target, target_read) in lenient(),
        (source_text, source_text_read) in lenient(),
        (target_text, target_text_read) in lenient(),
    ) {
        let mut request = Translate::new(original.as_str(), to.as_str());
        if let Some(language) = &from {
            request = request.source_language(language);
        }
        if let Some(name) = &sort {
            request = request.text_type(name.as_str());
        }
        if let Some(name) = &mode {
            request = request.profanity(name.as_str());
        }
        if let Some(on) = post {
            request = request.post_profanity(on);
        }
        let fields = [
            ("text", Some(original.into())),
            ("dst", Some(to.into())),
            ("src", from.map(Value::from)),
            ("type", sort.map(Value::from)),
            ("profanity", mode.map(Value::from)),
            ("postProfanity", post.map(Value::from)),
        ];
        method.writes(&request, &given(fields));
        let answer = [
            ("source", source),
            ("target", target),
            ("sourceText", source_text),
            ("targetText", target_text),
        ];
        let view = |got: Translation| {
            [got.source_language, got.target_language, got.source_text, got.target_text]
        };
        let required = answer.each_ref().map(|(name, _)| *name);
        let expected = [source_read, target_read, source_text_read, target_text_read];
        method.reads(&request, &required, &answer, view, &expected);
    }

    "profanity" => profanity_is_masked |method| (
        original in text(), classify in any::<Option<bool>>(), (masked, masked_read) in lenient(),
        classes in vec(text(), 0..6),
    ) {
        let mut request = FilterProfanity::new(original.as_str());
        if let Some(on) = classify {
            request = request.classify(on);
        }
        let fields = [("text", Some(original.into())), ("classify", classify.map(Value::from))];
        method.writes(&request, &given(fields));
        let answer = [("text", masked), ("classification", list(&classes))];
        let view = |got: FilteredText| (got.text, got.classification);
        method.reads(&request, &["text"], &answer, view, &(masked_read, classes));
    }
}
