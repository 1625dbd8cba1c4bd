//! Comparing what is wanted with what came.

use crate::value::Value;

use super::record::Verdict;

/// A payload the client sent against the one it should send.
///
/// Nil means that the key may be absent or hold an empty value; every other
/// field must be there, and no further one.
///
/// # Errors
///
/// A text that names the first difference.
pub(crate) fn payload(wanted: &Value, found: &Value) -> Verdict {
    for (key, want) in wanted.entries() {
        let key = key.as_text().unwrap_or_default();
        match (want, found.get(key)) {
            (Value::Nil, None) => {}
            (Value::Nil, Some(value)) if value.is_empty() => {}
            (want, Some(value)) if want == value => {}
            (want, Some(value)) => return Err(format!("{key}: {value} instead of {want}")),
            (want, None) => return Err(format!("{key} is missing, wanted {want}")),
        }
    }
    let known = |key: &Value| wanted.get(key.as_text().unwrap_or_default()).is_some();
    match found.entries().iter().find(|(key, _)| !known(key)) {
        Some((key, value)) => Err(format!("{key}: {value} is too much")),
        None => Ok(()),
    }
}

/// What the application got against what it should get.
///
/// Keys that a typed result cannot hold are passed over, and so are fields
/// that the record does not have. Bodies are compared as bytes.
///
/// # Errors
///
/// A text that names the first difference.
pub(crate) fn data(wanted: &Value, found: &Value) -> Verdict {
    match (wanted, found) {
        (Value::Map(_), Value::Map(_)) => {
            for (key, want) in wanted.entries() {
                let same = |(k, _): &&(Value, Value)| k == key;
                let Some((_, value)) = found.entries().iter().find(same) else {
                    continue;
                };
                field(key, want, value).map_err(|why| format!("{key}: {why}"))?;
            }
            Ok(())
        }
        (Value::List(want), Value::List(got)) if want.len() == got.len() => {
            let mut pairs = want.iter().zip(got).enumerate();
            pairs.try_for_each(|(at, (want, got))| {
                data(want, got).map_err(|why| format!("[{at}]: {why}"))
            })
        }
        _ if wanted == found => Ok(()),
        _ => Err(format!("{found} instead of {wanted}")),
    }
}

fn field(key: &Value, wanted: &Value, found: &Value) -> Verdict {
    let is_body = matches!(key.as_text(), Some("msg" | "binary"));
    match (wanted.as_bytes(), found.as_bytes()) {
        (Some(want), Some(got)) if is_body && want == got => Ok(()),
        _ => data(wanted, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Value::map(fields)
    }

    #[test]
    fn nil_may_be_absent_or_empty_and_nothing_else() {
        let wanted = map([("k", "x".into()), ("attrs", Value::Nil)]);
        let with = |attrs: Value| map([("attrs", attrs), ("k", "x".into())]);
        assert_eq!(payload(&wanted, &map([("k", "x".into())])), Ok(()));
        assert_eq!(payload(&wanted, &with("".into())), Ok(()));
        assert_eq!(payload(&wanted, &with(Value::Nil)), Ok(()));
        assert!(payload(&wanted, &with("a".into())).is_err());
    }

    #[test]
    fn payloads_must_have_every_field_and_no_other() {
        let wanted = map([("a", Value::Int(1)), ("b", Value::Int(2))]);
        let more = map([
            ("b", Value::Int(2)),
            ("a", Value::Int(1)),
            ("c", Value::Int(3)),
        ]);
        assert!(payload(&wanted, &more).unwrap_err().contains("c"));
        assert!(payload(&more, &wanted).unwrap_err().contains("missing"));
        assert!(payload(&wanted, &map([("a", Value::Int(2)), ("b", Value::Int(2))])).is_err());
    }

    #[test]
    fn results_may_lack_keys_but_not_differ() {
        let wanted = map([("mtime", Value::Int(5)), ("extra", Value::Int(1))]);
        assert_eq!(data(&wanted, &map([("mtime", Value::Int(5))])), Ok(()));
        assert_eq!(
            data(
                &wanted,
                &map([("more", Value::Nil), ("mtime", Value::Int(5))])
            ),
            Ok(())
        );
        assert!(data(&wanted, &map([("mtime", Value::Nil)])).is_err());
        let list = |items: &[i64]| items.iter().copied().collect::<Value>();
        assert!(
            data(&list(&[1, 2]), &list(&[1, 3]))
                .unwrap_err()
                .contains("[1]")
        );
        assert!(data(&list(&[1, 2]), &list(&[1])).is_err());
        assert!(data(&wanted, &list(&[])).is_err());
    }

    #[test]
    fn only_bodies_may_be_text_or_bytes() {
        let text = |key: &str| map([(key, "ab".into())]);
        let bytes = |key: &str| map([(key, Value::Bytes(b"ab".to_vec()))]);
        assert_eq!(data(&bytes("msg"), &text("msg")), Ok(()));
        assert_eq!(data(&text("binary"), &bytes("binary")), Ok(()));
        assert!(data(&text("attrs"), &bytes("attrs")).is_err());
        let other = map([("msg", Value::Bytes(b"ac".to_vec()))]);
        assert!(data(&text("msg"), &other).is_err());
    }
}
