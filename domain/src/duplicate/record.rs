//! What is known of something that may be there twice, made ready for comparing.

use std::collections::{HashMap, HashSet};

use super::normal;

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
    /// Domains of web site and mail that are its own; for a person, the whole address.
    pub domains: Vec<String>,
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
    pub number: Option<u32>,
    pub family: Option<u128>,
    pub id: u128,
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
    pub records: Vec<Ready>,
    texts: Vec<String>,
    ids: HashMap<String, u32>,
    /// In how many records each text occurs, by its place in `texts`.
    counts: Vec<u32>,
}

/// How common a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Common {
    /// How many records have it besides one.
    pub others: f64,
    /// Of how many.
    pub records: f64,
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

/// More names than this are not compared.
const NAMES: usize = 5;

impl Prepared {
    pub fn of(records: &[Record]) -> Self {
        let mut prepared = Self::default();
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
            let name = self.name(given);
            if names.iter().all(|known| known.key != name.key) {
                names.push(name);
            }
        }
        let mut texts = |kind: char, values: Vec<String>| -> Vec<u32> {
            let mut ids: Vec<u32> = values.iter().map(|value| self.id(kind, value)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
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
            number: number.map(|number| self.id(NUMBER, &number)),
            family: record.family,
            id: record.id,
        }
    }

    fn name(&mut self, given: &str) -> Name {
        let words = normal::name_words(given);
        let key = words.concat();
        let mut pieces: Vec<u32> = pieces(&key);
        pieces.sort_unstable();
        pieces.dedup();
        Name {
            words: words.iter().map(|word| self.id(NAME_WORD, word)).collect(),
            key: self.id(NAME_KEY, &key),
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
        let others = [ready.house, ready.postcode, ready.district, ready.number];
        let all: HashSet<u32> = names
            .chain(&ready.street)
            .chain(&ready.telephones)
            .chain(&ready.domains)
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
            others: f64::from(self.count_of(id).saturating_sub(1).max(1)),
            records: self.len(),
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
