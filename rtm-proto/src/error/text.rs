//! Texts of a peer that errors and states keep.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// The longest text of a peer that an error keeps, in bytes. Errors wait in
/// events that are never dropped, so their size must not be up to the peer.
pub(crate) const MAX_TEXT: usize = 1024;

const MARK: &str = "…";

/// The text, or as much of its beginning as is kept, marked.
pub(crate) fn kept(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut end = MAX_TEXT - MARK.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let beginning = text.get(..end).unwrap_or_default();
    [beginning, MARK].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_marked() {
        let fits = "ä".repeat(MAX_TEXT / 2);
        assert_eq!(kept(&fits), fits);
        for long in ["ä".repeat(MAX_TEXT), ["x", &"ä".repeat(MAX_TEXT)].concat()] {
            let cut = kept(&long);
            let beginning = cut.strip_suffix(MARK).unwrap();
            assert!(long.starts_with(beginning));
            assert!((MAX_TEXT - 4..=MAX_TEXT).contains(&cut.len()));
        }
    }
}
