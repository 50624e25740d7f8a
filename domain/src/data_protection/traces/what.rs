//! Where something ends that leads to a person: what goes on is somebody else's.

use regex::Regex;

use crate::data_protection::rows::ERASED_WORD;

/// What something is that leads to a person, which says where it ends: what goes on isn't theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Name,
    Address,
    Number,
}

impl What {
    /// Whether it stands by itself between what is before and after it: `An Li` isn't in `Susan Lindholm`, `smith@acme.test` not
    /// in `j.smith@acme.test`, and no number in a longer one.
    fn ends_between(self, before: &str, after: &str) -> bool {
        let (last, mut next) = (before.chars().next_back(), after.chars());
        let first = next.next();
        match self {
            Self::Name => {
                let goes_on = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
                !goes_on(last) && !goes_on(first)
            }
            Self::Address => {
                let is_part = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
                let goes_on = match first {
                    Some('.') => next.next().is_some_and(char::is_alphanumeric),
                    first => first.is_some_and(is_part),
                };
                !goes_on && !last.is_some_and(|letter| is_part(letter) || ".+".contains(letter))
            }
            Self::Number => {
                let goes_on = |letter: Option<char>| letter.is_some_and(|one| one.is_ascii_digit());
                !goes_on(last) && !goes_on(first)
            }
        }
    }

    /// The text without what this expression finds of it, if it finds any.
    pub fn taken_out(self, expression: &Regex, text: &str) -> Option<String> {
        let (mut left, mut kept_to, mut at) = (String::new(), 0, 0);
        while let Some(found) = expression.find_at(text, at) {
            if self.ends_between(&text[..found.start()], &text[found.end()..]) {
                left.push_str(&text[kept_to..found.start()]);
                left.push_str(ERASED_WORD);
                (kept_to, at) = (found.end(), found.end());
            } else {
                // One that does may begin within it.
                let letter = text[found.start()..]
                    .chars()
                    .next()
                    .map_or(1, char::len_utf8);
                at = found.start() + letter;
            }
        }
        (kept_to > 0).then(|| left + &text[kept_to..])
    }
}
