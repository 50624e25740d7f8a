//! What is known of something that may be there twice, made ready for comparing.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::normal;

/// What the records are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Organisations.
    #[default]
    Organisation,
    /// People: contacts of organisations.
    Person,
}

impl Kind {
    /// How it is called where it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "ORGANISATION",
            Self::Person => "PERSON",
        }
    }
}

/// Where a person works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Employer {
    /// Its name.
    pub name: String,
    /// The numbers of it and of others they work at; none where only the name is known.
    pub ids: Vec<u128>,
    /// The number of those that are likely the same as it.
    pub group: Option<u128>,
}

/// What is compared of one organisation or contact. Everything but the name may be missing; what is missing says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Other names it goes by.
    pub other_names: Vec<String>,
    /// Where it is, with or without the postcode.
    pub address: Option<String>,
    /// Its postcode.
    pub postcode: Option<String>,
    /// Numbers it is called under.
    pub telephones: Vec<String>,
    /// Domains of web site and mail that are its own.
    pub domains: Vec<String>,
    /// Of a person: the e-mail addresses.
    pub emails: Vec<String>,
    /// Of a person: where they work.
    pub employer: Option<Employer>,
    /// Of a person: their job title.
    pub job_title: Option<String>,
    /// Its number in a register.
    pub number: Option<String>,
    /// What it belongs to: two of one family (a division and its head office) are never the same.
    pub family: Option<u128>,
    /// Its own id, where something may belong to it.
    pub id: u128,
}

/// A record made ready.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub names: Vec<Name>,
    pub house: Option<u32>,
    pub street: Vec<u32>,
    pub postcode: Option<u32>,
    pub district: Option<u32>,
    pub telephones: Vec<u32>,
    pub domains: Vec<u32>,
    /// Addresses that are a person's own.
    pub emails: Vec<u32>,
    /// What stands before the @ of these.
    pub mailboxes: Vec<u32>,
    pub employer: Option<Workplace>,
    /// The words of the job title.
    pub title: Vec<u32>,
    pub number: Option<u32>,
    pub family: Option<u128>,
    pub id: u128,
}

/// Where a person works.
#[derive(Debug)]
pub(super) struct Workplace {
    pub name: Name,
    pub ids: Vec<u32>,
    pub group: Option<u32>,
}

/// One name.
#[derive(Debug, Default)]
pub(super) struct Name {
    /// The words in their order.
    pub words: Vec<u32>,
    /// The words without spaces: names that are the same have the same.
    pub key: u32,
    /// Its sorted three-letter pieces.
    pub pieces: Vec<u32>,
}

/// Many records made ready, and how often each value occurs among them.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub kind: Kind,
    pub records: Vec<Ready>,
    texts: Vec<String>,
    ids: HashMap<String, u32>,
    /// In how many records each text occurs, by its place in `texts`.
    counts: Vec<u32>,
}

/// How common a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Common {
    /// How many records have it besides one.
    pub others: u32,
    /// Of how many.
    pub records: u32,
}

/// Kinds of text, so that a street and a name of the same letters are counted apart.
const NAME_WORD: char = 'w';
const NAME_KEY: char = 'n';
const STREET_WORD: char = 's';
const HOUSE: char = 'h';
const POSTCODE: char = 'p';
const DISTRICT: char = 'd';
const TELEPHONE: char = 't';
const DOMAIN: char = 'm';
const NUMBER: char = 'r';
const EMAIL: char = 'e';
const MAILBOX: char = 'b';
const EMPLOYER: char = 'o';
const EMPLOYER_WORD: char = 'v';
const EMPLOYER_KEY: char = 'k';
const TITLE: char = 'j';

/// More names than this are not compared.
const NAMES: usize = 5;

impl Prepared {
    pub fn of(kind: Kind, records: &[Record]) -> Self {
        let mut prepared = Self {
            kind,
            ..Self::default()
        };
        for record in records {
            let ready = prepared.ready(record);
            prepared.count(&ready);
            prepared.records.push(ready);
        }
        prepared
    }

