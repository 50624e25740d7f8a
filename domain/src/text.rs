//! Texts that people type, looked at before they are kept.

use sea_orm::sea_query::LikeExpr;

use crate::error::{RefusalCode, Refusals};

/// What is looked for, without the control characters that no text that is kept has. PostgreSQL can't even be asked for
/// a zero byte.
#[must_use]
pub fn sought(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).collect()
}

/// The `LIKE` pattern of the texts that have `given` in them, whatever signs it has.
#[must_use]
pub fn part(given: &str) -> LikeExpr {
    pattern("%", given)
}

/// The `LIKE` pattern of the texts that begin with `given`, whatever signs it has.
#[must_use]
pub fn start(given: &str) -> LikeExpr {
    pattern("", given)
}

fn pattern(before: &str, given: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(given.len() + 2);
    pattern.push_str(before);
    for c in sought(given).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

/// What a text of one input field may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    field: &'static str,
    longest: usize,
    block: bool,
}

impl Text {
    /// One line of at most `longest` characters in the input field `field`.
    #[must_use]
    pub const fn line(field: &'static str, longest: usize) -> Self {
        Self {
            field,
            longest,
            block: false,
        }
    }

    /// Any number of lines, of at most `longest` characters together.
    #[must_use]
    pub const fn block(field: &'static str, longest: usize) -> Self {
        Self {
            field,
            longest,
            block: true,
        }
    }

    /// The text without the space around it. What is wrong with it is noted; an empty one is.
    pub fn required(self, given: &str, refusals: &mut Refusals) -> String {
        let text = self.optional(Some(given), refusals);
        refusals.add_if(
            text.is_none(),
            RefusalCode::Required,
            self.field,
            "This can't be empty.",
        );
        text.unwrap_or_default()
    }

    /// The text without the space around it, or none when nothing is left. What is wrong with it is noted.
    pub fn optional(self, given: Option<&str>, refusals: &mut Refusals) -> Option<String> {
        let text = given.map(str::trim).filter(|text| !text.is_empty())?;
        let length = text.chars().count();
        if length > self.longest {
            refusals.add(
                RefusalCode::TooLong,
                self.field,
                format!(
                    "This has {length} characters; at most {} are kept.",
                    self.longest
                ),
            );
        }
        // A zero byte can't be stored in PostgreSQL, and no control character can be seen by who reads the text.
        refusals.add_if(
            text.chars().any(|c| c.is_control() && !self.takes(c)),
            RefusalCode::Invalid,
            self.field,
            if self.block {
                "This has control characters in it."
            } else {
                "This has line breaks or other control characters in it."
            },
        );
        Some(text.to_owned())
    }

    const fn takes(self, control: char) -> bool {
        self.block && matches!(control, '\n' | '\r' | '\t')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn what_is_sought_has_no_control_characters() {
        assert_eq!(sought("Law\u{0}\n"), "Law");
    }

    fn codes(refusals: Refusals) -> Vec<RefusalCode> {
        match refusals.into_result() {
            Err(Error::Refused(all)) => all.iter().map(|refusal| refusal.code).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_space_around_a_text_is_not_kept() {
        let mut refusals = Refusals::default();
        let text = Text::line("name", 9).required("  Acme Ltd\t", &mut refusals);
        assert_eq!(text, "Acme Ltd");
        assert_eq!(codes(refusals), []);
    }

    #[test]
    fn an_empty_text_is_none_or_refused() {
        let mut refusals = Refusals::default();
        assert_eq!(
            Text::line("sector", 9).optional(Some(" "), &mut refusals),
            None
        );
        Text::line("name", 9).required(" ", &mut refusals);
        assert_eq!(codes(refusals), [RefusalCode::Required]);
    }

    #[test]
    fn long_texts_and_control_characters_are_refused_together() {
        let mut refusals = Refusals::default();
        Text::line("name", 3).required("a\nb\u{0}", &mut refusals);
        Text::block("body", 9).required("a\nb", &mut refusals);
        assert_eq!(
            codes(refusals),
            [RefusalCode::TooLong, RefusalCode::Invalid]
        );
    }
}
