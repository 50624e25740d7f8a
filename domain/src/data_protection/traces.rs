//! What leads to a person where it stands in words: their names, addresses and telephone numbers, those that they had earlier
//! among them, however they are written.
//!
//! Anywhere, these are taken out: whole names of several words and addresses, in capitals or not, and numbers by their digits,
//! with whatever stands between them and with or without the code of the country. A single word of a name is part of too many
//! other words; it is taken out as a whole word, and only of rows that are about the person.

use std::collections::BTreeSet;

use entity::{
    contact, organisation,
    personal_data::{ALL, Erased, Holding, Holds, Key},
    user,
};
use regex::{Regex, RegexBuilder};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, FunctionCall},
};
use serde_json::{Map, Value};

use super::{
    Person,
    rows::{ERASED_WORD, Sql, read},
};
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

/// What something is that leads to a person, which says where it ends: what goes on isn't theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
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
    fn taken_out(self, expression: &Regex, text: &str) -> Option<String> {
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

/// What is known of a person, now and from earlier.
#[derive(Debug, Default)]
struct Known {
    names: BTreeSet<String>,
    addresses: BTreeSet<String>,
    telephones: BTreeSet<String>,
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

impl Known {
    /// What the person's own rows, and the journals of them, tell of earlier. Another's record may have taken over an address or a
    /// number since; what is another's now is left alone.
    async fn earlier(db: &impl ConnectionTrait, person: &Person) -> Result<Self> {
        let mut known = Self::default();
        for holding in ALL.iter().filter(|holding| tells(holding)) {
            let mut sql = Sql::default();
            let Some(about) = sql.about(holding, person) else {
                continue;
            };
            for row in read(db, holding, &about, sql).await? {
                // The journal of a merge has rows of other tables, too.
                let of_a_person = row.get("in_table").and_then(Value::as_str);
                if of_a_person.is_some_and(|table| !["contact", "user_account"].contains(&table)) {
                    continue;
                }
                for (column, holds) in holding.columns() {
                    match (holds, row.get(column)) {
                        (Holds::Value(_) | Holds::Subject(Key::Address), Some(value)) => {
                            known.note(column, value);
                        }
                        (Holds::Words | Holds::Sealed, Some(value)) => known.look_into(value),
                        _ => {}
                    }
                }
            }
        }
        known.leave_out_what_others_have(db, person).await?;
        Ok(known)
    }

    fn look_into(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.note(key, value);
                    self.look_into(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.look_into(value)),
            _ => {}
        }
    }

    fn note(&mut self, key: &str, value: &Value) {
        let Value::String(text) = value else {
            return;
        };
        let text = text.trim();
        if text.contains(ERASED_WORD) || text.ends_with("@erased.invalid") {
            return;
        }
        match key {
            "name" | "recipient_name" | "recipientName" => {
                self.names.insert(text.to_owned());
            }
            "telephone" => {
                self.telephones.insert(text.to_owned());
            }
            "email" | "address" | "newEmail" | "new_email" if text.contains('@') => {
                self.addresses.insert(text.to_lowercase());
            }
            _ => {}
        }
    }

    async fn leave_out_what_others_have(
        &mut self,
        db: &impl ConnectionTrait,
        person: &Person,
    ) -> Result<()> {
        if !self.addresses.is_empty() {
            let contacts: Vec<Option<String>> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Email)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(contact::Column::Email.is_in(self.addresses.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let accounts: Vec<String> = user::Entity::find()
                .select_only()
                .column(user::Column::Email)
                .filter(user::Column::Id.is_not_in(person.account_ids()))
                .filter(user::Column::Email.is_in(self.addresses.clone()))
                .into_tuple()
                .all(db)
                .await?;
            for address in contacts.into_iter().flatten().chain(accounts) {
                self.addresses.remove(&address);
            }
        }
        if !self.telephones.is_empty() {
            let others: Vec<Option<String>> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Telephone)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(contact::Column::Telephone.is_not_null())
                .into_tuple()
                .all(db)
                .await?;
            let others: BTreeSet<String> = others
                .into_iter()
                .flatten()
                .filter_map(|telephone| Some(number(&telephone)?.1))
                .collect();
            self.telephones.retain(|telephone| {
                number(telephone).is_none_or(|(_, digits)| !others.contains(&digits))
            });
        }
        if !self.names.is_empty() {
            let lower: Vec<String> = self.names.iter().map(|name| name.to_lowercase()).collect();
            let organisations: Vec<String> = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::Name)
                .filter(Expr::expr(lowered(organisation::Column::Name)).is_in(lower.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let contacts: Vec<String> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Name)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(Expr::expr(lowered(contact::Column::Name)).is_in(lower.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let accounts: Vec<String> = user::Entity::find()
                .select_only()
                .column(user::Column::Name)
                .filter(user::Column::Id.is_not_in(person.account_ids()))
                .filter(Expr::expr(lowered(user::Column::Name)).is_in(lower))
                .into_tuple()
                .all(db)
                .await?;
            let others: BTreeSet<String> = organisations
                .into_iter()
                .chain(contacts)
                .chain(accounts)
                .map(|name| name.to_lowercase())
                .collect();
            self.names
                .retain(|name| !others.contains(&name.to_lowercase()));
        }
        Ok(())
    }
}

fn lowered(column: impl ColumnTrait) -> FunctionCall {
    Func::lower(Expr::col(column))
}

/// Whether a table may tell of earlier names, addresses or numbers in rows about a person.
fn tells(holding: &Holding) -> bool {
    holding.columns().any(|(column, holds)| match holds {
        Holds::Sealed => true,
        Holds::Words => holding.table == "merge_change",
        Holds::Value(Erased::Stays | Erased::EmptyObject) => false,
        Holds::Value(_) => {
            ["name", "recipient_name", "telephone", "email", "address"].contains(&column)
        }
        Holds::Subject(key) => key == Key::Address,
        _ => false,
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn traces(names: &[&str], addresses: &[&str], telephones: &[&str]) -> Traces {
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Traces::compile(&Known {
            names: set(names),
            addresses: set(addresses),
            telephones: set(telephones),
        })
        .unwrap()
    }

    #[test]
    fn names_and_addresses_go_however_they_are_written() {
        let traces = traces(&["Zoë O'Neil"], &["zoe@acme.test"], &[]);
        for text in ["Zoë O'Neil", "ZOË  O'NEIL", "o'neil, zoë", "Zoe@ACME.test"] {
            assert_eq!(
                traces.taken_out(text, false).as_deref(),
                Some(ERASED_WORD),
                "{text}"
            );
        }
        for text in ["Zoë", "O'Neil", "zoe@acme", "Zoë and O'Neil"] {
            assert_eq!(traces.taken_out(text, false), None, "{text}");
        }
    }

    #[test]
    fn numbers_go_by_their_digits() {
        for written in [
            "0113 496 0123",
            "+44 113 496 0123",
            "00441134960123",
            "+44 (0)113 496 0123",
        ] {
            let traces = traces(&[], &[], &[written]);
            for text in [
                "01134960123",
                "0113-496-0123",
                "(0113) 496 0123",
                "+44 113 4960123",
                "+44 (0) 113 496 0123",
                "0044 113.496.0123",
                "113 496 0123",
            ] {
                assert_eq!(
                    traces.taken_out(text, false).as_deref(),
                    Some(ERASED_WORD),
                    "{written}: {text}"
                );
            }
            for text in ["0113 496 0124", "0114 496 0123", "496 0123"] {
                assert_eq!(traces.taken_out(text, false), None, "{written}: {text}");
            }
        }
        let abroad = traces(&[], &[], &["+1 212 555 0100"]);
        assert_eq!(
            abroad.taken_out("001-212-5550100", false).as_deref(),
            Some(ERASED_WORD)
        );
        assert_eq!(abroad.taken_out("212 555 0100", false), None);
        assert!(
            traces(&[], &[], &["12345"]).anywhere.is_empty(),
            "too short to be told from others"
        );
    }

    #[test]
    fn what_goes_on_is_somebody_elses() {
        let traces = traces(&["An Li"], &["smith@acme.co"], &["343 1234"]);
        for text in [
            "Susan Lindholm",
            "Ali, Andrew",
            "j.smith@acme.co",
            "smith@acme.com",
            "smith@acme.co.uk",
            "020 3431 2345",
        ] {
            assert_eq!(traces.taken_out(text, false), None, "{text}");
        }
        for (text, left) in [
            ("Ask An Li.", "Ask [erased]."),
            ("Susan Lindt, An Li", "Susan Lindt, [erased]"),
            ("to smith@acme.co.", "to [erased]."),
            ("(343 1234)", "([erased])"),
        ] {
            assert_eq!(
                traces.taken_out(text, false).as_deref(),
                Some(left),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_without_a_piece_that_every_database_finds_is_looked_for_in_every_row() {
        let traces = traces(&["Иван Петров"], &["ivan@acme.test"], &[]);
        let mut sql = Sql::default();
        let condition = traces.may_name(&mut sql, "body", DbBackend::Postgres);
        assert_eq!(condition.as_deref(), Some("1 = 1"));
        assert_eq!(
            traces.taken_out("ИВАН ПЕТРОВ", false).as_deref(),
            Some(ERASED_WORD)
        );
    }

    #[test]
    fn single_words_go_from_rows_about_the_person_alone_and_only_whole() {
        let traces = traces(&["Madonna", "Will Marsh"], &[], &[]);
        let own = |text| traces.taken_out(text, true);
        assert_eq!(own("MADONNA called").as_deref(), Some("[erased] called"));
        assert_eq!(own("Will will call").as_deref(), Some("[erased] will call"));
        for text in ["Madonnas", "Marshall", "the marsh"] {
            assert_eq!(own(text), None, "{text}");
        }
        assert_eq!(traces.taken_out("Madonna and Will", false), None);
    }

    #[test]
    fn values_are_looked_through_at_every_depth() {
        let traces = traces(&["Ada Lovelace"], &[], &[]);
        let value =
            json!({ "a": ["ADA LOVELACE", 1, { "b": "by Ada Lovelace" }], "c": null, "d": "Bob" });
        let left = json!({ "a": ["[erased]", 1, { "b": "by [erased]" }], "c": null, "d": "Bob" });
        assert_eq!(traces.taken_out_of(&value, false), Some(left));
        assert_eq!(traces.taken_out_of(&json!({ "d": ["Bob"] }), false), None);
    }
}