    fn ready(&mut self, record: &Record) -> Ready {
        let address = record
            .address
            .as_deref()
            .map(normal::address)
            .unwrap_or_default();
        let postcode = record
            .postcode
            .as_deref()
            .and_then(normal::postcode)
            .or(address.postcode);
        let mut names: Vec<Name> = Vec::new();
        for given in std::iter::once(&record.name)
            .chain(&record.other_names)
            .take(NAMES)
        {
            let words = match self.kind {
                Kind::Organisation => normal::name_words(given),
                Kind::Person => normal::person_words(given),
            };
            let name = self.name(&words, NAME_WORD, NAME_KEY);
            if names.iter().all(|known| known.key != name.key) {
                names.push(name);
            }
        }
        let employer = record
            .employer
            .as_ref()
            .map(|employer| self.workplace(employer));
        let mut texts = |kind: char, values: Vec<String>| -> Vec<u32> {
            let mut ids: Vec<u32> = values.iter().map(|value| self.id(kind, value)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let own: Vec<(String, String)> = record
            .emails
            .iter()
            .filter_map(|given| normal::own_email(given))
            .collect();
        let (addresses, mailboxes) = own.into_iter().unzip();
        let emails = texts(EMAIL, addresses);
        let mailboxes = texts(MAILBOX, mailboxes);
        let title = record.job_title.as_deref().map(normal::title_words);
        let title = texts(TITLE, title.unwrap_or_default());
        let telephones = record
            .telephones
            .iter()
            .filter_map(|given| normal::telephone(given));
        let telephones = texts(TELEPHONE, telephones.collect());
        let domains = texts(
            DOMAIN,
            record.domains.iter().map(|d| d.to_lowercase()).collect(),
        );
        let district = postcode
            .as_deref()
            .map(|code| self.id(DISTRICT, normal::district(code)));
        let number = record.number.as_deref().and_then(normal::company_number);
        Ready {
            names,
            house: address.number.map(|number| self.id(HOUSE, &number)),
            street: address
                .words
                .iter()
                .map(|word| self.id(STREET_WORD, word))
                .collect(),
            postcode: postcode.map(|code| self.id(POSTCODE, &code)),
            district,
            telephones,
            domains,
            emails,
            mailboxes,
            employer,
            title,
            number: number.map(|number| self.id(NUMBER, &number)),
            family: record.family,
            id: record.id,
        }
    }

    fn workplace(&mut self, employer: &Employer) -> Workplace {
        let words = normal::name_words(&employer.name);
        let name = self.name(&words, EMPLOYER_WORD, EMPLOYER_KEY);
        let number = |id: &u128| format!("{id:x}");
        let mut ids: Vec<u32> = employer
            .ids
            .iter()
            .map(|id| self.id(EMPLOYER, &number(id)))
            .collect();
        if ids.is_empty() {
            ids.push(name.key);
        }
        Workplace {
            name,
            ids,
            group: employer
                .group
                .map(|group| self.id(EMPLOYER, &number(&group))),
        }
    }

    fn name(&mut self, words: &[String], word_kind: char, key_kind: char) -> Name {
        let key = words.concat();
        let mut pieces: Vec<u32> = pieces(&key);
        pieces.sort_unstable();
        pieces.dedup();
        Name {
            words: words.iter().map(|word| self.id(word_kind, word)).collect(),
            key: self.id(key_kind, &key),
            pieces,
        }
    }

    fn id(&mut self, kind: char, text: &str) -> u32 {
        let key = format!("{kind}{text}");
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.ids.insert(key, id);
        self.counts.push(0);
        id
    }

    fn count(&mut self, ready: &Ready) {
        let names = ready
            .names
            .iter()
            .flat_map(|name| name.words.iter().chain([&name.key]));
        let workplace = ready.employer.iter().flat_map(|at| {
            let name = at.name.words.iter().chain([&at.name.key]);
            name.chain(&at.ids).chain(&at.group)
        });
        let others = [ready.house, ready.postcode, ready.district, ready.number];
        let all: HashSet<u32> = names
            .chain(&ready.street)
            .chain(&ready.telephones)
            .chain(&ready.domains)
            .chain(&ready.emails)
            .chain(&ready.mailboxes)
            .chain(workplace)
            .copied()
            .chain(others.into_iter().flatten())
            .collect();
        for id in all {
            if let Some(count) = self.counts.get_mut(id as usize) {
                *count += 1;
            }
        }
    }

    pub fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", String::as_str)
    }

    /// In how many records a value occurs.
    pub fn count_of(&self, id: u32) -> u32 {
        self.counts.get(id as usize).copied().unwrap_or(0).max(1)
    }

    /// How common a value is that two records have in common.
    pub fn common(&self, id: u32) -> Common {
        Common {
            others: self.count_of(id).saturating_sub(1).max(1),
            records: u32::try_from(self.records.len()).unwrap_or(u32::MAX).max(1),
        }
    }

    /// How much a word tells: little when many have it.
    pub fn weight_of(&self, word: u32) -> f64 {
        (1.0 + self.len() / f64::from(self.count_of(word))).ln()
    }

    /// How many records there are.
    pub fn len(&self) -> f64 {
        u32::try_from(self.records.len())
            .map_or(f64::MAX, f64::from)
            .max(1.0)
    }
}

/// The three-letter pieces of a text with a mark at its ends, as numbers.
fn pieces(text: &str) -> Vec<u32> {
    let padded: Vec<u32> = std::iter::once('^')
        .chain(text.chars())
        .chain(['$'])
        .map(|c| u32::from(c) & 0x3ff)
        .collect();
    padded
        .windows(3)
        .map(|three| three.iter().fold(0, |all, c| (all << 10) | c))
        .collect()
}
