//! Arguments of a recorded call.

use rtm_proto::Body;

use crate::value::Value;

/// The arguments of a call, by the names of the records.
///
/// Every getter fails with a text that names the argument.
#[derive(Debug)]
pub(crate) struct Args(pub(crate) Value);

impl Args {
    /// An argument, if it was given.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    fn required<T>(&self, key: &str, value: Option<T>, what: &str) -> Result<T, String> {
        value.ok_or_else(|| match self.get(key) {
            Some(other) => format!("argument {key}: {other} is not {what}"),
            None => format!("argument {key} is missing"),
        })
    }

    /// An integer, if it was given.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub(crate) fn opt_int(&self, key: &str) -> Result<Option<i64>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(_) => self.int(key).map(Some),
        }
    }

    /// An integer.
    ///
    /// # Errors
    ///
    /// When it is missing, something else, or has more than 64 bits.
    pub(crate) fn int(&self, key: &str) -> Result<i64, String> {
        let number = self.get(key).and_then(Value::as_int);
        let number = number.and_then(|number| i64::try_from(number).ok());
        self.required(key, number, "a 64-bit integer")
    }

    /// A message type.
    ///
    /// # Errors
    ///
    /// When it is missing or not from 0 to 255.
    pub(crate) fn mtype(&self) -> Result<u8, String> {
        let mtype = u8::try_from(self.int("mtype")?);
        mtype.map_err(|_| "argument mtype is not from 0 to 255".into())
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub(crate) fn text(&self, key: &str) -> Result<&str, String> {
        self.required(key, self.get(key).and_then(Value::as_text), "a text")
    }

    /// A text, if it was given.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub(crate) fn opt_text(&self, key: &str) -> Result<Option<&str>, String> {
        self.get(key).map(|_| self.text(key)).transpose()
    }

    /// A truth value.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, String> {
        let flag = match self.get(key) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        };
        self.required(key, flag, "a truth value")
    }

    /// A truth value, if it was given.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub(crate) fn opt_flag(&self, key: &str) -> Result<Option<bool>, String> {
        self.get(key).map(|_| self.flag(key)).transpose()
    }

    /// The body of a message.
    ///
    /// # Errors
    ///
    /// When it is missing or neither text nor bytes.
    pub(crate) fn body(&self) -> Result<Body, String> {
        match self.get("msg") {
            Some(Value::Bytes(bytes)) => Ok(Body::from(bytes.clone())),
            _ => self.text("msg").map(Body::from),
        }
    }

    /// The name and the content of a file.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub(crate) fn file(&self) -> Result<(String, Vec<u8>), String> {
        match self.get("file") {
            Some(Value::File { name, content }) => Ok((name.clone(), content.clone())),
            _ => self.required("file", None, "a file"),
        }
    }

    /// A list of integers.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub(crate) fn ints(&self, key: &str) -> Result<Vec<i64>, String> {
        let Some(Value::List(items)) = self.get(key) else {
            return self.required(key, None, "a list");
        };
        let number = |item: &Value| item.as_int().and_then(|number| i64::try_from(number).ok());
        let numbers = items.iter().map(number).collect();
        self.required(key, numbers, "a list of 64-bit integers")
    }

    /// A map from text to text.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<(String, String)>, String> {
        let Some(Value::Map(entries)) = self.get(key) else {
            return self.required(key, None, "a map");
        };
        let pair = |(key, value): &(Value, Value)| {
            Some((key.as_text()?.to_owned(), value.as_text()?.to_owned()))
        };
        self.required(key, entries.iter().map(pair).collect(), "a map of texts")
    }
}
