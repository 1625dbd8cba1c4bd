use crate::refusal::Refusal;
use crate::wire::Value;
use std::collections::BTreeMap;

/// The parameters of a quest, read by name. A missing one is refused with 10009, one of the wrong type with 10010.
pub(crate) struct Params<'a>(pub(crate) &'a Value);

impl<'a> Params<'a> {
    fn required(&self, key: &str) -> Result<&'a Value, Refusal> {
        self.0.get(key).ok_or_else(|| Refusal::missing(key))
    }

    pub(crate) fn int(&self, key: &str) -> Result<i64, Refusal> {
        let value = self.required(key)?;
        value.as_int().ok_or_else(|| Refusal::wrong_type(key))
    }

    pub(crate) fn opt_int(&self, key: &str) -> Result<Option<i64>, Refusal> {
        self.0.get(key).map(|_| self.int(key)).transpose()
    }

    pub(crate) fn bool(&self, key: &str) -> Result<bool, Refusal> {
        let value = self.required(key)?;
        value.as_bool().ok_or_else(|| Refusal::wrong_type(key))
    }

    pub(crate) fn opt_bool(&self, key: &str) -> Result<Option<bool>, Refusal> {
        self.0.get(key).map(|_| self.bool(key)).transpose()
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, Refusal> {
        let value = self.required(key)?;
        value.as_str().ok_or_else(|| Refusal::wrong_type(key))
    }

    pub(crate) fn opt_text(&self, key: &str) -> Result<Option<&'a str>, Refusal> {
        self.0.get(key).map(|_| self.text(key)).transpose()
    }

    /// A message body: text or binary, handed on in the form it came in.
    pub(crate) fn body(&self, key: &str) -> Result<&'a Value, Refusal> {
        let value = self.required(key)?;
        match value {
            Value::Str(_) | Value::Bin(_) => Ok(value),
            _ => Err(Refusal::wrong_type(key)),
        }
    }

    pub(crate) fn ints(&self, key: &str) -> Result<Vec<i64>, Refusal> {
        self.required(key)?
            .as_array()
            .and_then(|items| items.iter().map(Value::as_int).collect())
            .ok_or_else(|| Refusal::wrong_type(key))
    }

    pub(crate) fn opt_ints(&self, key: &str) -> Result<Option<Vec<i64>>, Refusal> {
        self.0.get(key).map(|_| self.ints(key)).transpose()
    }

    /// Ids to work on: at least one (200033), at most `most` (200032).
    pub(crate) fn ids(&self, key: &str, most: usize) -> Result<Vec<i64>, Refusal> {
        let ids = self.ints(key)?;
        match ids.len() {
            0 => Err(Refusal::code(200033)),
            len if len > most => Err(Refusal::code(200032)),
            _ => Ok(ids),
        }
    }

    /// Attributes: a map of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<BTreeMap<String, String>, Refusal> {
        let Value::Map(pairs) = self.required(key)? else {
            return Err(Refusal::wrong_type(key));
        };
        pairs
            .iter()
            .map(|(name, value)| Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())))
            .collect::<Option<_>>()
            .ok_or_else(|| Refusal::wrong_type(key))
    }

    pub(crate) fn opt_texts(&self, key: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        self.0.get(key).map(|_| self.texts(key)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_nil_and_wrong_parameters_are_told_apart() {
        let payload = Value::map([("n", Value::Nil), ("t", "x".into()), ("i", 1.into())]);
        let params = Params(&payload);
        assert_eq!(params.int("absent").unwrap_err().code, 10009);
        assert_eq!(params.int("n").unwrap_err().code, 10009);
        assert_eq!(params.int("t").unwrap_err().code, 10010);
        assert_eq!(params.text("i").unwrap_err().code, 10010);
        assert_eq!(params.opt_int("n"), Ok(None));
        assert_eq!(params.opt_int("t").unwrap_err().code, 10010);
    }

    #[test]
    fn lists_of_ids_are_neither_empty_nor_too_long() {
        let payload = Value::map([("none", Value::ints([])), ("three", Value::ints([1, 2, 3]))]);
        let params = Params(&payload);
        assert_eq!(params.ids("none", 2).unwrap_err().code, 200033);
        assert_eq!(params.ids("three", 2).unwrap_err().code, 200032);
        assert_eq!(params.ids("three", 3), Ok(vec![1, 2, 3]));
    }
}
