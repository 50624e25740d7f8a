//! What leads to a person where it stands in words: their names, addresses and telephone numbers, those that they had earlier
//! among them, however they are written.
//!
//! Anywhere, these are taken out: whole names of several words and addresses, in capitals or not, and numbers by their digits,
//! with whatever stands between them and with or without the code of the country. A single word of a name is part of too many
//! other words; it is taken out as a whole word, and only of rows that are about the person.

mod known;
#[cfg(test)]
mod tests;
mod what;

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Map, Value};

use self::{known::Known, what::What};
use super::{Person, rows::Sql};
use crate::error::{Error, Result};

/// What may stand between the digits of a telephone number.
const BETWEEN: &str = r"[\s().\-/\u{a0}\u{2010}-\u{2015}]*";
/// The same, for SQL, as far as it is common.
const LEFT_OUT: [&str; 9] = [
    " ", "(", ")", ".", "-", "/", "\u{a0}", "\u{2011}", "\u{2013}",
];
/// The fewest digits of a number that is looked for.
const FEWEST_DIGITS: usize = 6;
/// The shortest whole name or address that is looked for.
const SHORTEST: usize = 5;
/// The shortest part of a name that is looked for in the person's own rows.
const SHORTEST_PART: usize = 3;

/// What leads to a person.
#[derive(Debug, Default)]
pub(super) struct Traces {
    anywhere: Vec<(What, Regex)>,
    /// Single words, for rows about the person.
    own: Option<Regex>,
    /// Whether a name has nothing that every database finds in capitals and small letters alike.
    is_beyond_sql: bool,
    /// What SQL looks for before the expressions do: pieces of names and addresses in lower case, and ends of numbers.
    pieces: Vec<String>,
    ends: Vec<String>,
}

impl Traces {
    /// Everything that leads to a person. Call it before anything of them is erased.
    pub async fn of(db: &impl ConnectionTrait, person: &Person) -> Result<Self> {
        let mut known = Known::earlier(db, person).await?;
        let people = person.accounts.iter().map(|row| row.name.clone());
        known
            .names
            .extend(people.chain(person.contacts.iter().map(|row| row.name.clone())));
        known.addresses.extend(person.addresses());
        let numbers = person.contacts.iter();
        known
            .telephones
            .extend(numbers.filter_map(|row| row.telephone.clone()));
        Self::compile(&known)
    }

    /// What leads to nobody but this person: the addresses that no other record has.
    pub async fn of_nobody_else(db: &impl ConnectionTrait, person: &Person) -> Result<Self> {
        let mut known = Known::earlier(db, person).await?;
        known.addresses.extend(person.addresses());
        known.names.clear();
        known.leave_out_what_others_have(db, person).await?;
        known.telephones.clear();
        Self::compile(&known)
    }

