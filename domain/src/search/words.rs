//! The words that are looked for, and how each database's index is asked for them.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, Value},
};

use super::Kind;
use crate::organisation::{name_key, name_key::words};

/// How many words of a text are looked for; the rest tells nothing more.
const MOST_WORDS: usize = 12;

/// How many letters of a word are looked for.
const LONGEST_WORD: usize = 64;

/// How many letters of all of them together.
const LONGEST_KEY: usize = 200;

/// Words that are looked for: letters and digits in lower case without accents, so that they mean nothing else to a
/// database whatever was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sought {
    words: Vec<String>,
    /// All of them together, as organisations' names are kept for comparing: `J P Morgan` is looked for as `jpmorgan` too.
    key: String,
}

impl Sought {
    /// None when there is not one letter or digit in the text.
    pub fn new(text: &str) -> Option<Self> {
        let mut words = words(text);
        words.truncate(MOST_WORDS);
        for word in &mut words {
            if let Some((end, _)) = word.char_indices().nth(LONGEST_WORD) {
                word.truncate(end);
            }
        }
        let mut key: String = name_key::without_legal_form(&words).concat();
        // No name is as long, and PostgreSQL takes no word of more than 2,046 bytes.
        if key.chars().count() > LONGEST_KEY {
            key.clear();
        }
        (!words.is_empty()).then_some(Self { words, key })
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// That a row of the kind's table has all the words; on `SQLite` with `latest` only the rows that came last: that many,
    /// and of notes as many more as there are that may not exist for whoever asks.
    pub fn is_in(&self, backend: DbBackend, kind: Kind, latest: Option<u64>) -> Expr {
        let table = match kind {
            Kind::Organisation => "organisation",
            Kind::Contact => "contact",
            Kind::Note => "note",
        };
        if backend == DbBackend::Postgres {
            let asked = self.asked("'", ":*", "&", "|");
            let has = format!(r#""{table}"."search" @@ $1::tsquery"#);
            // Of notes, the latest that have a common word are found from the end. Names are found by the index and then
            // ordered: the planner would rather read all of them in their order, for a word like `limited`.
            let condition = if kind == Kind::Note {
                has
            } else {
                format!(
                    r#""{table}"."id" IN (WITH found AS MATERIALIZED
                       (SELECT id FROM "{table}" WHERE {has}) SELECT id FROM found)"#
                )
            };
            return Expr::cust_with_values(condition, [Value::from(asked)]);
        }
        let hidden = match kind {
            Kind::Organisation | Kind::Contact => "0",
            Kind::Note => "(SELECT COUNT(*) FROM note WHERE visibility IN ('FACULTY'))",
        };
        let latest = latest.map_or_else(String::new, |most| {
            format!(" ORDER BY rowid DESC LIMIT {most} + {hidden}")
        });
        Expr::cust_with_values(
            format!(
                r#""{table}"."id" IN (SELECT subject_id FROM search_number WHERE number IN
                   (SELECT rowid FROM search_{table} WHERE search_{table} MATCH ?{latest}))"#
            ),
            [Value::from(self.asked("\"", "*", "AND", "OR"))],
        )
    }

    fn asked(&self, quote: &str, begins: &str, and: &str, or: &str) -> String {
        let part = |word: &str| format!("{quote}{word}{quote}{begins}");
        let all: Vec<String> = self.words.iter().map(|word| part(word)).collect();
        let all = all.join(&format!(" {and} "));
        if self.words.len() > 1 && !self.key.is_empty() {
            format!("({all}) {or} {}", part(&self.key))
        } else {
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sought;

    fn asked(text: &str) -> String {
        Sought::new(text)
            .map(|sought| sought.asked("\"", "*", "AND", "OR"))
            .unwrap_or_default()
    }

    #[test]
    fn each_word_is_looked_for_by_its_beginning() {
        assert_eq!(asked("acc"), "\"acc\"*");
        assert_eq!(
            asked("J. P. Morgan"),
            "(\"j\"* AND \"p\"* AND \"morgan\"*) OR \"jpmorgan\"*"
        );
    }

    #[test]
    fn what_is_typed_is_no_language() {
        for (text, meant) in [
            ("\" OR *", "\"or\"*"),
            ("'x':* | !y", "(\"x\"* AND \"y\"*) OR \"xy\"*"),
            ("NEAR(\u{0}", "\"near\"*"),
            ("% _ \\", ""),
            ("", ""),
        ] {
            assert_eq!(asked(text), meant, "{text}");
        }
    }

    #[test]
    fn a_text_without_end_is_cut_short() {
        let sought = Sought::new(&"é".repeat(5_000)).unwrap();
        assert_eq!(sought.words()[0].chars().count(), 64);
        assert_eq!(Sought::new(&"a ".repeat(5_000)).unwrap().words().len(), 12);
        let long = Sought::new(&format!("{} ", "語".repeat(64)).repeat(12)).unwrap();
        assert_eq!((long.words().len(), long.key()), (12, ""));
    }
}
