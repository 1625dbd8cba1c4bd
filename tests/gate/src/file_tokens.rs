use crate::area::Target;
use std::collections::BTreeMap;

/// Tokens that nobody has used yet; the oldest give way.
const MAX_TOKENS: usize = 65_536;

/// Permissions to send one file each.
#[derive(Debug, Default)]
pub(crate) struct FileTokens {
    tokens: BTreeMap<String, Permit>,
    by_age: BTreeMap<u64, String>,
    made: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Permit {
    number: u64,
    from: i64,
    target: Target,
}

impl FileTokens {
    /// Makes a token; `hash` turns a number into a text that nobody guesses by accident.
    pub(crate) fn make(
        &mut self,
        from: i64,
        target: Target,
        hash: impl FnOnce(u64) -> String,
    ) -> String {
        self.made += 1;
        let token = hash(self.made);
        let permit = Permit {
            number: self.made,
            from,
            target,
        };
        self.tokens.insert(token.clone(), permit);
        self.by_age.insert(self.made, token.clone());
        if self.by_age.len() > MAX_TOKENS
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.tokens.remove(&oldest);
        }
        token
    }

    /// Uses a token up; false when it was not made for this sender and target.
    pub(crate) fn redeem(&mut self, token: &str, from: i64, target: Target) -> bool {
        let fits = self
            .tokens
            .get(token)
            .is_some_and(|permit| permit.from == from && permit.target == target);
        if fits && let Some(permit) = self.tokens.remove(token) {
            self.by_age.remove(&permit.number);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_once_and_only_its_purpose() {
        let mut tokens = FileTokens::default();
        let token = tokens.make(1, Target::User(2), |n| format!("t{n}"));
        assert!(!tokens.redeem(&token, 1, Target::User(3)));
        assert!(!tokens.redeem(&token, 2, Target::User(2)));
        assert!(tokens.redeem(&token, 1, Target::User(2)));
        assert!(!tokens.redeem(&token, 1, Target::User(2)));
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let mut tokens = FileTokens::default();
        for _ in 0..=MAX_TOKENS {
            tokens.make(1, Target::Group(2), |n| n.to_string());
        }
        assert!(!tokens.redeem("1", 1, Target::Group(2)));
        assert!(tokens.redeem("2", 1, Target::Group(2)));
        assert_eq!(tokens.tokens.len(), tokens.by_age.len());
    }
}