    fn compile(known: &Known) -> Result<Self> {
        let (mut whole_names, mut own) = (BTreeSet::new(), BTreeSet::new());
        let (mut addresses, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        let (mut pieces, mut ends) = (BTreeSet::new(), BTreeSet::new());
        let names = known
            .names
            .iter()
            .map(|name| name.split_whitespace().collect::<Vec<_>>());
        for words in names {
            let escaped: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
            match (words.as_slice(), escaped.split_last()) {
                ([word], _) if is_long(word, 2) => {
                    own.insert(format!(r"(?i:\b{}\b)", regex::escape(word)));
                }
                (_, Some((last, rest))) if is_long(&words.join(" "), SHORTEST) => {
                    whole_names.insert(format!("(?i:{})", escaped.join(r"\s+")));
                    if !rest.is_empty() {
                        whole_names.insert(format!(r"(?i:{last},\s*{})", rest.join(r"\s+")));
                    }
                    pieces.extend(
                        words
                            .iter()
                            .copied()
                            .max_by_key(|word| word.len())
                            .map(piece),
                    );
                    let parts = words.iter().filter(|word| is_long(word, SHORTEST_PART));
                    own.extend(parts.map(|word| format!(r"\b{}\b", regex::escape(word))));
                }
                _ => {}
            }
        }
        for address in known.addresses.iter().filter(|one| is_long(one, SHORTEST)) {
            addresses.insert(format!("(?i:{})", regex::escape(address)));
            pieces.insert(piece(address));
        }
        for telephone in &known.telephones {
            let Some((prefix, digits)) = number(telephone) else {
                continue;
            };
            let spaced: Vec<String> = digits.chars().map(String::from).collect();
            numbers.insert(format!("{prefix}{}", spaced.join(BETWEEN)));
            ends.insert(digits[digits.len() - FEWEST_DIGITS..].to_owned());
        }
        let mut anywhere = Vec::new();
        for (what, expressions) in [
            (What::Name, whole_names),
            (What::Address, addresses),
            (What::Number, numbers),
        ] {
            anywhere.extend(any_of(&expressions)?.map(|expression| (what, expression)));
        }
        let is_beyond_sql = pieces.remove("");
        Ok(Self {
            anywhere,
            own: any_of(&own)?,
            is_beyond_sql,
            pieces: pieces.into_iter().collect(),
            ends: ends.into_iter().collect(),
        })
    }

    /// The text without them, if it names them; `own` when it belongs to a row that is about them.
    pub fn taken_out(&self, text: &str, own: bool) -> Option<String> {
        let anywhere = self
            .anywhere
            .iter()
            .map(|(what, expression)| (*what, expression));
        // Single words are of names, and are looked for as whole ones.
        let own = self
            .own
            .iter()
            .filter(|_| own)
            .map(|expression| (What::Name, expression));
        let mut left = None;
        for (what, expression) in anywhere.chain(own) {
            let taken = what.taken_out(expression, left.as_deref().unwrap_or(text));
            left = taken.or(left);
        }
        left
    }

    /// The same for every text within a value.
    pub fn taken_out_of(&self, value: &Value, own: bool) -> Option<Value> {
        match value {
            Value::String(text) => self.taken_out(text, own).map(Value::String),
            Value::Array(values) => {
                let taken: Vec<_> = values
                    .iter()
                    .map(|one| self.taken_out_of(one, own))
                    .collect();
                taken.iter().any(Option::is_some).then(|| {
                    let each = taken.into_iter().zip(values);
                    each.map(|(taken, value)| taken.unwrap_or_else(|| value.clone()))
                        .collect()
                })
            }
            Value::Object(fields) => {
                let mut left: Option<Map<String, Value>> = None;
                for (key, value) in fields {
                    if let Some(taken) = self.taken_out_of(value, own) {
                        left.get_or_insert_with(|| fields.clone())
                            .insert(key.clone(), taken);
                    }
                }
                left.map(Value::Object)
            }
            _ => None,
        }
    }

    /// The rows whose words may name them: all that do, and some that don't.
    pub fn may_name(&self, sql: &mut Sql, column: &str, backend: DbBackend) -> Option<String> {
        let find = if backend == DbBackend::Sqlite {
            "instr"
        } else {
            "strpos"
        };
        let text = format!("CAST(\"{column}\" AS TEXT)");
        let mut bare = text.clone();
        if !self.ends.is_empty() {
            for letter in LEFT_OUT {
                bare = format!("replace({bare}, {}, '')", sql.bind(letter.to_owned()));
            }
        }
        let pieces: Vec<String> = self
            .pieces
            .iter()
            .map(|piece| format!("{find}(lower({text}), {}) > 0", sql.bind(piece.clone())))
            .collect();
        let ends = self
            .ends
            .iter()
            .map(|end| format!("{find}({bare}, {}) > 0", sql.bind(end.clone())));
        if self.is_beyond_sql {
            return Some("1 = 1".to_owned());
        }
        let any: Vec<String> = pieces.into_iter().chain(ends).collect();
        (!any.is_empty()).then(|| format!("({})", any.join(" OR ")))
    }
}

fn is_long(text: &str, least: usize) -> bool {
    text.chars().count() >= least
}

/// The longest piece of a text in which every database finds capitals and small letters alike; nothing when there is none, as in
/// a name in Cyrillic letters.
fn piece(text: &str) -> String {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .max_by_key(|piece| piece.len())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// The digits of a number that every way of writing it has, and what may stand before them; none when it has too few.
fn number(telephone: &str) -> Option<(String, String)> {
    let is_foreign =
        telephone.trim_start().starts_with('+') || telephone.trim_start().starts_with("00");
    let digits: String = telephone.chars().filter(char::is_ascii_digit).collect();
    let whole = digits.strip_prefix("00").unwrap_or(&digits);
    let (prefix, digits) = match whole.strip_prefix("44") {
        Some(rest) if is_foreign || whole.len() >= 12 => (british(), rest.trim_start_matches('0')),
        _ if is_foreign => (format!(r"(?:(?:\+|00){BETWEEN})?"), whole),
        _ => match digits.strip_prefix('0') {
            Some(rest) => (british(), rest),
            None => (String::new(), digits.as_str()),
        },
    };
    (digits.len() >= FEWEST_DIGITS).then(|| (prefix, digits.to_owned()))
}

/// What may stand before a British number: the code of the country, or a nought.
fn british() -> String {
    format!(r"(?:(?:(?:\+|00){BETWEEN})?44{BETWEEN}(?:0{BETWEEN})?|\(?0{BETWEEN})?")
}

fn any_of(expressions: &BTreeSet<String>) -> Result<Option<Regex>> {
    if expressions.is_empty() {
        return Ok(None);
    }
    // The longest first, so that no part of one stays behind.
    let mut longest_first: Vec<&str> = expressions.iter().map(String::as_str).collect();
    longest_first.sort_by_key(|expression| std::cmp::Reverse(expression.len()));
    RegexBuilder::new(&longest_first.join("|"))
        .size_limit(1 << 26)
        .build()
        .map(Some)
        .map_err(|error| {
            Error::Fault(format!(
                "what leads to a person can't be looked for: {error}"
            ))
        })
}
