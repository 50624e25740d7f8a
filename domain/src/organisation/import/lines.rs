//! On which line of a file each key stands.

use std::collections::HashMap;

/// How many keys of a file are remembered: memory doesn't grow with the rows of a file beyond. Of the others, the database
/// says which was added by the same file, or was there before.
const MOST_REMEMBERED: usize = 200_000;

/// On which line each key stands: of the first so many of a file, and of those that are looked at together.
#[derive(Debug)]
pub(super) struct Lines {
    most: usize,
    first: HashMap<String, u64>,
    latest: HashMap<String, u64>,
}

impl Default for Lines {
    fn default() -> Self {
        Self::of(MOST_REMEMBERED)
    }
}

impl Lines {
    /// None yet, and so many will be remembered at most.
    pub fn of(most: usize) -> Self {
        Self {
            most,
            first: HashMap::new(),
            latest: HashMap::new(),
        }
    }

    /// How many are remembered at most.
    pub const fn most(&self) -> usize {
        self.most
    }

    /// Other rows are looked at from now on.
    pub fn go_on(&mut self) {
        self.latest.clear();
    }

    /// Whether there may be more of them than are remembered.
    pub fn are_forgotten(&self) -> bool {
        self.first.len() == self.most
    }

    /// On which line a key stands, as far as it is remembered.
    pub fn of_key(&self, key: &str) -> Option<u64> {
        self.first
            .get(key)
            .or_else(|| self.latest.get(key))
            .copied()
    }

    /// Remembers a key.
    pub fn insert(&mut self, key: &str, line: u64) {
        let lines = if self.are_forgotten() {
            &mut self.latest
        } else {
            &mut self.first
        };
        lines.insert(key.to_owned(), line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_are_remembered_and_of_the_others_those_looked_at_together() {
        let mut lines = Lines::of(3);
        assert!(!lines.are_forgotten());
        for line in 2..5 {
            lines.insert(&format!("key {line}"), line);
        }
        assert!(lines.are_forgotten());
        lines.insert("one more", 5);
        assert_eq!(lines.of_key("one more"), Some(5));
        lines.go_on();
        assert_eq!(lines.of_key("one more"), None);
        assert_eq!(lines.of_key("key 2"), Some(2));
        assert_eq!((lines.first.len(), lines.latest.len()), (3, 0));
    }
}
