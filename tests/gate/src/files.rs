use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

/// Files that are kept.
const MAX_FILES: usize = 1_024;
/// Bytes of their contents together.
const MAX_BYTES: usize = 64 << 20;
/// Letters of an extension that a name takes over.
const MAX_EXTENSION: usize = 16;

/// The files that were sent, for whoever follows the URL of the message. The oldest give way.
#[derive(Debug, Default)]
pub(crate) struct Files {
    contents: HashMap<String, Bytes>,
    by_age: VecDeque<String>,
    bytes: usize,
    made: u64,
}

impl Files {
    /// Keeps a file; gives the name to ask for it by, which no other file ever has. An extension that has no place in
    /// a URL is left out.
    pub(crate) fn keep(&mut self, content: &[u8], extension: &str) -> String {
        self.made += 1;
        let plain = (1..=MAX_EXTENSION).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let name = match plain {
            true => format!("{}.{extension}", self.made),
            false => self.made.to_string(),
        };
        self.bytes += content.len();
        self.contents
            .insert(name.clone(), Bytes::copy_from_slice(content));
        self.by_age.push_back(name.clone());
        while self.by_age.len() > MAX_FILES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.by_age.pop_front() else {
                break;
            };
            let dropped = self.contents.remove(&oldest).unwrap_or_default();
            self.bytes -= dropped.len();
        }
        name
    }

    pub(crate) fn get(&self, name: &str) -> Option<Bytes> {
        self.contents.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_used_twice_and_fit_into_a_url() {
        let mut files = Files::default();
        let names = ["png", "AMR", "", "a b", "../x", "seventeen_letters", "ä"]
            .map(|extension| files.keep(extension.as_bytes(), extension));
        assert_eq!(names, ["1.png", "2.AMR", "3", "4", "5", "6", "7"]);
        assert_eq!(files.get("2.AMR").unwrap(), "AMR");
        assert_eq!(files.get("2"), None);
    }

    #[test]
    fn the_oldest_give_way_to_number_and_to_weight() {
        let mut files = Files::default();
        for _ in 0..=MAX_FILES {
            files.keep(b"", "");
        }
        assert_eq!(files.get("1"), None);
        assert!(files.get("2").is_some());
        let large = vec![0; 5 << 20];
        for _ in 0..13 {
            files.keep(&large, "large");
        }
        assert_eq!(files.bytes, 12 * large.len());
        assert_eq!((files.contents.len(), files.by_age.len()), (12, 12));
    }
}
