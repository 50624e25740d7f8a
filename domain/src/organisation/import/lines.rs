//! On which line of a file each key stands.

use std::collections::HashMap;

/// How many keys of a file are remembered: memory doesn't grow with the rows of a file beyond. Which of the others stands twice
/// the database says.
pub(super) const MOST_REMEMBERED: usize = 200_000;

/// On which line each key stands: of the first so many of a file, and of those that are looked at together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    first: HashMap<String, u64>,
    latest: HashMap<String, u64>,
}

impl Lines {
    /// Other rows are looked at from now on.
    pub fn go_on(&mut self) {
        self.latest.clear();
    }

    /// Whether there are more of them than are remembered.
    pub fn are_forgotten(&self) -> bool {
        self.first.len() == MOST_REMEMBERED
    }

    /// On which line a key stands, as far as it is remembered.
    pub fn of(&self, key: &str) -> Option<u64> {
        self.first
            .get(key)
            .or_else(|| self.latest.get(key))
            .copied()
    }

    /// Remembers a key.
    pub fn insert(&mut self, key: &str, line: u64) {
        let lines = if self.first.len() < MOST_REMEMBERED {
            &mut self.first
        } else {
            &mut self.latest
        };
        lines.insert(key.to_owned(), line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_are_remembered_and_of_the_others_those_looked_at_together() {
        let mut lines = Lines::default();
        assert!(!lines.are_forgotten());
        for line in 0..MOST_REMEMBERED as u64 {
            lines.insert(&format!("key {line}"), line);
        }
        lines.insert("one more", 300_000);
        assert_eq!(lines.of("one more"), Some(300_000));
        lines.go_on();
        assert_eq!(lines.of("one more"), None);
        assert_eq!(lines.of("key 7"), Some(7));
        assert_eq!(lines.first.len(), MOST_REMEMBERED);
        assert!(lines.are_forgotten());
    }
}
