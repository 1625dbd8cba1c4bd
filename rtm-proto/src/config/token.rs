//! The login token, kept out of logs.

use alloc::string::String;
use core::fmt;

/// A login token. Its `Debug` form never shows the text.
///
/// ```
/// use rtm_proto::Token;
/// assert_eq!(format!("{:?}", Token::from("5C65CD87")), "Token(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret text, as `auth` sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Token(token)
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Token(token.into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
